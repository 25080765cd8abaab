import type { AnyKernel, KernelCall } from "./kernel.ts";

/** What kind of device ran a kernel. */
export type DeviceKind = "webgpu" | "wasm" | "reference";

/** Memory of a device: an array of 32-bit words. Only the device that made it can use it. */
export interface DeviceBuffer {
  readonly sizeBytes: number;
  /** Frees the memory now. Using the buffer afterwards is a mistake. */
  destroy(): void;
}

/** What the own form of a kernel is called among its variants. */
export const DEFAULT_VARIANT = "default";

/** Which form of a kernel runs, and why it, in words. */
export interface VariantChoice {
  /** `default`, or the name of a variant. */
  readonly variant: string;
  /** Null where there was nothing to choose from. */
  readonly why: string | null;
}

/** The forms that kernels have on a device, and which of them run. */
export interface VariantTable {
  /** What this adapter is, as far as it tells: its name and the features that variants use. */
  readonly adapterKey: string;
  /** A driver that computes on the CPU: it pays far more for a barrier than it gains by neighbours' loads. */
  readonly isSoftware: boolean;
  /** Names of the variants of a kernel that can run here, without the default. */
  runnable(kernel: AnyKernel): readonly string[];
  /**
   * Runs a kernel in another form from the next call on.
   * @throws Error for a form that cannot run here
   */
  use(kernel: AnyKernel, choice: VariantChoice): void;
  choiceOf(kernel: AnyKernel): VariantChoice;
  /** Back to the default for every kernel that runs in another form, with a reason. @returns whether there was one */
  reset(why: string): boolean;
}

/**
 * Runs kernels on buffers. Calls take effect in the order they were made; nothing is said of when. A failure of an earlier
 * call surfaces at the next `read` or `settle`.
 */
export interface Device {
  readonly kind: DeviceKind;
  /** What people call it: the adapter's name, or `oracles in JavaScript`. */
  readonly adapter: string;
  /** Largest buffer that a kernel may bind, in bytes. */
  readonly maxBufferBytes: number;
  /** Bytes of weights that it handles in well under 100 ms, so that progress and cancelling stay prompt. */
  readonly tileBytes: number;
  /** Multiplications with their additions that it handles in about 100 ms: what is submitted at once. */
  readonly productsPerRun: number;
  /** Null where every kernel has one form. */
  readonly variants: VariantTable | null;
  /** A zeroed buffer of at least `sizeBytes`. */
  createBuffer(sizeBytes: number): DeviceBuffer;
  /** Copies `bytes` to the start of `buffer`; a ragged last word is filled with zero bytes. */
  write(buffer: DeviceBuffer, bytes: Uint8Array): void;
  /** Compiles programs side by side, ahead of their first run. What fails here fails again, with its reason, in `run`. */
  prepare(programs: readonly Pick<KernelCall<DeviceBuffer>, "kernel" | "source">[]): Promise<void>;
  run(calls: readonly KernelCall<DeviceBuffer>[]): void;
  /**
   * The first `sizeBytes` of `buffer`, a copy.
   * @throws LabError `device/lost`, `device/out-of-memory`, `kernel/failed`
   */
  read(buffer: DeviceBuffer, sizeBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Waits until everything so far is done. Throws as `read`. */
  settle(): Promise<void>;
  destroy(): void;
}
