import type { MatrixPlace } from "../architectures/graph.ts";
import type { DeviceBuffer } from "../device/device.ts";

/** A matrix as it is multiplied with: y = x Wᵀ, W [rows, cols]. */
export interface MatrixToRun {
  readonly place: MatrixPlace;
  /** Features that come out. */
  readonly rows: number;
  /** Features that go in. */
  readonly cols: number;
  /** Rows that a tile may have, where the runner's own memory sets a limit; else infinite. */
  readonly mostRows: number;
}

/** Some rows of a matrix. */
export interface WeightTile {
  readonly firstRow: number;
  readonly rows: number;
  /**
   * W [rows, cols] of a variant, float32. It stands until the weights of another variant are asked for or the tile ends, so
   * that what reads it is to be handed to the device before that.
   */
  weightsOf(variant: number): Promise<DeviceBuffer>;
}

/** What a runner needs of a checkpoint and of what variants make of it. */
export interface Parameters {
  /** A norm's weight or a bias [length] as float32; null: zeros. */
  vector(variant: number, tensor: string | null, length: number): Promise<DeviceBuffer>;
  /** Walks a matrix tile by tile: each is read and uploaded once for all variants. */
  eachTile(matrix: MatrixToRun, use: (tile: WeightTile) => Promise<void>): Promise<void>;
  /** Says which matrix comes after the one at hand, so that it is read ahead; null: none. */
  announce(next: MatrixToRun | null): void;
}
