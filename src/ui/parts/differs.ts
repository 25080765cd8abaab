/**
 * Whether a property changed in what it holds: for lists and records that are put together anew from the same parts whenever the
 * page is. For `hasChanged` of a property.
 */
export function differs(value: unknown, before: unknown): boolean {
  if (typeof value !== "object" || typeof before !== "object" || value === null || before === null) {
    return !Object.is(value, before);
  }
  const [parts, old] = [Object.entries(value), new Map(Object.entries(before))];
  return parts.length !== old.size || parts.some(([name, part]) => !old.has(name) || !Object.is(part, old.get(name)));
}
