// The schemes of the bench, by their names.

/** INT4 and INT8, symmetric and asymmetric, groups of 32 and 128. */
export const EIGHT = [4, 8].flatMap((bits) =>
  ["", ":asym"].flatMap((symmetry) => [32, 128].map((size) => `int${bits}:group=${size}${symmetry}`)),
);

/** INT4, symmetric, groups of 128. */
export const ONE = "W4A16";
