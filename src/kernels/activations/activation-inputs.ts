import { float32Bits, float32Of } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { fillWeights, qparamsOfWeights } from "../int-inputs.ts";
import { byteAt, setByte } from "../int-params.ts";
import { extremesOracle } from "./extremes.oracle.ts";
import type { RoundShape, RoundSource } from "./round.oracle.ts";
import { servedScalesOracle } from "./served_scales.oracle.ts";
import { groupsOfRow, type Span, wholeRow } from "./span.ts";

/**
 * Rows and spans around the edges of vectors, invocations (128 columns) and workgroups: whole rows, groups, and heads of fused
 * queries, keys and values, with columns between them that are nobody's.
 */
export const SPANS: readonly (Span & { readonly rows: number })[] = [
  { rows: 1, ...wholeRow(4) },
  { rows: 25, ...wholeRow(128) },
  { rows: 70, ...wholeRow(132) },
  { rows: 9, ...wholeRow(1028) },
  { rows: 2, ...wholeRow(9000) },
  { rows: 6, ...groupsOfRow(512, 128) },
  { rows: 24, ...groupsOfRow(96, 32) },
  { rows: 24, width: 160, start: 32, stride: 48, count: 2, dim: 40 },
  { rows: 3, width: 16, start: 8, stride: 4, count: 2, dim: 4 },
];

const RULES: readonly RoundSource[] = [
  ...([8, 4] as const).flatMap((bits) =>
    [true, false].map((symmetric) => ({ rule: "simulated", bits, symmetric }) as const),
  ),
  { rule: "served-token" },
  { rule: "served-token-head" },
];

function ruleName(source: RoundSource): string {
  if (source.rule !== "simulated") return source.rule;
  return `simulated int${source.bits} ${source.symmetric ? "symmetric" : "asymmetric"}`;
}

/** A register whose pieces are filled one corner after the other; columns outside of the span are filled too. */
export function registerOf({ rows, width, dim }: Span & { readonly rows: number }, seed: number) {
  return fillWeights({ streams: rows, streamLength: width, groupSize: width % dim === 0 ? dim : width }, "f32", seed);
}

interface RoundInputs {
  readonly shape: RoundShape;
  readonly values: Uint32Array<ArrayBuffer>;
  readonly scales: Uint32Array<ArrayBuffer>;
  readonly factors: Uint32Array<ArrayBuffer>;
}

/** A register with the scales and what goes with them that the rule takes from its own extremes, one for each piece. */
function dynamicInputs(source: RoundSource, span: Span & { readonly rows: number }, seed: number): RoundInputs {
  const shape = { ...span, rowStep: span.count, pieceStep: 1 };
  const values = registerOf(span, seed);
  const pieces = span.rows * span.count;
  if (source.rule === "simulated") {
    const own = Array.from({ length: pieces }, (_, place) => {
      const first = Math.floor(place / span.count) * span.width + span.start + (place % span.count) * span.stride;
      return [...values.subarray(first, first + span.dim)];
    });
    const qparams = { element: "f32", bits: source.bits, symmetric: source.symmetric } as const;
    const inPieces = { streams: pieces, streamLength: span.dim, groupSize: span.dim };
    const { scales, zeroPoints } = qparamsOfWeights(Uint32Array.from(own.flat()), inPieces, qparams);
    return { shape, values, scales, factors: zeroPoints };
  }
  const extremes = new Uint32Array(2 * pieces);
  extremesOracle({}, span, [values, extremes]);
  const [scales, factors] = [new Uint32Array(pieces), new Uint32Array(pieces)];
  const rule = source.rule === "served-token" ? "int8-token" : "int8-token-head";
  servedScalesOracle({ rule }, { pieces }, [extremes, scales, factors]);
  return { shape, values, scales, factors };
}

const SIGN = 0x80000000;
const INFINITY = 0x7f800000;

/** Magnitudes at the corners of float32, as bits. */
export const CORNER_MAGNITUDES: readonly number[] = [
  ...[0, 1, 2, 3, 0x7fffff, 0x800000, 0x800001, 0x0f800000, 0x10000000, 0x33800000, 0x34000000],
  ...[0.1, 0.3, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 126.5, 127, 127.5, 128, 1e6, 1e20, 2 ** 96, 2 ** 110].map(float32Bits),
  ...[0x7f000000, 0x7f7fffff, 0x7f800000, 0x7fc00000],
];

/**
 * Every corner, and what is next to vanishing beside the scale, under scales or factors of every corner: a row of each. Zero
 * points run through their range.
 */
function cornerInputs(source: RoundSource, corners: "scales" | "factors"): RoundInputs {
  const sides = CORNER_MAGNITUDES.flatMap((bits) => [bits, bits + SIGN]);
  const rows = CORNER_MAGNITUDES.map((scale) => {
    const least = float32Bits(Math.fround(float32Of(scale) * 2 ** -150)) % INFINITY;
    const near = [Math.max(least, 1) - 1, least, least + 1].flatMap((bits) => [bits, bits + SIGN]);
    return [...sides, ...near, SIGN, 0];
  });
  const count = rows.length;
  const plain = (value: number) => new Uint32Array(count).fill(float32Bits(value));
  const own = new Uint32Array(CORNER_MAGNITUDES);
  const scales = corners === "scales" ? own : plain(0.37);
  const factors = corners === "scales" ? plain(1) : own;
  if (source.rule === "simulated") fillZeroPoints(factors, source.bits);
  const shape = { rows: count, ...wholeRow(rows[0]?.length ?? 0), rowStep: 1, pieceStep: 0 };
  return { shape, values: Uint32Array.from(rows.flat()), scales, factors };
}

function fillZeroPoints(words: Uint32Array, bits: number): void {
  for (let place = 0; place < 4 * words.length; place++) {
    setByte(words, place, ((place * 7) % 2 ** bits) - 2 ** (bits - 1));
  }
}

/**
 * Numbers as near as they come to where the code changes, and 8 on either side: the same scales for each row, one for each of
 * its pieces.
 */
function tieInputs(source: RoundSource, scaleSize: number): RoundInputs {
  const random = new SeededRandom(source.rule.length);
  const bits = source.rule === "simulated" ? source.bits : 8;
  const [rows, count, levels] = [4, 31, 2 ** bits + 2];
  const span = groupsOfRow(count * 4 * levels, 4 * levels);
  const values = new Uint32Array(rows * span.width);
  const [scales, factors] = [new Uint32Array(count), new Uint32Array(count)];
  if (source.rule === "simulated") fillZeroPoints(factors, bits);
  for (let piece = 0; piece < count; piece++) {
    const scale = Math.fround(scaleSize * (1 + random.nextUniform()));
    scales[piece] = float32Bits(scale);
    if (source.rule !== "simulated") factors[piece] = float32Bits(Math.fround(1 / scale));
    const zeroPoint = source.rule === "simulated" && !source.symmetric ? byteAt(factors, piece) : 0;
    for (let level = 0; level < levels; level++) {
      // Codes that are cut off change at whole numbers, others between them.
      const edge = level - 2 ** (bits - 1) - (source.rule === "served-token-head" ? 0 : 0.5) - zeroPoint;
      const own = float32Bits(Math.fround(edge * scale));
      for (let at = 0; at < 4 * rows; at++) {
        const magnitude = Math.max(0, (own % SIGN) + at - 8);
        values[(at >> 2) * span.width + piece * span.dim + 4 * level + (at % 4)] = magnitude + (own >= SIGN ? SIGN : 0);
      }
    }
  }
  return { shape: { rows, ...span, rowStep: 0, pieceStep: 1 }, values, scales, factors };
}

interface NamedInputs extends RoundInputs {
  readonly name: string;
  readonly source: RoundSource;
}

/** Every rule on every span under its own scales, then on ties and corners. */
export const ROUND_INPUTS: readonly NamedInputs[] = RULES.flatMap((source, seed) => {
  const name = ruleName(source);
  const spans = SPANS.map((span, place) => ({
    name: `${name}, ${span.rows} rows of ${span.width}, ${span.count} pieces of ${span.dim} from ${span.start} on`,
    source,
    ...dynamicInputs(source, span, 10 * seed + place),
  }));
  const ties = [1, 2 ** -90, 2 ** 90].map((size) => ({
    name: `${name} next to ties, scales from ${size}`,
    source,
    ...tieInputs(source, size),
  }));
  const corners = (["scales", "factors"] as const).map((which) => ({
    name: `${name}, corners of float32 under ${which} of all corners`,
    source,
    ...cornerInputs(source, which),
  }));
  return [...spans, ...ties, ...corners];
});
