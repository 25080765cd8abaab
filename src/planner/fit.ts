import { LabError, quote } from "../base/errors.ts";
import { computed, lookedUp, type Quantity } from "../base/quantity.ts";
import { GPU_TABLE_SOURCE, GPUS, type Gpu } from "./gpus.ts";
import { type KvShape, kvCacheBytes } from "./kv-cache.ts";

/** Share of the memory that vLLM takes by default: `--gpu-memory-utilization`, vllm/config/cache.py. */
const MEMORY_UTILIZATION = 0.92;

/** Limits of the two numbers a person may enter; above them only a typing error is likely. */
export const MAX_CONTEXT_TOKENS = 10_000_000;
export const MAX_SEQUENCES = 100_000;

/** What a plan assumes. */
export interface FitAssumptions {
  readonly gpu: string;
  readonly contextTokens: number;
  readonly sequences: number;
}

/** Weights and KV cache against one GPU's memory. */
export interface FitResult {
  readonly gpu: string;
  readonly weightBytes: Quantity;
  readonly kvCacheBytes?: Quantity;
  readonly usableBytes: Quantity;
  readonly freeBytes?: Quantity;
  readonly fits: boolean | null;
}

/**
 * Whether weights and KV cache fit. Activations and the engine's own memory are not counted.
 * @param weightBytes bytes of all stored tensors, without file headers
 * @param kv null where the architecture is not known: then only "does not fit" can be said for sure
 * @throws LabError `plan/bad-assumption`
 */
export function fitOnGpu(weightBytes: number, kv: KvShape | null, assumptions: FitAssumptions): FitResult {
  const gpu = requireAssumptions(assumptions);
  const usable = Math.floor(gpu.memoryBytes * MEMORY_UTILIZATION);
  const weights = computed(weightBytes, "bytes", "stored tensors of the checkpoint, headers not counted");
  const usableBytes = lookedUp(usable, "bytes", `${MEMORY_UTILIZATION} of reported memory; ${GPU_TABLE_SOURCE}`);
  if (!kv) {
    return { gpu: gpu.name, weightBytes: weights, usableBytes, fits: weightBytes > usable ? false : null };
  }
  const cache = kvCacheBytes(kv, assumptions.contextTokens, assumptions.sequences);
  const free = usable - weightBytes - cache;
  return {
    gpu: gpu.name,
    weightBytes: weights,
    kvCacheBytes: computed(
      cache,
      "bytes",
      `2 · ${kv.layers} layers · ${kv.kvHeads} KV heads · ${kv.headDim} · ${kv.elementBytes} bytes · ${assumptions.contextTokens} tokens in blocks of 16 · ${assumptions.sequences} sequences`,
    ),
    usableBytes,
    freeBytes: computed(free, "bytes", "usable − weights − KV cache; activations and runtime memory not counted"),
    fits: free >= 0,
  };
}

function requireAssumptions(assumptions: FitAssumptions): Gpu {
  const gpu = GPUS.find((row) => row.name === assumptions.gpu);
  if (!gpu) throw bad(`no GPU named "${quote(assumptions.gpu)}"`, GPUS.map((row) => row.name).join(", "));
  requireCount("context tokens", assumptions.contextTokens, MAX_CONTEXT_TOKENS);
  requireCount("sequences", assumptions.sequences, MAX_SEQUENCES);
  return gpu;
}

function requireCount(what: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw bad(`${value} ${what}`, `a whole number from 1 to ${max}`);
}

function bad(found: string, allowed: string): LabError {
  return new LabError({
    code: "plan/bad-assumption",
    doing: "reading what the plan assumes",
    found,
    allowed,
    advice: "correct the entry",
  });
}
