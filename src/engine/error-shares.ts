import type { SchemeResult } from "./result.ts";

/** Where the squared error of one recipe lies, as shares of all of it: 0 to 1. */
export interface ErrorShares {
  /** By decoder layer. */
  readonly layers: ReadonlyMap<number, number>;
  /** By module kind, `down_proj`, over the matrices inside of decoder layers. */
  readonly kinds: ReadonlyMap<string, number>;
}

/**
 * How the squared error Σ(W−Q)² of a recipe spreads over decoder layers and module kinds. Matrices outside of the layers count
 * into the whole. Empty while a matrix is not measured, where a value is not finite, and where there is no error at all.
 */
export function errorShares({ layers, modules }: SchemeResult): ErrorShares {
  const byLayer = new Map<number, number>();
  const byKind = new Map<string, number>();
  let total = 0;
  const none = { layers: new Map(), kinds: new Map() };
  if (layers.length < modules) return none;
  for (const { layer, moduleKind, mse, rows, cols, error } of layers) {
    if (error !== undefined) continue;
    if (mse === null) return none;
    const squared = mse * rows * cols;
    total += squared;
    if (layer === null) continue;
    byLayer.set(layer, (byLayer.get(layer) ?? 0) + squared);
    byKind.set(moduleKind, (byKind.get(moduleKind) ?? 0) + squared);
  }
  if (!(total > 0)) return none;
  const shared = <Key>(sums: ReadonlyMap<Key, number>): Map<Key, number> =>
    new Map([...sums].map(([key, squared]) => [key, squared / total]));
  return { layers: shared(byLayer), kinds: shared(byKind) };
}
