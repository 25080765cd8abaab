/** Observers of LLM Compressor that search for the range of the weights. */
export type SearchingObserver = "memoryless_mse" | "imatrix_mse";

/** How a search goes; each absent one is the observer's own. */
export interface RangeSearchOptions {
  readonly observer: SearchingObserver;
  /** Largest share of the range that is cut off. */
  readonly maxshrink?: number;
  /** Steps to a whole range. */
  readonly grid?: number;
  /** Exponent of the differences. */
  readonly norm?: number;
  /** Steps without an improvement anywhere after which the search ends; 0 under `imatrix_mse`: never. */
  readonly patience?: number;
}

/** `observers/mse.py`, `observers/imatrix.py`: what `observer_kwargs` leave out. */
const DEFAULTS = {
  memoryless_mse: { maxshrink: 0.2, grid: 100, norm: 2.4, patience: 5 },
  imatrix_mse: { maxshrink: 0.95, grid: 20, norm: 3, patience: 5 },
} as const satisfies Record<SearchingObserver, Required<Omit<RangeSearchOptions, "observer">>>;

/** The steps of a search, and how it ends. */
export interface RangeSteps {
  /** Shares of the range, the whole of it first. With none of them the range stays as it is. */
  readonly shrinks: readonly number[];
  readonly norm: number;
  readonly precision: "own" | "f32";
  /** Infinity: the search takes all steps. */
  readonly patience: number;
}

/**
 * The steps of `quant/range_search` that an observer takes.
 * Source: LLM Compressor 0.14 `observers/mse_quant.py :: _grid_search_mse`, `observers/imatrix.py :: _grid_search`.
 */
export function rangeSteps(options: RangeSearchOptions): RangeSteps {
  const { observer, ...own } = options;
  const { maxshrink, grid, norm, patience } = { ...DEFAULTS[observer], ...own };
  const whole = Math.trunc(maxshrink * grid);
  const isWeighed = observer === "imatrix_mse";
  const steps = isWeighed ? Math.max(1, whole) + 1 : whole;
  return {
    shrinks: Array.from({ length: Math.max(0, steps) }, (_, step) => 1 - step / grid),
    norm,
    precision: isWeighed ? "f32" : "own",
    // Of 0 the observer without importance stops at the first step that improves nothing, as it does of 1.
    patience: isWeighed && patience === 0 ? Number.POSITIVE_INFINITY : Math.max(1, patience),
  };
}

/**
 * How many more steps may be taken before it must be known what they improved: the search cannot end before. 0 once it has.
 * @param improved of each step that was taken, whether it improved any group of the matrix
 */
export function stepsAhead({ shrinks, patience }: RangeSteps, improved: readonly boolean[]): number {
  let inVain = 0;
  for (const has of improved) inVain = has ? 0 : inVain + 1;
  return Math.min(patience - inVain, shrinks.length - improved.length);
}
