import { asLabError, LabError } from "../base/errors.ts";
import { DEFAULT_VARIANT, type Device, type DeviceKind } from "../device/device.ts";
import type { AnyKernel, Kernel } from "../device/kernel.ts";
import { createReferenceDevice } from "../device/reference/reference-device.ts";
import { createWasmDevice } from "../device/wasm/wasm-device.ts";
import { createWebGpuDevice } from "../device/webgpu/webgpu-device.ts";
import type { IntCodes } from "../kernels/int-params.ts";
import type { DeviceChoice, EngineHost } from "./api.ts";
import { DEVICE_NAMES } from "./device-names.ts";
import { type Probe, probeDevices, type Work } from "./probe.ts";
import type { KernelReport } from "./result.ts";
import { type SelfTestResult, selfTest } from "./self-test.ts";
import { Tuner } from "./tuner.ts";

/** A device, and how it came to be this one. */
export interface DevicePick {
  readonly device: Device;
  /** Why it is not the one that was asked for, or null. */
  readonly fallback: string | null;
  /** What the probe measured, where there was a choice; else null. */
  readonly choice: string | null;
}

/** A device and what runs on it. */
export interface Lane<Item> extends DevicePick {
  readonly items: readonly Item[];
}

/** The kinds that each choice allows, those that are wanted first. The oracles come last: as exact, and far slower. */
const ALLOWED: Readonly<Record<DeviceChoice, readonly DeviceKind[]>> = {
  auto: ["webgpu", "wasm", "reference"],
  gpu: ["webgpu"],
  wasm: ["wasm"],
  cpu: ["wasm", "reference"],
  reference: ["reference"],
};

/** Opens devices as the host's choice says, and lets codes be computed on one only after their self-test passed there. */
export class DeviceSet {
  readonly #host: EngineHost;
  readonly #open = new Map<DeviceKind, Promise<Device>>();
  readonly #tests = new Map<string, Promise<SelfTestResult>>();
  readonly #probes = new Map<string, Promise<Probe>>();
  readonly #tuner: Tuner;
  /** Why a kind is left alone from now on. */
  readonly #givenUp = new Map<DeviceKind, string>();
  #choice: DeviceChoice;

  constructor(host: EngineHost) {
    this.#host = host;
    this.#tuner = new Tuner(host.store, host.now);
    this.#choice = host.device;
  }

  get choice(): DeviceChoice {
    return this.#choice;
  }

  /** Where kernels may run from the next job on. */
  choose(choice: DeviceChoice): void {
    this.#choice = choice;
  }

  /** Whether work may go on without a kind of device. */
  mayGoOnWithout(kind: DeviceKind): boolean {
    return this.#besides([kind]).length > 0;
  }

  /** The kinds that are left without some. */
  #besides(kinds: readonly DeviceKind[]): readonly DeviceKind[] {
    return ALLOWED[this.#choice].filter((kind) => !kinds.includes(kind) && !this.#givenUp.has(kind));
  }

  /**
   * The device that some work would run on now: of WebGPU and WebAssembly the one that a probe found quicker. Its kernels run in
   * the forms that suit it.
   * @throws LabError `device/…` when the only kind that was asked for cannot be had
   */
  async primary(work: Work): Promise<DevicePick> {
    const pick = await this.#picked(work);
    await this.#tuner.tune(pick.device);
    return pick;
  }

  async #picked(work: Work): Promise<DevicePick> {
    const allowed = ALLOWED[this.#choice];
    const found: Device[] = [];
    const missing: string[] = [];
    const hopeful = this.#besides([]);
    // Side by side; each failure counts where it is waited for.
    for (const kind of hopeful) if (kind !== "reference") this.#opened(kind).catch(() => {});
    for (const kind of hopeful) {
      if (kind === "reference" && found.length > 0) continue;
      try {
        found.push(await this.#opened(kind));
      } catch (thrown) {
        const error = asLabError(thrown, `opening ${kind}`);
        if (allowed.length === 1) throw error;
        missing.push(error.found);
      }
    }
    const [first, second] = found;
    if (!first) throw new Error("the oracles need nothing and are always there");
    const lost = [...this.#givenUp.values()];
    if (!second) {
      const reasons = [...lost, ...(first.kind === allowed[0] ? [] : missing)];
      return { device: first, fallback: reasons.length > 0 ? reasons.join("; ") : null, choice: null };
    }
    const { device, words, failure } = await this.#probed(work, [first, second]);
    return { device, fallback: failure, choice: words };
  }

  #opened(kind: DeviceKind): Promise<Device> {
    const known = this.#open.get(kind);
    if (known) return known;
    const opening = this.#create(kind);
    this.#open.set(kind, opening);
    opening.catch(() => this.#open.delete(kind));
    return opening;
  }

  async #create(kind: DeviceKind): Promise<Device> {
    if (kind === "webgpu") return createWebGpuDevice(this.#host.gpu);
    if (kind === "wasm") return createWasmDevice(this.#host.wasm);
    return createReferenceDevice();
  }

  /** What the probe said of this kind of work; an adapter is probed once. */
  #probed(work: Work, devices: readonly [Device, Device]): Promise<Probe> {
    const key = [work, ...devices.map(({ adapter }) => adapter)].join(" ");
    let probe = this.#probes.get(key);
    if (!probe) {
      probe = probeDevices(work, devices, this.#host.now);
      this.#probes.set(key, probe);
      // A device that failed is probed again by the next job.
      probe.then(({ failure }) => failure !== null && this.#probes.delete(key)).catch(() => this.#probes.delete(key));
    }
    // The device of an earlier probe may have been lost and opened anew.
    return probe.then((known) => ({
      ...known,
      device: devices.find(({ kind }) => kind === known.device.kind) ?? known.device,
    }));
  }

  /**
   * Spreads items over devices: all on the primary one but those of whose codes some failed the self-test there.
   * @param needs the codes that an item has computed
   * @throws LabError `device/not-exact` where no other device may take them
   */
  async lanes<Item>(
    items: readonly Item[],
    needs: (item: Item) => readonly IntCodes[],
    work: Work,
  ): Promise<readonly Lane<Item>[]> {
    let { pick, differences } = await this.#tested(items.map(needs), work);
    const lanes: Lane<Item>[] = [];
    let waiting = items;
    const tried: DeviceKind[] = [];
    for (;;) {
      const good = waiting.filter((_, index) => differences[index] === null);
      if (good.length > 0) lanes.push({ ...pick, items: good });
      waiting = waiting.filter((_, index) => differences[index] !== null);
      if (waiting.length === 0) return lanes;
      const { adapter, kind } = pick.device;
      const difference = differences.find((found) => found !== null) ?? "";
      const fallback = `the self-test failed on ${adapter}: ${difference}`;
      tried.push(kind);
      const next = await this.#next(tried);
      if (!next) throw notExact(pick.device, fallback);
      pick = { device: next, fallback, choice: null };
      differences = await this.#differences(next, waiting.map(needs));
    }
  }

  /** A CPU, for what WGSL lacks: float64. WebAssembly, or the oracles where the host refuses it. */
  async cpu(): Promise<Device> {
    return this.#opened("wasm").catch(() => this.#opened("reference"));
  }

  /** The device to go on with where those of some kinds fail, or null. */
  async #next(tried: readonly DeviceKind[]): Promise<Device | null> {
    for (const other of this.#besides(tried)) {
      const device = await this.#opened(other).catch(() => null);
      if (!device) continue;
      await this.#tuner.tune(device);
      return device;
    }
    return null;
  }

  /**
   * The primary device with what is wrong on it with each set of codes, or null. A device that fails in its test is opened
   * once more; after that another takes over where one may.
   */
  async #tested(
    needs: readonly (readonly IntCodes[])[],
    work: Work,
  ): Promise<{ readonly pick: DevicePick; readonly differences: readonly (string | null)[] }> {
    for (let attempt = 0; ; attempt++) {
      const pick = await this.primary(work);
      const { kind, adapter } = pick.device;
      try {
        return { pick, differences: await this.#differences(pick.device, needs) };
      } catch (thrown) {
        const error = asLabError(thrown, `testing ${adapter}`);
        if (kind === "reference") throw error;
        this.forget(kind);
        if (attempt === 0) continue;
        if (!this.mayGoOnWithout(kind)) throw error;
        this.giveUp(kind, `${DEVICE_NAMES[kind]} failed its start-up test: ${error.found}`);
      }
    }
  }

  /**
   * What is wrong on a device with each set of codes, or null. Where kernels run there in forms of their own and something is
   * wrong, all is tested again in those that always work.
   */
  async #differences(device: Device, needs: readonly (readonly IntCodes[])[]): Promise<readonly (string | null)[]> {
    const differences = await this.#failures(device, needs);
    const found = differences.find((difference) => difference !== null);
    if (found === undefined) return differences;
    const why = `the default, since the self-test failed in another form: ${found}`;
    if (!(await this.#tuner.reject(device, why))) return differences;
    this.#forgetTests(device.kind);
    return this.#failures(device, needs);
  }

  /** Side by side: most of a first test is compiling, which uses every core. */
  #failures(device: Device, needs: readonly (readonly IntCodes[])[]): Promise<readonly (string | null)[]> {
    return Promise.all(
      needs.map(async (own) => {
        const tests = await Promise.all(own.map((codes) => this.#test(device, codes)));
        return tests.find(({ passed }) => !passed)?.difference ?? null;
      }),
    );
  }

  /** Whether a device passes the self-test of some codes. */
  async areExact(device: Device, codes: readonly IntCodes[]): Promise<boolean> {
    const [difference] = await this.#differences(device, [codes]);
    return difference === null;
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

  /** Forgets a device that failed, so that the next use opens a fresh one. */
  forget(kind: DeviceKind): void {
    const device = this.#open.get(kind);
    this.#open.delete(kind);
    this.#forgetTests(kind);
    device?.then((own) => own.destroy()).catch(() => {});
  }

  #forgetTests(kind: DeviceKind): void {
    for (const key of this.#tests.keys()) if (key.startsWith(`${kind} `)) this.#tests.delete(key);
  }

  /** Leaves a kind alone until `reconsider`; `reason` stands in every result. Only where work may go on without it. */
  giveUp(kind: DeviceKind, reason: string): void {
    this.forget(kind);
    this.#givenUp.set(kind, reason);
  }

  /** Lets the next job try everything again. */
  reconsider(): void {
    this.#givenUp.clear();
  }

  close(): void {
    for (const kind of [...this.#open.keys()]) this.forget(kind);
  }
}

/** What a result says of a kernel that ran on a device. */
export function kernelReport<Source, Shape>(
  { device, fallback, choice }: DevicePick,
  kernel: Kernel<Source, Shape> | AnyKernel,
): KernelReport {
  const form = device.variants?.choiceOf(kernel as AnyKernel);
  return {
    kernel: kernel.name,
    device: device.kind,
    adapter: device.adapter,
    exactness: kernel.isExact ? "bit-exact" : "tolerance",
    fallback,
    choice,
    variant: form?.variant ?? DEFAULT_VARIANT,
    variantChoice: form?.why ?? null,
  };
}

function notExact(device: Device, found: string): LabError {
  return new LabError({
    code: "device/not-exact",
    doing: `testing ${device.adapter}`,
    found,
    allowed: "codes equal to the real tool's in every bit",
    advice: "choose another device, and report this one's name",
  });
}
