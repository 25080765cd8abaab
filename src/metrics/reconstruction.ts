import { ERROR_WORDS } from "../kernels/quant/int_error.ts";

/** What is lost between a weight matrix W and its reconstruction Q, over `weights` elements. */
export interface Reconstruction {
  readonly weights: number;
  /** Mean (W−Q)²; null where a value is not finite. */
  readonly mse: number | null;
  /** Σ(W−Q)² / ΣW²; null also for a matrix of zeros. */
  readonly relativeMse: number | null;
  /** −10·log10(relativeMse); null where nothing is lost, too. */
  readonly sqnrDb: number | null;
  readonly maxAbsError: number | null;
  /** Cosine of the angle between W and Q, both flattened. */
  readonly cosine: number | null;
  readonly notFinite: { readonly weights: number; readonly reconstructions: number };
}

/** Adds up the sums of segments in float64, matrix by matrix or over a model. */
export class ReconstructionTotal {
  #weights = 0;
  #errorEnergy = 0;
  #energy = 0;
  #largest = 0;
  #product = 0;
  #reconstructionEnergy = 0;
  #notFiniteWeights = 0;
  #overflows = 0;

  /**
   * Adds the words that `quant/int_error` wrote.
   * @param weights how many weights those segments hold
   */
  addSegments(words: Uint32Array<ArrayBuffer>, weights: number): void {
    const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
    this.#weights += weights;
    for (let at = 0; at + ERROR_WORDS <= words.length; at += ERROR_WORDS) {
      const packed = words[at + 5] ?? 0;
      const unit = 2 ** ((packed >>> 16) - 512);
      const energyUnit = unit * unit;
      this.#errorEnergy += (floats[at] ?? 0) * energyUnit;
      this.#energy += (floats[at + 1] ?? 0) * energyUnit;
      this.#largest = Math.max(this.#largest, (floats[at + 2] ?? 0) * unit);
      this.#product += (floats[at + 3] ?? 0) * energyUnit;
      this.#reconstructionEnergy += (floats[at + 4] ?? 0) * energyUnit;
      this.#overflows += (packed >>> 8) & 0xff;
      this.#notFiniteWeights += packed & 0xff;
    }
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
  }

  /** The figures so far. Same formulas as the conformance kit's `layers.py`. */
  figures(): Reconstruction {
    const notFinite = { weights: this.#notFiniteWeights, reconstructions: this.#overflows };
    if (this.#notFiniteWeights + this.#overflows > 0 || this.#weights === 0) {
      const nothing = { mse: null, relativeMse: null, sqnrDb: null, maxAbsError: null, cosine: null };
      return { weights: this.#weights, ...nothing, notFinite };
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
      notFinite,
    };
  }
}
