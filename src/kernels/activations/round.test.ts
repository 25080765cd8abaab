import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Kernel } from "../../device/kernel.ts";
import { ALL_CASES } from "../all-cases.ts";
import { byteAt, setByte } from "../int-params.ts";
import { extremes } from "./extremes.ts";
import { joinRows } from "./join_rows.ts";
import { round } from "./round.ts";
import { roundInPlace } from "./round_in_place.ts";
import { groupsOfRow, type Span, wholeRow } from "./span.ts";

/** What compressed-tensors wrote: `fixtures/golden/activations/README.md`. */
interface Golden {
  readonly width: number;
  /** Rows of each sample, as hexadecimal float32. */
  readonly inputs: Readonly<Record<string, readonly string[]>>;
  readonly dynamic: readonly (GoldenCase & { readonly group: number | null })[];
  readonly static: readonly (GoldenCase & { readonly scales: string; readonly zeroPoints: readonly number[] })[];
}

interface GoldenCase {
  readonly inputs: string;
  readonly strategy: "token" | "tensor" | "group" | "attn_head";
  readonly bits: 4 | 8;
  readonly symmetric: boolean;
  readonly outputs: readonly string[];
}

const GOLDEN: Golden = JSON.parse(readFileSync("fixtures/golden/activations/golden.json", "utf8"));

/** By its name, since families of kernels never import each other. */
const intQparams = ALL_CASES.find(({ kernel }) => kernel.name === "quant/int_qparams")?.kernel as
  | Kernel<unknown, unknown>
  | undefined;

/** Little-endian words. */
function wordsOf(hex: readonly string[]): Uint32Array<ArrayBuffer> {
  const bytes = Uint8Array.from(Buffer.from(hex.join(""), "hex"));
  return new Uint32Array(bytes.buffer);
}

/** Samples below each other, and the place of each row in its own. */
function registerOf(inputs: string) {
  const samples = GOLDEN.inputs[inputs] ?? [];
  const lengths = samples.map((sample) => sample.length / 8 / GOLDEN.width);
  const positions = lengths.flatMap((length) => Array.from({ length }, (_, row) => row));
  return { values: wordsOf(samples), positions: Uint32Array.from(positions), rows: positions.length };
}

/** Words in which NaN has one form, since the tool's depend on the processor. */
function plain(words: Uint32Array): readonly string[] {
  return [...words].map((bits) => ((bits & 0x7fffffff) > 0x7f800000 ? "NaN" : bits.toString(16)));
}

/** Both forms of rounding, which must agree before either is compared with the tool. */
function roundedBy(
  { bits, symmetric }: GoldenCase,
  span: Span & { readonly rows: number; readonly rowStep: number; readonly pieceStep: number },
  [values, scales, zeroPoints]: readonly [Uint32Array<ArrayBuffer>, Uint32Array, Uint32Array],
): Uint32Array {
  const source = { rule: "simulated", bits, symmetric } as const;
  const [apart, inPlace] = [new Uint32Array(values.length), values.slice()];
  round.oracle(source, span, [values, scales, zeroPoints, apart]);
  roundInPlace.oracle(source, span, [scales, zeroPoints, inPlace]);
  expect(inPlace).toEqual(apart);
  return apart;
}

const title = ({ inputs, strategy, bits, symmetric }: GoldenCase, group: number | null = null) =>
  `${inputs} rows per ${strategy} ${group ?? ""} int${bits} ${symmetric ? "symmetric" : "asymmetric"}`;

describe("activations are what compressed-tensors leaves of them", () => {
  test.each(GOLDEN.dynamic.map((item) => [title(item, item.group), item] as const))("dynamic, %s", (_, item) => {
    const { values, positions, rows } = registerOf(item.inputs);
    const span = item.group === null ? wholeRow(GOLDEN.width) : groupsOfRow(GOLDEN.width, item.group);
    const groups = rows * span.count;
    let found = new Uint32Array(2 * groups);
    extremes.oracle({}, { rows, ...span }, [values, found]);
    if (item.strategy === "tensor") {
      const joined = new Uint32Array(2 * groups);
      joinRows.oracle({}, { rows }, [found, positions, joined]);
      found = joined;
    }
    const [scales, zeroPoints] = [new Uint32Array(groups), new Uint32Array(Math.ceil(groups / 4))];
    const source = { element: "f32", bits: item.bits, symmetric: item.symmetric };
    intQparams?.oracle(source, { groups, first: 0, slot: 0 }, [found, scales, zeroPoints, new Uint32Array(5)]);
    const shape = { rows, ...span, rowStep: span.count, pieceStep: 1 };
    expect(plain(roundedBy(item, shape, [values, scales, zeroPoints]))).toEqual(plain(wordsOf(item.outputs)));
  });

  test.each(GOLDEN.static.map((item) => [title(item), item] as const))("static, %s", (_, item) => {
    const { values, rows } = registerOf(item.inputs);
    const heads = item.zeroPoints.length;
    const zeroPoints = new Uint32Array(Math.ceil(heads / 4));
    for (const [head, point] of item.zeroPoints.entries()) setByte(zeroPoints, head, point);
    expect(item.zeroPoints.map((_, head) => byteAt(zeroPoints, head))).toEqual(item.zeroPoints);
    const span = groupsOfRow(GOLDEN.width, GOLDEN.width / heads);
    const shape = { rows, ...span, rowStep: 0, pieceStep: heads === 1 ? 0 : 1 };
    const inputs = [values, wordsOf([item.scales]), zeroPoints] as const;
    expect(plain(roundedBy(item, shape, inputs))).toEqual(plain(wordsOf(item.outputs)));
  });

  test("there are such rows", () => {
    expect(intQparams).toBeDefined();
    expect([GOLDEN.dynamic.length, GOLDEN.static.length]).toEqual([20, 12]);
  });
});
