import type { AnyKernel, Kernel } from "../device/kernel.ts";

/** One input of a kernel and what its output must be like. Every implementation runs every case. */
export interface KernelCase {
  readonly name: string;
  readonly kernel: AnyKernel;
  readonly source: unknown;
  readonly shape: unknown;
  /** Contents of the buffers in the order of the kernel's bindings; outputs are made non-zero, to catch what is not written. */
  readonly inputs: readonly Uint32Array<ArrayBuffer>[];
  /** 32-bit words of the last binding that the kernel must write. Other outputs are compared whole, bit for bit. */
  readonly outputWords: number;
  /**
   * How two last outputs are compared: bit for bit, or by a function that names the first difference beyond a tolerance; the
   * tolerance and its reason stand beside the case.
   */
  readonly compare?: (actual: Uint32Array, expected: Uint32Array) => string | null;
}

/** A case whose parameters fit its kernel. */
export function kernelCase<Source, Shape>(
  kernel: Kernel<Source, Shape>,
  init: { name: string; source: Source; shape: Shape } & Pick<KernelCase, "inputs" | "outputWords" | "compare">,
): KernelCase {
  return { ...init, kernel: kernel as unknown as AnyKernel };
}
