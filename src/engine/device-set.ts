import { asLabError, LabError } from "../base/errors.ts";
import type { Device } from "../device/device.ts";
import type { AnyKernel, Kernel } from "../device/kernel.ts";
import { createReferenceDevice } from "../device/reference/reference-device.ts";
import { createWebGpuDevice } from "../device/webgpu/webgpu-device.ts";
import type { IntCodes } from "../kernels/int-params.ts";
import type { EngineHost } from "./api.ts";
import type { KernelReport } from "./result.ts";
import { type SelfTestResult, selfTest } from "./self-test.ts";

/** A device, and why it is not the one that was asked for, or null. */
export interface DevicePick {
  readonly device: Device;
  readonly fallback: string | null;
}

/** A device and what runs on it. */
export interface Lane<Item> extends DevicePick {
  readonly items: readonly Item[];
}

/** Opens devices as the host's choice says, and lets codes be computed on one only after their self-test passed there. */
export class DeviceSet {
  readonly #host: EngineHost;
  readonly #reference = createReferenceDevice();
  readonly #tests = new Map<string, Promise<SelfTestResult>>();
  #gpu: Promise<Device> | null = null;
  /** Why WebGPU is left alone from now on, or null. */
  #givenUp: string | null = null;

  constructor(host: EngineHost) {
    this.#host = host;
  }

  /** Whether work may go on without WebGPU. */
  get mayFallBack(): boolean {
    return this.#host.device === "auto";
  }

  /**
   * The device that work would run on now, and why it is not WebGPU when `auto` had to do without.
   * @throws LabError `device/…` when `gpu` was asked for and cannot be had
   */
  async primary(): Promise<DevicePick> {
    const choice = this.#host.device;
    // The oracles are the fastest exact CPU path so far, so `cpu` and `reference` are the same device.
    if (choice === "cpu" || choice === "reference") return { device: this.#reference, fallback: null };
    if (this.#givenUp !== null) return { device: this.#reference, fallback: this.#givenUp };
    try {
      this.#gpu ??= createWebGpuDevice(this.#host.gpu);
      return { device: await this.#gpu, fallback: null };
    } catch (thrown) {
      this.#gpu = null;
      if (choice === "gpu") throw thrown;
      return { device: this.#reference, fallback: asLabError(thrown, "opening WebGPU").found };
    }
  }

  /**
   * Spreads items over devices: all on the primary one but those of whose codes some failed the self-test there.
   * @param needs the codes that an item has computed
   * @throws LabError `device/not-exact` when that happens under `gpu`
   */
  async lanes<Item>(
    items: readonly Item[],
    needs: (item: Item) => readonly IntCodes[],
  ): Promise<readonly Lane<Item>[]> {
    const { pick, differences } = await this.#tested(items.map(needs));
    const good = items.filter((_, index) => differences[index] === null);
    const bad = items.filter((_, index) => differences[index] !== null);
    const lanes: Lane<Item>[] = good.length > 0 ? [{ ...pick, items: good }] : [];
    if (bad.length === 0) return lanes;
    const difference = differences.find((found) => found !== null) ?? "";
    const fallback = `the self-test failed on ${pick.device.adapter}: ${difference}`;
    if (!this.mayFallBack || pick.device === this.#reference) throw notExact(pick.device, fallback);
    return [...lanes, { device: this.#reference, fallback, items: bad }];
  }

  /**
   * The primary device with what is wrong on it with each set of codes, or null. A device that fails in its test is opened
   * once more; after that the CPU takes over where it may.
   */
  async #tested(
    needs: readonly (readonly IntCodes[])[],
  ): Promise<{ readonly pick: DevicePick; readonly differences: readonly (string | null)[] }> {
    for (let attempt = 0; ; attempt++) {
      const pick = await this.primary();
      try {
        // Side by side: most of a first test is compiling, which uses every core.
        const differences = await Promise.all(
          needs.map(async (own) => {
            const tests = await Promise.all(own.map((codes) => this.#test(pick.device, codes)));
            return tests.find(({ passed }) => !passed)?.difference ?? null;
          }),
        );
        return { pick, differences };
      } catch (thrown) {
        const error = asLabError(thrown, `testing ${pick.device.adapter}`);
        if (pick.device === this.#reference) throw error;
        this.forgetGpu();
        if (attempt === 0) continue;
        if (!this.mayFallBack) throw error;
        this.giveUpGpu(`WebGPU failed its start-up test: ${error.found}`);
      }
    }
  }

  /** Whether a device passes the self-test of some codes. */
  async isExact(device: Device, codes: IntCodes): Promise<boolean> {
    return (await this.#test(device, codes)).passed;
  }

  #test(device: Device, codes: IntCodes): Promise<SelfTestResult> {
    const key = `${device.kind} ${codes.element} int${codes.bits} ${codes.symmetric} ${codes.arithmetic}`;
    let test = this.#tests.get(key);
    if (!test) {
      test = selfTest(device, codes, this.#host.now);
      this.#tests.set(key, test);
      // A test that could not run says nothing of the device; the next job asks again.
      test.catch(() => this.#tests.delete(key));
    }
    return test;
  }

  /** Forgets a device that failed, so that the next use opens a fresh one on a fresh adapter. */
  forgetGpu(): void {
    const gpu = this.#gpu;
    this.#gpu = null;
    this.#tests.clear();
    gpu?.then((device) => device.destroy()).catch(() => {});
  }

  /** Leaves WebGPU alone until `reconsider`; `reason` stands in every result. Only where work may fall back. */
  giveUpGpu(reason: string): void {
    this.forgetGpu();
    this.#givenUp = reason;
  }

  /** Lets the next job try WebGPU again. */
  reconsider(): void {
    this.#givenUp = null;
  }
}

/** What a result says of a kernel that ran on a device. */
export function kernelReport<Source, Shape>(
  { device, fallback }: DevicePick,
  kernel: Kernel<Source, Shape> | AnyKernel,
): KernelReport {
  return {
    kernel: kernel.name,
    device: device.kind,
    adapter: device.adapter,
    exactness: kernel.isExact ? "bit-exact" : "tolerance",
    fallback,
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
