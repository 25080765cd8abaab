import type { AttendStep, Heads, LinearStep, NormStep, RotateStep, Step } from "../architectures/graph.ts";
import type { DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { accumulate } from "../kernels/model/accumulate.ts";
import { add } from "../kernels/model/add.ts";
import { attention } from "../kernels/model/attention.ts";
import { gate } from "../kernels/model/gate.ts";
import { norm } from "../kernels/model/norm.ts";
import { rotate } from "../kernels/model/rotate.ts";
import { route } from "../kernels/model/route.ts";
import { rotaryAngles } from "./angles.ts";
import type { CallQueue } from "./call-queue.ts";
import type { Registers } from "./registers.ts";
import type { ModelRunSetup } from "./run-setup.ts";

/** What an exponential costs beside a multiplication, about. */
const EXPONENTIAL = 16;

/** Steps without a matrix, as calls of kernels. */
export class StepCalls {
  readonly #setup: ModelRunSetup;
  readonly #shared: Registers;
  readonly #queue: CallQueue;
  readonly #positions: DeviceBuffer;
  /** Tables of cosines and sines by what they are made of. */
  readonly #angles = new Map<string, DeviceBuffer>();

  /** @param shared what all variants read */
  constructor(setup: ModelRunSetup, shared: Registers, queue: CallQueue) {
    this.#setup = setup;
    this.#shared = shared;
    this.#queue = queue;
    this.#positions = shared.filled("positions", setup.batch.positions);
  }

  /**
   * Does a step for every variant.
   * @param changed told of each register that a variant has got a new value in
   */
  async add(
    step: Exclude<Step, LinearStep>,
    variants: readonly Registers[],
    changed: (variant: number, register: string) => void,
  ): Promise<void> {
    for (const [variant, registers] of variants.entries()) {
      switch (step.kind) {
        case "norm":
          await this.#norm(step, variant, registers);
          changed(variant, step.output);
          break;
        case "rotate":
          this.#rotate(step, registers);
          changed(variant, step.heads.register);
          break;
        case "attend":
          this.#attend(step, registers);
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
              { activation: step.activation, isGated: step.up !== null },
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
          changed(variant, step.output);
          break;
        }
        case "accumulate": {
          const width = this.#width(step.target);
          const shape = { rows: this.#rows, width, experts: this.#width(step.weights), expert: step.expert };
          const buffers = [step.weights, step.source, step.target].map((name) => registers.buffer(name));
          this.#queue.add(call(accumulate, { isFirst: step.isFirst }, shape, buffers), this.#rows * width);
          changed(variant, step.target);
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
    this.#queue.add(call(norm, { form }, shape, buffers), 4 * this.#rows * this.#width(input));
  }

  #rotate({ heads, frequencies, scale, pairing }: RotateStep, registers: Registers): void {
    const { batch } = this.#setup;
    const key = `angles ${scale} ${frequencies.join(" ")}`;
    let angles = this.#angles.get(key);
    if (!angles) {
      angles = this.#shared.filled(key, rotaryAngles(batch.longest, frequencies, scale));
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
    this.#queue.add(call(rotate, {}, shape, buffers), 4 * this.#rows * heads.count * frequencies.length);
  }

  #attend(step: AttendStep, registers: Registers): void {
    const { batch, device } = this.#setup;
    const { count, dim } = step.query;
    // Each token sees half of its window on average; scores and sums are a product each, and so much again for the rest.
    const seen = Math.min(step.window ?? batch.longest, batch.longest / 2 + 1);
    const productsPerRow = 4 * seen * count * dim;
    const most = Math.max(16, Math.floor(device.productsPerRun / productsPerRow / 16) * 16);
    const buffers = [
      this.#positions,
      ...[step.query, step.key, step.value].map(({ register }) => registers.buffer(register)),
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
      this.#queue.add(call(attention, { softCap: step.softCap ?? 0 }, shape, buffers), rowCount * productsPerRow);
    }
  }

  #placeOf({ register, start, stride }: Heads) {
    return { width: this.#width(register), start, stride };
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
