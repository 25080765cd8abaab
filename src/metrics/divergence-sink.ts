import type { Device, DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { divergence, divergenceWords } from "../kernels/model/divergence.ts";
import type { CallQueue } from "../models/call-queue.ts";
import type { LogitsSink, LogitsTile } from "../models/run-setup.ts";
import { type PositionRange, scoredRange, type TokenScores, TokenScoreTotals } from "./token-scores.ts";

/** Ids of the vocabulary that one sum is of. */
const BLOCK_COLUMNS = 1024;

/** What an exponential costs beside a multiplication, about; each logit takes two. */
const PRODUCTS_PER_LOGIT = 40;

/** Compares the logits of variants with the original's where they are made; only sums come back. */
export class DivergenceSink implements LogitsSink {
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly #device: Device;
  readonly #targets: DeviceBuffer;
  readonly #totals: readonly TokenScoreTotals[];
  /** Of each variant but the original. */
  readonly #sums: (DeviceBuffer | undefined)[] = [];
  readonly #windows: readonly { readonly start: number; readonly end: number }[];
  #words = 0;

  /**
   * @param windows token ids; their scored positions are compared
   * @param variants models without the original
   * @param ranges positions of each window that are scored, each with a token after it; default: those of `scoredRange`
   */
  constructor(
    device: Device,
    windows: readonly (readonly number[])[],
    variants: number,
    ranges: readonly PositionRange[] = windows.map(({ length }) => scoredRange(length)),
  ) {
    const rows: number[] = [];
    const targets: number[] = [];
    let first = 0;
    this.#windows = windows.map((window, index) => {
      const scored = ranges[index] ?? { start: 0, end: 0 };
      const start = rows.length;
      for (let place = scored.start; place < scored.end; place++) {
        rows.push(first + place);
        targets.push(window[place + 1] ?? 0);
      }
      first += window.length;
      return { start, end: rows.length };
    });
    this.rows = Uint32Array.from(rows);
    this.#device = device;
    this.#targets = device.createBuffer(Math.max(16, rows.length * 4));
    device.write(this.#targets, new Uint8Array(Uint32Array.from(targets).buffer));
    this.#totals = Array.from({ length: variants }, () => new TokenScoreTotals(rows.length));
  }

  take({ variant, first, columns, logits, base }: LogitsTile, queue: CallQueue): void {
    if (variant === 0) return;
    const shape = { rows: this.rows.length, columns, stride: columns, first, blockColumns: BLOCK_COLUMNS };
    this.#words = divergenceWords(shape);
    let sums = this.#sums[variant - 1];
    if (!sums || sums.sizeBytes < this.#words * 4) {
      sums?.destroy();
      sums = this.#device.createBuffer(this.#words * 4);
      this.#sums[variant - 1] = sums;
    }
    const buffers = [base, logits, this.#targets, sums];
    queue.add(call(divergence, {}, shape, buffers), PRODUCTS_PER_LOGIT * this.rows.length * columns);
  }

  async endTile(): Promise<void> {
    for (const [index, totals] of this.#totals.entries()) {
      const sums = this.#sums[index];
      if (!sums) continue;
      totals.addTile(new Uint32Array((await this.#device.read(sums, this.#words * 4)).buffer));
    }
  }

  /** Scores of a variant, window by window. The original does not count among the variants. */
  scores(variant: number): readonly TokenScores[] {
    const totals = this.#totals[variant];
    if (!totals) throw new Error(`no variant ${variant}`);
    return this.#windows.map(({ start, end }) => totals.scores(start, end));
  }

  destroy(): void {
    this.#targets.destroy();
    for (const sums of this.#sums) sums?.destroy();
  }
}
