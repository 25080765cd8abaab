import { SeededRandom } from "../../base/random.ts";
import { asFloats } from "../floats.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { compareFloats, roundedSpread } from "./compare-floats.ts";
import { type Activation, type GateShape, type GateSource, gateOracle, normalTail } from "./gate.oracle.ts";
import { gate } from "./gate.ts";
import { floatWords, normalWords, SLACK_WORDS, withSlack } from "./model-inputs.ts";

/** Around the edges of vectors, chunks of columns (32) and pieces (8192 numbers); both in one register, with gaps, at odd places. */
const SHAPES: readonly GateShape[] = [
  { rows: 1, width: 1, gate: { stride: 1, start: 0 }, up: { stride: 1, start: 0 } },
  { rows: 3, width: 33, gate: { stride: 66, start: 0 }, up: { stride: 66, start: 33 } },
  { rows: 70, width: 64, gate: { stride: 64, start: 0 }, up: { stride: 64, start: 0 } },
  { rows: 11, width: 68, gate: { stride: 140, start: 68 }, up: { stride: 140, start: 0 } },
  { rows: 4, width: 96, gate: { stride: 97, start: 0 }, up: { stride: 96, start: 0 } },
  { rows: 66, width: 1536, gate: { stride: 1536, start: 0 }, up: { stride: 1536, start: 0 } },
];

/** Around 0, in the tails, and where an exponential or a cube leaves float32. */
const SPECIAL = [0, -0, 1e-20, -1e-20, 1e-4, -1e-4, 0.75, -0.75, 3, -3, 5.5, -5.5, 9.4, -9.4, 12, -12, 20, -20];
const HUGE = [43, -43, 86.9, -86.9, 87.1, -87.1, 100, -100, 1e4, -1e4, 1e13, -1e13, 1e30, -1e30, 3e38, -3e38];

function gatesOf(count: number, special: readonly number[]): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(count);
  return floatWords(
    Array.from({ length: count }, (_, i) =>
      i % 3 === 0 ? (special[(i / 3) % special.length] ?? 0) : random.nextNormal() * (i % 3 === 1 ? 1 : 4),
    ),
  );
}

export const gateCases: readonly KernelCase[] = (["silu", "gelu", "gelu-tanh", "relu"] as const).flatMap((activation) =>
  [
    { isGated: true, rounding: null },
    { isGated: false, rounding: null },
    { isGated: true, rounding: "bf16" as const },
    { isGated: true, rounding: "f16" as const },
  ].flatMap(({ isGated, rounding }) =>
    SHAPES.map((shape) => {
      const { rows, width } = shape;
      const source = { activation, isGated, rounding };
      // What leaves f16 is for `round_to` to show.
      const special = rounding === "f16" ? SPECIAL : [...SPECIAL, ...HUGE];
      const gates = gatesOf(rows * shape.gate.stride + shape.gate.start, special);
      const activations = rounding === null ? null : activationsOf(source, shape, gates);
      // The largest gates times these stay within float32.
      const ups = normalWords(rows * shape.up.stride + shape.up.start, 7, 0.15);
      return kernelCase(gate, {
        name: `${activation}${isGated ? "" : " alone"}${rounding ? ` in ${rounding}` : ""} of [${rows}, ${width}] at ${shape.gate.start} of ${shape.gate.stride}`,
        source,
        shape,
        inputs: [gates, ups, withSlack(new Uint32Array(rows * width).fill(0xdeadbeef))],
        outputWords: rows * width + SLACK_WORDS,
        compare: compareFloats((index, expected) => {
          if (index >= rows * width) return 0;
          const [row, column] = [Math.floor(index / width), index % width];
          const x = asFloats(gates)[row * shape.gate.stride + shape.gate.start + column] ?? 0;
          const up = isGated ? (asFloats(ups)[row * shape.up.stride + shape.up.start + column] ?? 0) : 1;
          const own = activations?.[index] ?? 0;
          if (rounding !== null) {
            const spread = roundedSpread(
              rounding,
              own,
              2 ** -23 * unitsLost(activation, x) * Math.abs(own) + 2 ** -100,
            );
            return Math.abs(up) * spread + 2 ** -23 * Math.abs(expected) + 2 ** -125;
          }
          // What an activation below 2⁻¹⁰⁰ is matters to nobody; smaller than 2⁻¹²⁶ may count as 0.
          return 2 ** -23 * (unitsLost(activation, x) * Math.abs(expected)) + 2 ** -100 * Math.abs(up) + 2 ** -125;
        }),
      });
    }),
  ),
);

/** Activations that are not rounded. */
function activationsOf(source: GateSource, shape: GateShape, gates: Uint32Array): Float32Array {
  const found = new Uint32Array(shape.rows * shape.width);
  gateOracle({ ...source, isGated: false, rounding: null }, shape, [gates, gates, found]);
  return asFloats(found);
}

/**
 * Units of 2⁻²³ of the result that WGSL may lose: 1 for a sum or a product, 2.5 for a quotient, 3 + 2|y| for e^y, beside
 * y's own loss. What the exponential loses counts by its share of the denominator.
 */
function unitsLost(activation: Activation, x: number): number {
  if (activation === "relu") return 1;
  if (activation === "gelu") {
    // Of the tail: y = P(t) − x²/2 with P within ±1.3, to 6 units of x²/2; the formula itself 1 unit (1.2e-7).
    const tail = normalTail(Math.abs(x));
    const lost = 12 + 3 * Math.min(x * x, 400) * 2;
    return 6 + (x < 0 ? lost : (lost * tail) / (1 - tail));
  }
  const y = activation === "silu" ? x : 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
  // y itself has up to 8 units of rounding under gelu-tanh.
  const within = Math.min(Math.abs(y), 100);
  const lost = 3 + (activation === "silu" ? 2 : 10) * within;
  return 6 + (y > 0 ? Math.exp(-within) : 1) * lost;
}
