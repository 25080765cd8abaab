import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import {
  beginsMethod,
  describeMethod,
  type LayerStrength,
  PLAIN_ROUNDING,
  parseMethod,
  type Rounding,
  type Transform,
} from "./method.ts";
import { PRESETS } from "./presets.ts";

const millionths = (least: number) => fc.integer({ min: least, max: 1e6 }).map((count) => count / 1e6);

/** One part of a method, with every option spelled out. */
interface Spelled<T> {
  readonly means: T;
  readonly name: string;
  readonly options: readonly string[];
}

/** Apart from each other, so that none are joined, and of another strength than the rest. */
const layers = fc
  .tuple(millionths(0), fc.array(fc.tuple(fc.nat({ max: 5 }), millionths(0)), { maxLength: 4 }))
  .map(([strength, spans]) => ({
    strength,
    layers: spans
      .map(([more, own], at): LayerStrength => ({ first: at * 10, last: at * 10 + more, strength: own }))
      .filter((span) => span.strength !== strength),
  }));
const smoothings = fc
  .record({ of: layers, rule: fc.constantFrom("tool" as const, "paper" as const), isTurned: fc.boolean() })
  .map(({ of, rule, isTurned }): Spelled<Transform> => {
    const spans = of.layers.map(({ first, last, strength }) => `${first}-${last}/${strength}`);
    return {
      means: { kind: "smoothquant", ...of, rule },
      name: "smoothquant",
      options: [
        `strength=${of.strength}`,
        `rule=${rule}`,
        ...(spans.length > 0 ? [`layers=${(isTurned ? spans.reverse() : spans).join(",")}`] : []),
      ],
    };
  });
const searches = fc
  .record({ duo: fc.constantFrom("yes", "no", "both"), half: fc.integer({ min: 2, max: 50 }), clip: fc.boolean() })
  .map(
    ({ duo, half, clip }): Spelled<Transform> => ({
      means: { kind: "awq", duoScaling: duo === "both" ? duo : duo === "yes", grid: 2 * half, clip },
      name: "awq",
      options: [`duo=${duo}`, `grid=${2 * half}`, ...(clip ? ["clip"] : [])],
    }),
  );
const roundings = fc.oneof(
  fc.constant<Spelled<Rounding>>({ means: { kind: "rtn" }, name: "rtn", options: [] }),
  fc.record({ actorder: fc.constantFrom("static" as const, "none" as const), dampening: millionths(1) }).map(
    ({ actorder, dampening }): Spelled<Rounding> => ({
      means: { kind: "gptq", actorder, dampening },
      name: "gptq",
      options: [`actorder=${actorder}`, `damp=${dampening}`],
    }),
  ),
);
const methods = fc.record({
  transforms: fc.tuple(smoothings, searches).chain((both) => fc.shuffledSubarray([...both])),
  rounding: roundings,
});

/** The options in another order, the letters in another case, blanks around the signs. */
const loose = methods.chain((method) => {
  const parts = [...method.transforms, method.rounding];
  return fc
    .tuple(
      fc.constant(method),
      ...parts.map(({ options }) => fc.shuffledSubarray([...options], { minLength: options.length })),
    )
    .map(([, ...orders]) => ({
      method,
      text: parts.map(({ name }, at) => [` ${name.toUpperCase()}`, ...(orders[at] ?? [])].join(" : ")).join("+"),
    }));
});

test("however a method is spelled, it is what it says, and its name reads back", () => {
  fc.assert(
    fc.property(loose, ({ method, text }) => {
      const read = parseMethod(text);
      expect(read.transforms).toEqual(method.transforms.map(({ means }) => means));
      expect(read.rounding).toEqual(method.rounding.means);
      expect(parseMethod(read.name)).toEqual(read);
      expect(beginsMethod(read.name)).toBe(true);
    }),
  );
});

test("garbage is refused by name or read as its canonical spelling", () => {
  const pieces = fc.constantFrom(
    ..."smoothquant awq gptq rtn : + = , - / 0.5 1 7 20 strength= rule=paper layers= duo= both grid= clip damp= none".split(
      " ",
    ),
  );
  const garbage = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(garbage, (text) => {
      try {
        const { name } = parseMethod(text);
        expect(parseMethod(name).name).toBe(name);
      } catch (error) {
        expect(error).toBeInstanceOf(LabError);
        expect((error as LabError).code).toBe("scheme/bad-method");
      }
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["rtn", "rtn", "rounding to nearest"],
  ["GPTQ", "gptq", "GPTQ with static activation order and dampening 0.01"],
  ["gptq:actorder=none:damp=.10", "gptq:actorder=none:damp=0.1", "GPTQ without activation order and dampening 0.1"],
  ["gptq:damp=0.000001", "gptq:damp=0.000001", "GPTQ with static activation order and dampening 0.000001"],
  ["smoothquant+rtn", "smoothquant", "SmoothQuant of strength 0.5, then rounding to nearest"],
  [
    "SmoothQuant:Rule=Paper:strength=.85 + gptq:damp=0.01",
    "smoothquant:strength=0.85:rule=paper+gptq",
    "SmoothQuant by the paper's rule of strength 0.85, then GPTQ with static activation order and dampening 0.01",
  ],
  [
    "smoothquant:layers=7/0.6,3-5/0.8",
    "smoothquant:layers=3-5/0.8,7/0.6",
    "SmoothQuant of strength 0.5 and 0.8 in the layers 3 to 5 and 0.6 in layer 7, then rounding to nearest",
  ],
  // Neighbours of one strength are joined; what is as the rest says nothing.
  [
    "smoothquant:layers=0/1,1-2/1,3/0.5,4/1",
    "smoothquant:layers=0-2/1,4/1",
    "SmoothQuant of strength 0.5 and 1 in the layers 0 to 2 and 1 in layer 4, then rounding to nearest",
  ],
  ["awq:duo=yes:grid=20", "awq", "AWQ with duo scaling over 20 grid points, then rounding to nearest"],
  [
    "awq:clip:duo=no:grid=2",
    "awq:duo=no:grid=2:clip",
    "AWQ without duo scaling over 2 grid points and with clipping, then rounding to nearest",
  ],
  [
    "awq:duo=both:grid=100+gptq",
    "awq:duo=both:grid=100+gptq",
    "AWQ with and without duo scaling over 100 grid points, then GPTQ with static activation order and dampening 0.01",
  ],
])("%s is %s", (text, name, words) => {
  const method = parseMethod(text);
  expect([method.name, describeMethod(method)]).toEqual([name, words]);
});

test("plain rounding is what rtn says", () => expect(parseMethod("RTN")).toBe(PLAIN_ROUNDING));

test("no preset begins like a method", () => {
  expect(PRESETS.filter(({ name }) => beginsMethod(name))).toEqual([]);
  expect(["gptq", "AWQ:clip", " smoothquant +gptq", "rtn:", "gptqx", "awq@re:a", "int4", ""].map(beginsMethod)).toEqual(
    [true, true, true, true, false, false, false, false],
  );
});

describe("refuses", () => {
  test.each([
    ["", '""'],
    ["magic", '"magic"'],
    ["gptq+", '""'],
    ["gptq+awq", '"awq" after the rounding'],
    ["rtn+smoothquant", '"smoothquant" after the rounding'],
    ["rtn+gptq", '"gptq" after the rounding'],
    ["gptq+gptq", '"gptq" twice'],
    ["awq+smoothquant+awq", '"awq" twice'],
    ["rtn:damp=0.1", '"damp=0.1" of "rtn"'],
    ["gptq:actorder=group", '"actorder=group" of "gptq"'],
    ["gptq:actorder", '"actorder" of "gptq"'],
    ["gptq:damp=0", '"damp=0" of "gptq"'],
    ["gptq:damp=1.1", '"damp=1.1" of "gptq"'],
    ["gptq:damp=1e-3", '"damp=1e-3" of "gptq"'],
    ["gptq:damp=0.0000001", '"damp=0.0000001" of "gptq"'],
    ["gptq:damp=0.1:damp=0.2", 'an option of "gptq" twice'],
    ["gptq:strength=0.5", '"strength=0.5" of "gptq"'],
    ["gptq:", '"" of "gptq"'],
    ["smoothquant:strength=1.01", '"strength=1.01" of "smoothquant"'],
    ["smoothquant:strength=-0.5", '"strength=-0.5" of "smoothquant"'],
    ["smoothquant:strength=", '"strength" of "smoothquant"'],
    ["smoothquant:rule=llama", '"rule=llama" of "smoothquant"'],
    ["smoothquant:layers=3-5", '"layers=3-5" of "smoothquant"'],
    ["smoothquant:layers=3-5/2", '"layers=2" of "smoothquant"'],
    ["smoothquant:layers=5-3/0.5", '"layers=5-3/0.5" of "smoothquant"'],
    ["smoothquant:layers=1000/0.8", '"layers=1000/0.8" of "smoothquant"'],
    ["smoothquant:layers=1-3/0.8,3/0.7", '"layers=1-3/0.8,3/0.7" of "smoothquant"'],
    ["smoothquant:layers=1/0.8,", '"layers=1/0.8," of "smoothquant"'],
    ["awq:duo=maybe", '"duo=maybe" of "awq"'],
    ["awq:grid=2", '"grid=2" of "awq"'],
    ["awq:duo=no:grid=1", '"grid=1" of "awq"'],
    ["awq:duo=both:grid=2", '"grid=2" of "awq"'],
    ["awq:duo=both:grid=21", '"grid=21" of "awq"'],
    ["awq:grid=101", '"grid=101" of "awq"'],
    ["awq:grid=020", '"grid=020" of "awq"'],
    ["awq:clip=yes", '"clip=yes" of "awq"'],
    ["awq:clip:clip", 'an option of "awq" twice'],
  ])("%j", (text, found) => {
    try {
      parseMethod(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(LabError);
      expect((error as LabError).code).toBe("scheme/bad-method");
      expect((error as LabError).found).toContain(found);
    }
  });
});
