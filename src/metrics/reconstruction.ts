import { BLOCK_WORDS, LEVEL_WORDS, SCHEME_WORDS } from "../kernels/quant/int_error.ts";

/** What is lost between weights W and their reconstruction Q, over `weights` elements. */
export interface Reconstruction {
  readonly weights: number;
  /** Mean (W−Q)²; null where a value is not finite. */
  readonly mse: number | null;
  /** Σ(W−Q)² / ΣW²; null also for weights that are all zero. */
  readonly relativeMse: number | null;
  /** −10·log10(relativeMse); null where nothing is lost, too. */
  readonly sqnrDb: number | null;
  readonly maxAbsError: number | null;
  /** Cosine of the angle between W and Q, both flattened. */
  readonly cosine: number | null;
  /** Mean W²; null where a weight is not finite. */
  readonly meanSquare: number | null;
  /** Share of weights whose code the end of the range cut off; null where nothing was quantized. */
  readonly clippedShare: number | null;
  /** Share of codes that occur, a mean over matrices; null where nothing was quantized. */
  readonly usedLevels: number | null;
  readonly notFinite: { readonly weights: number; readonly reconstructions: number };
}

/** 2^(index − 512), the units that sums are stored in: read from a table, since every block of a model asks for one. */
const UNITS = Float64Array.from({ length: 1024 }, (_, index) => 2 ** (index - 512));

/** Adds up the sums of blocks in float64: of a matrix, a layer or a model. */
export class ReconstructionTotal {
  #weights = 0;
  #errorEnergy = 0;
  #energy = 0;
  #largest = 0;
  #product = 0;
  #reconstructionEnergy = 0;
  #notFiniteWeights = 0;
  #overflows = 0;
  #quantized = 0;
  #clipped = 0;
  #levelShares = 0;
  #levelMatrices = 0;

  /**
   * Adds what `quant/int_error` wrote of one scheme.
   * @param scheme its number in that run, of `schemes`
   * @param weights how many weights those blocks hold
   */
  addBlocks(
    words: Uint32Array<ArrayBuffer>,
    scheme: number,
    schemes: number,
    weights: number,
    isQuantized: boolean,
  ): void {
    const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
    const size = BLOCK_WORDS + SCHEME_WORDS * schemes;
    this.#weights += weights;
    if (isQuantized) this.#quantized += weights;
    for (let block = 0; block + size <= words.length; block += size) {
      const head = words[block + 1] ?? 0;
      const unit = UNITS[head >>> 16] ?? 0;
      const energyUnit = unit * unit;
      this.#energy += (floats[block] ?? 0) * energyUnit;
      this.#notFiniteWeights += head & 0xffff;
      const at = block + BLOCK_WORDS + SCHEME_WORDS * scheme;
      const errorUnit = UNITS[words[at + 5] ?? 0] ?? 0;
      this.#errorEnergy += (floats[at] ?? 0) * errorUnit * errorUnit;
      this.#largest = Math.max(this.#largest, (floats[at + 1] ?? 0) * errorUnit);
      this.#product += (floats[at + 2] ?? 0) * energyUnit;
      this.#reconstructionEnergy += (floats[at + 3] ?? 0) * energyUnit;
      const counts = words[at + 4] ?? 0;
      this.#overflows += counts >>> 16;
      this.#clipped += counts & 0xffff;
    }
  }

  /**
   * Says which codes occurred in a matrix of its own.
   * @param levels the set as `quant/int_error` leaves it: `LEVEL_WORDS` words, a bit a code
   */
  addLevels(levels: Uint32Array, bits: number): void {
    let used = 0;
    for (const word of levels.subarray(0, LEVEL_WORDS)) {
      for (let rest = word; rest !== 0; rest = (rest & (rest - 1)) >>> 0) used++;
    }
    this.#levelShares += used / 2 ** bits;
    this.#levelMatrices++;
  }

  /** Adds another total: a model's is the sum of its matrices'. */
  add(other: ReconstructionTotal): void {
    this.#weights += other.#weights;
    this.#errorEnergy += other.#errorEnergy;
    this.#energy += other.#energy;
    this.#largest = Math.max(this.#largest, other.#largest);
    this.#product += other.#product;
    this.#reconstructionEnergy += other.#reconstructionEnergy;
    this.#notFiniteWeights += other.#notFiniteWeights;
    this.#overflows += other.#overflows;
    this.#quantized += other.#quantized;
    this.#clipped += other.#clipped;
    this.#levelShares += other.#levelShares;
    this.#levelMatrices += other.#levelMatrices;
  }

  /** The figures so far. Same formulas as the conformance kit's `layers.py`. */
  figures(): Reconstruction {
    const coding = {
      clippedShare: this.#quantized > 0 ? this.#clipped / this.#quantized : null,
      usedLevels: this.#levelMatrices > 0 ? this.#levelShares / this.#levelMatrices : null,
      notFinite: { weights: this.#notFiniteWeights, reconstructions: this.#overflows },
      meanSquare: this.#notFiniteWeights === 0 && this.#weights > 0 ? this.#energy / this.#weights : null,
    };
    if (this.#notFiniteWeights + this.#overflows > 0 || this.#weights === 0) {
      const nothing = { mse: null, relativeMse: null, sqnrDb: null, maxAbsError: null, cosine: null };
      return { weights: this.#weights, ...nothing, ...coding };
    }
    const relativeMse = this.#energy > 0 ? this.#errorEnergy / this.#energy : null;
    const norms = Math.sqrt(this.#energy) * Math.sqrt(this.#reconstructionEnergy);
    return {
      weights: this.#weights,
      mse: this.#errorEnergy / this.#weights,
      relativeMse,
      sqnrDb: relativeMse !== null && relativeMse > 0 ? -10 * Math.log10(relativeMse) : null,
      maxAbsError: this.#largest,
      cosine: norms > 0 ? this.#product / norms : null,
      ...coding,
    };
  }
}

/** What a recipe does to one matrix of a model. */
export interface MatrixLoss {
  readonly weights: number;
  /** Mean W²; null where it is not finite. */
  readonly meanSquare: number | null;
  /** Mean (W−Q)²: 0 where the recipe leaves the matrix alone, null where it is not finite. */
  readonly mse: number | null;
}

/**
 * Σ(W−Q)² / ΣW² of a model over some matrices. Recipes compare by it when it goes over the same matrices for all of them,
 * those that one of them leaves alone with no error.
 * @returns null where a value is not finite, and for weights that are all zero
 */
export function modelRelativeMse(matrices: readonly MatrixLoss[]): number | null {
  let errorEnergy = 0;
  let energy = 0;
  for (const { weights, meanSquare, mse } of matrices) {
    if (meanSquare === null || mse === null) return null;
    errorEnergy += mse * weights;
    energy += meanSquare * weights;
  }
  return energy > 0 ? errorEnergy / energy : null;
}
