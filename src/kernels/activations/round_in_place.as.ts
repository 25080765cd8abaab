import { roundRows } from "./rounding.as";

/** What is left of numbers that are rounded to codes, in their place. Pieces of work: `size` rows. */
export function round_in_place(
  uniforms: usize,
  _element: u32,
  _precision: u32,
  bits: u32,
  symmetric: u32,
  rule: u32,
  size: u32,
  scales: usize,
  factors: usize,
  values: usize,
  begin: u32,
  end: u32,
): void {
  roundRows(uniforms, bits, symmetric, rule, size, values, scales, factors, values, begin, end);
}
