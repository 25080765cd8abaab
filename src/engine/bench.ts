import { asLabError, cancelledError, LabError, quote } from "../base/errors.ts";
import type { Device } from "../device/device.ts";
import { MAX_RECIPES } from "./api.ts";
import type { PlannedMatrix } from "./checkpoint-plan.ts";
import { DEVICE_NAMES } from "./device-names.ts";
import type { DevicePick, DeviceSet } from "./device-set.ts";
import { stopIfAborted } from "./job.ts";
import type { Work } from "./probe.ts";
import { type FileRange, ReadAhead } from "./read-ahead.ts";
import { Scratch } from "./scratch.ts";
import { type RowRange, type Tile, tileAt } from "./tiles.ts";

/** Times that a lost device is opened anew in one job. */
const MAX_RESTARTS = 3;

/** Waiting before each of them, in milliseconds. */
const BACK_OFF_MS = [50, 200, 800] as const;

/** For who reads every weight of a tile back: tiles as small as for the most schemes. */
export const MOST_TOGETHER = MAX_RECIPES;

/** How a matrix is cut into tiles. */
export interface TileWalk {
  readonly matrix: PlannedMatrix;
  /** Rows that stay together. */
  readonly rowMultiple: number;
  readonly rows: RowRange;
  /** Bytes that a tile may have, where more than the device sets a limit. */
  readonly mostBytes: number;
}

function wholeMatrix(matrix: PlannedMatrix): TileWalk {
  return { matrix, rowMultiple: 1, rows: { start: 0, end: matrix.rows }, mostBytes: Number.POSITIVE_INFINITY };
}

/** What is done with a tile. `bytes` are to be taken before the first `await`. */
type UseTile = (tile: Tile, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;

/** Tiles are not halved below this. */
const LEAST_TILE_BYTES = 2 ** 20;

/**
 * Where a job computes: a device with its scratch memory, and what happens when it fails. A lost device is opened anew and
 * the tile done again; memory that is refused halves the tiles; under `auto` another device takes over where nothing else helps.
 */
export class Bench {
  readonly #devices: DeviceSet;
  readonly #signal: AbortSignal | undefined;
  readonly #work: Work;
  readonly #reader = new ReadAhead();
  readonly #used = new Map<string, DevicePick>();
  #pick: DevicePick;
  #scratch: Scratch;
  #tileBytes: number;
  #next: TileWalk | null = null;
  #restarts = 0;
  #hasRetried = false;

  /**
   * @param work what another device would be chosen for
   * @param together schemes that are computed on each tile at once: with more than two, tiles are smaller
   */
  constructor(devices: DeviceSet, pick: DevicePick, signal: AbortSignal | undefined, work: Work, together = 1) {
    this.#devices = devices;
    this.#signal = signal;
    this.#work = work;
    this.#pick = pick;
    this.#scratch = new Scratch(pick.device);
    // What is submitted at once stays as long as for two, so that the page is painted in between and a cancel is heard.
    const parts = 2 ** Math.ceil(Math.log2(Math.max(2, together) / 2));
    const { tileBytes } = pick.device;
    this.#tileBytes = Math.min(tileBytes, Math.max(LEAST_TILE_BYTES, tileBytes / parts));
  }

  get device(): Device {
    return this.#pick.device;
  }

  get scratch(): Scratch {
    return this.#scratch;
  }

  /** Every device that did work so far: one, unless it failed on the way. */
  get used(): readonly DevicePick[] {
    return [...this.#used.values()];
  }

  /** Says which matrix is walked after the one at hand, so that its first tile is read ahead; null: none. */
  announce(next: (Pick<TileWalk, "matrix"> & Partial<TileWalk>) | null): void {
    this.#next = next && { ...wholeMatrix(next.matrix), ...next };
  }

  /**
   * Walks a matrix, or some rows of it, tile by tile. The next tiles are read while one is computed.
   * @param use takes `bytes` before its first `await`. It is called again with a tile, or a smaller one from the same row,
   *   after its device failed; tiles before that one stay done.
   * @throws LabError `run/cancelled`, `run/row-too-long`, `source/…`, `device/…`, `kernel/failed`
   */
  async eachTile(
    matrix: PlannedMatrix,
    rowMultiple: number,
    use: UseTile,
    rows: RowRange = { start: 0, end: matrix.rows },
  ): Promise<void> {
    const recover = (thrown: unknown) => this.#recover(thrown, `computing ${quote(matrix.module)}`);
    await this.#walk({ ...wholeMatrix(matrix), rowMultiple, rows }, use, recover);
  }

  /**
   * The same, of all rows unless said, for work that keeps more on the device than a tile: its failure is thrown, and all of that work is begun again,
   * in `attempt`.
   */
  async streamTiles(walk: Pick<TileWalk, "matrix"> & Partial<TileWalk>, use: UseTile): Promise<void> {
    await this.#walk({ ...wholeMatrix(walk.matrix), ...walk }, use, (thrown) => {
      throw thrown;
    });
  }

  async #walk(walk: TileWalk, use: UseTile, recover: (thrown: unknown) => Promise<void>): Promise<void> {
    const { matrix, rows } = walk;
    const tileFrom = (row: number) => this.#tileOf(walk, row);
    const rangesFrom = (row: number): readonly FileRange[] => {
      if (row >= rows.end) return this.#nextRange();
      const tile = tileFrom(row);
      const after = tile.row + tile.rows;
      const further = after < rows.end ? [this.#rangeOf(matrix, tileFrom(after))] : this.#nextRange();
      return [this.#rangeOf(matrix, tile), ...further];
    };
    for (let row = rows.start; row < rows.end; ) {
      stopIfAborted(this.#signal);
      const tile = tileFrom(row);
      this.#reader.begin(rangesFrom(row));
      const bytes = await this.#reader.take(this.#rangeOf(matrix, tile));
      this.#reader.begin(rangesFrom(row + tile.rows));
      try {
        const using = use(tile, bytes);
        this.#reader.giveBack(bytes);
        await using;
        this.#noteUse();
        row += tile.rows;
      } catch (thrown) {
        await recover(thrown);
      }
    }
  }

  #tileOf({ matrix, rowMultiple, rows, mostBytes }: TileWalk, row: number): Tile {
    return tileAt(matrix, row, Math.min(this.#tileBytes, mostBytes), rowMultiple, rows.end);
  }

  #rangeOf({ source }: PlannedMatrix, { start, end }: Tile): FileRange {
    return { source, start, end };
  }

  /** The first tile of the matrix that was announced. */
  #nextRange(): readonly FileRange[] {
    if (!this.#next || this.#next.matrix.rows === 0) return [];
    const { matrix, rows } = this.#next;
    try {
      return [this.#rangeOf(matrix, this.#tileOf(this.#next, rows.start))];
    } catch {
      // Rows too long for a tile are an error of that matrix, when its turn comes.
      return [];
    }
  }

  /** Runs work on the device, again after each failure that can be mended. */
  async attempt<T>(doing: string, work: () => Promise<T>): Promise<T> {
    for (;;) {
      stopIfAborted(this.#signal);
      try {
        const result = await work();
        this.#noteUse();
        return result;
      } catch (thrown) {
        await this.#recover(thrown, doing);
      }
    }
  }

  #noteUse(): void {
    const { device, fallback } = this.#pick;
    this.#used.set(`${device.kind} ${device.adapter} ${fallback}`, this.#pick);
  }

  /** Makes another attempt possible, or throws. */
  async #recover(thrown: unknown, doing: string): Promise<void> {
    stopIfAborted(this.#signal);
    const error = asLabError(thrown, doing);
    const { kind } = this.device;
    switch (error.code) {
      case "device/closed":
        this.#devices.forget(kind);
        throw cancelledError(doing);
      case "device/out-of-memory":
        if (this.#tileBytes <= LEAST_TILE_BYTES) return this.#goOnWithout(error, doing);
        this.#tileBytes = Math.max(LEAST_TILE_BYTES, this.#tileBytes / 2);
        this.#scratch.destroy();
        return;
      case "device/lost":
        if (this.#restarts === MAX_RESTARTS) return this.#goOnWithout(error, doing);
        await pause(BACK_OFF_MS[this.#restarts] ?? 0);
        this.#restarts++;
        this.#devices.forget(kind);
        return this.#open();
      case "kernel/failed":
        if (this.#hasRetried) return this.#goOnWithout(error, doing);
        this.#hasRetried = true;
        this.#devices.forget(kind);
        return this.#open();
      default:
        throw error;
    }
  }

  async #goOnWithout(error: LabError, doing: string): Promise<void> {
    const { kind } = this.device;
    if (!this.#devices.mayGoOnWithout(kind)) throw named(error, doing);
    this.#devices.giveUp(kind, `${DEVICE_NAMES[kind]} failed while ${doing}: ${error.found}`);
    await this.#open();
  }

  async #open(): Promise<void> {
    this.#scratch.destroy();
    this.#pick = await this.#devices.primary(this.#work);
    this.#scratch = new Scratch(this.device);
    this.#tileBytes = Math.min(this.#tileBytes, this.device.tileBytes);
  }

  /** Waits for what is still being read, so that whoever closes the files comes after it. */
  async close(): Promise<void> {
    this.#scratch.destroy();
    await this.#reader.clear();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A failure of the device with what it happened to. */
function named(error: LabError, doing: string): LabError {
  const { code, found, allowed, advice, fields } = error;
  return new LabError({ code, doing: `${doing}, ${error.doing}`, found, allowed, advice, fields, cause: error });
}
