// Counters of this thread alone, for histograms that all threads add to: an atomic addition for every weight would cost more
// than all the rest, and threads would wait for each other at the fullest bins.
import { scratch } from "./scratch.as";

/** Counters of 16 bits that scratch memory holds. */
export const COUNTERS: u32 = 8192;

/** So often may be counted before the counters are added up: fewer than a counter holds. */
export const COUNTS: u32 = 57_344;

export function clearCounters(): void {
  memory.fill(scratch, 0, COUNTERS << 1);
}

@inline
export function count(counter: u32): void {
  const at = scratch + (<usize>counter << 1);
  store<u16>(at, load<u16>(at) + 1);
}

/** What a counter has; it begins anew. */
export function takeCounter(counter: u32): u32 {
  const at = scratch + (<usize>counter << 1);
  const found = load<u16>(at);
  store<u16>(at, 0);
  return found;
}

/** Adds the counters before `end` to words that threads share; they begin anew. */
export function addCounters(words: usize, end: u32): void {
  for (let first: u32 = 0; first < end; first += 8) {
    if (!v128.any_true(v128.load(scratch + (<usize>first << 1)))) continue;
    for (let counter = first; counter < first + 8; counter++) {
      const found = takeCounter(counter);
      if (found != 0) atomic.add<u32>(words + (<usize>counter << 2), found);
    }
  }
}
