import { asLabError } from "../base/errors.ts";
import { formatNumber } from "../base/format.ts";
import {
  DEFAULT_VARIANT,
  type Device,
  type DeviceBuffer,
  type VariantChoice,
  type VariantTable,
} from "../device/device.ts";
import type { AnyKernel } from "../device/kernel.ts";
import type { Store } from "./store.ts";
import { readTimings, type Timing, writeTimings } from "./tuner-memory.ts";
import { type Trial, TUNINGS, type Tuning } from "./tuning-trials.ts";

/** What tuning may take of a device's start, as the probe; kernels that are not reached keep their default until the next visit. */
const BUDGET_MS = 150;

/** Times each form; what counts is the best of them, since whoever else uses the machine only makes a run longer. */
const ROUNDS = 4;

/** Runs are timed together, since to wait for one takes longer than most runs: so many that looks of them take this long. */
const ROUND_MS = 32;

/** A form that takes so many times the default's time at a first look is not looked at again. */
const HOPELESS = 4;

/** To run once and wait takes about so long whatever runs; a look below that says nothing. */
const LEAST_LOOK_MS = 1;

/** A variant is taken where it needs at most this share of the default's time: less is noise. */
const WORTHWHILE = 0.95;

const ON_SOFTWARE = "a software adapter keeps the default: it pays far more for barriers than it saves in loads";
const NOT_REACHED = "the default, since there was no time left to try other forms; the next visit does";

/**
 * Chooses among the forms that kernels have on a device: each must give what the default gives, the quickest is taken. A choice is
 * kept in memory and in a store, under the adapter and the text of the shaders.
 */
export class Tuner {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #tunings: readonly Tuning[];
  /** What is known of each adapter, by kernel. */
  readonly #known = new Map<string, Map<string, Timing>>();
  readonly #tuned = new WeakMap<Device, Promise<void>>();

  /** @param now monotonic milliseconds */
  constructor(store: Store, now: () => number, tunings: readonly Tuning[] = TUNINGS) {
    this.#store = store;
    this.#now = now;
    this.#tunings = tunings;
  }

  /**
   * Tunes a device once, before its first use; later calls wait for that. A device that fails is left with its defaults: what is
   * wrong with it, its next use says.
   */
  tune(device: Device): Promise<void> {
    const known = this.#tuned.get(device);
    if (known) return known;
    const tuning = device.variants ? this.#tune(device, device.variants) : Promise.resolve();
    this.#tuned.set(device, tuning);
    return tuning;
  }

  async #tune(device: Device, variants: VariantTable): Promise<void> {
    const open = this.#tunings.filter(({ kernel }) => variants.runnable(kernel).length > 0);
    if (variants.isSoftware) {
      for (const { kernel } of open) variants.use(kernel, { variant: DEFAULT_VARIANT, why: ON_SOFTWARE });
      return;
    }
    const started = this.#now();
    const known = await this.#recall(variants);
    let isNew = false;
    let isLost = false;
    for (const tuning of open) {
      const { kernel } = tuning;
      let timing = known.get(kernel.name) ?? null;
      let why = NOT_REACHED;
      if (!timing && !isLost && this.#now() - started < BUDGET_MS) {
        try {
          timing = await this.#timed(device, variants, tuning, started + BUDGET_MS);
          known.set(kernel.name, timing);
          isNew = true;
        } catch (thrown) {
          const error = asLabError(thrown, `tuning ${kernel.name}`);
          why = `the default, since trying other forms failed: ${error.found}`;
          isLost = error.code === "device/lost";
          // The next device is spared what may have taken this one.
          if (isLost) known.set(kernel.name, { variant: DEFAULT_VARIANT, times: new Map() });
          isNew ||= isLost;
        }
      }
      variants.use(kernel, timing ? choiceOf(timing) : { variant: DEFAULT_VARIANT, why });
    }
    if (isNew) await writeTimings(this.#store, variants.adapterKey, this.#kernels, known);
  }

  /**
   * Back to the defaults where other forms gave something wrong after all, here and on this adapter from now on.
   * @returns whether there were other forms in use
   */
  async reject(device: Device, why: string): Promise<boolean> {
    const { variants } = device;
    if (!variants?.reset(why)) return false;
    const known = this.#known.get(variants.adapterKey) ?? new Map<string, Timing>();
    for (const [kernel, { variant, times }] of known) {
      if (variant === DEFAULT_VARIANT) continue;
      known.set(kernel, { variant: DEFAULT_VARIANT, times: new Map([...times, [variant, null]]) });
    }
    await writeTimings(this.#store, variants.adapterKey, this.#kernels, known);
    return true;
  }

  get #kernels(): readonly AnyKernel[] {
    return this.#tunings.map(({ kernel }) => kernel);
  }

  async #recall(variants: VariantTable): Promise<Map<string, Timing>> {
    const { adapterKey } = variants;
    const known = this.#known.get(adapterKey) ?? new Map(await readTimings(this.#store, variants, this.#kernels));
    this.#known.set(adapterKey, known);
    return known;
  }

  /** The forms of a kernel side by side. */
  async #timed(device: Device, variants: VariantTable, tuning: Tuning, deadline: number): Promise<Timing> {
    const { kernel } = tuning;
    const trials = tuning.trials();
    const [first] = trials;
    if (!first) throw new Error("a tuning without trials");
    const times = new Map<string, number | null>();
    for (const variant of [DEFAULT_VARIANT, ...variants.runnable(kernel)]) times.set(variant, Number.POSITIVE_INFINITY);
    for (const trial of trials) await dropWrong(device, variants, kernel, trial, times);
    await this.#race(device, variants, tuning, first, deadline, times);
    const standard = times.get(DEFAULT_VARIANT) ?? Number.POSITIVE_INFINITY;
    let best = { variant: DEFAULT_VARIANT, time: standard * WORTHWHILE };
    for (const [variant, time] of times) if (time !== null && time < best.time) best = { variant, time };
    return { variant: best.variant, times };
  }

  /** Times those that are right into `times`: each once, then those that have a chance in turns. */
  async #race(
    device: Device,
    variants: VariantTable,
    { kernel }: Tuning,
    trial: Trial,
    deadline: number,
    times: Map<string, number | null>,
  ): Promise<void> {
    await withBuffers(device, trial, async (buffers) => {
      const timeOf = async (variant: string, repeats: number) => {
        variants.use(kernel, { variant, why: null });
        const calls = Array.from({ length: repeats }, () => trial.callOn(buffers));
        const begun = this.#now();
        device.run(calls);
        await device.settle();
        return (this.#now() - begun) / repeats;
      };
      const right = [...times.keys()].filter((variant) => times.get(variant) !== null);
      for (const variant of right) times.set(variant, await timeOf(variant, 1));
      const look = Math.max(LEAST_LOOK_MS, times.get(DEFAULT_VARIANT) ?? 0);
      const hopeful = right.filter((variant) => (times.get(variant) ?? 0) <= HOPELESS * look);
      if (hopeful.length === 1) return;
      const repeats = Math.ceil(ROUND_MS / look);
      const best = new Map(hopeful.map((variant) => [variant, Number.POSITIVE_INFINITY]));
      for (let round = 0; round < ROUNDS && (round === 0 || this.#now() < deadline); round++) {
        for (const [variant, time] of best) best.set(variant, Math.min(time, await timeOf(variant, repeats)));
      }
      for (const [variant, time] of best) times.set(variant, time);
    });
  }
}

/** Runs a trial in every form, and marks those that do not give what the default gives by null. */
async function dropWrong(
  device: Device,
  variants: VariantTable,
  kernel: AnyKernel,
  trial: Trial,
  times: Map<string, number | null>,
): Promise<void> {
  let expected = new Uint8Array();
  for (const [variant, known] of times) {
    if (known === null) continue;
    variants.use(kernel, { variant, why: null });
    try {
      const found = await outputOf(device, trial);
      if (variant === DEFAULT_VARIANT) expected = found;
      else if (!found.every((byte, index) => byte === expected[index])) times.set(variant, null);
    } catch (thrown) {
      // A form that does not compile is out of the race; a device that is gone ends it.
      if (variant === DEFAULT_VARIANT || asLabError(thrown, "tuning").code !== "kernel/failed") throw thrown;
      times.set(variant, null);
    }
  }
}

function outputOf(device: Device, trial: Trial): Promise<Uint8Array<ArrayBuffer>> {
  return withBuffers(device, trial, async (buffers) => {
    device.run([trial.callOn(buffers)]);
    const output = buffers.at(-1);
    if (!output) throw new Error("a trial without an output");
    return device.read(output, trial.inputs.at(-1)?.byteLength ?? 0);
  });
}

async function withBuffers<T>(
  device: Device,
  { inputs }: Trial,
  use: (buffers: readonly DeviceBuffer[]) => Promise<T>,
): Promise<T> {
  const buffers: DeviceBuffer[] = [];
  try {
    for (const input of inputs) {
      const buffer = device.createBuffer(input.byteLength);
      buffers.push(buffer);
      device.write(buffer, input);
    }
    return await use(buffers);
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

/** A choice with its reason. */
function choiceOf({ variant, times }: Timing): VariantChoice {
  const found = [...times].map(([name, time]) =>
    time === null ? `${name} fails or differs` : `${name} took ${formatNumber(time)} ms`,
  );
  const why =
    found.length === 0 ? "the default, since the device was lost when other forms were tried" : found.join(", ");
  return { variant, why };
}
