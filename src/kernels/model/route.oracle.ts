import { asFloats } from "../floats.ts";

export interface RouteSource {
  /** Whether the weights that stay are divided by their sum. */
  readonly isNormalized: boolean;
}

export interface RouteShape {
  readonly rows: number;
  readonly experts: number;
  /** How many weights of a row stay. */
  readonly topK: number;
}

/** In float64, rounded to float32 in the end. */
export function routeOracle(
  { isNormalized }: RouteSource,
  { rows, experts, topK }: RouteShape,
  [logits = new Uint32Array(), weights = new Uint32Array()]: readonly Uint32Array[],
): void {
  const [from, to] = [asFloats(logits), asFloats(weights)];
  for (let row = 0; row < rows; row++) {
    const own = [...from.subarray(row * experts, (row + 1) * experts)];
    const largest = Math.max(...own);
    const powers = own.map((logit) => Math.exp(logit - largest));
    // The sort is stable, so that equal logits stay in their order.
    const order = [...own.keys()].sort((one, other) => (own[other] ?? 0) - (own[one] ?? 0));
    const chosen = new Set(order.slice(0, topK));
    const shared = powers.filter((_, expert) => !isNormalized || chosen.has(expert));
    const total = shared.reduce((sum, power) => sum + power, 0);
    for (const [expert, power] of powers.entries()) to[row * experts + expert] = chosen.has(expert) ? power / total : 0;
  }
}
