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

/**
 * One computation as a value: every device picks the form it can run.
 * `Source` changes the program text (pipeline constants); `Shape` changes only the run (uniforms, dispatch).
 */
export interface Kernel<Source, Shape> {
  /** Family and stem: `quant/int_quantize`. */
  readonly name: string;
  /** WGSL with includes resolved; entry point `main`, storage buffers from binding 0 on, uniforms after them. */
  readonly wgsl: string;
  readonly bindings: readonly Binding[];
  /** Whether its output is the same bits on every device that computes as WGSL demands. */
  readonly isExact: boolean;
  constants(source: Source): Readonly<Record<string, number>>;
  /** Words of the uniform struct. */
  uniforms(shape: Shape): readonly number[];
  invocations(source: Source, shape: Shape): number;
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
  const workgroups = Math.ceil(invocations / WORKGROUP_SIZE);
  const x = Math.min(workgroups, MAX_WORKGROUPS_PER_DIMENSION);
  return [x, x === 0 ? 0 : Math.ceil(workgroups / x)];
}
