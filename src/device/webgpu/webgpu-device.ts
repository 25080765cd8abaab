import { LabError, quote } from "../../base/errors.ts";
import type { Device, DeviceBuffer } from "../device.ts";
import type { Kernel, KernelCall } from "../kernel.ts";
import { MAX_BUFFER_BYTES, type OpenAdapter, openAdapter } from "./open-adapter.ts";
import { Programs, shaderOf } from "./programs.ts";
import { UploadRing } from "./upload-ring.ts";
import { Variants } from "./variants.ts";

/** Shape uniforms have 64 words at most; one slot each keeps their binding simple. */
const UNIFORM_BYTES = 256;

/** A software adapter on two cores takes about 70 ms for this under eight schemes; a GPU well under one. */
const TILE_BYTES = 4 * 2 ** 20;

/** Multiplications in about 70 ms: 4 GFLOP/s on a software adapter, a GPU does far more. */
const SOFTWARE_PRODUCTS_PER_RUN = 2 ** 27;
const GPU_PRODUCTS_PER_RUN = 2 ** 34;

/** How long the news of a loss may take after a read failed for it. */
const LOSS_NEWS_MS = 200;

class GpuMemory implements DeviceBuffer {
  readonly sizeBytes: number;
  readonly buffer: GPUBuffer;

  constructor(device: GPUDevice, sizeBytes: number, usage: GPUBufferUsageFlags) {
    this.sizeBytes = Math.max(16, Math.ceil(sizeBytes / 16) * 16);
    this.buffer = device.createBuffer({ size: this.sizeBytes, usage });
  }

  destroy(): void {
    this.buffer.destroy();
  }
}

/**
 * Opens a device on a fresh adapter.
 * @param gpu the host's `navigator.gpu`, or null where it has none
 * @throws LabError `device/no-webgpu`, `device/no-adapter`, `device/refused`
 */
export async function createWebGpuDevice(gpu: GPU | null): Promise<Device> {
  return wrap(await openAdapter(gpu));
}

function wrap(opened: OpenAdapter): Device {
  const { device, name: adapter } = opened;
  const variants = new Variants(opened);
  const programs = new Programs(device, variants);
  const uniforms: GPUBuffer[] = [];
  const uploads = new UploadRing(device, TILE_BYTES);
  /** Buffers to read through that nobody reads through now, by size; as many as were ever in use at once. */
  const freeStaging = new Map<number, GPUBuffer[]>();
  /** Error scopes that nobody has taken yet. */
  let scopes: Promise<LabError | null>[] = [];
  let lost: LabError | null = null;

  const losing = device.lost.then((info) => {
    // Destroyed on purpose, by whoever holds the device, is no accident to be mended.
    const isClosed = info.reason === "destroyed";
    lost = new LabError({
      code: isClosed ? "device/closed" : "device/lost",
      doing: `computing on ${adapter}`,
      found: isClosed ? "the device was closed" : `the device was lost: ${quote(info.message || info.reason)}`,
      allowed: "a device that stays until the work is done",
      advice: "start again: a new device is opened. If it is lost again, choose the CPU",
    });
  });

  /** Runs `work` under error scopes; what they catch surfaces at the next `settle` or `read`. */
  function guarded(doing: string, work: () => void): void {
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("internal");
    device.pushErrorScope("validation");
    try {
      work();
    } finally {
      for (let i = 0; i < 3; i++)
        scopes.push(device.popErrorScope().then((error) => error && scopeError(error, doing)));
    }
  }

  function uniformSlot(index: number): GPUBuffer {
    uniforms[index] ??= device.createBuffer({
      label: "shape",
      size: UNIFORM_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    return uniforms[index];
  }

  /** A buffer to read through: one that is free, or a new one. Never dropped, since dropped memory waits for a collection. */
  function stagingOf(sizeBytes: number): GPUBuffer {
    const size = Math.max(16, 2 ** Math.ceil(Math.log2(sizeBytes)));
    const free = freeStaging.get(size)?.pop();
    return (
      free ?? device.createBuffer({ label: "read", size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
    );
  }

  function giveBack(staging: GPUBuffer): void {
    const free = freeStaging.get(staging.size);
    if (free) free.push(staging);
    else freeStaging.set(staging.size, [staging]);
  }

  /**
   * The scopes opened so far, for one look at them. Taken at the call that waits for the work, not when that work is done:
   * a read of an attempt that has failed must not swallow the errors of the next attempt.
   */
  function takeScopes(): readonly Promise<LabError | null>[] {
    const taken = scopes;
    scopes = [];
    return taken;
  }

  async function settle(waiting: readonly Promise<LabError | null>[]): Promise<void> {
    const errors = await Promise.all(waiting);
    // After a loss every scope pops as if all were well, so the loss is asked for by name.
    if (lost) throw lost;
    const failure = errors.find((error) => error !== null);
    if (failure) throw failure;
  }

  return {
    kind: "webgpu",
    adapter,
    tileBytes: TILE_BYTES,
    productsPerRun: opened.isSoftware ? SOFTWARE_PRODUCTS_PER_RUN : GPU_PRODUCTS_PER_RUN,
    variants,
    maxBufferBytes: Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize, MAX_BUFFER_BYTES),

    createBuffer(sizeBytes) {
      let made: GpuMemory | undefined;
      guarded(`making a buffer of ${sizeBytes} bytes on ${adapter}`, () => {
        const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
        made = new GpuMemory(device, sizeBytes, usage);
      });
      return made as GpuMemory;
    },

    write(buffer, bytes) {
      const { buffer: target } = buffer as GpuMemory;
      const whole = bytes.byteLength - (bytes.byteLength % 4);
      if (whole === bytes.byteLength) {
        let isUploaded = false;
        guarded(`uploading ${whole} bytes to ${adapter}`, () => {
          isUploaded = uploads.write(target, bytes);
        });
        if (isUploaded) return;
      }
      if (whole > 0) device.queue.writeBuffer(target, 0, bytes as Uint8Array<ArrayBuffer>, 0, whole);
      if (whole < bytes.byteLength) {
        const last = new Uint8Array(4);
        last.set(bytes.subarray(whole));
        device.queue.writeBuffer(target, whole, last);
      }
    },

    async prepare(wanted) {
      const compiling = wanted.map(({ kernel, source }) =>
        programs.prepare(kernel as unknown as Kernel<unknown, unknown>, source, (work) =>
          guarded(`compiling ${kernel.name} on ${adapter}`, work),
        ),
      );
      await Promise.all(compiling);
    },

    run(calls: readonly KernelCall<DeviceBuffer>[]) {
      for (const { kernel } of calls) shaderOf(kernel);
      guarded(`running ${calls.map(({ kernel }) => kernel.name).join(", ")} on ${adapter}`, () => {
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        calls.forEach((item, index) => {
          const kernel = item.kernel as unknown as Kernel<unknown, unknown>;
          if (kernel.invocations(item.source, item.shape) === 0) return;
          const { pipelines, layout, workgroups } = programs.forRun(kernel, item.source, item.shape);
          const uniform = uniformSlot(index);
          const words = new Uint32Array(UNIFORM_BYTES / 4);
          words.set(kernel.uniforms(item.shape));
          device.queue.writeBuffer(uniform, 0, words);
          const bound = [...item.buffers.map((buffer) => (buffer as GpuMemory).buffer), uniform];
          pass.setBindGroup(
            0,
            device.createBindGroup({
              layout,
              entries: bound.map((buffer, binding) => ({ binding, resource: { buffer } })),
            }),
          );
          for (const [entry, pipeline] of pipelines.entries()) {
            pass.setPipeline(pipeline);
            pass.dispatchWorkgroups(...(workgroups[entry] ?? [0, 0]));
          }
        });
        pass.end();
        device.queue.submit([encoder.finish()]);
      });
    },

    async read(buffer, sizeBytes) {
      if (lost) throw lost;
      const size = Math.ceil(sizeBytes / 4) * 4;
      const target = stagingOf(size);
      guarded(`reading ${sizeBytes} bytes back from ${adapter}`, () => {
        const encoder = device.createCommandEncoder();
        encoder.copyBufferToBuffer((buffer as GpuMemory).buffer, 0, target, 0, size);
        device.queue.submit([encoder.finish()]);
      });
      const waiting = takeScopes();
      try {
        await target.mapAsync(GPUMapMode.READ, 0, size);
      } catch (cause) {
        // The loss may be told a little later than the failed mapping.
        await Promise.race([losing, new Promise((resolve) => setTimeout(resolve, LOSS_NEWS_MS))]);
        await settle(waiting);
        throw new LabError({
          code: "device/lost",
          doing: `reading ${sizeBytes} bytes back from ${adapter}`,
          found: quote(cause instanceof Error ? cause.message : String(cause)),
          allowed: "memory that can be read after the work is done",
          advice: "start again, or choose the CPU",
          cause,
        });
      }
      const bytes = new Uint8Array(target.getMappedRange(0, size).slice(0, sizeBytes));
      target.unmap();
      giveBack(target);
      await settle(waiting);
      return bytes;
    },

    async settle() {
      const waiting = takeScopes();
      await device.queue.onSubmittedWorkDone();
      await settle(waiting);
    },

    destroy() {
      device.destroy();
    },
  };
}

/** One error of a scope as ours. Its text is the implementation's: shown, never parsed. */
function scopeError(error: GPUError, doing: string): LabError {
  const isMemory = error instanceof GPUOutOfMemoryError;
  return new LabError({
    code: isMemory ? "device/out-of-memory" : "kernel/failed",
    doing,
    found: quote(error.message),
    allowed: isMemory ? "buffers within the memory of the device" : "kernels that this adapter compiles and runs",
    advice: isMemory
      ? "close other work on the GPU, or choose the CPU"
      : "choose the CPU, and report the adapter's name",
  });
}
