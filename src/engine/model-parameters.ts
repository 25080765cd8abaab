import { LabError, quote } from "../base/errors.ts";
import { FLOAT_FORMATS, type FloatName } from "../base/float-format.ts";
import type { Device, DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import type { Checkpoint, CheckpointTensor } from "../formats/huggingface/checkpoint.ts";
import { elementWords } from "../kernels/elements.ts";
import { widen } from "../kernels/model/widen.ts";
import type { MatrixToRun, Parameters, WeightTile } from "../models/parameters.ts";
import { floatNameOf } from "../schemes/layout.ts";
import type { Bench, TileWalk } from "./bench.ts";
import type { PlannedMatrix } from "./checkpoint-plan.ts";
import { type MatrixRecipe, restoreUploaded } from "./restore-tile.ts";
import { ReusedReader, rowBytesOf, type Tile } from "./tiles.ts";

/** Bytes of a tile of stored weights. Widened it takes twice as much for the original, and again for what is restored. */
const MOST_TILE_BYTES = 4 * 2 ** 20;

/** Where the weights of a variant come from. */
export type VariantSource =
  | { readonly kind: "original" }
  /** By the name of the tensor, what a recipe does to it; the others stay. */
  | { readonly kind: "recipe"; readonly matrices: ReadonlyMap<string, MatrixRecipe> }
  /** Another checkpoint with the same tensors. */
  | { readonly kind: "checkpoint"; readonly checkpoint: Checkpoint };

/**
 * Parameters of all variants on the device of a bench: every tile of the original is read and uploaded once. For one pass
 * over the model, on one device.
 */
export class ModelParameters implements Parameters {
  readonly #bench: Bench;
  readonly #device: Device;
  readonly #checkpoint: Checkpoint;
  readonly #sources: readonly VariantSource[];
  readonly #progress: (bytes: number, tensor: string) => void;
  readonly #vectors = new Map<string, DeviceBuffer>();
  readonly #reader = new ReusedReader();
  /** The tile before the one at hand, until the device is through with it. */
  #behind: Promise<void> = Promise.resolve();
  #doneBytes = 0;
  #turn = 0;

  /** @param progress told how many bytes of the original's matrices are done */
  constructor(
    bench: Bench,
    checkpoint: Checkpoint,
    sources: readonly VariantSource[],
    progress: (bytes: number, tensor: string) => void,
  ) {
    this.#bench = bench;
    this.#device = bench.device;
    this.#checkpoint = checkpoint;
    this.#sources = sources;
    this.#progress = progress;
  }

  async vector(variant: number, name: string | null, length: number): Promise<DeviceBuffer> {
    const source = this.#sources[variant];
    const checkpoint = source?.kind === "checkpoint" ? source.checkpoint : this.#checkpoint;
    const key = name === null ? `zeros ${length}` : `${source?.kind === "checkpoint" ? variant : ""} ${name}`;
    const known = this.#vectors.get(key);
    if (known) return known;
    const buffer = this.#device.createBuffer(length * 4);
    this.#vectors.set(key, buffer);
    if (name === null) return buffer;
    const tensor = tensorNamed(checkpoint, name, [length]);
    const element = elementOf(tensor);
    const stored = this.#device.createBuffer(elementWords(length, element) * 4);
    try {
      this.#device.write(stored, await sourceOf(checkpoint, tensor).read(tensor.start, tensor.end));
      const shape = { rows: 1, cols: length };
      this.#device.run([call(widen, { element, isTransposed: false }, shape, [stored, buffer])]);
    } finally {
      stored.destroy();
    }
    return buffer;
  }

  announce(next: MatrixToRun | null): void {
    this.#bench.announce(next && this.#walkOf(next));
  }

  async eachTile(matrix: MatrixToRun, use: (tile: WeightTile) => Promise<void>): Promise<void> {
    const walk = this.#walkOf(matrix);
    const stored = walk.matrix;
    const { firstRow, isTransposed } = matrix.place;
    const take = async (tile: Tile, bytes: Uint8Array) => {
      // Two by turns: one is filled while the device still reads the other.
      this.#turn = 1 - this.#turn;
      const uploaded = this.#bench.scratch.filled(`weights ${this.#turn}`, bytes);
      const widened = new Map<"original" | "restored", DeviceBuffer>();
      const widenInto = (name: "original" | "restored", element: FloatName, weights: DeviceBuffer) => {
        const target = this.#bench.scratch.buffer(`widened ${name}`, tile.rows * stored.cols * 4);
        const shape = { rows: tile.rows, cols: stored.cols };
        this.#device.run([call(widen, { element, isTransposed }, shape, [weights, target])]);
        widened.set(name, target);
        return target;
      };
      const weightsOf = async (variant: number): Promise<DeviceBuffer> => {
        const source = this.#sources[variant];
        if (source?.kind === "checkpoint") {
          const { element, weights } = await this.#uploadOther(source.checkpoint, stored, tile);
          return widenInto("restored", element, weights);
        }
        const recipe = source?.kind === "recipe" ? source.matrices.get(stored.tensor.name) : undefined;
        if (!recipe) return widened.get("original") ?? widenInto("original", stored.element, uploaded);
        const { restored } = restoreUploaded(this.#bench, recipe, tile, uploaded);
        return widenInto("restored", stored.element, restored);
      };
      const [first, count] = isTransposed ? [0, matrix.rows] : [tile.row - firstRow, tile.rows];
      await use({ firstRow: first, rows: count, weightsOf });
      // One tile is under way while the next is read and handed over, not more: memory stays that of two.
      await this.#behind;
      this.#behind = this.#device.settle();
      this.#behind.catch(() => {});
      this.#doneBytes += tile.end - tile.start;
      this.#progress(this.#doneBytes, stored.tensor.name);
    };
    await this.#bench.streamTiles(walk, take);
  }

  /** How a matrix is walked: a transposed one is turned around whole. */
  #walkOf(matrix: MatrixToRun): TileWalk {
    const stored = this.#stored(matrix);
    const { firstRow, isTransposed } = matrix.place;
    return {
      matrix: stored,
      rowMultiple: isTransposed ? matrix.cols : 1,
      rows: { start: firstRow, end: firstRow + (isTransposed ? matrix.cols : matrix.rows) },
      mostBytes: Math.min(MOST_TILE_BYTES, matrix.mostRows * rowBytesOf(stored)),
    };
  }

  /** A tensor as rows of weights; experts that are stored together lie one below the other. */
  #stored({ place, rows, cols }: MatrixToRun): PlannedMatrix {
    const tensor = tensorNamed(this.#checkpoint, place.tensor, null);
    const own = place.isTransposed ? rows : cols;
    const total = tensor.shape.reduce((product, size) => product * size, 1) / own;
    const element = elementOf(tensor);
    return { tensor, module: tensor.name, element, rows: total, cols: own, scheme: null, stored: [] };
  }

  /** The same rows of another checkpoint. */
  async #uploadOther(
    checkpoint: Checkpoint,
    { tensor, cols }: PlannedMatrix,
    { row, rows }: Tile,
  ): Promise<{ readonly element: FloatName; readonly weights: DeviceBuffer }> {
    const other = tensorNamed(checkpoint, tensor.name, tensor.shape);
    const element = elementOf(other);
    const rowBytes = cols * FLOAT_FORMATS[element].sizeBytes;
    const start = other.start + row * rowBytes;
    const bytes = await this.#reader.read(sourceOf(checkpoint, other), start, start + rows * rowBytes);
    return { element, weights: this.#bench.scratch.filled("weights of the other", bytes) };
  }

  /** Frees what it keeps on the device. */
  destroy(): void {
    for (const buffer of this.#vectors.values()) buffer.destroy();
    this.#vectors.clear();
  }
}

function tensorNamed(checkpoint: Checkpoint, name: string, shape: readonly number[] | null): CheckpointTensor {
  const tensor = checkpoint.tensors.find((candidate) => candidate.name === name);
  if (tensor && (shape === null || shape.join(" ") === tensor.shape.join(" "))) return tensor;
  throw new LabError({
    code: "config/tensor-missing",
    doing: `running ${quote(checkpoint.name)}`,
    found: tensor ? `${quote(name)} of shape [${tensor.shape.join(", ")}]` : `no tensor ${quote(name)}`,
    allowed: shape ? `${quote(name)} of shape [${shape.join(", ")}]` : "every tensor of the architecture",
    advice: "take weights that belong to the config.json; comparing the weights alone needs neither",
    fields: { tensor: quote(name) },
  });
}

/** The format of a tensor as it is stored. @throws LabError where it is missing or no float */
export function storedFormat(checkpoint: Checkpoint, name: string): FloatName {
  return elementOf(tensorNamed(checkpoint, name, null));
}

function elementOf({ name, dtype }: CheckpointTensor): FloatName {
  return floatNameOf(dtype, name, `running ${quote(name)}`);
}

function sourceOf(checkpoint: Checkpoint, { shard }: CheckpointTensor) {
  const source = checkpoint.shards[shard]?.source;
  if (!source) throw new Error("a tensor without its shard");
  return source;
}
