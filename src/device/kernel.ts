/** Invocations per workgroup of every shader; `shaders/lib/invocation.wgsl` has the same number. */
export const WORKGROUP_SIZE = 64;

/** Workgroups per dispatch dimension that every WebGPU device allows. */
const MAX_WORKGROUPS_PER_DIMENSION = 65_535;

/** A storage buffer of a kernel. All buffers are arrays of 32-bit words. */
export interface Binding {
  /** Name of the variable in the shader. */
  readonly name: string;
  readonly access: "read" | "write";
}

/** One pass of a kernel's WebAssembly form, in pieces that threads do side by side and in any order. */
export interface WasmStep {
  /**
   * The function of `x.as.ts`. Its parameters: the address of the uniforms, `constants` in their order, `extra`, the
   * addresses of the buffers, the first piece, the piece before which it ends.
   */
  readonly name: string;
  readonly extra?: readonly number[];
  readonly pieces: number;
}

/**
 * Another form of a kernel for WebGPU, for adapters that it suits better: the same bindings, uniforms, constants and entry
 * points, the same output. The kernel's own form always works, and runs until a device is told of a better one.
 */
export interface KernelVariant<Source, Shape> {
  /** Stands in the name of its file too: `shaders/stats/min_max.subgroup.wgsl`. Never `default`. */
  readonly name: string;
  readonly wgsl: string;
  /** What a device must have for it to compile. */
  readonly features: readonly GPUFeatureName[];
  /** Whether it does such a run; the others are left to the kernel's own form. */
  takes(source: Source, shape: Shape): boolean;
  /** Workgroups of `main`, whose size is the shader's own. `rest`, where the kernel has it, runs as in the kernel's own form. */
  workgroups(source: Source, shape: Shape): number;
}

/**
 * One computation as a value: every device picks the form it can run.
 * `Source` changes the program text (pipeline constants); `Shape` changes only the run (uniforms, dispatch).
 */
export interface Kernel<Source, Shape> {
  /** Family and stem: `quant/int_quantize`. */
  readonly name: string;
  /**
   * WGSL with includes resolved; entry point `main`, storage buffers from binding 0 on, uniforms after them. Null where WGSL
   * lacks what the kernel needs: such a kernel runs on CPUs only.
   */
  readonly wgsl: string | null;
  /** Its other forms; absent: it has none. */
  readonly variants?: readonly KernelVariant<Source, Shape>[];
  readonly bindings: readonly Binding[];
  /** Whether its output is the same bits on every device that computes as WGSL demands. */
  readonly isExact: boolean;
  constants(source: Source): Readonly<Record<string, number>>;
  /** Words of the uniform struct. */
  uniforms(shape: Shape): readonly number[];
  invocations(source: Source, shape: Shape): number;
  /**
   * Invocations of a second entry point, `rest`, which runs after `main` on the same buffers: a place for what is rare and
   * long, since software adapters run through all of a shader in every invocation, whatever its branches say.
   */
  rest?(source: Source, shape: Shape): number;
  /** The form for WebAssembly: its passes, one after the other. */
  wasm(source: Source, shape: Shape): readonly WasmStep[];
  /** The plain version. `buffers` in the order of `bindings`, at least as long as the shader needs. */
  oracle(source: Source, shape: Shape, buffers: readonly Uint32Array[]): void;
}

/** A kernel with what this run needs, and the buffers in the order of its bindings. */
export interface KernelCall<Buffer> {
  readonly kernel: AnyKernel;
  readonly source: unknown;
  readonly shape: unknown;
  readonly buffers: readonly Buffer[];
}

/** A kernel whose parameter types are not known here; `call` is the only way to make one with its parameters. */
export type AnyKernel = Kernel<never, never>;

/** A call whose parameters fit its kernel. */
export function call<Source, Shape, Buffer>(
  kernel: Kernel<Source, Shape>,
  source: Source,
  shape: Shape,
  buffers: readonly Buffer[],
): KernelCall<Buffer> {
  return { kernel: kernel as unknown as AnyKernel, source, shape, buffers };
}

/** Workgroups in x and y that hold at least `invocations`, folded so that neither passes the limit of a dimension. */
export function foldDispatch(invocations: number): readonly [x: number, y: number] {
  return foldWorkgroups(Math.ceil(invocations / WORKGROUP_SIZE));
}

/** At least so many workgroups in x and y. `workgroup_index` of `shaders/lib/workgroup.wgsl` numbers them. */
export function foldWorkgroups(workgroups: number): readonly [x: number, y: number] {
  const x = Math.min(workgroups, MAX_WORKGROUPS_PER_DIMENSION);
  return [x, x === 0 ? 0 : Math.ceil(workgroups / x)];
}
