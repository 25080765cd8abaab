import type { ShapeOf } from "../architecture.ts";
import type { Activation, AddStep, Columns, GateStep, Heads, LinearStep, MatrixPlace, NormStep } from "../graph.ts";
import { storedTensor } from "./stored-tensors.ts";

/** How the norms of a model are computed. */
export interface NormKind {
  readonly form: "rms" | "layer";
  readonly epsilon: number;
  readonly offset: 0 | 1;
}

export interface LinearPlace {
  /** Module of the matrix, `model.layers.0.self_attn.q_proj`. */
  readonly module: string;
  readonly input: string;
  readonly output: string;
  readonly hasBias: boolean;
}

/**
 * Writes the steps of a graph over fixed registers. Each step takes its widths from them, and no tensor enters a step that the
 * checkpoint does not have in the shape which follows from those widths.
 */
export class GraphWriter {
  readonly registers: ReadonlyMap<string, number>;
  readonly #shapeOf: ShapeOf;

  /** @param registers widths in float32 */
  constructor(shapeOf: ShapeOf, registers: Readonly<Record<string, number>>) {
    this.#shapeOf = shapeOf;
    this.registers = new Map(Object.entries(registers));
  }

  /** @param pieces equal parts of a row that are normalized each for itself */
  norm(module: string, kind: NormKind, input: string, output: string, pieces = 1): NormStep {
    const shape = [this.width(input) / pieces];
    return {
      kind: "norm",
      form: kind.form,
      input,
      output,
      pieces,
      weight: this.tensor(`${module}.weight`, shape),
      bias: kind.form === "layer" ? this.tensor(`${module}.bias`, shape) : null,
      epsilon: kind.epsilon,
      offset: kind.offset,
    };
  }

  /** A matrix stored [out, in], as PyTorch's Linear. */
  linear({ module, input, output, hasBias }: LinearPlace): LinearStep {
    const shape = [this.width(output), this.width(input)];
    const place = { tensor: this.tensor(`${module}.weight`, shape), firstRow: 0, isTransposed: false };
    const bias = hasBias ? this.tensor(`${module}.bias`, shape.slice(0, 1)) : null;
    return this.#linear(module, place, bias, input, output);
  }

  /** A matrix with bias, stored [in, out]: `Conv1D` of transformers' pytorch_utils.py. */
  conv1d(module: string, input: string, output: string): LinearStep {
    const shape = [this.width(input), this.width(output)];
    const place = { tensor: this.tensor(`${module}.weight`, shape), firstRow: 0, isTransposed: true };
    return this.#linear(module, place, this.tensor(`${module}.bias`, shape.slice(1)), input, output);
  }

  /** A matrix without bias among others in a tensor that the caller has checked. */
  linearAt(module: string, tensor: string, firstRow: number, input: string, output: string): LinearStep {
    return this.#linear(module, { tensor, firstRow, isTransposed: false }, null, input, output);
  }

  /** activation(gate) · up over whole registers; without `up`, the activation alone. */
  gate(activation: Activation, gate: string, up: string | null, output: string): GateStep {
    return { kind: "gate", activation, gate: this.#columns(gate), up: up === null ? null : this.#columns(up), output };
  }

  add(target: string, source: string): AddStep {
    return { kind: "add", target, source };
  }

  /** All heads of a register, one after the other. */
  heads(register: string, count: number): Heads {
    const dim = this.width(register) / count;
    return { register, start: 0, stride: dim, count, dim };
  }

  /** The name of a stored tensor, checked. @throws LabError `config/tensor-missing`, `config/tensor-shape` */
  tensor(name: string, shape: readonly number[]): string {
    return storedTensor(this.#shapeOf, name, shape);
  }

  width(register: string): number {
    const width = this.registers.get(register);
    if (width === undefined) throw new RangeError(`no register ${register}`);
    return width;
  }

  #linear(module: string, weight: MatrixPlace, bias: string | null, input: string, output: string): LinearStep {
    const [outFeatures, inFeatures] = [this.width(output), this.width(input)];
    return { kind: "linear", module, weight, bias, input, output, outFeatures, inFeatures };
  }

  /** All columns of a register. */
  #columns(register: string): Columns {
    return { register, start: 0, width: this.width(register) };
  }
}
