import { type RoundShape, type RoundSource, roundOracle } from "./round.oracle.ts";

/** As `activations/round`: each number is read before it is written, and no other looks at it. */
export function roundInPlaceOracle(
  source: RoundSource,
  shape: RoundShape,
  [scales = new Uint32Array(), factors = new Uint32Array(), values = new Uint32Array()]: readonly Uint32Array[],
): void {
  roundOracle(source, shape, [values, scales, factors, values]);
}
