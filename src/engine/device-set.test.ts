import { expect, test } from "vitest";
import { createMemoryOutput } from "../../tests/support/memory-output.ts";
import { LabError } from "../base/errors.ts";
import type { Device } from "../device/device.ts";
import { createReferenceDevice } from "../device/reference/reference-device.ts";
import type { WasmHost } from "../device/wasm/wasm-device.ts";
import { createMemoryStore } from "../formats/stores/memory-store.ts";
import type { DeviceChoice } from "./api.ts";
import { DeviceSet } from "./device-set.ts";
import { createEngine } from "./engine.ts";
import { nodeWasm } from "./node-threads.ts";
import { probeDevices } from "./probe.ts";
import { madeCheckpoint, madeMatrix } from "./sheet.cases.ts";

const CODES = { element: "bf16", bits: 4, symmetric: true, arithmetic: "eager" } as const;

function devicesOf(choice: DeviceChoice, wasm: WasmHost | null = nodeWasm()): DeviceSet {
  return new DeviceSet({ gpu: null, wasm, device: choice, now: () => performance.now(), store: createMemoryStore() });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof LabError) return error.code;
    throw error;
  }
  return "no error";
}

/** A device that computes nothing, at a price: reading moves the clock on by `milliseconds`. */
function priced(kind: "webgpu" | "wasm", milliseconds: number, clock: { now: number }): Device {
  const device = createReferenceDevice();
  return {
    ...device,
    kind,
    adapter: `a ${kind} of ${milliseconds} ms`,
    run: () => {},
    read: (buffer, size) => {
      clock.now += milliseconds;
      return device.read(buffer, size);
    },
  };
}

test("WebAssembly stands in where there is no WebGPU, and the result says so", async () => {
  const devices = devicesOf("auto");
  const pick = await devices.primary("measuring");
  expect(pick).toMatchObject({ device: { kind: "wasm" }, fallback: "this environment has none", choice: null });
  devices.close();
});

test("cpu takes the oracles where WebAssembly is refused and says why; wasm refuses then", async () => {
  const broken: WasmHost = {
    ...nodeWasm(),
    kernels: { shared: new Uint8Array([1, 2, 3]), single: new Uint8Array([1, 2, 3]) },
  };
  const { device, fallback } = await devicesOf("cpu", broken).primary("writing");
  expect(device.kind).toBe("reference");
  expect(fallback).toContain("WebAssembly.compile()");
  expect(await codeOf(devicesOf("wasm", broken).primary("writing"))).toBe("device/no-wasm");
});

test("threads that cannot be started are an error, not a hang", async () => {
  const host: WasmHost = {
    ...nodeWasm(),
    startThread: () => ({
      post: () => {},
      listen: (_onAnswer, onFailure) => onFailure("no such file"),
      terminate: () => {},
    }),
  };
  const { device, fallback } = await devicesOf("cpu", host).primary("measuring");
  expect([device.kind, fallback]).toEqual(["reference", "no such file"]);
});

test("a thread that dies in the middle is started anew, and the export is the same", async () => {
  const folder = madeCheckpoint(madeMatrix(700, 256, "bf16"));
  const exported = async (wasm: WasmHost) => {
    const engine = createEngine({
      gpu: null,
      wasm,
      device: "wasm",
      now: () => performance.now(),
      store: createMemoryStore(),
    });
    await engine.open(folder);
    const output = createMemoryOutput();
    await engine.quantize({ scheme: "W4A16", arithmetic: "eager", ignore: [] }, output);
    engine.close();
    return [...output.files].map(([name, bytes]) => [name, Buffer.from(bytes).toString("hex")]);
  };
  const DEATH = 9;
  let posts = 0;
  const dying: WasmHost = {
    ...nodeWasm(),
    threads: 2,
    startThread: () => {
      const thread = nodeWasm().startThread();
      let fail: (reason: string) => void = () => {};
      return {
        ...thread,
        listen(onAnswer, onFailure) {
          fail = onFailure;
          thread.listen(onAnswer, onFailure);
        },
        post(message) {
          posts++;
          // After the self-test, at the first tile, once.
          if (posts === DEATH) {
            thread.terminate();
            fail("the thread is gone");
          } else thread.post(message);
        },
      };
    },
  };
  expect(await exported(dying)).toEqual(await exported(nodeWasm()));
  expect(posts).toBeGreaterThan(DEATH + 4);
});

test("codes that fail the self-test on one device are computed on the next", async () => {
  const devices = devicesOf("cpu");
  const [lane] = await devices.lanes(["a"], () => [CODES], "measuring");
  expect(lane).toMatchObject({ device: { kind: "wasm" }, fallback: null, items: ["a"] });
  // A code that no golden group stands for passes nowhere.
  const odd = { ...CODES, bits: 9 };
  expect(await codeOf(devices.lanes(["b"], () => [odd], "measuring"))).toBe("device/not-exact");
  devices.close();
});

test.each([
  [5, 9, "webgpu"],
  [9, 5, "wasm"],
] as const)("of WebGPU at %i ms and WebAssembly at %i ms the probe takes %s", async (gpu, cpu, expected) => {
  const clock = { now: 0 };
  const probe = await probeDevices(
    "measuring",
    [priced("webgpu", gpu, clock), priced("wasm", cpu, clock)],
    () => clock.now,
  );
  expect(probe.device.kind).toBe(expected);
  expect(probe.words).toContain(`WebAssembly took ${cpu}.00 ms`);
});

test("a device that fails its probe is passed over, and the result says why", async () => {
  const clock = { now: 0 };
  const failing: Device = { ...priced("webgpu", 1, clock), read: () => Promise.reject(new Error("lost")) };
  const probe = await probeDevices("writing", [failing, priced("wasm", 5, clock)], () => clock.now);
  expect([probe.device.kind, probe.words]).toEqual(["wasm", ""]);
  expect(probe.failure).toContain("WebGPU failed its probe");
});
