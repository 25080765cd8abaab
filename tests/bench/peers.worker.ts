// What others and plainer versions take for the same work, in the same worker.
import * as Comlink from "comlink";
import type { Device, DeviceBuffer } from "../../src/device/device.ts";
import { call, type KernelCall } from "../../src/device/kernel.ts";
import { createWasmDevice } from "../../src/device/wasm/wasm-device.ts";
import { createWebGpuDevice } from "../../src/device/webgpu/webgpu-device.ts";
import { browserWasm } from "../../src/engine/browser-threads.ts";
import { cholesky } from "../../src/kernels/linear/cholesky.ts";
import { asDoubles } from "../../src/kernels/linear/doubles.ts";
import { intLinear } from "../../src/kernels/linear/int_linear.ts";
import { wholeOutput } from "../../src/kernels/linear/linear.oracle.ts";
import { linear } from "../../src/kernels/linear/linear.ts";
import { distance } from "./distance.ts";
import { freshSeed, madeWeights } from "./made-weights.ts";
import { type OnnxNode, onnxModel } from "./onnx-model.ts";
import { type Rounds, type TimedCase, timeRounds } from "./rounds.ts";

type Ort = typeof import("onnxruntime-web");
type Session = Awaited<ReturnType<Ort["InferenceSession"]["create"]>>;

const THREADS = 2;

/** Where the bench's server has the files of onnxruntime-web, untouched. */
const ORT = "/onnxruntime/";

type Kind = "wasm" | "webgpu";

function openDevice(kind: Kind): Promise<Device> {
  if (kind === "webgpu") return createWebGpuDevice(navigator.gpu ?? null);
  return createWasmDevice({ ...browserWasm(), threads: THREADS });
}

/** A session of onnxruntime-web on a model of one node. */
class Rival {
  readonly #session: Session;
  readonly #x: InstanceType<Ort["Tensor"]>;

  private constructor(ort: Ort, session: Session, x: Float32Array, dims: readonly number[]) {
    this.#session = session;
    this.#x = new ort.Tensor("float32", x, dims);
  }

  static async open(kind: Kind, node: OnnxNode, x: Float32Array): Promise<Rival> {
    if (!crossOriginIsolated) throw new Error("this page cannot share memory: onnxruntime-web would have one thread");
    // Not through Vite, which would rewrite how it starts its threads.
    const ort: Ort = await import(/* @vite-ignore */ `${ORT}ort.${kind}.min.mjs`);
    ort.env.wasm.wasmPaths = new URL(ORT, location.href).href;
    ort.env.wasm.numThreads = THREADS;
    const session = await ort.InferenceSession.create(onnxModel(node), { executionProviders: [kind] });
    return new Rival(ort, session, x, node.x);
  }

  async run(): Promise<Float32Array> {
    const { y } = await this.#session.run({ x: this.#x });
    return (await y?.getData()) as Float32Array;
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}

function floats(count: number): Float32Array<ArrayBuffer> {
  return new Float32Array(madeWeights(count, "f32", freshSeed()).buffer);
}

const bytesOf = (own: Float32Array): Uint8Array => new Uint8Array(own.buffer, own.byteOffset, own.byteLength);

/** Uploads, computes and reads back, as a session of the rival does. */
function asSession(
  device: Device,
  x: readonly [DeviceBuffer, Float32Array],
  calls: readonly KernelCall<DeviceBuffer>[],
  y: DeviceBuffer,
  bytes: number,
) {
  return async (): Promise<Float32Array> => {
    device.write(x[0], bytesOf(x[1]));
    device.run(calls);
    return new Float32Array((await device.read(y, bytes)).buffer);
  };
}

/** Times two ways to the same numbers, after a look at whether they are the same. */
async function timeSame(
  name: string,
  tolerance: number,
  ours: () => Promise<Float32Array>,
  theirs: () => Promise<Float32Array>,
  rounds: number,
): Promise<Rounds> {
  const apart = distance(await ours(), await theirs());
  if (!(apart <= tolerance)) throw new Error(`${name}: ours and theirs are ${apart} apart: not timed`);
  const cases: readonly TimedCase[] = Object.entries({ ours, theirs }).map(([own, work]) => ({
    name: own,
    run: async () => void (await work()),
  }));
  return timeRounds(cases, rounds);
}

const api = {
  /** A product of two matrices [size, size] in float32, and onnxruntime-web's MatMul with the second one as a constant. */
  async matMul(kind: Kind, size: number, rounds: number): Promise<{ readonly adapter: string; readonly ms: Rounds }> {
    const device = await openDevice(kind);
    const [x, w] = [floats(size * size), floats(size * size)];
    // Layers store [n, k]; MatMul takes [k, n].
    const turned = new Float32Array(size * size);
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) turned[column * size + row] = w[row * size + column] ?? 0;
    }
    const dims = [size, size];
    const node = { operator: "MatMul", domain: "", version: 17, attributes: {}, x: dims, y: dims };
    const constants = [{ name: "w", type: "float32" as const, dims, bytes: bytesOf(turned) }];
    const rival = await Rival.open(kind, { ...node, constants }, x);
    try {
      const bytes = x.byteLength;
      const [inputs, weights, outputs] = [0, 1, 2].map(() => device.createBuffer(bytes)) as [
        DeviceBuffer,
        DeviceBuffer,
        DeviceBuffer,
      ];
      device.write(weights, bytesOf(w));
      const calls = [call(linear, {}, { m: size, n: size, k: size, ...wholeOutput(size) }, [inputs, weights, outputs])];
      const ours = asSession(device, [inputs, x], calls, outputs, bytes);
      return { adapter: device.adapter, ms: await timeSame("MatMul", 1e-5, ours, () => rival.run(), rounds) };
    } finally {
      await rival.close();
      device.destroy();
    }
  },

  /**
   * `m` rows times INT4 weights [size, size] in groups of `groupSize`, onnxruntime-web's MatMulNBits with the same bytes, and
   * our own product in float32.
   */
  async packedMatMul(m: number, size: number, groupSize: number, accuracyLevel: number, rounds: number) {
    const device = await openDevice("webgpu");
    const x = floats(m * size);
    const codes = crypto.getRandomValues(new Uint8Array(65_536));
    const packed = new Uint8Array((size * size) / 2).map((_, index) => codes[(index * 31) % codes.length] ?? 0);
    const scales = floats((size * size) / groupSize).map((scale) => Math.abs(scale) + 0.001);
    const groups = size / groupSize;
    const rival = await Rival.open(
      "webgpu",
      {
        operator: "MatMulNBits",
        domain: "com.microsoft",
        version: 1,
        attributes: { K: size, N: size, bits: 4, block_size: groupSize, accuracy_level: accuracyLevel },
        x: [m, size],
        y: [m, size],
        constants: [
          { name: "codes", type: "uint8", dims: [size, groups, groupSize / 2], bytes: packed },
          { name: "scales", type: "float32", dims: [size, groups], bytes: bytesOf(scales) },
        ],
      },
      x,
    );
    try {
      const buffer = (own: Uint8Array) => {
        const made = device.createBuffer(own.byteLength);
        device.write(made, own);
        return made;
      };
      const inputs = buffer(bytesOf(x));
      const outputs = device.createBuffer(x.byteLength);
      const own = [inputs, buffer(packed), buffer(bytesOf(scales)), device.createBuffer(scales.length), outputs];
      const source = { element: "f32", symmetric: true, storedBits: 4, offset: 8 } as const;
      const shape = { m, streams: size, streamLength: size, groupSize, ...wholeOutput(size) };
      const calls = [call(intLinear, source, shape, own)];
      const ours = asSession(device, [inputs, x], calls, outputs, x.byteLength);
      // Level 4 rounds activations to 8 bits.
      const tolerance = accuracyLevel === 4 ? 0.05 : 1e-4;
      const ms = await timeSame("MatMulNBits", tolerance, ours, () => rival.run(), rounds);
      const plain = call(linear, {}, { m, n: size, k: size, ...wholeOutput(size) }, [
        inputs,
        buffer(bytesOf(floats(size * size))),
        outputs,
      ]);
      const alone = (name: string, work: readonly KernelCall<DeviceBuffer>[]): TimedCase => ({
        name,
        async run() {
          device.run(work);
          await device.settle();
        },
      });
      const kernels = await timeRounds([alone("packed", calls), alone("plain", [plain])], rounds);
      return { adapter: device.adapter, ms: { ...ms, ...kernels } };
    } finally {
      await rival.close();
      device.destroy();
    }
  },

  /** A Cholesky factor in float64 by the device, and by the plain version. */
  async cholesky(n: number, rounds: number): Promise<{ readonly adapter: string; readonly ms: Rounds }> {
    const device = await openDevice("wasm");
    const matrix = new Float64Array(n * n);
    for (let row = 0; row < n; row++) {
      for (let column = 0; column <= row; column++)
        matrix[row * n + column] = 1 / (1 + row - column) + (row === column ? 1 : 0);
    }
    const bytes = new Uint8Array(matrix.buffer);
    const [status, factor] = [device.createBuffer(4), device.createBuffer(bytes.byteLength)];
    const calls = [call(cholesky, {}, { n }, [status, factor])];
    const plain = new Uint32Array(matrix.buffer.slice(0));
    const theirs = (): void => cholesky.oracle({}, { n }, [new Uint32Array(1), plain]);
    device.write(factor, bytes);
    device.run(calls);
    theirs();
    const [found, wanted] = [new Float64Array((await device.read(factor, bytes.byteLength)).buffer), asDoubles(plain)];
    const apart = wanted.reduce((most, own, index) => Math.max(most, Math.abs(own - (found[index] ?? 0))), 0);
    if (!(apart < n * 1e-14)) throw new Error(`the factor is ${apart} off the plain version's: not timed`);
    const times: Record<"ours" | "theirs", number[]> = { ours: [], theirs: [] };
    for (let round = 0; round <= rounds; round++) {
      // Both work in place. What they begin with is brought there before the time is taken.
      device.write(factor, bytes);
      plain.set(new Uint32Array(matrix.buffer));
      await device.settle();
      const began = performance.now();
      device.run(calls);
      await device.settle();
      const between = performance.now();
      theirs();
      if (round === 0) continue;
      times.ours.push(between - began);
      times.theirs.push(performance.now() - between);
    }
    device.destroy();
    return { adapter: device.adapter, ms: times };
  },
};

export type PeersApi = typeof api;

Comlink.expose(api);
