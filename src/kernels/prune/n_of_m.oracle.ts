import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { elementAt, setElement } from "../elements.ts";

/** What changes the program: the format of the weights, and how many of how many neighbours go. */
export interface NOfMSource {
  readonly element: FloatName;
  readonly n: number;
  /** At most 32. */
  readonly m: number;
}

/** How many weights: a multiple of `m`. */
export interface NOfMShape {
  readonly elements: number;
}

/** Sorts each group, smallest first and of equals the later first, and puts +0 in the first `n` places. */
export function nOfMOracle(
  { element, n, m }: NOfMSource,
  { elements }: NOfMShape,
  [weights = new Uint32Array(), pruned = new Uint32Array()]: readonly Uint32Array[],
): void {
  const sign = 2 ** (8 * FLOAT_FORMATS[element].sizeBytes - 1);
  for (let first = 0; first < elements; first += m) {
    const group = Array.from({ length: m }, (_, place) => {
      const bits = elementAt(weights, first + place, element);
      return { index: first + place, bits, magnitude: bits % sign };
    });
    group.sort((one, other) => one.magnitude - other.magnitude || other.index - one.index);
    group.forEach(({ index, bits }, rank) => {
      setElement(pruned, index, rank < n ? 0 : bits, element);
    });
  }
  if (element !== "f32" && elements % 2 === 1) setElement(pruned, elements, 0, element);
}
