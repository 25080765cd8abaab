import { LabError, quote } from "../base/errors.ts";
import { FLOAT_FORMATS, type FloatName } from "../base/float-format.ts";
import type { Device, DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { type Checkpoint, type CheckpointTensor, sourceOf } from "../formats/huggingface/checkpoint.ts";
import { elementWords } from "../kernels/elements.ts";
import { widen } from "../kernels/model/widen.ts";
import type { MatrixToRun, Parameters, WeightTile } from "../models/parameters.ts";
import { floatNameOf } from "../schemes/layout.ts";
import type { Bench, TileWalk } from "./bench.ts";
import type { PlannedMatrix } from "./checkpoint-plan.ts";
import { type MatrixRecipe, restoreUploaded, scaledRows } from "./restore-tile.ts";
import { ReusedReader, rowBytesOf, type Tile } from "./tiles.ts";

/** Bytes of a tile of stored weights. Widened it takes twice as much for the original, and again for what is restored. */
const MOST_TILE_BYTES = 4 * 2 ** 20;

/** Where the parameters of a variant come from. */
export interface VariantSource {
  /** A checkpoint with the original's tensors; null: the original itself. */
  readonly checkpoint: Checkpoint | null;
  /** By the name of the tensor, what is done to it; the others stay. */
  readonly matrices: ReadonlyMap<string, MatrixRecipe>;
}

export const ORIGINAL_SOURCE: VariantSource = { checkpoint: null, matrices: new Map() };

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
    const other = this.#sourceOf(variant).checkpoint;
    const checkpoint = other ?? this.#checkpoint;
    const key = name === null ? `zeros ${length}` : `${other ? variant : ""} ${name}`;
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

  #sourceOf(variant: number): VariantSource {
    const source = this.#sources[variant] ?? ORIGINAL_SOURCE;
    return source.checkpoint === this.#checkpoint ? { ...source, checkpoint: null } : source;
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
        const { checkpoint, matrices } = this.#sourceOf(variant);
        const recipe = matrices.get(stored.tensor.name);
        if (!checkpoint && !recipe) {
          return widened.get("original") ?? widenInto("original", stored.element, uploaded);
        }
        const { element, weights } = await this.#uploadFor(checkpoint, recipe, stored, tile, uploaded);
        if (!recipe) return widenInto("restored", element, weights);
        const { restored, element: ownElement } = restoreUploaded(
          this.#bench,
          recipe,
          tile,
          weights,
          await scaledRows(this.#bench, recipe.matrix, tile),
        );
        return widenInto("restored", ownElement, restored);
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
    const source = sourceOf(this.#checkpoint, tensor);
    const weights = { tensor, source, scaleSource: null, original: source, module: tensor.name, element };
    return { ...weights, rows: total, cols: own, scheme: null, stored: [], importance: null };
  }

  /** The same rows as a variant has them before its recipe: those of the original where they are the same. */
  async #uploadFor(
    checkpoint: Checkpoint | null,
    recipe: MatrixRecipe | undefined,
    stored: PlannedMatrix,
    { row, rows }: Tile,
    uploaded: DeviceBuffer,
  ): Promise<{ readonly element: FloatName; readonly weights: DeviceBuffer }> {
    const tensor =
      recipe?.matrix.tensor ?? tensorNamed(checkpoint ?? this.#checkpoint, stored.tensor.name, stored.tensor.shape);
    const source = recipe?.matrix.source ?? sourceOf(checkpoint ?? this.#checkpoint, tensor);
    const element = elementOf(tensor);
    if (source === stored.source) return { element, weights: uploaded };
    const rowBytes = stored.cols * FLOAT_FORMATS[element].sizeBytes;
    const start = tensor.start + row * rowBytes;
    const bytes = await this.#reader.read(source, start, start + rows * rowBytes);
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
