import type { KernelCall } from "./kernel.ts";

/** What kind of device ran a kernel. */
export type DeviceKind = "webgpu" | "wasm" | "reference";

/** Memory of a device: an array of 32-bit words. Only the device that made it can use it. */
export interface DeviceBuffer {
  readonly sizeBytes: number;
  /** Frees the memory now. Using the buffer afterwards is a mistake. */
  destroy(): void;
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
