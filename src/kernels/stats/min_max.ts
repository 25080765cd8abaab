import type { FloatName } from "../../base/float-format.ts";
import { type Kernel, WORKGROUP_SIZE } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { minMaxOracle } from "./min_max.oracle.ts";

/** Groups of `groupSize` weights one after the other; the last may be shorter. */
export interface MinMaxShape {
  readonly elements: number;
  readonly groupSize: number;
}

interface MinMaxSource {
  readonly element: FloatName;
}

/** Groups of a workgroup of the form `subgroup`. */
const GROUPS_PER_WORKGROUP = 24;

/**
 * Smallest and largest weight of each group and zero: two words per group, float32 bits without sign, first the largest
 * magnitude among positive weights, then among negative ones. A NaN of either sign counts as larger than infinity.
 */
export const minMax: Kernel<MinMaxSource, MinMaxShape> = {
  name: "stats/min_max",
  wgsl: shaderSource("stats/min_max"),
  variants: [
    {
      name: "workgroup",
      wgsl: shaderSource("stats/min_max.workgroup"),
      features: [],
      takes: () => true,
      workgroups: (source, shape) => Math.ceil((groupsOf(shape) * teamSize(source, shape)) / WORKGROUP_SIZE),
    },
    {
      name: "subgroup",
      wgsl: shaderSource("stats/min_max.subgroup"),
      features: ["subgroups"],
      takes: () => true,
      workgroups: (_source, shape) => Math.ceil(groupsOf(shape) / GROUPS_PER_WORKGROUP),
    },
  ],
  bindings: [
    { name: "weights", access: "read" },
    { name: "extremes", access: "write" },
  ],
  isExact: true,
  constants: ({ element }) => ({ ELEMENT: ELEMENT_CODES[element] }),
  uniforms: ({ elements, groupSize }) => [elements, groupSize],
  invocations: (_source, shape) => groupsOf(shape),
  wasm: (_source, shape) => [{ name: "min_max", pieces: groupsOf(shape) }],
  oracle: minMaxOracle,
};

function groupsOf({ elements, groupSize }: MinMaxShape): number {
  return Math.ceil(elements / groupSize);
}

/** Invocations that share a group in the form `workgroup`; its shader counts the same. */
function teamSize({ element }: MinMaxSource, { groupSize }: MinMaxShape): number {
  const vectors = Math.ceil(groupSize / (element === "f32" ? 4 : 8));
  return Math.min(2 ** Math.ceil(Math.log2(vectors)), WORKGROUP_SIZE);
}
