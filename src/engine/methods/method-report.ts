/** How well a Hessian can be inverted. */
export interface HessianMeter {
  readonly channels: number;
  /** Channels that no token ever reached. */
  readonly deadChannels: number;
  /** With fewer tokens than channels the Hessian has no full rank, and only dampening makes it invertible. */
  readonly tokens: number;
  /** Of the dampened Hessian, from below: the ratio of the largest to the smallest diagonal of its Cholesky factor, squared. */
  readonly condition: number | null;
}

/** The errors of a matrix's outputs on the calibration text: Σ ((W − Ŵ) x)² / Σ (W x)². */
export interface OutputError {
  /** Of what it would be without the method: plain rounding, or pruning by magnitude. Null where it is not finite. */
  readonly plain: number | null;
  readonly method: number | null;
  /** Rows of the matrix, out of all of them, that both were computed on. */
  readonly rows: number;
}

/** What a method did to one matrix. */
export interface MatrixReport {
  /** Safe to print. */
  readonly module: string;
  /** Why it is rounded or pruned plainly instead; null: it is not. */
  readonly fallback: string | null;
  /** Null where the method has no Hessian to tell it by. */
  readonly outputError: OutputError | null;
  readonly hessian: HessianMeter | null;
  /** Groups whose weights were clamped to less than their largest magnitude, out of all; null where none was looked at. */
  readonly clipped: { readonly groups: number; readonly of: number } | null;
}

/** What a transform did around one module: a norm or a linear layer, and the layers that read it. */
export interface SmoothingReport {
  /** Of the module that is divided; safe to print. */
  readonly name: string;
  readonly balance: readonly string[];
  /** Smallest and largest factor; null where none was applied. */
  readonly factors: { readonly min: number; readonly max: number } | null;
  /** Why nothing was done; null: something was. */
  readonly refused: string | null;
  /** Of a search: the error of the outputs for each of its points, the first of which is no change. Null without a search. */
  readonly grid: SmoothingGrid | null;
}

/** What was tried, and what was taken. */
export interface SmoothingGrid {
  readonly points: readonly {
    readonly ratio: number;
    readonly duoScaling: boolean;
    /** Mean squared difference of the outputs; null where it is not finite. */
    readonly loss: number | null;
  }[];
  /** Place of the one that was taken. */
  readonly best: number;
}

/** What a pass is called that only looks at inputs, for `imatrix_mse`. */
export const IMPORTANCE_STAGE = "importance of inputs";

/** One pass over the layers. */
export interface StageReport {
  /** `GPTQ`, `SmoothQuant`, … */
  readonly stage: string;
  readonly matrices: readonly MatrixReport[];
  readonly smoothings: readonly SmoothingReport[];
  /** Geometric mean of output errors, method over plain, of the matrices that have both; null where none has. */
  readonly outputRatio: { readonly value: number; readonly matrices: number } | null;
  /** Modules whose output error the method made larger than plain rounding or pruning does. */
  readonly worse: readonly string[];
  readonly elapsedMs: number;
}

/** What a recipe's method did, and on which text. */
export interface MethodReport {
  /** In words. */
  readonly method: string;
  readonly calibration: {
    readonly name: string;
    readonly hash: string;
    readonly windows: number;
    readonly tokens: number;
  };
  readonly stages: readonly StageReport[];
}
