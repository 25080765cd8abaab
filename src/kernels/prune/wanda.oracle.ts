import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { elementAt, setElement } from "../elements.ts";
import { asFloats } from "../floats.ts";

/** What changes the program: the format of the weights, and among which neighbours the smallest go. */
export interface WandaSource {
  readonly element: FloatName;
  /** Of each `m` neighbours of a row (at most 32) `n`, or so many of each row as the shape says. */
  readonly structure: { readonly kind: "n-of-m"; readonly n: number; readonly m: number } | { readonly kind: "share" };
}

export interface WandaShape {
  readonly rows: number;
  /** Under n-of-m a multiple of `m`. */
  readonly cols: number;
  /** Weights of a row that go, at most `cols`; read under `share` alone. */
  readonly perRow: number;
}

/** Sorts the weights of each group, or row, by their scores and puts +0 in the places of the first. The sort is stable. */
export function wandaOracle(
  { element, structure }: WandaSource,
  { rows, cols, perRow }: WandaShape,
  [weights = new Uint32Array(), importance = new Uint32Array(), pruned = new Uint32Array()]: readonly Uint32Array[],
): void {
  const { fromBits } = FLOAT_FORMATS[element];
  const factors = asFloats(importance);
  const [size, gone] = structure.kind === "share" ? [cols, perRow] : [structure.m, structure.n];
  const elements = rows * cols;
  for (let first = 0; first < elements; first += size) {
    const group = Array.from({ length: size }, (_, place) => {
      const index = first + place;
      const bits = elementAt(weights, index, element);
      return { index, bits, score: Math.fround(Math.abs(fromBits(bits)) * (factors[index % cols] ?? 0)) };
    });
    group.sort((one, other) => inOrder(one.score, other.score));
    group.forEach(({ index, bits }, rank) => {
      setElement(pruned, index, rank < gone ? 0 : bits, element);
    });
  }
  if (element !== "f32" && elements % 2 === 1) setElement(pruned, elements, 0, element);
}

/** As numbers, NaN above all. */
function inOrder(one: number, other: number): number {
  if (Number.isNaN(one) || Number.isNaN(other)) return Number(Number.isNaN(one)) - Number(Number.isNaN(other));
  return one < other ? -1 : Number(one > other);
}
