import { formatCount } from "../base/format.ts";
import type { Corner } from "./result.ts";

/** What follows a number of groups, and one alone. */
const WORDS: Readonly<Record<Corner["corner"], { readonly one: string; readonly more: string }>> = {
  allZero: { one: "group all zero", more: "groups all zero" },
  scaleTooSmall: {
    one: "group's range is too small: all its codes are that of 0",
    more: "groups' ranges are too small: all their codes are that of 0",
  },
  scaleSubnormal: { one: "group's scale is subnormal", more: "groups' scales are subnormal" },
  scaleInfinite: {
    one: "group's range overflows: its scale is infinite",
    more: "groups' ranges overflow: their scales are infinite",
  },
  scaleNan: {
    one: "group holds what is not a number: so is its scale",
    more: "groups hold what is not a number: so are their scales",
  },
};

/** A corner of the tool's arithmetic in words: `3 groups all zero`. A group is what shares one scale. */
export function cornerWords({ corner, groups }: Corner): string {
  const { one, more } = WORDS[corner];
  return `${formatCount(groups)} ${groups === 1 ? one : more}`;
}
