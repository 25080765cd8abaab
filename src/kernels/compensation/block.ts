/** Columns of `errors`: the most that a block has. Shaders and twins have the same number. */
export const BLOCK_COLUMNS = 128;

/** A block of the columns of a matrix, in the order in which they are processed. */
export interface BlockShape {
  readonly rows: number;
  readonly cols: number;
  /** Place in the order at which the block begins. */
  readonly first: number;
  /** Columns of the block, at most `BLOCK_COLUMNS`. */
  readonly count: number;
}
