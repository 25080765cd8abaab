import { smoothingMappings } from "../../architectures/smoothing/mappings.ts";
import { quote } from "../../base/errors.ts";
import { residualError } from "../../kernels/model/residual_error.ts";
import { intError } from "../../kernels/quant/int_error.ts";
import type { BlockBootstrap } from "../../metrics/block-bootstrap.ts";
import { runModel } from "../../models/model-run.ts";
import { batchWindows } from "../../models/windows.ts";
import { parseMethod } from "../../schemes/method.ts";
import { parseRecipe, type Recipe, withMethod } from "../../schemes/recipe.ts";
import { appliedOf, type Candidate } from "../candidate.ts";
import { type CheckpointPlan, modulePlace } from "../checkpoint-plan.ts";
import { measureMatrix } from "../measure.ts";
import { type ReadyModels, withModels } from "../model-bench.ts";
import { ModelParameters } from "../model-parameters.ts";
import type { WorkHooks } from "../pace.ts";
import { passBytesOf, passEnd, passProgress } from "../passes.ts";
import type {
  RoundingErrors,
  StrengthLayer,
  StrengthMatrix,
  StrengthPoint,
  StrengthRequest,
  StrengthSweep,
} from "../sweep-api.ts";
import { RoundingErrorTap } from "./rounding-error-tap.ts";
import { badSweep, finite, type Sweep, sweptDivergence } from "./sweep-point.ts";

export const STRENGTH_SWEEP = "sweeping the strength of SmoothQuant";

const DEFAULT_STRENGTHS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** Each is a run over the calibration text and one over the other: more of them tell a smooth curve no better. */
const MOST_STRENGTHS = 21;

/** A point with what its comparisons are made of. */
interface MeasuredPoint {
  readonly point: StrengthPoint;
  readonly found: BlockBootstrap;
}

/**
 * Measures a recipe with SmoothQuant at each strength and without it, says which is best on the whole, and which in each layer by
 * the errors of its own rounding.
 * @throws LabError `run/bad-sweep`, `scheme/bad-method` for a strength, and those of `runMethod` and of a measurement
 */
export async function sweepStrength(sweep: Sweep<StrengthRequest>): Promise<StrengthSweep> {
  const recipe = parseRecipe(sweep.request.scheme);
  const strengths = strengthsOf(sweep.request);
  // All are read before the first is run.
  const recipes = strengths.map((strength) => withSmoothing(recipe, `strength=${strength}`));
  const total = strengths.length + 2;
  const plain = await pointOf(sweep, null, withoutSmoothing(recipe), sweep.hooksAt("without smoothing", 0, total));
  const measured: MeasuredPoint[] = [];
  for (const [index, strength] of strengths.entries()) {
    const hooks = sweep.hooksAt(`strength ${strength}`, index + 1, total);
    measured.push(await pointOf(sweep, strength, recipes[index] ?? recipe, hooks));
  }
  const points = measured.map(({ point }) => point);
  const layers = bestOfLayers(points);
  const own = perLayerRecipe(recipe, layers);
  return {
    kind: "strengths",
    plain: plain.point,
    points,
    best: bestOf(plain, measured),
    layers,
    perLayer: own && (await perLayerOf(sweep, own, points, sweep.hooksAt("a strength a layer", total - 1, total))),
    ...sweep.ground(recipe.name),
  };
}

/** @throws LabError `run/bad-sweep` */
function strengthsOf({ strengths = DEFAULT_STRENGTHS }: StrengthRequest): readonly number[] {
  const once = [...new Set(strengths)].sort((a, b) => a - b);
  if (once.length > 0 && once.length <= MOST_STRENGTHS) return once;
  throw badSweep(
    STRENGTH_SWEEP,
    `${once.length} strengths`,
    `1 to ${MOST_STRENGTHS}: each is a run of its own`,
    "name fewer, such as 0.3, 0.5, 0.7",
  );
}

const isSmoothing = (part: string) => part.startsWith("smoothquant");

/** The parts of a recipe's method as they are written; none for plain rounding. */
function methodParts({ method }: Recipe): readonly string[] {
  return method.transforms.length === 0 && method.rounding.kind === "rtn" ? [] : method.name.split("+");
}

/** The recipe with these options of SmoothQuant in place of its own, by its own rule; first of all where it has none. */
function withSmoothing(recipe: Recipe, options: string): Recipe {
  const parts = methodParts(recipe);
  const isPaper = recipe.method.transforms.some((own) => own.kind === "smoothquant" && own.rule === "paper");
  const part = `smoothquant:${options}${isPaper ? ":rule=paper" : ""}`;
  const changed = parts.some(isSmoothing) ? parts.map((own) => (isSmoothing(own) ? part : own)) : [part, ...parts];
  return parseRecipe(withMethod(recipe.name, parseMethod(changed.join("+"))));
}

function withoutSmoothing(recipe: Recipe): Recipe {
  const rest = methodParts(recipe).filter((part) => !isSmoothing(part));
  return parseRecipe(withMethod(recipe.name, rest.length === 0 ? null : parseMethod(rest.join("+"))));
}

function pointOf(
  sweep: Sweep<StrengthRequest>,
  strength: number | null,
  recipe: Recipe,
  hooks: WorkHooks,
): Promise<MeasuredPoint> {
  return sweep.withPlan(recipe, sweep.calibration, hooks, async (plan) => {
    const matrices = await errorsOf(sweep, plan, hooks);
    const found = await divergenceOf(sweep, plan, hooks);
    const figures = { ...sweptDivergence(recipe, found), ...meansOf(matrices.filter(({ isSmoothed }) => isSmoothed)) };
    const shown = matrices.map((own) => ({ ...own, ...meansOf([own]) }));
    return { point: { strength, ...figures, matrices: shown, layers: layersOf(matrices) }, found };
  });
}

async function divergenceOf(
  sweep: Sweep<StrengthRequest>,
  plan: CheckpointPlan,
  hooks: WorkHooks,
): Promise<BlockBootstrap> {
  const candidate: Candidate = { kind: "recipe", plan, applied: appliedOf(sweep.request.roundings) };
  const [found] = await sweep.divergences([candidate], sweep.calibration, hooks);
  if (!found) throw new Error("one candidate has one divergence");
  return found;
}

/** What rounding takes from each matrix of the decoder layers and from its input; null where it is not rounded, NaN where not finite. */
async function errorsOf(
  sweep: Sweep<StrengthRequest>,
  plan: CheckpointPlan,
  hooks: WorkHooks,
): Promise<readonly StrengthMatrix[]> {
  const { checkpoint, request, calibration, host } = sweep;
  const { arithmetic, roundings } = request;
  const applied = appliedOf(roundings);
  const restored = { name: "everything", has: () => true };
  const candidates: readonly Candidate[] = [
    { kind: "recipe", plan, applied },
    // The smoothed model: nothing of it is rounded.
    { kind: "recipe", plan, applied: { ...applied, activations: false, kvCache: null, restored } },
  ];
  const job = { checkpoint, candidates, arithmetic, calibration: calibration.windows };
  return withModels(job, host.devices, hooks, async (models) => {
    const weights = roundings.weights ? await weightErrors(models, plan, request, hooks) : new Map<string, number>();
    const activations = await activationErrors(sweep, models, plan, hooks);
    sweep.note(models.reports([intError, residualError]));
    const { mappings } = smoothingMappings(models.graph, "smoothquant");
    const smoothed = new Set(mappings.flatMap(({ balance }) => balance.map(({ module }) => module)));
    return plan.matrices.flatMap(({ module }): readonly StrengthMatrix[] => {
      const { layer } = modulePlace(module);
      if (layer === null) return [];
      const own = { weights: weights.get(module) ?? null, activations: activations.get(module) ?? null };
      return [{ module: quote(module), layer, isSmoothed: smoothed.has(module), ...own }];
    });
  });
}

/** Σ(W − Q(W))² / ΣW² by module; NaN where it is not finite. */
async function weightErrors(
  { bench }: ReadyModels,
  plan: CheckpointPlan,
  { arithmetic }: StrengthRequest,
  hooks: WorkHooks,
): Promise<ReadonlyMap<string, number>> {
  const totalBytes = plan.matrices.reduce((sum, { tensor }) => sum + tensor.end - tensor.start, 0);
  const errors = new Map<string, number>();
  let before = 0;
  for (const matrix of plan.matrices) {
    const progress = (bytes: number) =>
      hooks.onProgress?.({
        phase: "rounding weights",
        doneBytes: before + bytes,
        totalBytes,
        item: quote(matrix.module),
        doneItems: 0,
        totalItems: 1,
      });
    const found = await measureMatrix(bench, new Map([[plan, matrix]]), arithmetic, progress);
    errors.set(matrix.module, found.get(plan)?.total.figures().relativeMse ?? Number.NaN);
    before += matrix.tensor.end - matrix.tensor.start;
  }
  return errors;
}

/** Σ(x − Q(x))² / Σx² by module, x of the smoothed model; NaN where it is not finite. Modules whose input stays are left out. */
async function activationErrors(
  { checkpoint, request }: Sweep<StrengthRequest>,
  { bench, graph, variants: [measured, smoothed] }: ReadyModels,
  plan: CheckpointPlan,
  hooks: WorkHooks,
): Promise<ReadonlyMap<string, number>> {
  const rounding = measured?.variant.rounding;
  if (!smoothed || !rounding || !plan.matrices.some(({ module }) => rounding.input(module))) return new Map();
  const { windows } = request.text;
  const passBytes = passBytesOf(graph, checkpoint, windows);
  const sums = new Map<string, readonly [number, number]>();
  for (let first = 0; first < windows.length; ) {
    const end = passEnd(graph, windows, first, 1);
    const batch = batchWindows(windows.slice(first, end));
    const found = await bench.attempt("looking at what activations lose", async () => {
      const { device } = bench;
      const tap = new RoundingErrorTap(device, rounding, batch);
      const progress = passProgress(hooks, "rounding activations", passBytes, windows.length, first, end);
      const parameters = new ModelParameters(bench, checkpoint, [smoothed.source], progress);
      try {
        await runModel({ device, graph, parameters, variants: [{ roundsTo: null, tap }], batch, sink: null });
      } finally {
        parameters.destroy();
      }
      return tap.sums;
    });
    for (const [module, [errors, squares]] of found) {
      const [knownErrors, knownSquares] = sums.get(module) ?? [0, 0];
      sums.set(module, [knownErrors + errors, knownSquares + squares]);
    }
    first = end;
  }
  return new Map([...sums].map(([module, [errors, squares]]) => [module, errors === 0 ? 0 : errors / squares]));
}

/** Means over the smoothed matrices of each layer that has any. */
function layersOf(matrices: readonly StrengthMatrix[]): readonly StrengthLayer[] {
  const smoothed = matrices.filter(({ isSmoothed }) => isSmoothed);
  const numbers = [...new Set(smoothed.map(({ layer }) => layer))].sort((a, b) => a - b);
  return numbers.map((layer) => {
    const own = smoothed.filter((matrix) => matrix.layer === layer);
    const [weights, activations] = [meanOf(own, "weights"), meanOf(own, "activations")];
    const isRounded = weights !== null || activations !== null;
    const sum = isRounded ? finite((weights ?? 0) + (activations ?? 0)) : null;
    return { layer, ...meansOf(own), sum };
  });
}

function meansOf(matrices: readonly RoundingErrors[]): RoundingErrors {
  return { weights: finite(meanOf(matrices, "weights")), activations: finite(meanOf(matrices, "activations")) };
}

/** The mean of one kind of error over the matrices that have it; null where none has. */
function meanOf(matrices: readonly RoundingErrors[], which: keyof RoundingErrors): number | null {
  const values = matrices.flatMap((matrix) => matrix[which] ?? []);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The strength of the least divergence, those that tie with it, and what it buys. */
function bestOf(plain: MeasuredPoint, measured: readonly MeasuredPoint[]): StrengthSweep["best"] {
  const ranked = measured
    .filter(({ point }) => point.kld !== null)
    .sort((a, b) => (a.point.kld ?? 0) - (b.point.kld ?? 0));
  const [best] = ranked;
  if (!best || plain.point.kld === null) return null;
  const isTied = ({ found }: MeasuredPoint) => {
    const { interval } = found.difference(best.found, "kld");
    return interval === null || interval.low <= 0;
  };
  const { value, interval } = plain.found.difference(best.found, "kld");
  const isClear = interval !== null && interval.low * interval.high > 0;
  return {
    strength: best.point.strength ?? 0,
    ties: measured
      .filter((own) => own !== best && own.point.kld !== null && isTied(own))
      .map(({ point }) => point.strength ?? 0),
    gain: value,
    interval,
    verdict: !isClear ? "open" : value > 0 ? "wins" : "loses",
  };
}

/** Of each layer the strength with the least sum of errors, the lowest of equal ones. */
function bestOfLayers(points: readonly StrengthPoint[]): StrengthSweep["layers"] {
  const layers = points[0]?.layers.map(({ layer }) => layer) ?? [];
  return layers.map((layer) => {
    let best: { readonly strength: number | null; readonly sum: number } = {
      strength: null,
      sum: Number.POSITIVE_INFINITY,
    };
    for (const point of points) {
      const sum = point.layers.find((own) => own.layer === layer)?.sum ?? null;
      if (sum !== null && sum < best.sum) best = { strength: point.strength, sum };
    }
    return { layer, strength: best.strength };
  });
}

/** The recipe in which each layer has its own strength, the most frequent one for the rest. */
function perLayerRecipe(recipe: Recipe, layers: StrengthSweep["layers"]): Recipe | null {
  const known = layers.flatMap(({ layer, strength }) => (strength === null ? [] : [{ layer, strength }]));
  if (known.length === 0) return null;
  const counts = new Map<number, number>();
  for (const { strength } of known) counts.set(strength, (counts.get(strength) ?? 0) + 1);
  const [[rest] = [0]] = [...counts].sort(([a, often], [b, other]) => other - often || a - b);
  const spans = known.map(({ layer, strength }) => `${layer}/${strength}`);
  return withSmoothing(recipe, `strength=${rest}:layers=${spans.join(",")}`);
}

/** The recipe with a strength a layer, measured unless it is one of the points. */
async function perLayerOf(
  sweep: Sweep<StrengthRequest>,
  recipe: Recipe,
  points: readonly StrengthPoint[],
  hooks: WorkHooks,
): Promise<StrengthSweep["perLayer"]> {
  const known = points.find((point) => point.recipe === recipe.name);
  if (known) return { recipe: known.recipe, kld: known.kld, interval: known.interval };
  return sweep.withPlan(recipe, sweep.calibration, hooks, async (plan) =>
    sweptDivergence(recipe, await divergenceOf(sweep, plan, hooks)),
  );
}
