/** Positions of a window, `start` inclusive, `end` exclusive. */
export interface PositionRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Positions of a window of n tokens that are scored: ⌊n/2⌋ … n − 2, so that each has seen half a window, and the token that
 * comes next is known. Row i of a window's scores stands for position `start` + i; its target is token `start` + i + 1.
 * Windows of fewer than three tokens score nothing: their range is empty.
 * Source: llama.cpp `tools/perplexity`, `kl_divergence`.
 * @param windowLength tokens of the window
 */
export function scoredRange(windowLength: number): PositionRange {
  const start = Math.floor(windowLength / 2);
  return { start, end: Math.max(start, windowLength - 1) };
}

/** What is known of each scored position, one after the other. Natural logarithms; rows that are not finite are NaN. */
export interface TokenScores {
  /** −ln p of the token that came next, p by the original. */
  readonly nllBase: Float64Array;
  /** −ln q of the token that came next, q by the variant. */
  readonly nll: Float64Array;
  /** Σ p·ln(p/q) over the vocabulary, in nats. Rounding may leave a little less than nothing. */
  readonly kld: Float64Array;
  /** q − p of the token that came next. */
  readonly deltaP: Float64Array;
  /** Most likely token by the original, and by the variant: the lower id where several are. */
  readonly topBase: Uint32Array;
  readonly top: Uint32Array;
  /** p of `topBase`, and q of `top`. */
  readonly pTopBase: Float64Array;
  readonly pTop: Float64Array;
  /** 1 where both have the same most likely token; 0 elsewhere and where a row is NaN. */
  readonly sameTop: Uint8Array;
  /** Rows that are NaN: where a logit is NaN or +∞, or a token's logit −∞ for the variant alone or for the one that came. */
  readonly notFinite: number;
}

/** The columns of `TokenScores`. */
export const TOKEN_COLUMNS = [
  "nllBase",
  "nll",
  "kld",
  "deltaP",
  "topBase",
  "top",
  "pTopBase",
  "pTop",
  "sameTop",
] as const satisfies readonly (keyof TokenScores)[];

/** Scores of several windows as those of one text. */
export function joinScores(parts: readonly TokenScores[]): TokenScores {
  const rows = parts.reduce((sum, { kld }) => sum + kld.length, 0);
  const joined = emptyScores(rows);
  let row = 0;
  let notFinite = 0;
  for (const part of parts) {
    for (const column of TOKEN_COLUMNS) joined[column].set(part[column], row);
    row += part.kld.length;
    notFinite += part.notFinite;
  }
  return { ...joined, notFinite };
}

/** Columns of zeros for so many positions, to be filled. */
export function emptyScores(rows: number) {
  return {
    nllBase: new Float64Array(rows),
    nll: new Float64Array(rows),
    kld: new Float64Array(rows),
    deltaP: new Float64Array(rows),
    topBase: new Uint32Array(rows),
    top: new Uint32Array(rows),
    pTopBase: new Float64Array(rows),
    pTop: new Float64Array(rows),
    sameTop: new Uint8Array(rows),
  };
}

/** Words that `model/divergence` writes for a row and a block of the vocabulary. */
const WORDS = 10;

/** Of one side's logits so far: their largest, its id, Σ exp(logit − largest), and the logit of the token that came next. */
class LogitSums {
  readonly largest: Float64Array;
  readonly top: Uint32Array;
  readonly sum: Float64Array;
  readonly target: Float64Array;

  constructor(rows: number) {
    this.largest = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
    this.top = new Uint32Array(rows);
    this.sum = new Float64Array(rows);
    this.target = new Float64Array(rows);
  }

  /**
   * Adds a block.
   * @returns what the sums so far, and that of the block, are multiplied with to be of one unit
   */
  add(row: number, largest: number, sum: number, top: number): readonly [old: number, added: number] {
    const before = this.largest[row] ?? 0;
    if (largest > before || (largest === before && top < (this.top[row] ?? 0))) {
      this.largest[row] = largest;
      this.top[row] = top;
    }
    const unit = this.largest[row] ?? 0;
    // −∞ stands before the first block and for a block that is masked out: neither weighs anything, and −∞ − −∞ is NaN.
    const old = before === Number.NEGATIVE_INFINITY ? 0 : Math.exp(before - unit);
    const added = largest === Number.NEGATIVE_INFINITY ? 0 : Math.exp(largest - unit);
    this.sum[row] = (this.sum[row] ?? 0) * old + sum * added;
    return [old, added];
  }

  /** The softmax of the largest. */
  pTop(row: number): number {
    return 1 / (this.sum[row] ?? 0);
  }

  /** −ln of the target's share of the softmax. */
  nll(row: number): number {
    return (this.largest[row] ?? 0) + Math.log(this.sum[row] ?? 0) - (this.target[row] ?? 0);
  }
}

/**
 * Adds up, in float64, what the kernel `model/divergence` says of the logits of an original (base) and a variant (other),
 * tile by tile of the vocabulary. A row is a scored position.
 *
 * KL = E[base − other] − (lse(base) − lse(other)), E over the softmax of base. Both terms are taken relative to one shift
 * of the row, so that they are as small as the divergence is; where the logits are equal, both are exactly 0.
 */
export class TokenScoreTotals {
  readonly #rows: number;
  readonly #base: LogitSums;
  readonly #other: LogitSums;
  /** Σ exp(base − largest)·((base − other) − shift). */
  readonly #cross: Float64Array;
  /** base − other at the largest of the first block that weighs anything: what the differences of a row are counted from. */
  readonly #shift: Float64Array;

  constructor(rows: number) {
    this.#rows = rows;
    this.#base = new LogitSums(rows);
    this.#other = new LogitSums(rows);
    this.#cross = new Float64Array(rows);
    this.#shift = new Float64Array(rows);
  }

  /**
   * Adds a tile of the vocabulary. Every id stands in one tile; their order changes nothing but the last bits.
   * @param words [rows, blocks, 10], for each row and block: largest of base (f32), Σ exp(base − largest) (f32), id of the
   *   first largest (u32), the same three of other, Σ exp(base − largest)·((base − other) − shift) (f32), shift (f32), base
   *   and other at the token that came next (f32; 0 where it is not in the block)
   */
  addTile(words: Uint32Array<ArrayBuffer>): void {
    const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
    const blocks = words.length / WORDS / this.#rows;
    for (let row = 0, at = 0; row < this.#rows; row++) {
      for (let block = 0; block < blocks; block++, at += WORDS) {
        const sum = floats[at + 1] ?? 0;
        const isFirst = this.#base.largest[row] === Number.NEGATIVE_INFINITY;
        const [old, added] = this.#base.add(row, floats[at] ?? 0, sum, words[at + 2] ?? 0);
        this.#other.add(row, floats[at + 3] ?? 0, floats[at + 4] ?? 0, words[at + 5] ?? 0);
        if (added !== 0) {
          const shift = floats[at + 7] ?? 0;
          if (isFirst) this.#shift[row] = shift;
          const cross = (floats[at + 6] ?? 0) + (shift - (this.#shift[row] ?? 0)) * sum;
          this.#cross[row] = (this.#cross[row] ?? 0) * old + cross * added;
        }
        this.#base.target[row] = (this.#base.target[row] ?? 0) + (floats[at + 8] ?? 0);
        this.#other.target[row] = (this.#other.target[row] ?? 0) + (floats[at + 9] ?? 0);
      }
    }
  }

  /**
   * Scores of the rows from `start` to before `end` (default: all), the whole vocabulary added.
   */
  scores(start = 0, end = this.#rows): TokenScores {
    const scores = emptyScores(end - start);
    let notFinite = 0;
    for (let row = start; row < end; row++) {
      const [nllBase, nll] = [this.#base.nll(row), this.#other.nll(row)];
      const kld = this.#divergence(row);
      const isKnown = Number.isFinite(nllBase) && Number.isFinite(nll) && Number.isFinite(kld);
      if (!isKnown) notFinite++;
      scores.nllBase[row - start] = isKnown ? nllBase : Number.NaN;
      scores.nll[row - start] = isKnown ? nll : Number.NaN;
      scores.kld[row - start] = isKnown ? kld : Number.NaN;
      scores.deltaP[row - start] = isKnown ? Math.exp(-nll) - Math.exp(-nllBase) : Number.NaN;
      scores.topBase[row - start] = this.#base.top[row] ?? 0;
      scores.top[row - start] = this.#other.top[row] ?? 0;
      scores.pTopBase[row - start] = isKnown ? this.#base.pTop(row) : Number.NaN;
      scores.pTop[row - start] = isKnown ? this.#other.pTop(row) : Number.NaN;
      scores.sameTop[row - start] = isKnown && this.#base.top[row] === this.#other.top[row] ? 1 : 0;
    }
    return { ...scores, notFinite };
  }

  #divergence(row: number): number {
    const [base, other] = [this.#base, this.#other];
    const sum = base.sum[row] ?? 0;
    const difference = (base.largest[row] ?? 0) - (other.largest[row] ?? 0) - (this.#shift[row] ?? 0);
    return (this.#cross[row] ?? 0) / sum - (difference + Math.log(sum / (other.sum[row] ?? 0)));
  }
}
