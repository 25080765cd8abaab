import { FLOAT_FORMATS, type FloatName } from "../base/float-format.ts";
import { SeededRandom } from "../base/random.ts";
import type { Folder } from "../formats/byte-source.ts";
import { planSafetensors } from "../formats/safetensors/writer.ts";
import { createBufferSource } from "../formats/sources/buffer-source.ts";
import { createMemoryStore } from "../formats/stores/memory-store.ts";
import { elementAt, elementWords, setElement } from "../kernels/elements.ts";
import { qparamsOfWeights } from "../kernels/int-inputs.ts";
import { byteAt } from "../kernels/int-params.ts";
import { nOfMOracle } from "../kernels/prune/n_of_m.oracle.ts";
import { intCoder } from "../kernels/quant/int_code.oracle.ts";
import { removesParts, type WeightPruning } from "../schemes/pruning.ts";
import { parseRecipe } from "../schemes/recipe.ts";
import type { Granularity } from "../schemes/scheme.ts";
import { createEngine } from "./engine.ts";

/** A matrix [rows, cols] for tests, its elements as they lie on a device. */
export interface MadeMatrix {
  readonly rows: number;
  readonly cols: number;
  readonly element: FloatName;
  readonly words: Uint32Array<ArrayBuffer>;
}

/** The name that a made matrix has in its checkpoint. */
export const MODULE = "model.layers.3.mlp.down_proj";

const DTYPES = { bf16: "BF16", f16: "F16", f32: "F32" } as const;

/** Recipes of every kind of scale, symmetry and pruning. The groups divide 96 columns. */
export const SHEET_RECIPES: readonly string[] = [
  "int4:group=32",
  "int3:group=8:asym",
  "int8:channel",
  "int5:channel:asym",
  "int6:tensor",
  "int4:tensor:asym",
  "magnitude:2:4 | int4:group=32",
  "magnitude:0.3 | int8:tensor",
  "magnitude:rows:0.25 | int4:channel",
  "magnitude:columns:0.25 | none",
  "magnitude:0.5 | none",
];

/** Normal weights, some of them eight times as large. */
export function madeMatrix(rows: number, cols: number, element: FloatName): MadeMatrix {
  const random = new SeededRandom(rows + cols);
  const words = new Uint32Array(elementWords(rows * cols, element));
  for (let index = 0; index < rows * cols; index++) {
    const value = random.nextNormal() * 0.02 * (random.nextUniform() < 0.01 ? 8 : 1);
    setElement(words, index, FLOAT_FORMATS[element].toBits(value), element);
  }
  return { rows, cols, element, words };
}

/** A checkpoint of that one matrix. */
export function madeCheckpoint({ rows, cols, element, words }: MadeMatrix): Folder {
  const sizeBytes = rows * cols * FLOAT_FORMATS[element].sizeBytes;
  const plan = planSafetensors([{ name: `${MODULE}.weight`, dtype: DTYPES[element], shape: [rows, cols], sizeBytes }]);
  const file = new Uint8Array(plan.sizeBytes);
  file.set(plan.header);
  file.set(new Uint8Array(words.buffer, 0, sizeBytes), plan.tensors[0]?.start ?? 0);
  const config = new TextEncoder().encode('{"model_type":"odd"}');
  return {
    name: "made",
    files: new Map([
      ["model.safetensors", createBufferSource("model.safetensors", file)],
      ["config.json", createBufferSource("config.json", config)],
    ]),
  };
}

/** Values of elements as they lie on a device. */
export function valuesOf({ rows, cols, element }: MadeMatrix, words: Uint32Array): readonly number[] {
  const { fromBits } = FLOAT_FORMATS[element];
  return Array.from({ length: rows * cols }, (_, index) => fromBits(elementAt(words, index, element)));
}

/** What a recipe makes of a whole matrix. */
export interface Restored {
  /** What is loaded back, row-major. */
  readonly values: readonly number[];
  /** Of each weight, counted from the lowest level; empty where the matrix is only pruned. */
  readonly codes: readonly number[];
  /** Of each group. */
  readonly scales: readonly number[];
  readonly groupSize: number;
}

/** The whole matrix under a recipe, weight by weight as the definitions have it: without tiles and devices. */
export function restoredPlainly(matrix: MadeMatrix, recipeText: string, arithmetic: "eager" | "triton"): Restored {
  const { element, rows, cols } = matrix;
  const { pruning, groups } = parseRecipe(recipeText);
  const words = pruning && !removesParts(pruning) ? prunedPlainly(matrix, pruning) : matrix.words;
  const weights = valuesOf(matrix, words);
  const scheme = groups[0]?.scheme.weights;
  if (!scheme) return { values: weights, codes: [], scales: [], groupSize: 1 };
  const groupSize = groupSizeOf(scheme.granularity, matrix);
  const shape = { streams: rows, streamLength: cols, groupSize };
  const source = { element, bits: scheme.bits, symmetric: scheme.symmetric, arithmetic };
  const points = qparamsOfWeights(words, shape, source);
  const format = FLOAT_FORMATS[element];
  const codeOf = intCoder(source);
  const scaleOf = (group: number) => format.fromBits(elementAt(points.scales, group, element));
  const zeroPointOf = (group: number) => (scheme.symmetric ? 0 : byteAt(points.zeroPoints, group));
  const codes = weights.map((weight, index) => {
    const group = Math.floor(index / groupSize);
    return codeOf(weight, scaleOf(group), zeroPointOf(group)).code;
  });
  return {
    values: codes.map((code, index) => {
      const group = Math.floor(index / groupSize);
      return format.round((code - zeroPointOf(group)) * scaleOf(group));
    }),
    codes: codes.map((code) => code + 2 ** (scheme.bits - 1)),
    scales: Array.from({ length: Math.ceil(weights.length / groupSize) }, (_, group) => scaleOf(group)),
    groupSize,
  };
}

function groupSizeOf(granularity: Granularity, { rows, cols }: MadeMatrix): number {
  if (granularity.strategy === "group") return granularity.groupSize;
  return granularity.strategy === "channel" ? cols : rows * cols;
}

function prunedPlainly(matrix: MadeMatrix, pruning: WeightPruning): Uint32Array<ArrayBuffer> {
  const { rows, cols, element, words } = matrix;
  const pruned = words.slice();
  if (pruning.structure === "n-of-m") {
    nOfMOracle({ ...pruning, element }, { elements: rows * cols }, [words, pruned]);
    return pruned;
  }
  const values = valuesOf(matrix, words);
  const lineOf = {
    unstructured: (index: number) => index,
    rows: (index: number) => Math.floor(index / cols),
    columns: (index: number) => index % cols,
  }[pruning.structure];
  const energies = new Map<number, number>();
  for (const [index, value] of values.entries()) {
    energies.set(lineOf(index), (energies.get(lineOf(index)) ?? 0) + value * value);
  }
  const order = [...energies].sort(([a, one], [b, other]) => one - other || b - a);
  const doomed = order.slice(0, Math.floor(pruning.share * order.length));
  const last = doomed.at(-1)?.[1] ?? -1;
  const goes = new Set(doomed.map(([line]) => line));
  for (const [index, value] of values.entries()) {
    // Equal magnitudes go together.
    const isDoomed = pruning.structure === "unstructured" ? value * value <= last : goes.has(lineOf(index));
    if (isDoomed) setElement(pruned, index, 0, element);
  }
  return pruned;
}

/** An engine on the CPU with that folder open. */
export async function engineOn(folder: Folder) {
  const engine = createEngine({
    gpu: null,
    wasm: null,
    device: "reference",
    now: () => performance.now(),
    store: createMemoryStore(),
  });
  await engine.open(folder);
  return engine;
}

/** A request for a recipe under torch's arithmetic, nothing ignored. */
export function request(scheme: string) {
  return { scheme, arithmetic: "eager" as const, ignore: [] };
}
