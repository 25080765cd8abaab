import type { ShapeOf } from "../architecture.ts";
import type { LinearStep } from "../graph.ts";
import type { GraphWriter } from "./graph-writer.ts";

/** The three matrices of an expert's gated MLP: `normed` to `gate` and `up`, `gated` to `expert`. */
export interface ExpertMatrices {
  readonly gate: LinearStep;
  readonly up: LinearStep;
  readonly down: LinearStep;
}

/**
 * The matrices of all experts of a layer: each on its own, or all in two tensors, `gate_up_proj` [experts, 2 · intermediate,
 * hidden], gate above up, and `down_proj` [experts, hidden, intermediate]. In both forms each matrix is a step with a module
 * of its own, `experts.3.up_proj`, as LLM Compressor names them once it has taken them apart.
 */
export function expertMatrices(
  graph: GraphWriter,
  shapeOf: ShapeOf,
  block: string,
  experts: number,
): readonly ExpertMatrices[] {
  const numbers = Array.from({ length: experts }, (_, expert) => expert);
  const fused = { gateUp: `${block}.experts.gate_up_proj`, down: `${block}.experts.down_proj` };
  if (shapeOf(fused.gateUp) === null) {
    const isNamedByRole = shapeOf(`${block}.experts.0.gate_proj.weight`) !== null;
    const [gate, up, down] = isNamedByRole ? ["gate_proj", "up_proj", "down_proj"] : ["w1", "w3", "w2"];
    return numbers.map((expert) => {
      const matrix = (name: string | undefined, input: string, output: string) =>
        graph.linear({ module: `${block}.experts.${expert}.${name}`, input, output, hasBias: false });
      return {
        gate: matrix(gate, "normed", "gate"),
        up: matrix(up, "normed", "up"),
        down: matrix(down, "gated", "expert"),
      };
    });
  }
  const [hidden, intermediate] = [graph.width("hidden"), graph.width("gated")];
  const gateUp = graph.tensor(fused.gateUp, [experts, 2 * intermediate, hidden]);
  const down = graph.tensor(fused.down, [experts, hidden, intermediate]);
  const part = (expert: number, name: string, tensor: string, firstRow: number, input: string, output: string) =>
    graph.linearAt(`${block}.experts.${expert}.${name}`, tensor, firstRow, input, output);
  return numbers.map((expert) => {
    const gateRow = 2 * intermediate * expert;
    return {
      gate: part(expert, "gate_proj", gateUp, gateRow, "normed", "gate"),
      up: part(expert, "up_proj", gateUp, gateRow + intermediate, "normed", "up"),
      down: part(expert, "down_proj", down, hidden * expert, "gated", "expert"),
    };
  });
}
