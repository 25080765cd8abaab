import type { FloatName } from "../../base/float-format.ts";
import { elementAt, setElement } from "../elements.ts";

/** What changes the program: the format of the weights, and whether whole rows or whole columns go. */
export interface StructuredSource {
  readonly element: FloatName;
  readonly axis: "rows" | "columns";
}

/** How many weights, a multiple of `cols`, and how many to a row. */
export interface StructuredShape {
  readonly elements: number;
  readonly cols: number;
}

/** Copies everything, then walks the doomed rows or columns. */
export function structuredOracle(
  { element, axis }: StructuredSource,
  { elements, cols }: StructuredShape,
  [weights = new Uint32Array(), doomed = new Uint32Array(), pruned = new Uint32Array()]: readonly Uint32Array[],
): void {
  for (let index = 0; index < elements; index++) {
    setElement(pruned, index, elementAt(weights, index, element), element);
  }
  if (element !== "f32" && elements % 2 === 1) setElement(pruned, elements, 0, element);
  const rows = elements / cols;
  const isDoomed = (line: number) => Math.floor((doomed[Math.floor(line / 32)] ?? 0) / 2 ** (line % 32)) % 2 === 1;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < cols; column++) {
      if (isDoomed(axis === "rows" ? row : column)) setElement(pruned, row * cols + column, 0, element);
    }
  }
}
