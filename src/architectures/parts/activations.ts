import type { Activation } from "../graph.ts";
import { unsupportedFeature } from "./config-errors.ts";

/**
 * Activations by the names of transformers' `activations.py`. `gelu_new`, `gelu_fast` and `gelu_accurate` write down the
 * approximation by tanh in other words.
 */
const ACTIVATIONS: ReadonlyMap<string, Activation> = new Map([
  ["silu", "silu"],
  ["swish", "silu"],
  ["gelu", "gelu"],
  ["gelu_python", "gelu"],
  ["gelu_new", "gelu-tanh"],
  ["gelu_fast", "gelu-tanh"],
  ["gelu_accurate", "gelu-tanh"],
  ["gelu_pytorch_tanh", "gelu-tanh"],
  ["gelu_python_tanh", "gelu-tanh"],
  ["relu", "relu"],
]);

/** @throws LabError `config/unsupported-feature` */
export function activationOf(name: string): Activation {
  const activation = ACTIVATIONS.get(name);
  if (!activation) throw unsupportedFeature(`the activation "${name}"`, [...ACTIVATIONS.keys()].join(", "));
  return activation;
}
