import type { Device } from "../device/device.ts";
import type { CallQueue } from "../models/call-queue.ts";
import type { LogitsSink, LogitsTile } from "../models/run-setup.ts";

/** Keeps the logits of one row, of all variants: four bytes for each id of the vocabulary. */
export class PositionLogits implements LogitsSink {
  readonly rows: Uint32Array<ArrayBuffer>;
  /** float32 [vocabulary] of each variant, the original first. */
  readonly logits: readonly Float32Array[];
  readonly #device: Device;

  constructor(device: Device, row: number, variants: number, vocabularySize: number) {
    this.rows = Uint32Array.of(row);
    this.#device = device;
    this.logits = Array.from({ length: variants }, () => new Float32Array(vocabularySize));
  }

  async take({ variant, first, columns, logits }: LogitsTile, queue: CallQueue): Promise<void> {
    queue.flush();
    const found = new Float32Array((await this.#device.read(logits, columns * 4)).buffer);
    this.logits[variant]?.set(found.subarray(0, columns), first);
  }

  async endTile(): Promise<void> {}
}

/** Probabilities [vocabulary] of logits, in float64. NaN all over where one is NaN or +∞. */
export function softmax(logits: Float32Array): Float64Array {
  const largest = logits.reduce((most, logit) => (Number.isNaN(logit) ? Number.NaN : Math.max(most, logit)), -Infinity);
  const weights = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Σ p·ln(p/q), in nats. */
export function klDivergence(p: Float64Array, q: Float64Array): number {
  return p.reduce((sum, own, id) => sum + (own === 0 ? 0 : own * Math.log(own / (q[id] ?? 0))), 0);
}

/** The ids of the largest probabilities, largest first, the lower id where several are equal. */
export function mostLikely(probabilities: Float64Array, count: number): readonly number[] {
  const top: number[] = [];
  for (const [id, p] of probabilities.entries()) {
    if (Number.isNaN(p)) return [];
    if (top.length === count && p <= (probabilities[top.at(-1) ?? 0] ?? 0)) continue;
    const place = top.findIndex((other) => p > (probabilities[other] ?? 0));
    top.splice(place < 0 ? top.length : place, 0, id);
    top.length = Math.min(top.length, count);
  }
  return top;
}
