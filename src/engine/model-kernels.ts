import type { DecoderGraph } from "../architectures/graph.ts";
import type { AnyKernel } from "../device/kernel.ts";
import { linear } from "../kernels/linear/linear.ts";
import { accumulate } from "../kernels/model/accumulate.ts";
import { add } from "../kernels/model/add.ts";
import { addRow } from "../kernels/model/add_row.ts";
import { attention } from "../kernels/model/attention.ts";
import { divergence } from "../kernels/model/divergence.ts";
import { embed } from "../kernels/model/embed.ts";
import { gate } from "../kernels/model/gate.ts";
import { norm } from "../kernels/model/norm.ts";
import { rotate } from "../kernels/model/rotate.ts";
import { roundTo } from "../kernels/model/round_to.ts";
import { route } from "../kernels/model/route.ts";
import { softCap } from "../kernels/model/soft_cap.ts";
import { widen } from "../kernels/model/widen.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import { restoringKernels } from "./restore-tile.ts";

const STEP_KERNELS = { norm, linear, rotate, attend: attention, gate, add, route, accumulate } as const;

/** The kernels that a measurement takes, for its report. */
export function modelKernels(graph: DecoderGraph, plans: readonly CheckpointPlan[]): readonly AnyKernel[] {
  const all = graph.layers.flat();
  const steps = new Set(all.map(({ kind }) => kind));
  const hasBias = all.some((step) => step.kind === "linear" && step.bias !== null);
  const restoring = plans.flatMap((plan) => plan.matrices.flatMap((matrix) => restoringKernels(plan, matrix)));
  const kernels: readonly unknown[] = [
    embed,
    widen,
    ...[...steps].map((kind) => STEP_KERNELS[kind]),
    ...(hasBias ? [addRow] : []),
    ...(graph.head.softCap === null ? [] : [softCap]),
    roundTo,
    divergence,
    ...restoring,
  ];
  return [...new Set(kernels)] as readonly AnyKernel[];
}
