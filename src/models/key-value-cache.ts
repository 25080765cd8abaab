import type { DecoderGraph } from "../architectures/graph.ts";
import type { Device, DeviceBuffer } from "../device/device.ts";

/** A register that an attention reads keys or values from. */
interface CachedRegister {
  readonly name: string;
  readonly width: number;
}

/** Keys and values of prompts that go on token by token, on a device: they outlive the runs that make them. */
export class KeyValueCache {
  /** Tokens that there is room for, of each prompt. */
  readonly capacity: number;
  readonly #buffers = new Map<string, DeviceBuffer>();

  /**
   * @param prompts how many
   * @throws LabError as the device does where it has not the memory
   */
  constructor(device: Device, graph: DecoderGraph, prompts: number, capacity: number) {
    this.capacity = capacity;
    try {
      for (const { name, width } of cachedRegisters(graph)) {
        this.#buffers.set(name, device.createBuffer(prompts * capacity * width * 4));
      }
    } catch (thrown) {
      this.destroy();
      throw thrown;
    }
  }

  /**
   * What an attention keeps of a register, float32 [prompts · capacity, width of the register]: token i of prompt p in row
   * p · capacity + i.
   * @param module of the attention
   */
  of(module: string, register: string): DeviceBuffer {
    const buffer = this.#buffers.get(cacheName(module, register));
    if (!buffer) throw new Error(`no cache of ${register} for ${module}`);
    return buffer;
  }

  destroy(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }
}

/** How a run works with a cache. */
export interface CachePass {
  readonly cache: KeyValueCache;
  /** The row of the cache that the keys and values of each row of the batch go to. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /**
   * Attention reads the cache: row p of the batch is the newest token of prompt p. Else it reads the batch itself, which is
   * the whole prompts.
   */
  readonly isRead: boolean;
}

/** Bytes that a token of a prompt takes: in all buffers of a cache together, and in the largest one. */
export function cacheBytes(graph: DecoderGraph): { readonly all: number; readonly largest: number } {
  const bytes = cachedRegisters(graph).map(({ width }) => 4 * width);
  return { all: bytes.reduce((sum, own) => sum + own, 0), largest: Math.max(...bytes) };
}

/**
 * Whole registers are kept: where queries, keys and values lie in one, its queries too, so that attention finds the columns
 * at the places that the graph names.
 */
function cachedRegisters({ layers, registers }: DecoderGraph): readonly CachedRegister[] {
  return layers.flat().flatMap((step) => {
    if (step.kind !== "attend") return [];
    return [...new Set([step.key.register, step.value.register])].map((register) => ({
      name: cacheName(step.module, register),
      width: registers.get(register) ?? 0,
    }));
  });
}

function cacheName(module: string, register: string): string {
  return `${module} ${register}`;
}
