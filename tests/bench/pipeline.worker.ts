import * as Comlink from "comlink";
import { createWasmDevice } from "../../src/device/wasm/wasm-device.ts";
import { createWebGpuDevice } from "../../src/device/webgpu/webgpu-device.ts";
import type { DeviceChoice } from "../../src/engine/api.ts";
import { browserWasm } from "../../src/engine/browser-threads.ts";
import { createEngine, type HostedEngine } from "../../src/engine/engine.ts";
import { probeDevices } from "../../src/engine/probe.ts";
import { openOpfsSink } from "../../src/formats/outputs/opfs-sink.ts";
import { createTarOutput } from "../../src/formats/outputs/tar-output.ts";
import { createBlobFolder, createBlobSource } from "../../src/formats/sources/blob-source.ts";
import { createMemoryStore } from "../../src/formats/stores/memory-store.ts";
import { DEFAULT_IGNORE } from "../../src/schemes/targets.ts";

/** Bytes that the plain reading asks for at a time. */
const SLICE_BYTES = 16 * 2 ** 20;

/** Blocks of a tar archive. */
const TAR_BLOCK_BYTES = 512;

/** A picked file with its path in its folder. */
export interface PickedFile {
  readonly path: string;
  readonly file: File;
}

const REQUEST = { arithmetic: "eager", ignore: DEFAULT_IGNORE } as const;

const engines = new Map<DeviceChoice, HostedEngine>();

function engineOn(device: DeviceChoice): HostedEngine {
  const known = engines.get(device);
  if (known) return known;
  const host = {
    gpu: navigator.gpu ?? null,
    wasm: browserWasm(),
    now: () => performance.now(),
    store: createMemoryStore(),
  };
  const engine = createEngine({ ...host, device });
  engines.set(device, engine);
  return engine;
}

async function opened(files: readonly PickedFile[], device: DeviceChoice): Promise<HostedEngine> {
  const engine = engineOn(device);
  await engine.open(
    createBlobFolder(
      "made",
      files.map(({ path, file }) => [path, file] as const),
    ),
  );
  return engine;
}

const api = {
  /** Milliseconds that reading all bytes takes, as the engine reads them, with nothing done to them. */
  async read(files: readonly PickedFile[]): Promise<number> {
    const started = performance.now();
    let buffer = new ArrayBuffer(SLICE_BYTES);
    for (const { path, file } of files) {
      const source = createBlobSource(path, file);
      for (let at = 0; at < file.size; at += SLICE_BYTES) {
        const bytes = await source.read(at, Math.min(at + SLICE_BYTES, file.size), buffer);
        buffer = bytes.buffer;
      }
    }
    return performance.now() - started;
  },

  /** Milliseconds of a comparison, and the relative error of each scheme over the model. */
  async compare(files: readonly PickedFile[], device: DeviceChoice, schemes: readonly string[]) {
    const engine = await opened(files, device);
    const started = performance.now();
    const result = await engine.compare({
      ...REQUEST,
      schemes,
      plan: { gpu: "L4 24 GB", contextTokens: 512, sequences: 1 },
      throughput: false,
    });
    return {
      ms: performance.now() - started,
      adapter: result.kernels[0]?.adapter ?? "",
      errors: result.schemes.map(({ relativeMse }) => relativeMse?.value ?? Number.NaN),
    };
  },

  /** Milliseconds that choosing between two devices takes, both of them open and fresh; what it compiles is part of it. */
  async probe(): Promise<number> {
    const devices = [await createWebGpuDevice(navigator.gpu ?? null), await createWasmDevice(browserWasm())] as const;
    const started = performance.now();
    await probeDevices("measuring", devices, () => performance.now());
    const ms = performance.now() - started;
    for (const device of devices) device.destroy();
    return ms;
  },

  /**
   * Exports a scheme to the browser's private storage, where nothing stays of it.
   * @returns milliseconds, and the SHA-256 of the weights' file where `isHashed`
   */
  async exportTo(files: readonly PickedFile[], device: DeviceChoice, scheme: string, isHashed: boolean) {
    const engine = await opened(files, device);
    const started = performance.now();
    const sink = await openOpfsSink();
    try {
      const result = await engine.quantize({ ...REQUEST, scheme }, createTarOutput(sink, "made"));
      const ms = performance.now() - started;
      const hash = isHashed ? await hashOfWeights(await sink.getFile()) : null;
      return { ms, adapter: result.kernels[0]?.adapter ?? "", hash };
    } finally {
      await sink.discard();
    }
  },
};

/** SHA-256 of the file model.safetensors in a tar archive without long names, in hexadecimal. */
async function hashOfWeights(archive: File): Promise<string> {
  for (let at = 0; at + TAR_BLOCK_BYTES <= archive.size; ) {
    const header = await archive.slice(at, at + TAR_BLOCK_BYTES).text();
    const field = (start: number, end: number) => header.slice(start, end).replace(/\0.*$/s, "");
    const sizeBytes = Number.parseInt(field(124, 136), 8);
    const start = at + TAR_BLOCK_BYTES;
    if (field(0, 100).endsWith("/model.safetensors")) {
      const digest = await crypto.subtle.digest("SHA-256", await archive.slice(start, start + sizeBytes).arrayBuffer());
      return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    }
    at = start + Math.ceil(sizeBytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
  }
  throw new Error("the archive has no model.safetensors");
}

export type PipelineApi = typeof api;

Comlink.expose(api);
