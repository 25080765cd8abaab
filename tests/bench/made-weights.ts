import { FLOAT_FORMATS, type FloatName } from "../../src/base/float-format.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { elementWords, setElement } from "../../src/kernels/elements.ts";

/** Weights that are drawn; drawing all of them takes longer than all that is timed, so that they come again after these. */
const PERIOD = 2 ** 20;

/** Weights with tails, none of them zero by design. Another seed for each run of the bench, so that none is tuned to. */
export function madeWeights(count: number, element: FloatName, seed: number): Uint8Array<ArrayBuffer> {
  const { toBits } = FLOAT_FORMATS[element];
  const random = new SeededRandom(seed);
  const words = new Uint32Array(elementWords(count, element));
  const period = Math.min(count, PERIOD);
  for (let i = 0; i < period; i++) {
    setElement(words, i, toBits(random.nextNormal() * 0.02 * (random.nextUniform() < 0.002 ? 8 : 1)), element);
  }
  const part = elementWords(period, element);
  for (let at = part; at < words.length; at += part) words.copyWithin(at, 0, part);
  return new Uint8Array(words.buffer);
}

/** A seed that no earlier run had. */
export function freshSeed(): number {
  return Math.floor(performance.timeOrigin + performance.now()) % 2 ** 31;
}
