import { LabError, quote } from "../../base/errors.ts";
import type { Device, DeviceBuffer } from "../device.ts";
import { foldDispatch, type Kernel, type KernelCall } from "../kernel.ts";
import { UploadRing } from "./upload-ring.ts";

/** Shape uniforms have 64 words at most; one slot each keeps their binding simple. */
const UNIFORM_BYTES = 256;

/** Limits worth asking for; the rest stay at WebGPU's lowest, so that what runs here runs everywhere. */
const WANTED_LIMITS = ["maxBufferSize", "maxStorageBufferBindingSize"] as const;

/** A software adapter on two cores takes about 70 ms for this under eight schemes; a GPU well under one. */
const TILE_BYTES = 4 * 2 ** 20;

/** Largest buffer the lab maps or binds. Tiles are far smaller; it bounds a mistake, not the work. */
const MAX_BUFFER_BYTES = 2 ** 28;

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
 * Opens a device on a fresh adapter (an adapter serves one device only).
 * @param gpu the host's `navigator.gpu`, or null where it has none
 * @throws LabError `device/no-webgpu`, `device/no-adapter`, `device/refused`
 */
export async function createWebGpuDevice(gpu: GPU | null): Promise<Device> {
  if (!gpu) {
    throw new LabError({
      code: "device/no-webgpu",
      doing: "looking for WebGPU",
      found: isInsecurePage()
        ? "none, since this page came neither over https nor from localhost"
        : "this environment has none",
      allowed: "a browser with WebGPU on https or localhost, or Node with the optional package webgpu",
      advice: "take another browser, install the package, or choose the CPU",
    });
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new LabError({
      code: "device/no-adapter",
      doing: "asking for a WebGPU adapter",
      found: "no adapter",
      allowed: "a GPU with a Vulkan, Metal or D3D12 driver, or a software driver such as SwiftShader",
      advice: "on Debian install chromium and libvulkan1, in a browser enable hardware acceleration, or choose the CPU",
    });
  }
  return wrap(await requestDevice(adapter), describeAdapter(adapter));
}

/** Browsers have WebGPU on secure pages only. */
function isInsecurePage(): boolean {
  return "isSecureContext" in globalThis && globalThis.isSecureContext === false;
}

async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits = Object.fromEntries(
    WANTED_LIMITS.map((name) => [name, Math.min(adapter.limits[name], MAX_BUFFER_BYTES)]),
  );
  try {
    return await adapter.requestDevice({ requiredLimits });
  } catch (first) {
    try {
      return await adapter.requestDevice();
    } catch {
      throw new LabError({
        code: "device/refused",
        doing: "opening a WebGPU device",
        found: quote(first instanceof Error ? first.message : String(first)),
        allowed: "a device with WebGPU's lowest limits",
        advice: "close other pages that use the GPU and reload, or choose the CPU",
        cause: first,
      });
    }
  }
}

/** A compiled kernel. */
interface Program {
  /** One for each entry point. */
  readonly pipelines: readonly GPUComputePipeline[];
  readonly layout: GPUBindGroupLayout;
}

/** What makes two programs the same: the kernel and its constants. */
function programKey(kernel: Kernel<unknown, unknown>, source: unknown): string {
  return `${kernel.name} ${JSON.stringify(kernel.constants(source))}`;
}

/** Entry points of a kernel's shader, in the order in which they run. */
function entryPoints({ rest }: Kernel<unknown, unknown>): readonly string[] {
  return rest ? ["main", "rest"] : ["main"];
}

/** @throws LabError `kernel/cpu-only` where there is none */
function shaderOf({ name, wgsl }: Pick<Kernel<unknown, unknown>, "name" | "wgsl">): string {
  if (wgsl !== null) return wgsl;
  throw new LabError({
    code: "kernel/cpu-only",
    doing: `running ${name} on WebGPU`,
    found: "a kernel without a shader, since WGSL lacks what it needs",
    allowed: "kernels with a shader",
    advice: "run it on the CPU",
  });
}

function describeAdapter(adapter: GPUAdapter): string {
  const { vendor, architecture, device, description } = adapter.info;
  const words = description || [vendor, architecture, device].filter(Boolean).join(" ");
  return quote(words || "unnamed WebGPU adapter");
}

function wrap(device: GPUDevice, adapter: string): Device {
  const pipelines = new Map<string, Program>();
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

  function describe(kernel: Kernel<unknown, unknown>, source: unknown) {
    const constants = kernel.constants(source);
    const storage = kernel.bindings.map(({ access }, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: access === "read" ? ("read-only-storage" as const) : ("storage" as const) },
    }));
    const layout = device.createBindGroupLayout({
      label: kernel.name,
      entries: [
        ...storage,
        { binding: storage.length, visibility: GPUShaderStage.COMPUTE, buffer: { type: "uniform" } },
      ],
    });
    const module = device.createShaderModule({ label: kernel.name, code: shaderOf(kernel) });
    const descriptors = entryPoints(kernel).map((entryPoint) => ({
      label: kernel.name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint, constants },
    }));
    return { layout, descriptors };
  }

  function pipelineOf(kernel: Kernel<unknown, unknown>, source: unknown): Program {
    const key = programKey(kernel, source);
    const known = pipelines.get(key);
    if (known) return known;
    const { layout, descriptors } = describe(kernel, source);
    const made = { pipelines: descriptors.map((descriptor) => device.createComputePipeline(descriptor)), layout };
    pipelines.set(key, made);
    return made;
  }

  async function prepare(kernel: Kernel<unknown, unknown>, source: unknown): Promise<void> {
    const key = programKey(kernel, source);
    if (pipelines.has(key)) return;
    let described: ReturnType<typeof describe> | undefined;
    guarded(`compiling ${kernel.name} on ${adapter}`, () => {
      described = describe(kernel, source);
    });
    if (!described) return;
    const { layout, descriptors } = described;
    try {
      const made = await Promise.all(descriptors.map((descriptor) => device.createComputePipelineAsync(descriptor)));
      pipelines.set(key, { pipelines: made, layout });
    } catch {
      // The first run compiles again, under an error scope that says why it cannot.
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

    async prepare(programs) {
      const each = programs.map(({ kernel, source }) => prepare(kernel as unknown as Kernel<unknown, unknown>, source));
      await Promise.all(each);
    },

    run(calls: readonly KernelCall<DeviceBuffer>[]) {
      for (const { kernel } of calls) shaderOf(kernel);
      guarded(`running ${calls.map(({ kernel }) => kernel.name).join(", ")} on ${adapter}`, () => {
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        calls.forEach((item, index) => {
          const kernel = item.kernel as unknown as Kernel<unknown, unknown>;
          const main = kernel.invocations(item.source, item.shape);
          if (main === 0) return;
          const invocations = [main, kernel.rest?.(item.source, item.shape) ?? 0];
          const { pipelines: programs, layout } = pipelineOf(kernel, item.source);
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
          for (const [entry, pipeline] of programs.entries()) {
            pass.setPipeline(pipeline);
            pass.dispatchWorkgroups(...foldDispatch(invocations[entry] ?? 0));
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
