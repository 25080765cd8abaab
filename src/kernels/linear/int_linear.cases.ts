import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { elementWords, setElement } from "../elements.ts";
import { dirty, ELEMENTS } from "../int-inputs.ts";
import { codeWords, groupsOf, type IntShape } from "../int-params.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { restoredWeights } from "./int_linear.oracle.ts";
import { intLinear } from "./int_linear.ts";
import { type LinearBlock, type LinearShape, wholeOutput } from "./linear.oracle.ts";
import { compareBlock, compareProducts } from "./product-tolerance.ts";

/** Groups that end with rows, before them and after them; one scale for all; rows beyond a block of 1024. */
const WHOLE_EIGHTS: readonly IntShape[] = [
  { streams: 5, streamLength: 96, groupSize: 32 },
  { streams: 9, streamLength: 64, groupSize: 64 },
  { streams: 6, streamLength: 56, groupSize: 48 },
  { streams: 7, streamLength: 24, groupSize: 7 * 24 },
  { streams: 4, streamLength: 40, groupSize: 8 },
  { streams: 6, streamLength: 1088, groupSize: 128 },
  { streams: 1, streamLength: 8, groupSize: 8 },
];

/** The same with eights of codes that groups or rows end in the midst of. */
const BROKEN_EIGHTS: readonly IntShape[] = [
  { streams: 3, streamLength: 36, groupSize: 36 },
  { streams: 6, streamLength: 60, groupSize: 28 },
  { streams: 7, streamLength: 52, groupSize: 7 * 52 },
  { streams: 4, streamLength: 20, groupSize: 4 },
  { streams: 1, streamLength: 4, groupSize: 4 },
  { streams: 5, streamLength: 32, groupSize: 20 },
  { streams: 6, streamLength: 1100, groupSize: 100 },
];

/** Scales whose products lie all over the format, none of them infinite: the next one in turn. */
function scaleBits(element: FloatName, index: number, random: SeededRandom): number {
  const { toBits, precision } = FLOAT_FORMATS[element];
  const usual = toBits(0.01 * (1 + random.nextUniform()));
  const smallestNormal = 2 ** (precision - 1);
  const large = toBits((element === "f16" ? 100 : 2 ** 100) * (1 + random.nextUniform()));
  return [usual, usual, smallestNormal, usual, 1 + (random.nextUint32() % 64), usual, large][index % 7] ?? 0;
}

/** All of y; rows below others; columns between others; both. */
const BLOCKS: readonly ((n: number) => LinearBlock)[] = [
  wholeOutput,
  (n) => ({ ...wholeOutput(n), firstRow: 3 }),
  (n) => ({ firstRow: 0, outputStride: n + 5, outputStart: 2 }),
  (n) => ({ firstRow: 1, outputStride: n + 3, outputStart: 3 }),
];

/** Identity matrices bring every weight out by itself, and normal numbers bring all of them together. */
const INPUTS = ["identity", "normal"] as const;

export const intLinearCases: readonly KernelCase[] = ELEMENTS.flatMap((element) =>
  [2, 3, 4, 5, 6, 7, 8].flatMap((bits) =>
    [
      { storedBits: bits, offset: 2 ** (bits - 1), symmetric: true },
      { storedBits: bits, offset: 2 ** (bits - 1), symmetric: false },
      { storedBits: 8, offset: 0, symmetric: bits % 2 === 0 },
    ].flatMap((storage, at) =>
      [WHOLE_EIGHTS, BROKEN_EIGHTS].flatMap((shapes) =>
        INPUTS.map((filling, other) => {
          const shape = shapes[(bits + 3 * at + 2 * other) % shapes.length] as IntShape;
          const block = BLOCKS[(bits + at) % BLOCKS.length]?.(shape.streams) ?? wholeOutput(shape.streams);
          return intLinearCase({ ...storage, element }, { ...shape, ...block }, filling);
        }),
      ),
    ),
  ),
);

function intLinearCase(
  source: Parameters<typeof intLinear.constants>[0],
  shape: IntShape & LinearBlock,
  filling: (typeof INPUTS)[number],
): KernelCase {
  const { element, storedBits, symmetric } = source;
  const { streams: n, streamLength: k, groupSize, firstRow, outputStride } = shape;
  const random = new SeededRandom(storedBits + k);
  const m = filling === "normal" ? (k % 10) + 1 : Math.min(k, 100);
  const groups = groupsOf(shape);
  const codes = new Uint32Array(codeWords(shape, storedBits)).map(() => random.nextUint32());
  const scales = new Uint32Array(elementWords(groups, element));
  for (let group = 0; group < groups; group++) setElement(scales, group, scaleBits(element, group, random), element);
  const zeroPoints = new Uint32Array(Math.ceil(groups / 4)).map(() => random.nextUint32());
  const x = new Float32Array((firstRow + m) * k).map((_, i) => {
    if (filling === "normal") return Math.max(-7, Math.min(7, random.nextNormal()));
    return Math.floor(i / k) - firstRow === i % k ? 1 : 0;
  });
  const inputs = new Uint32Array(x.buffer);
  const weights = restoredWeights(source, shape, codes, scales, zeroPoints);
  const sizes = { ...shape, m, n, k };
  const outputWords = (firstRow + m) * outputStride;
  return kernelCase(intLinear, {
    name: `${filling} [${m}, ${k}] times [${n}, ${k}], ${element} from ${storedBits} bits less ${source.offset}, ${symmetric ? "symmetric" : "asymmetric"}, groups of ${groupSize}, at ${firstRow} of ${outputStride}`,
    source,
    shape: { ...shape, m },
    inputs: [inputs, codes, scales, zeroPoints, dirty(outputWords)],
    outputWords,
    compare: filling === "normal" ? compareProducts(sizes, inputs, weights) : compareWeights(sizes, element),
  });
}

/** Weights are exact; but WGSL may round a float32 product either way, and take numbers below 2⁻¹²⁶ for 0. */
function compareWeights(shape: LinearShape, element: FloatName): ReturnType<typeof compareBlock> {
  const relative = element === "f32" ? 2 ** -23 : 0;
  return compareBlock(shape, (found, wanted) => {
    const isFlushed = Math.abs(wanted) < 2 ** -126 && found === 0;
    return isFlushed || Math.abs(found - wanted) <= relative * Math.abs(wanted) ? null : "as a weight";
  });
}
