import type { AttendStep, Heads } from "../architectures/graph.ts";
import type { DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { extremes } from "../kernels/activations/extremes.ts";
import { joinRows } from "../kernels/activations/join_rows.ts";
import type { RoundSource } from "../kernels/activations/round.oracle.ts";
import { round } from "../kernels/activations/round.ts";
import { roundInPlace } from "../kernels/activations/round_in_place.ts";
import { servedScales } from "../kernels/activations/served_scales.ts";
import { groupsOfRow, type Span, wholeRow } from "../kernels/activations/span.ts";
import { CORNER_NAMES, intQparams } from "../kernels/quant/int_qparams.ts";
import type { InputRounding } from "./activation-rounding.ts";
import type { CallQueue } from "./call-queue.ts";
import type { Registers } from "./registers.ts";
import type { ModelRunSetup } from "./run-setup.ts";

/** What rounding a number costs beside a multiplication, about. */
const PRODUCTS_PER_NUMBER = 16;

/** The scales of some pieces, and which of them a piece takes: that of row · rowStep + piece · pieceStep. */
interface Scales {
  readonly scales: DeviceBuffer;
  /** Zero points, or multipliers. */
  readonly factors: DeviceBuffer;
  readonly rowStep: number;
  readonly pieceStep: number;
}

/** What of a run rounding takes. */
export interface RoundingSetup extends Pick<ModelRunSetup, "variants" | "batch"> {
  readonly graph: Pick<ModelRunSetup["graph"], "registers">;
}

/** Rounding of activations, as calls of kernels. */
export class RoundingCalls {
  readonly #setup: RoundingSetup;
  readonly #own: readonly Registers[];
  readonly #shared: Registers;
  readonly #queue: CallQueue;
  /** Of each variant, what its rounded copy is of: layers that follow each other read one input. */
  readonly #copies: ({ readonly register: string; readonly rounding: InputRounding } | undefined)[] = [];
  readonly #widest: number;
  #positions: DeviceBuffer | null = null;

  /**
   * @param own registers of each variant
   * @param shared memory that one call after the other uses
   */
  constructor(setup: RoundingSetup, own: readonly Registers[], shared: Registers, queue: CallQueue) {
    this.#setup = setup;
    this.#own = own;
    this.#shared = shared;
    this.#queue = queue;
    this.#widest = Math.max(...setup.graph.registers.values());
  }

  /** A register as a linear layer of a variant reads it: itself, or a rounded copy. */
  input(variant: number, module: string, register: string): DeviceBuffer {
    const values = this.#registers(variant).buffer(register);
    const rounding = this.#setup.variants[variant]?.rounding?.input(module);
    if (!rounding) return values;
    const copy = this.#registers(variant).made("rounded", this.#setup.batch.rows * this.#widest);
    const known = this.#copies[variant];
    if (known?.register === register && known.rounding === rounding) return copy;
    this.#copies[variant] = { register, rounding };
    const width = this.#registers(variant).widthOf(register);
    const { rule, groupSize, bits, symmetric } = rounding;
    const span = groupSize === null ? wholeRow(width) : groupsOfRow(width, groupSize);
    const { scales, factors, ...steps } = this.#scalesOf(variant, module, values, span, rounding);
    const source: RoundSource = rule === "served" ? { rule: "served-token" } : { rule, bits, symmetric };
    const shape = { rows: this.#rows, ...span, ...steps };
    this.#queue.add(call(round, source, shape, [values, scales, factors, copy]), this.#products(span));
    return copy;
  }

  /** To be told of each register that a variant has got a new value in. */
  forget(variant: number, register: string): void {
    if (this.#copies[variant]?.register === register) this.#copies[variant] = undefined;
  }

  /** Rounds the keys and values of a variant in place, where it does. */
  cache(variant: number, { module, key, value }: AttendStep): void {
    const rounding = this.#setup.variants[variant]?.rounding?.cache(module);
    if (!rounding) return;
    const parts = [
      { name: "keys", heads: key, fixed: rounding.rule === "fixed" ? rounding.keyScales : null },
      { name: "values", heads: value, fixed: rounding.rule === "fixed" ? rounding.valueScales : null },
    ];
    for (const { name, heads, fixed } of parts) {
      const values = this.#registers(variant).buffer(heads.register);
      const span = this.#spanOf(variant, heads);
      const { scales, factors, ...steps } = fixed
        ? this.#fixedScales(variant, `${name} of ${module}`, fixed)
        : this.#servedScales(values, span, "int8-token-head");
      const source: RoundSource = fixed
        ? { rule: "simulated", bits: 8, symmetric: true }
        : { rule: "served-token-head" };
      const shape = { rows: this.#rows, ...span, ...steps };
      this.#queue.add(call(roundInPlace, source, shape, [scales, factors, values]), this.#products(span));
    }
  }

  #scalesOf(
    variant: number,
    module: string,
    values: DeviceBuffer,
    span: Span,
    { rule, fixed, bits, symmetric, isWholeWindow }: InputRounding,
  ): Scales {
    if (fixed) return this.#fixedScales(variant, `input of ${module}`, Float32Array.of(fixed.scale), fixed.zeroPoint);
    if (rule === "served") return this.#servedScales(values, span, "int8-token");
    const pieces = this.#rows * span.count;
    const found = this.#extremes(values, span, isWholeWindow);
    const scales = this.#shared.made(`scales ${pieces}`, Math.ceil(pieces / 4) * 4);
    const points = this.#shared.made(`points ${pieces}`, Math.ceil(pieces / 4));
    const corners = this.#shared.made("corners", CORNER_NAMES.length);
    const shape = { groups: pieces, first: 0, slot: 0 };
    const buffers = [found, scales, points, corners];
    this.#queue.add(call(intQparams, { element: "f32", bits, symmetric }, shape, buffers), 16 * pieces);
    return { scales, factors: points, rowStep: span.count, pieceStep: 1 };
  }

  #servedScales(values: DeviceBuffer, span: Span, rule: "int8-token" | "int8-token-head"): Scales {
    const pieces = this.#rows * span.count;
    const found = this.#extremes(values, span, false);
    const scales = this.#shared.made(`scales ${pieces}`, Math.ceil(pieces / 4) * 4);
    const factors = this.#shared.made(`multipliers ${pieces}`, pieces);
    this.#queue.add(call(servedScales, { rule }, { pieces }, [found, scales, factors]), 16 * pieces);
    return { scales, factors, rowStep: span.count, pieceStep: 1 };
  }

  /** Scales from calibration: one for all pieces, or one for each of a row's. */
  #fixedScales(variant: number, name: string, values: Float32Array<ArrayBuffer>, zeroPoint = 0): Scales {
    const registers = this.#registers(variant);
    return {
      scales: registers.filled(`scales of ${name}`, values),
      factors: registers.filled(`zero point of ${name}`, Uint32Array.of(zeroPoint & 0xff)),
      rowStep: 0,
      pieceStep: values.length > 1 ? 1 : 0,
    };
  }

  #extremes(values: DeviceBuffer, span: Span, isWholeWindow: boolean): DeviceBuffer {
    const pieces = this.#rows * span.count;
    // Kernels take four pieces at once.
    const words = Math.ceil(pieces / 4) * 8;
    const found = this.#shared.made(`extremes ${pieces}`, words);
    this.#queue.add(call(extremes, {}, { rows: this.#rows, ...span }, [values, found]), this.#products(span) / 4);
    if (!isWholeWindow) return found;
    this.#positions ??= this.#shared.filled("positions of rows", this.#setup.batch.positions);
    const joined = this.#shared.made(`joined extremes ${pieces}`, words);
    const longest = this.#setup.batch.longest;
    this.#queue.add(call(joinRows, {}, { rows: this.#rows }, [found, this.#positions, joined]), longest * this.#rows);
    return joined;
  }

  #spanOf(variant: number, { register, start, stride, count, dim }: Heads): Span {
    return { width: this.#registers(variant).widthOf(register), start, stride, count, dim };
  }

  #products({ count, dim }: Span): number {
    return PRODUCTS_PER_NUMBER * this.#rows * count * dim;
  }

  get #rows(): number {
    return this.#setup.batch.rows;
  }

  #registers(variant: number): Registers {
    return this.#own[variant] as Registers;
  }
}
