import { asLabError, cancelledError, LabError, quote } from "../base/errors.ts";
import type { Device } from "../device/device.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import type { PlannedMatrix } from "./checkpoint-plan.ts";
import type { DevicePick, DeviceSet } from "./device-set.ts";
import { stopIfAborted } from "./job.ts";
import { Scratch } from "./scratch.ts";
import { ReusedReader, type RowRange, type Tile, tileAt } from "./tiles.ts";

/** Times that a lost device is opened anew in one job. */
const MAX_RESTARTS = 3;

/** Waiting before each of them, in milliseconds. */
const BACK_OFF_MS = [50, 200, 800] as const;

/** Tiles are not halved below this. */
const LEAST_TILE_BYTES = 2 ** 20;

/**
 * Where a job computes: a device with its scratch memory, and what happens when it fails. A lost device is opened anew and
 * the tile done again; memory that is refused halves the tiles; under `auto` the CPU takes over where nothing else helps.
 */
export class Bench {
  readonly #checkpoint: Checkpoint;
  readonly #devices: DeviceSet;
  readonly #signal: AbortSignal | undefined;
  readonly #reader = new ReusedReader();
  readonly #used = new Map<string, DevicePick>();
  #pick: DevicePick;
  #scratch: Scratch;
  #tileBytes: number;
  #restarts = 0;
  #hasRetried = false;

  /** @param together schemes that are computed on each tile at once: with more than two, tiles are smaller */
  constructor(
    checkpoint: Checkpoint,
    devices: DeviceSet,
    pick: DevicePick,
    signal: AbortSignal | undefined,
    together = 1,
  ) {
    this.#checkpoint = checkpoint;
    this.#devices = devices;
    this.#signal = signal;
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

  /**
   * Walks a matrix, or some rows of it, tile by tile. The next tile is read while one is computed.
   * @param use takes `bytes` before its first `await`. It is called again with a tile, or a smaller one from the same row,
   *   after its device failed; tiles before that one stay done.
   * @throws LabError `run/cancelled`, `run/row-too-long`, `source/…`, `device/…`, `kernel/failed`
   */
  async eachTile(
    matrix: PlannedMatrix,
    rowMultiple: number,
    use: (tile: Tile, bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
    rows: RowRange = { start: 0, end: matrix.rows },
  ): Promise<void> {
    const source = this.#checkpoint.shards[matrix.tensor.shard]?.source;
    if (!source) throw new Error("a tensor without its shard");
    const begin = (row: number) => {
      if (row >= rows.end) return null;
      const tile = tileAt(matrix, row, this.#tileBytes, rowMultiple, rows.end);
      return { tile, bytes: handled(this.#reader.read(source, tile.start, tile.end)) };
    };
    let current = begin(rows.start);
    while (current) {
      stopIfAborted(this.#signal);
      const { tile, bytes } = current;
      const using = handled(use(tile, await bytes));
      const next = begin(tile.row + tile.rows);
      try {
        await using;
        this.#noteUse();
        current = next;
      } catch (thrown) {
        // The buffer of the read ahead is the one to read into again.
        await next?.bytes.catch(() => {});
        await this.#recover(thrown, `computing ${quote(matrix.module)}`);
        current = begin(tile.row);
      }
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
    switch (error.code) {
      case "device/closed":
        this.#devices.forgetGpu();
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
        this.#devices.forgetGpu();
        return this.#open();
      case "kernel/failed":
        if (this.#hasRetried) return this.#goOnWithout(error, doing);
        this.#hasRetried = true;
        this.#devices.forgetGpu();
        return this.#open();
      default:
        throw error;
    }
  }

  async #goOnWithout(error: LabError, doing: string): Promise<void> {
    if (!this.#devices.mayFallBack || this.device.kind === "reference") throw named(error, doing);
    this.#devices.giveUpGpu(`WebGPU failed while ${doing}: ${error.found}`);
    await this.#open();
  }

  async #open(): Promise<void> {
    this.#scratch.destroy();
    this.#pick = await this.#devices.primary();
    this.#scratch = new Scratch(this.device);
    this.#tileBytes = Math.min(this.#tileBytes, this.device.tileBytes);
  }

  destroy(): void {
    this.#scratch.destroy();
  }
}

/** Keeps a failure from counting as unhandled until it is awaited. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A failure of the device with what it happened to. */
function named(error: LabError, doing: string): LabError {
  const { code, found, allowed, advice, fields } = error;
  return new LabError({ code, doing: `${doing}, ${error.doing}`, found, allowed, advice, fields, cause: error });
}
