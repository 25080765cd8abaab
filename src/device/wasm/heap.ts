/** Addresses begin at multiples of this: a cache line, so that no two threads write the same one. */
const ALIGNMENT = 64;

/** A stretch of free memory. */
interface Span {
  readonly start: number;
  readonly size: number;
}

/** Which parts of a memory are taken. First fit; neighbours that are free become one. */
export class Heap {
  /** In the order of their addresses. */
  #free: Span[] = [];

  /** Adds memory. It must not overlap what is free already. */
  add(start: number, size: number): void {
    const before = this.#free.filter((span) => span.start < start);
    const after = this.#free.filter((span) => span.start > start);
    const [last, next] = [before.at(-1), after[0]];
    const joinsLast = last !== undefined && last.start + last.size === start;
    const joinsNext = next !== undefined && start + size === next.start;
    const from = joinsLast ? last.start : start;
    const end = joinsNext ? next.start + next.size : start + size;
    this.#free = [
      ...(joinsLast ? before.slice(0, -1) : before),
      { start: from, size: end - from },
      ...(joinsNext ? after.slice(1) : after),
    ];
  }

  /** The address of `size` bytes, or null where no free stretch is long enough. They are given back by `add`, as `sizeOf` says. */
  take(size: number): number | null {
    const needed = Heap.sizeOf(size);
    const index = this.#free.findIndex((span) => span.size >= needed);
    const span = this.#free[index];
    if (!span) return null;
    const rest = { start: span.start + needed, size: span.size - needed };
    this.#free.splice(index, 1, ...(rest.size > 0 ? [rest] : []));
    return span.start;
  }

  /** Bytes that `take` takes for `size`. */
  static sizeOf(size: number): number {
    return Math.ceil(Math.max(size, 1) / ALIGNMENT) * ALIGNMENT;
  }
}
