import type { ChannelSpectrum, ErrorMap, MapLimits } from "../metrics/matrix-maps.ts";
import type { ScaleMap } from "../metrics/scale-maps.ts";
import type { KernelReport } from "./result.ts";

export type { ChannelSpectrum, ErrorMap, MatrixMap } from "../metrics/matrix-maps.ts";
export type { ScaleMap } from "../metrics/scale-maps.ts";

/** Cells of an error map: about what a screen shows of it, and 1 MiB whatever the matrix. */
export const ERROR_MAP_LIMITS: MapLimits = { rows: 512, columns: 512 };

/** Cells of a scale map: exact for groups of 128 in layers of up to 2,048 rows, and 4 MiB whatever the matrix. */
export const SCALE_MAP_LIMITS: MapLimits = { rows: 2048, columns: 512 };

/** How the weights of one matrix fall on the levels of a scheme. */
export interface LevelHistogram {
  /** Counts of weight / scale + zero point, `binsPerLevel` bins to a level, from half a level below the lowest to half above the highest. */
  readonly weights: readonly number[];
  readonly binsPerLevel: number;
  /** The code of the first level, −8 for int4. */
  readonly firstLevel: number;
  /** Counts of codes, one per level from `firstLevel` on. */
  readonly codes: readonly number[];
}

/** What a recipe does to one matrix, place by place. Errors are of the original weights W against Q, what is loaded back. */
export interface MatrixSheet {
  readonly module: string;
  /** The recipe as it is written. */
  readonly recipe: string;
  /** The scheme that the recipe has for this matrix; null where it is only pruned. */
  readonly scheme: string | null;
  readonly rows: number;
  readonly cols: number;
  /** Null where the matrix is only pruned, as `scales`. */
  readonly levels: LevelHistogram | null;
  readonly scales: ScaleMap | null;
  readonly error: ErrorMap;
  readonly channels: ChannelSpectrum;
  /** Weights looked at: all of the matrix. */
  readonly samples: number;
  readonly kernels: readonly KernelReport[];
}
