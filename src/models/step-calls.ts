import type { AttendStep, Heads, LinearStep, NormStep, RotateStep, Step } from "../architectures/graph.ts";
import type { DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import type { InnerRounding } from "../kernels/elements.ts";
import { accumulate } from "../kernels/model/accumulate.ts";
import { add } from "../kernels/model/add.ts";
import { attention } from "../kernels/model/attention.ts";
import { attentionRounded } from "../kernels/model/attention_rounded.ts";
import { gate } from "../kernels/model/gate.ts";
import { norm } from "../kernels/model/norm.ts";
import { rotate } from "../kernels/model/rotate.ts";
import { route } from "../kernels/model/route.ts";
import { scatterRows } from "../kernels/model/scatter_rows.ts";
import { rotaryAngles } from "./angles.ts";
import type { CallQueue } from "./call-queue.ts";
import type { Registers } from "./registers.ts";
import type { RoundingCalls } from "./rounding-calls.ts";
import type { HeadsInBuffer, ModelRunSetup } from "./run-setup.ts";

/** What an exponential costs beside a multiplication, about. */
const EXPONENTIAL = 16;

/**
 * Steps without a matrix, as calls of kernels. Where a variant has a type of 16 bits, they round between their operations where
 * transformers does; their results, and what is rounded there alone, are the run's to round.
 */
export class StepCalls {
  readonly #setup: ModelRunSetup;
  readonly #shared: Registers;
  readonly #queue: CallQueue;
  readonly #roundings: RoundingCalls;
  readonly #positions: DeviceBuffer;
  /** Where new keys and values go. */
  readonly #cacheRows: DeviceBuffer | null;
  /** Tables of cosines and sines by what they are made of. */
  readonly #angles = new Map<string, DeviceBuffer>();

  /** @param shared what all variants read */
  constructor(setup: ModelRunSetup, shared: Registers, queue: CallQueue, roundings: RoundingCalls) {
    this.#setup = setup;
    this.#roundings = roundings;
    this.#shared = shared;
    this.#queue = queue;
    this.#positions = shared.filled("positions", setup.batch.positions);
    this.#cacheRows = setup.cache ? shared.filled("rows of the cache", setup.cache.rows) : null;
  }

  /**
   * Does a step for every variant.
   * @param changed told of each register that a variant has got a new value in, of its own type
   */
  async add(
    step: Exclude<Step, LinearStep>,
    variants: readonly Registers[],
    changed: (variant: number, register: string) => void,
  ): Promise<void> {
    for (const [variant, registers] of variants.entries()) {
      const rounding = this.#roundingOf(variant);
      switch (step.kind) {
        case "norm":
          await this.#norm(step, variant, registers);
          changed(variant, step.output);
          break;
        case "rotate":
          this.#rotate(step, rounding, registers);
          changed(variant, step.heads.register);
          break;
        case "attend":
          await this.#tapCache(step, variant, registers);
          this.#roundings.cache(variant, step);
          this.#keep(step, registers);
          this.#attend(step, rounding, registers);
          changed(variant, step.output);
          break;
        case "gate": {
          const width = this.#width(step.output);
          const place = ({ register, start }: { register: string; start: number }) => ({
            stride: this.#width(register),
            start,
          });
          const up = step.up ?? step.gate;
          this.#queue.add(
            call(
              gate,
              { activation: step.activation, isGated: step.up !== null, rounding },
              { rows: this.#rows, width, gate: place(step.gate), up: place(up) },
              [registers.buffer(step.gate.register), registers.buffer(up.register), registers.buffer(step.output)],
            ),
            EXPONENTIAL * this.#rows * width,
          );
          changed(variant, step.output);
          break;
        }
        case "add": {
          const elements = this.#rows * this.#width(step.target);
          const buffers = [registers.buffer(step.source), registers.buffer(step.target)];
          this.#queue.add(call(add, {}, { elements }, buffers), elements);
          changed(variant, step.target);
          break;
        }
        case "route": {
          const experts = this.#width(step.logits);
          const buffers = [registers.buffer(step.logits), registers.buffer(step.output)];
          this.#queue.add(
            call(route, { isNormalized: step.isNormalized }, { rows: this.#rows, experts, topK: step.topK }, buffers),
            EXPONENTIAL * this.#rows * experts,
          );
          // These weights stay float32, as softmax gives them.
          break;
        }
        case "accumulate": {
          const width = this.#width(step.target);
          const experts = this.#width(step.weights);
          const shape = { rows: this.#rows, width, experts, expert: step.expert };
          const buffers = [step.weights, step.source, step.target].map((name) => registers.buffer(name));
          this.#queue.add(call(accumulate, { isFirst: step.isFirst }, shape, buffers), this.#rows * width);
          // Experts are added up in float32.
          if (step.expert === experts - 1) changed(variant, step.target);
          break;
        }
      }
    }
  }

  async #norm(step: NormStep, variant: number, registers: Registers): Promise<void> {
    const { form, input, output, epsilon, offset } = step;
    const width = this.#width(input) / step.pieces;
    const { parameters } = this.#setup;
    const weight = await parameters.vector(variant, step.weight, width);
    const bias = await parameters.vector(variant, step.bias, width);
    const shape = { pieces: this.#rows * step.pieces, width, epsilon, offset };
    const buffers = [registers.buffer(input), weight, bias, registers.buffer(output)];
    // Gemma's norm, which adds 1 to its weights, and layer norms round their result alone.
    const rounding = form === "rms" && offset === 0 ? this.#roundingOf(variant) : null;
    this.#queue.add(call(norm, { form, rounding }, shape, buffers), 4 * this.#rows * this.#width(input));
  }

  #rotate({ heads, frequencies, scale, pairing }: RotateStep, rounding: InnerRounding, registers: Registers): void {
    const { batch } = this.#setup;
    const key = `angles ${rounding} ${scale} ${frequencies.join(" ")}`;
    let angles = this.#angles.get(key);
    if (!angles) {
      angles = this.#shared.filled(key, rotaryAngles(batch.longest, frequencies, scale, rounding));
      this.#angles.set(key, angles);
    }
    const shape = {
      rows: this.#rows,
      width: this.#width(heads.register),
      start: heads.start,
      stride: heads.stride,
      heads: heads.count,
      pairs: frequencies.length,
      isNeighbours: pairing === "neighbours",
    };
    const buffers = [this.#positions, angles, registers.buffer(heads.register)];
    this.#queue.add(call(rotate, { rounding }, shape, buffers), 4 * this.#rows * heads.count * frequencies.length);
  }

  async #tapCache({ module, key, value }: AttendStep, variant: number, registers: Registers): Promise<void> {
    const tap = this.#setup.variants[variant]?.tap;
    if (!tap?.takeCache) return;
    this.#queue.flush();
    const [keys, values] = [key, value].map((heads) => ({
      heads,
      buffer: registers.buffer(heads.register),
      width: this.#width(heads.register),
    })) as [HeadsInBuffer, HeadsInBuffer];
    await tap.takeCache(module, keys, values, this.#rows);
  }

  /** Puts the batch's keys and values into the cache. */
  #keep({ module, key, value }: AttendStep, registers: Registers): void {
    const { cache } = this.#setup;
    if (!cache || !this.#cacheRows) return;
    for (const register of new Set([key.register, value.register])) {
      const width = this.#width(register);
      const buffers = [this.#cacheRows, registers.buffer(register), cache.cache.of(module, register)];
      this.#queue.add(call(scatterRows, {}, { rows: this.#rows, width }, buffers), this.#rows * width);
    }
  }

  #attend(step: AttendStep, rounding: InnerRounding, registers: Registers): void {
    const { batch, device, cache } = this.#setup;
    const read = cache?.isRead ? cache.cache : null;
    if (read && rounding) throw new Error("a cache is read in float32 alone");
    const { count, dim } = step.query;
    // Each token of a window sees half of it on average, the newest one all; scores and sums are a product each, and so much
    // again for the rest. With roundings keys go by twice.
    const seen = Math.min(step.window ?? batch.longest, read ? batch.longest : batch.longest / 2 + 1);
    const productsPerRow = (rounding ? 6 : 4) * seen * count * dim;
    const most = Math.max(16, Math.floor(device.productsPerRun / productsPerRow / 16) * 16);
    const seenBuffer = ({ register }: Heads) => read?.of(step.module, register) ?? registers.buffer(register);
    const buffers = [
      this.#positions,
      registers.buffer(step.query.register),
      seenBuffer(step.key),
      seenBuffer(step.value),
      registers.buffer(step.output),
    ];
    for (let firstRow = 0; firstRow < this.#rows; firstRow += most) {
      const rowCount = Math.min(most, this.#rows - firstRow);
      const shape = {
        rows: this.#rows,
        firstRow,
        rowCount,
        heads: count,
        keyHeads: step.key.count,
        dim,
        query: this.#placeOf(step.query),
        key: this.#placeOf(step.key),
        value: this.#placeOf(step.value),
        scale: step.scale,
        window: step.window ?? 0,
      };
      const softCap = step.softCap ?? 0;
      const capacity = read?.capacity ?? 0;
      this.#queue.add(
        rounding
          ? call(attentionRounded, { softCap, rounding }, shape, buffers)
          : call(attention, { softCap }, { ...shape, capacity }, buffers),
        rowCount * productsPerRow,
      );
    }
  }

  #placeOf({ register, start, stride }: Heads) {
    return { width: this.#width(register), start, stride };
  }

  #roundingOf(variant: number): InnerRounding {
    return this.#setup.variants[variant]?.roundsTo ?? null;
  }

  get #rows(): number {
    return this.#setup.batch.rows;
  }

  #width(register: string): number {
    const width = this.#setup.graph.registers.get(register);
    if (width === undefined) throw new Error(`a graph without the register ${register}`);
    return width;
  }
}
