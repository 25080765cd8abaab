import { readDecoder } from "../architectures/families.ts";
import type { DecoderGraph } from "../architectures/graph.ts";
import { LabError, quote } from "../base/errors.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";

/** Products go through four numbers at once. */
export const VECTOR = 4;

const WEIGHTS_STAND = "comparing the weights alone does not need it";

/**
 * How a checkpoint is run.
 * @throws LabError `config/…`: there is no config.json or it is broken, or the lab cannot run such a model; its weights can be
 *   compared none the less
 */
export function decoderOf(checkpoint: Checkpoint): DecoderGraph {
  if (checkpoint.configError) throw checkpoint.configError;
  if (!checkpoint.config) {
    throw new LabError({
      code: "config/missing",
      doing: "preparing to run the model",
      found: "no config.json beside the weights",
      allowed: "a config.json that says how the layers hang together",
      advice: `add it to the folder; ${WEIGHTS_STAND}`,
    });
  }
  const shapes = new Map(checkpoint.tensors.map(({ name, shape }) => [name, shape]));
  const graph = readDecoder(checkpoint.config, (name) => shapes.get(name) ?? null);
  requireVectors(graph);
  return graph;
}

/**
 * Refuses a second checkpoint that is not of the same tensors.
 * @throws LabError `config/other-tensors`
 */
export function requireSameTensors(graph: DecoderGraph, original: Checkpoint, other: Checkpoint): void {
  const shapes = new Map(other.tensors.map(({ name, shape }) => [name, shape]));
  for (const name of tensorsOf(graph)) {
    const expected = original.tensors.find((tensor) => tensor.name === name)?.shape ?? [];
    const found = shapes.get(name);
    if (found?.join(" ") === expected.join(" ")) continue;
    throw new LabError({
      code: "config/other-tensors",
      doing: `preparing to measure ${quote(other.name)} beside ${quote(original.name)}`,
      found: found ? `${quote(name)} of shape [${found.join(", ")}]` : `no tensor ${quote(name)}`,
      allowed: `${quote(name)} of shape [${expected.join(", ")}], as in the original`,
      advice: "give a checkpoint of the same architecture with its weights in bf16, f16 or f32, not packed",
      fields: { tensor: quote(name) },
    });
  }
}

/** Names of all tensors that a graph reads. */
function tensorsOf({ embedding, layers, ending, head }: DecoderGraph): ReadonlySet<string> {
  const names: (string | null | undefined)[] = [embedding.tensor, embedding.positions?.tensor, head.tensor];
  for (const step of [...layers.flat(), ...ending]) {
    if (step.kind === "norm") names.push(step.weight, step.bias);
    if (step.kind === "linear") names.push(step.weight.tensor, step.bias);
  }
  return new Set(names.filter((name) => typeof name === "string"));
}

/** Kernels read rows and heads by vectors. */
function requireVectors({ layers, registers }: DecoderGraph): void {
  const widths: [what: string, width: number][] = [["the input of the head", registers.get("final") ?? 0]];
  for (const step of layers.flat()) {
    if (step.kind === "linear") widths.push([`the input of ${quote(step.module)}`, step.inFeatures]);
    if (step.kind === "attend") widths.push(["a head of attention", step.query.dim]);
  }
  const odd = widths.find(([, width]) => width % VECTOR !== 0);
  if (!odd) return;
  const feature = `${odd[0]} of ${odd[1]} columns`;
  throw new LabError({
    code: "config/unsupported-feature",
    doing: "preparing to run the model",
    found: feature,
    allowed: `a multiple of ${VECTOR}`,
    advice: WEIGHTS_STAND,
    fields: { feature },
  });
}
