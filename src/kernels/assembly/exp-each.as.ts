// The functions of exp.as.ts for a test to call: only numbers pass from WebAssembly to JavaScript.
import { expF32x4, tanhF32x4 } from "./exp.as";

/** `count` float32, a multiple of 4, from `at` on, in place. */
export function expEach(at: usize, count: u32): void {
  for (const end = at + (<usize>count << 2); at < end; at += 16) v128.store(at, expF32x4(v128.load(at)));
}

export function tanhEach(at: usize, count: u32): void {
  for (const end = at + (<usize>count << 2); at < end; at += 16) v128.store(at, tanhF32x4(v128.load(at)));
}
