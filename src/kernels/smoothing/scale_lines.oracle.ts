import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { elementAt, setElement } from "../elements.ts";
import { asFloats } from "../floats.ts";

/** What changes the program: the format of the weights, which lines have a factor each, and what is done with it. */
export interface ScaleLinesSource {
  readonly element: FloatName;
  readonly axis: "columns" | "rows";
  readonly operation: "times" | "over";
}

export interface ScaleLinesShape {
  readonly rows: number;
  readonly cols: number;
}

/** One after the other. A product or quotient of two float32 in float64 rounds to float32 as if it were exact. */
export function scaleLinesOracle(
  { element, axis, operation }: ScaleLinesSource,
  { rows, cols }: ScaleLinesShape,
  [weights = new Uint32Array(), factors = new Uint32Array(), rescaled = new Uint32Array()]: readonly Uint32Array[],
): void {
  const { fromBits, toBits } = FLOAT_FORMATS[element];
  const each = asFloats(factors);
  const elements = rows * cols;
  for (let index = 0; index < elements; index++) {
    const factor = each[axis === "columns" ? index % cols : Math.floor(index / cols)] ?? 0;
    const weight = fromBits(elementAt(weights, index, element));
    const wide = Math.fround(operation === "times" ? weight * factor : weight / factor);
    setElement(rescaled, index, toBits(wide), element);
  }
  if (element !== "f32" && elements % 2 === 1) setElement(rescaled, elements, 0, element);
}
