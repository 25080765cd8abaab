import { asLabError, LabError } from "../base/errors.ts";
import type { Device } from "../device/device.ts";
import type { AnyKernel, Kernel } from "../device/kernel.ts";
import { createReferenceDevice } from "../device/reference/reference-device.ts";
import { createWebGpuDevice } from "../device/webgpu/webgpu-device.ts";
import type { IntSource } from "../kernels/int-params.ts";
import type { Arithmetic, Scheme } from "../schemes/scheme.ts";
import type { EngineHost } from "./api.ts";
import type { KernelReport } from "./result.ts";
import { type SelfTestResult, selfTest } from "./self-test.ts";

/** A device and the schemes that run on it. */
export interface Lane {
  readonly device: Device;
  readonly schemes: readonly Scheme[];
  /** Why these schemes do not run where they were asked to, or null. */
  readonly fallback: string | null;
}

/** Opens devices as the host's choice says, and lets a scheme run on one only after its self-test passed there. */
export class DeviceSet {
  readonly #host: EngineHost;
  readonly #reference = createReferenceDevice();
  readonly #tests = new Map<string, Promise<SelfTestResult>>();
  #gpu: Promise<Device> | null = null;

  constructor(host: EngineHost) {
    this.#host = host;
  }

  /**
   * The device that work would run on now, and why it is not WebGPU when `auto` had to do without.
   * @throws LabError `device/…` when `gpu` was asked for and cannot be had
   */
  async primary(): Promise<{ readonly device: Device; readonly reason: string | null }> {
    const choice = this.#host.device;
    // The oracles are the fastest exact CPU path so far, so `cpu` and `reference` are the same device.
    if (choice === "cpu" || choice === "reference") return { device: this.#reference, reason: null };
    try {
      this.#gpu ??= createWebGpuDevice(this.#host.gpu);
      return { device: await this.#gpu, reason: null };
    } catch (thrown) {
      this.#gpu = null;
      if (choice === "gpu") throw thrown;
      return { device: this.#reference, reason: asLabError(thrown, "opening WebGPU").found };
    }
  }

  /**
   * Spreads schemes over devices: all on the primary one but those whose self-test failed there.
   * @throws LabError `device/not-exact` when that happens under `gpu`
   */
  async lanes(schemes: readonly Scheme[], arithmetic: Arithmetic): Promise<readonly Lane[]> {
    const { device, reason } = await this.primary();
    // Side by side: most of a first test is compiling, which uses every core.
    const tests = await Promise.all(
      schemes.map(({ weights }) => this.#test(device, { bits: weights.bits, arithmetic })),
    );
    const good = schemes.filter((_, index) => tests[index]?.passed);
    const bad = schemes.filter((_, index) => !tests[index]?.passed);
    const difference = tests.find(({ passed }) => !passed)?.difference ?? null;
    const lanes: Lane[] = [];
    if (good.length > 0) lanes.push({ device, schemes: good, fallback: reason });
    if (bad.length === 0) return lanes;
    const fallback = `the self-test failed on ${device.adapter}: ${difference}`;
    if (this.#host.device !== "auto" || device === this.#reference) throw notExact(device, fallback);
    return [...lanes, { device: this.#reference, schemes: bad, fallback }];
  }

  /** Whether the primary device passes the self-test of a width and arithmetic. */
  async isExact(device: Device, source: IntSource): Promise<boolean> {
    return (await this.#test(device, source)).passed;
  }

  #test(device: Device, source: IntSource): Promise<SelfTestResult> {
    const key = `${device.kind} int${source.bits} ${source.arithmetic}`;
    let test = this.#tests.get(key);
    if (!test) {
      test = selfTest(device, source, this.#host.now);
      this.#tests.set(key, test);
      // A test that could not run says nothing of the device; the next job asks again.
      test.catch(() => this.#tests.delete(key));
    }
    return test;
  }

  /** Forgets a device that failed, so that the next job opens a fresh one on a fresh adapter. */
  forgetGpu(): void {
    const gpu = this.#gpu;
    this.#gpu = null;
    this.#tests.clear();
    gpu?.then((device) => device.destroy()).catch(() => {});
  }
}

/** What a result says of a kernel that ran in a lane. */
export function kernelReport<Source, Shape>(lane: Lane, kernel: Kernel<Source, Shape> | AnyKernel): KernelReport {
  return {
    kernel: kernel.name,
    device: lane.device.kind,
    adapter: lane.device.adapter,
    exactness: kernel.isExact ? "bit-exact" : "tolerance",
    fallback: lane.fallback,
  };
}

function notExact(device: Device, found: string): LabError {
  return new LabError({
    code: "device/not-exact",
    doing: `testing ${device.adapter}`,
    found,
    allowed: "codes equal to the real tool's in every bit",
    advice: "choose the CPU, and report the adapter's name",
  });
}
