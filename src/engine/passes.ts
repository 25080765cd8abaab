import type { DecoderGraph } from "../architectures/graph.ts";
import { quote } from "../base/errors.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { matricesOf, registerBytes } from "../models/model-run.ts";
import type { WorkHooks } from "./pace.ts";

/** Memory for what runs through the layers, of all variants together, in bytes. */
export const ACTIVATION_BYTES = 2 ** 28;

/**
 * Before which window a pass ends that begins at `first`: it takes what memory allows, and one window in any case.
 * @param models variants that run side by side, the original among them
 * @param mostWindows windows that it may have
 */
export function passEnd(
  graph: DecoderGraph,
  windows: readonly (readonly number[])[],
  first: number,
  models: number,
  mostWindows = Number.POSITIVE_INFINITY,
): number {
  const perToken = registerBytes(graph) * models;
  let tokens = 0;
  let end = first;
  for (const window of windows.slice(first)) {
    tokens += window.length;
    if (end > first && (tokens * perToken > ACTIVATION_BYTES || end - first >= mostWindows)) break;
    end++;
  }
  return end;
}

/** Models that run side by side over the longest of some windows without taking more memory than a pass may: two at least. */
export function mostModels(graph: DecoderGraph, windows: readonly (readonly number[])[]): number {
  const longest = Math.max(1, ...windows.map(({ length }) => length));
  return Math.max(2, Math.floor(ACTIVATION_BYTES / (registerBytes(graph) * longest)));
}

/** Bytes of all matrices of a graph as a pass reads them; the embedding counts twice where the head is tied to it. */
export function passBytesOf(
  graph: DecoderGraph,
  checkpoint: Checkpoint,
  windows: readonly (readonly number[])[],
): number {
  const tensors = new Map(checkpoint.tensors.map((tensor) => [tensor.name, tensor]));
  const longest = Math.max(...windows.map(({ length }) => length));
  return matricesOf(graph, longest).reduce((sum, { place, rows, cols }) => {
    const tensor = tensors.get(place.tensor);
    if (!tensor) return sum;
    const elements = tensor.shape.reduce((product, size) => product * size, 1);
    return sum + ((tensor.end - tensor.start) / elements) * rows * cols;
  }, 0);
}

/**
 * Tells of a pass over the windows from `first` to before `end`, as `ModelParameters` reports it. Counted as if each window
 * had a pass of its own: what takes time is the products, not the reading.
 */
export function passProgress(
  { onProgress }: Pick<WorkHooks, "onProgress">,
  phase: string,
  passBytes: number,
  windows: number,
  first: number,
  end: number,
): (doneBytes: number, item: string) => void {
  return (doneBytes, item) =>
    onProgress?.({
      phase,
      doneBytes: first * passBytes + (end - first) * doneBytes,
      totalBytes: windows * passBytes,
      item: quote(item),
      doneItems: first,
      totalItems: windows,
    });
}
