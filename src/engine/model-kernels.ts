import type { DecoderGraph } from "../architectures/graph.ts";
import type { AnyKernel } from "../device/kernel.ts";
import { extremes } from "../kernels/activations/extremes.ts";
import { joinRows } from "../kernels/activations/join_rows.ts";
import { round } from "../kernels/activations/round.ts";
import { roundInPlace } from "../kernels/activations/round_in_place.ts";
import { servedScales } from "../kernels/activations/served_scales.ts";
import { linear } from "../kernels/linear/linear.ts";
import { accumulate } from "../kernels/model/accumulate.ts";
import { add } from "../kernels/model/add.ts";
import { addRow } from "../kernels/model/add_row.ts";
import { attention } from "../kernels/model/attention.ts";
import { attentionRounded } from "../kernels/model/attention_rounded.ts";
import { divergence } from "../kernels/model/divergence.ts";
import { embed } from "../kernels/model/embed.ts";
import { gate } from "../kernels/model/gate.ts";
import { norm } from "../kernels/model/norm.ts";
import { rotate } from "../kernels/model/rotate.ts";
import { roundTo } from "../kernels/model/round_to.ts";
import { route } from "../kernels/model/route.ts";
import { softCap } from "../kernels/model/soft_cap.ts";
import { widen } from "../kernels/model/widen.ts";
import { intQparams } from "../kernels/quant/int_qparams.ts";
import { needsRanges } from "./calibration.ts";
import type { Candidate } from "./candidate.ts";
import { activationsOf, hasServedRule } from "./candidate.ts";
import { methodKernels } from "./methods/method-kernels.ts";
import { restoringKernels } from "./restore-tile.ts";

const STEP_KERNELS = { norm, linear, rotate, attend: attention, gate, add, route, accumulate } as const;

/** The kernels that a measurement takes, for its report. */
export function modelKernels(graph: DecoderGraph, candidates: readonly Candidate[]): readonly AnyKernel[] {
  const all = graph.layers.flat();
  const steps = new Set(all.map(({ kind }) => kind));
  const hasBias = all.some((step) => step.kind === "linear" && step.bias !== null);
  const recipes = candidates.flatMap((candidate) => (candidate.kind === "recipe" ? [candidate] : []));
  const restoring = recipes.flatMap(({ plan, applied }) =>
    applied.weights ? plan.matrices.flatMap((matrix) => restoringKernels(plan, matrix)) : [],
  );
  const kernels: readonly unknown[] = [
    embed,
    widen,
    ...[...steps].map((kind) => STEP_KERNELS[kind]),
    ...(hasBias ? [addRow] : []),
    ...(graph.head.softCap === null ? [] : [softCap]),
    // Calibration runs the original in its own dtype.
    ...(candidates.some((own) => own.kind === "rounded" || needsRanges(own)) ? [roundTo, attentionRounded] : []),
    divergence,
    ...recipes.flatMap(({ plan }) => (plan.method ? methodKernels(plan.recipe) : [])),
    ...restoring,
    ...recipes.flatMap(roundingKernels),
  ];
  return [...new Set(kernels)] as readonly AnyKernel[];
}

/** What rounding activations, keys and values takes. */
function roundingKernels(candidate: Extract<Candidate, { readonly kind: "recipe" }>): readonly unknown[] {
  const { plan, applied } = candidate;
  const kernels: unknown[] = [];
  for (const { module } of plan.matrices) {
    const scheme = activationsOf(candidate, module);
    if (!scheme) continue;
    const isServed = applied.rule === "served" && hasServedRule(scheme);
    kernels.push(extremes, round, isServed ? servedScales : intQparams);
    if (scheme.dynamic && scheme.granularity.strategy === "tensor") kernels.push(joinRows);
  }
  if (applied.kvCache)
    kernels.push(extremes, roundInPlace, applied.kvCache.rule === "vllm" ? servedScales : intQparams);
  return kernels;
}
