import { LabError, quote } from "../../base/errors.ts";
import type { ShapeOf } from "../architecture.ts";

/**
 * The name of a tensor, once it is sure that the checkpoint has it.
 * @param shape that it must have, slowest dimension first
 * @throws LabError `config/tensor-missing`, `config/tensor-shape`, with the fields `tensor`, `expected` and `found`
 */
export function storedTensor(shapeOf: ShapeOf, name: string, shape: readonly number[]): string {
  const found = shapeOf(name);
  const expected = inWords(shape);
  const advice =
    "take the config.json and all files that belong to these weights; the weight-only comparison works without them";
  if (found === null) {
    throw new LabError({
      code: "config/tensor-missing",
      doing: "looking for the tensors that config.json asks for",
      found: `no tensor ${quote(name)}`,
      allowed: `${quote(name)} of shape ${expected}`,
      advice,
      fields: { tensor: quote(name), expected, found: null },
    });
  }
  if (found.length !== shape.length || found.some((size, at) => size !== shape[at])) {
    throw new LabError({
      code: "config/tensor-shape",
      doing: "comparing the tensors with config.json",
      found: `${quote(name)} of shape ${inWords(found)}`,
      allowed: expected,
      advice,
      fields: { tensor: quote(name), expected, found: inWords(found) },
    });
  }
  return name;
}

/**
 * What the names of a decoder's tensors start with: checkpoints of the model without its head lack the outer module's name.
 * @param prefixes in the order of preference, the usual one first
 * @param probes names after the prefix, of tensors that every checkpoint of the family has
 */
export function storedPrefix(shapeOf: ShapeOf, prefixes: readonly string[], probes: readonly string[]): string {
  const found = prefixes.find((prefix) => probes.some((probe) => shapeOf(prefix + probe) !== null));
  return found ?? prefixes[0] ?? "";
}

function inWords(shape: readonly number[]): string {
  return `[${shape.slice(0, 8).join(", ")}${shape.length > 8 ? ", …" : ""}]`;
}
