/** A map with one more entry, and without those kept longest when there are more than `most`. */
export function keepNewest<Value>(
  map: ReadonlyMap<string, Value>,
  key: string,
  value: Value,
  most: number,
): Map<string, Value> {
  const kept = new Map(map);
  kept.delete(key);
  kept.set(key, value);
  for (const oldest of kept.keys()) {
    if (kept.size <= most) break;
    kept.delete(oldest);
  }
  return kept;
}
