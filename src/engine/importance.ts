import { LabError, quote } from "../base/errors.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { isGguf } from "../formats/gguf/header.ts";
import { GGUF_HEAD, ggufPlaceOf, hasGgufNames } from "../formats/gguf/tensor-names.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import type { ImatrixEntry, ImatrixFile, ImatrixToWrite } from "../formats/imatrix/imatrix-file.ts";
import { outlierChannels } from "../metrics/activation-statistics.ts";
import type { CollectedActivations } from "./activations.ts";
import { decoderOf } from "./decoder-of.ts";
import type { ImportanceReport, LayerImportance } from "./diagnosis-api.ts";

/** A tensor of a GGUF model. */
interface GgufMatrices {
  /** Input channels. */
  readonly width: number;
  /** The linear layers that lie in it, matrix by matrix. */
  readonly modules: readonly string[];
}

/**
 * The sums of squares among statistics, as llama.cpp keeps them: Σ x² = rows · mean of x². The head is left away, as
 * `llama-imatrix` leaves it unless it is told `--process-output`, which its README advises against.
 * @throws LabError `imatrix/unknown-model` for a model that llama.cpp does not know, `config/…`
 */
export function imatrixOf(checkpoint: Checkpoint, { file, chunks }: CollectedActivations): ImatrixToWrite {
  const entries = new Map<string, ImatrixEntry>();
  for (const [tensor, { width, modules }] of ggufMatrices(checkpoint, "writing an importance matrix")) {
    const all = modules.map((module) => file.modules.get(module));
    if (tensor === GGUF_HEAD || all.every((own) => own === undefined)) continue;
    const sums = new Float32Array(modules.length * width);
    for (const [matrix, own] of all.entries()) {
      own?.meanSquare.forEach((square, channel) => {
        sums[matrix * width + channel] = square * own.rows;
      });
    }
    entries.set(tensor, { counts: all.map((own) => own?.rows ?? 0), sums });
  }
  return { datasets: [file.text], chunks, entries };
}

/**
 * What an importance matrix says of the layers of the open model.
 * @throws LabError `imatrix/other-model`, `imatrix/other-shape` for tensors that the model has not, or not so;
 *   `imatrix/unknown-model`, `config/…`
 */
export function importanceReport(checkpoint: Checkpoint, { datasets, chunks, entries }: ImatrixFile): ImportanceReport {
  const doing = "reading an importance matrix";
  const known = ggufMatrices(checkpoint, doing);
  for (const [tensor, { counts, sums }] of entries) {
    const own = known.get(tensor);
    if (!own) throw unfit(doing, "other-model", tensor, "no such tensor", `those of ${quote(checkpoint.name)}`);
    const width = sums.length / counts.length;
    if (width === own.width && counts.length === own.modules.length) continue;
    const wanted = `${own.width} channels of ${own.modules.length} matrices`;
    throw unfit(doing, "other-shape", tensor, `${width} channels of ${counts.length} matrices`, wanted);
  }
  const layers: LayerImportance[] = [];
  const missing: string[] = [];
  for (const [tensor, { width, modules }] of known) {
    const entry = entries.get(tensor);
    for (const [matrix, module] of modules.entries()) {
      const rows = entry?.counts[matrix] ?? 0;
      if (entry && rows > 0) {
        layers.push(layerOf(module, rows, entry.sums.subarray(matrix * width, (matrix + 1) * width)));
      } else if (tensor !== GGUF_HEAD) missing.push(module);
    }
  }
  return { kind: "importance", datasets: datasets.map(quote), chunks, layers, missing };
}

function layerOf(module: string, rows: number, sums: Float32Array): LayerImportance {
  const channelMeanSquare = Float64Array.from(sums, (sum) => sum / rows);
  const loudness = channelMeanSquare.map(Math.sqrt);
  return {
    module,
    channels: sums.length,
    rows,
    meanSquare: channelMeanSquare.reduce((sum, square) => sum + square, 0) / sums.length,
    // Of what stands for the loudness of a channel, whichever it is.
    outliers: outlierChannels({ absMax: loudness }).map(({ channel, ratio }) => ({ channel, ratio })),
    channelMeanSquare,
  };
}

/**
 * Refuses an importance matrix where more is needed than it holds.
 * @throws LabError `statistics/squares-alone`
 */
export async function requireWholeStatistics(source: ByteSource): Promise<void> {
  if (!(await isGguf(source))) return;
  throw new LabError({
    code: "statistics/squares-alone",
    doing: `reading the statistics in ${quote(source.name)}`,
    found: "a GGUF file: an importance matrix has sums of squares alone",
    allowed: "a file of statistics of the lab, which has extremes and moments too",
    advice: "collect them anew, or look at the importance matrix on the command line: lab diagnose --statistics",
  });
}

/** Where llama.cpp keeps the linear layers of the open model, by tensor and in the model's order. */
function ggufMatrices(checkpoint: Checkpoint, doing: string): ReadonlyMap<string, GgufMatrices> {
  const { modelType, layers, head, registers } = decoderOf(checkpoint);
  if (!hasGgufNames(modelType)) {
    throw new LabError({
      code: "imatrix/unknown-model",
      doing,
      found: `a model of the type "${quote(modelType)}"`,
      allowed: "one that llama.cpp has a converter for",
      advice: "keep the statistics as the lab's own file",
      fields: { modelType: quote(modelType) },
    });
  }
  const tensors = new Map<string, { readonly width: number; readonly modules: string[] }>();
  for (const step of layers.flat()) {
    if (step.kind !== "linear") continue;
    const place = ggufPlaceOf(step.module);
    if (!place) throw new Error(`no GGUF name for ${step.module}`);
    const own = tensors.get(place.tensor) ?? { width: step.inFeatures, modules: [] };
    own.modules[place.matrix] = step.module;
    tensors.set(place.tensor, own);
  }
  if (!head.isTied) tensors.set(GGUF_HEAD, { width: registers.get("final") ?? 0, modules: [head.module] });
  return tensors;
}

/** @param tensor raw */
function unfit(doing: string, kind: string, tensor: string, found: string, allowed: string): LabError {
  return new LabError({
    code: `imatrix/${kind}`,
    doing,
    found: `tensor "${quote(tensor)}": ${found}`,
    allowed,
    advice: "open the model that it was collected on",
    fields: { tensor: quote(tensor) },
  });
}
