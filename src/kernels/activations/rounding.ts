import { ELEMENT_CODES } from "../elements.ts";
import type { RoundShape, RoundSource } from "./round.oracle.ts";
import { spanWords } from "./span.ts";

/** Pipeline constant `RULE` of `shaders/lib/activation_code.wgsl`. */
const RULE_CODES = { simulated: 0, "served-token": 1, "served-token-head": 2 } as const;

/** Columns that one invocation rounds at most; `shaders/lib/activation_code.wgsl` has the same number, as fours. */
const COLUMNS_PER_INVOCATION = 128;

/** Constants of `activations/round` and `activations/round_in_place`. */
export function roundConstants(source: RoundSource) {
  const { bits, symmetric } = source.rule === "simulated" ? source : { bits: 8, symmetric: true };
  return {
    ELEMENT: ELEMENT_CODES.f32,
    // Significant bits that a quotient keeps: those of float32.
    PRECISION: 24,
    BITS: bits,
    SYMMETRIC: symmetric ? 1 : 0,
    RULE: RULE_CODES[source.rule],
  };
}

/** Their uniforms. */
export function roundWords(shape: RoundShape): readonly number[] {
  return [shape.rows, ...spanWords(shape), shape.rowStep, shape.pieceStep];
}

export function roundInvocations({ rows, count, dim }: RoundShape): number {
  return rows * count * Math.ceil(dim / COLUMNS_PER_INVOCATION);
}
