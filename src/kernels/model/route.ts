import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { rowStep } from "./pieces.ts";
import { type RouteShape, type RouteSource, routeOracle } from "./route.oracle.ts";

/**
 * Weights of experts: `logits` float32 [rows, experts] → `weights` float32 [rows, experts], the softmax of each row of which
 * all but the `topK` largest become 0, ties in favour of lower numbers; with `isNormalized` the others are divided by their
 * sum (arXiv:2401.04088, section 2.1).
 */
export const route: Kernel<RouteSource, RouteShape> = {
  name: "model/route",
  wgsl: shaderSource("model/route"),
  bindings: [
    { name: "logits", access: "read" },
    { name: "weights", access: "write" },
  ],
  isExact: false,
  constants: ({ isNormalized }) => ({ NORMALIZED: isNormalized ? 1 : 0 }),
  uniforms: ({ rows, experts, topK }) => [rows, experts, topK],
  invocations: (_source, { rows }) => rows,
  // Each expert is compared with each.
  wasm: (_source, { rows, experts }) => [rowStep("route", rows, experts * experts)],
  oracle: routeOracle,
};
