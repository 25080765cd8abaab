import { LabError, quote } from "../../base/errors.ts";
import { sha256OfText } from "../../base/sha256.ts";
import type { BlockBootstrap } from "../../metrics/block-bootstrap.ts";
import { needsMethodRun, parseRecipe, plainTwin, type Recipe } from "../../schemes/recipe.ts";
import { appliedOf, type Candidate } from "../candidate.ts";
import type { CheckpointPlan } from "../checkpoint-plan.ts";
import { measureDepth } from "../depth.ts";
import type { WorkHooks } from "../pace.ts";
import type { SampleCurve, SamplePoint, SampleRequest } from "../sweep-api.ts";
import type { PreparedText } from "../text-api.ts";
import type { MethodReport } from "./method-report.ts";
import { badSweep, finite, type Sweep, sweptDivergence } from "./sweep-point.ts";

export const SAMPLE_CURVE = "sweeping the number of calibration samples";

/** Samples of the first point, unless said; each further one takes twice as many. */
const FIRST_COUNT = 8;

/** Samples that LLM Compressor takes by default: recipes that gain by more are not known. */
const MOST_SAMPLES = 512;

const MOST_COUNTS = 12;

/**
 * Runs a recipe's method on ever more windows of the calibration text, and measures each on the held-out text.
 * @throws LabError `run/no-method`, `run/bad-sweep`, and those of `runMethod` and of a measurement
 */
export async function sampleCurve(sweep: Sweep<SampleRequest>): Promise<SampleCurve> {
  const recipe = parseRecipe(sweep.request.scheme);
  const twin = plainTwin(recipe.name);
  if (!needsMethodRun(recipe) || twin === null) throw noMethod(recipe);
  const counts = countsOf(sweep.request, sweep.calibration.windows.length);
  const total = counts.length + 1;
  const plainRecipe = parseRecipe(twin);
  const plainHooks = sweep.hooksAt("without samples", 0, total);
  const plain = await sweep.withPlan(plainRecipe, sweep.calibration, plainHooks, (plan) =>
    measured(sweep, plainRecipe, plan, sweep.calibration, plainHooks),
  );
  const points: MeasuredPoint[] = [];
  for (const [index, samples] of counts.entries()) {
    const hooks = sweep.hooksAt(`${samples} samples`, index + 1, total);
    const calibration = await firstWindows(sweep.calibration, samples);
    const point = await sweep.withPlan(recipe, calibration, hooks, async (plan) => {
      const { found, ...own } = await measured(sweep, recipe, plan, calibration, hooks);
      const tokens = calibration.windows.reduce((sum, { length }) => sum + length, 0);
      return { point: { samples, tokens, ...own.figures, ...methodFigures(plan.method) }, found };
    });
    points.push(point);
  }
  return {
    kind: "samples",
    plain: plain.figures,
    ...curveOf(points),
    ...sweep.ground(recipe.name),
  };
}

/** A number of samples with what its comparisons are made of. */
interface MeasuredPoint {
  readonly point: Omit<SamplePoint, "excess">;
  readonly found: BlockBootstrap;
}

/** In order, each once. @throws LabError `run/bad-sweep` */
function countsOf({ counts }: SampleRequest, windows: number): readonly number[] {
  const most = Math.min(windows, MOST_SAMPLES);
  const once = [...new Set(counts ?? doublings(most))].sort((a, b) => a - b);
  const isAllowed = (count: number) => Number.isInteger(count) && count >= 1 && count <= most;
  if (once.length > 0 && once.length <= MOST_COUNTS && once.every(isAllowed)) return once;
  throw badSweep(
    SAMPLE_CURVE,
    once.length > MOST_COUNTS ? `${once.length} numbers of samples` : quote(once.join(", ")) || "no number of samples",
    `1 to ${MOST_COUNTS} whole numbers from 1 to ${most}, of the ${windows} windows of the calibration text`,
    "name fewer samples, or give a longer calibration text",
  );
}

/** 8, 16, 32, … and the most. */
function doublings(most: number): readonly number[] {
  const counts: number[] = [];
  for (let count = FIRST_COUNT; count < most; count *= 2) counts.push(count);
  return [...counts, most];
}

/** The first windows of a text, with hashes of their own. */
async function firstWindows(text: PreparedText, count: number): Promise<PreparedText> {
  const windowHashes = text.windowHashes.slice(0, count);
  return {
    ...text,
    windows: text.windows.slice(0, count),
    windowHashes,
    hash: await sha256OfText(windowHashes.join("\n")),
    slices: text.slices.flatMap(({ name, places }) => {
      const own = places.filter((place) => place < count);
      return own.length === 0 ? [] : [{ name, places: own }];
    }),
  };
}

/** A recipe on the held-out text. */
async function measured(
  sweep: Sweep<SampleRequest>,
  recipe: Recipe,
  plan: CheckpointPlan,
  calibration: PreparedText,
  hooks: WorkHooks,
): Promise<{ readonly figures: SampleCurve["plain"]; readonly found: BlockBootstrap }> {
  const { checkpoint, request, host } = sweep;
  const candidate: Candidate = { kind: "recipe", plan, applied: appliedOf(request.roundings) };
  const [found] = await sweep.divergences([candidate], calibration, hooks);
  if (!found) throw new Error("one candidate has one divergence");
  const depth = await measureDepth(checkpoint, plan, { ...request, calibration }, host.devices, hooks);
  sweep.note(depth.kernels);
  const layers = depth.layers.map(({ fresh }) => fresh.relative);
  const outputError = finite(layers.reduce<number>((sum, own) => sum + (own ?? Number.NaN), 0) / layers.length);
  return { figures: { ...sweptDivergence(recipe, found), outputError, layers }, found };
}

function methodFigures(method: MethodReport | null): Pick<SamplePoint, "calibrationRatio" | "methodMs"> {
  const stages = method?.stages ?? [];
  return {
    calibrationRatio: stages.findLast(({ outputRatio }) => outputRatio !== null)?.outputRatio?.value ?? null,
    methodMs: stages.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0),
  };
}

/** The points beside that of the most samples, and the first that nothing tells from it. */
function curveOf(measured: readonly MeasuredPoint[]): Pick<SampleCurve, "points" | "enough"> {
  const most = measured.at(-1);
  const points = measured.map(({ point, found }) => {
    const excess = most && found !== most.found ? found.difference(most.found, "kld") : null;
    return { ...point, excess: finite(excess?.value) === null ? null : excess };
  });
  const enough = points.find(({ excess }) => excess?.interval && excess.interval.low <= 0);
  return { points, enough: enough?.samples ?? null };
}

function noMethod({ name }: Recipe): LabError {
  return new LabError({
    code: "run/no-method",
    doing: SAMPLE_CURVE,
    found: `${quote(name)}, whose weights depend on no calibration text`,
    allowed: "a recipe with a method other than rtn, or pruned by wanda or sparsegpt",
    advice: 'choose a method, such as "gptq | W4A16"',
    fields: { recipe: quote(name) },
  });
}
