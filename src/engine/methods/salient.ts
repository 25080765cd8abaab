import { quote } from "../../base/errors.ts";
import { SeededRandom } from "../../base/random.ts";
import { channelStatistics } from "../../kernels/stats/channel_statistics.ts";
import { parseRecipe, plainTwin } from "../../schemes/recipe.ts";
import { collectActivations } from "../activations.ts";
import { appliedOf, type Candidate } from "../candidate.ts";
import type { CheckpointPlan, PlannedMatrix } from "../checkpoint-plan.ts";
import { decoderOf } from "../decoder-of.ts";
import { withModels } from "../model-bench.ts";
import type { WorkHooks } from "../pace.ts";
import { KEEPING_KERNELS } from "../restore-tile.ts";
import type { ChannelChoice, SalientChannels, SalientRequest } from "../sweep-api.ts";
import { columnStatistics } from "./input-statistics.ts";
import { badSweep, finite, type Sweep, sweptDivergence } from "./sweep-point.ts";

export const SALIENT_CHANNELS = "keeping salient channels";

/** AWQ's share. */
const DEFAULT_SHARE = 0.01;

/** What channels are chosen by, in the order of the rows. */
const CHOICES = ["none", "activations", "weights", "random"] as const satisfies readonly ChannelChoice[];

/** The places of the kept columns of a matrix, by what chose them. */
type Chosen = Readonly<Record<Exclude<ChannelChoice, "none">, readonly number[]>>;

/**
 * Keeps a share of the input channels of every matrix as the original has them, chosen in three ways, and measures each beside the
 * recipe that keeps none. A method of the recipe is left out: its weights are no others' columns.
 * @throws LabError `run/bad-sweep`, and those of a measurement
 */
export async function salientChannels(sweep: Sweep<SalientRequest>): Promise<SalientChannels> {
  const { scheme, share = DEFAULT_SHARE, seed = 0, roundings } = sweep.request;
  if (!(share >= 0 && share <= 1)) {
    throw badSweep(SALIENT_CHANNELS, `the share ${share}`, "a number from 0 to 1", "take 0.01, as AWQ's authors did");
  }
  const name = parseRecipe(scheme).name;
  const recipe = parseRecipe(plainTwin(name) ?? name);
  const collecting = sweep.hooksAt("salient channels", 0, 2);
  return sweep.withPlan(recipe, sweep.calibration, collecting, async (plan) => {
    const chosen = await choose(sweep, plan, share, seed, collecting);
    const columns = [...chosen].flatMap(([{ cols }, { activations, weights }]) => {
      const both = new Set(weights);
      return [{ cols, kept: weights.length, common: activations.filter((column) => both.has(column)).length }];
    });
    const sum = (of: "cols" | "kept" | "common") => columns.reduce((total, own) => total + own[of], 0);
    const kept = sum("kept");
    const applied = appliedOf(roundings);
    const candidates = CHOICES.map((choice): Candidate => {
      if (choice === "none" || kept === 0) return { kind: "recipe", plan, applied };
      const masks = new Map([...chosen].map(([{ module, cols }, own]) => [module, maskOf(own[choice], cols)]));
      const own = { name: `${choice} ${share} ${seed}`, of: (module: string) => masks.get(module) ?? null };
      return { kind: "recipe", plan, applied: { ...applied, kept: own } };
    });
    const hooks = sweep.hooksAt("salient channels", 1, 2);
    const found = await sweep.divergences(candidates, sweep.calibration, hooks, KEEPING_KERNELS);
    const [none] = found;
    return {
      kind: "salient",
      ...{ share, seed, recipe: recipe.name },
      matrices: chosen.size,
      leftOut: plan.matrices.length - chosen.size,
      channels: { kept, all: sum("cols") },
      common: kept === 0 ? null : sum("common") / kept,
      rows: found.map((own, index) => {
        const { kld, interval } = sweptDivergence(recipe, own);
        const gain = index === 0 || !none ? null : none.difference(own, "kld");
        return { choice: CHOICES[index] ?? "none", kld, interval, gain: finite(gain?.value) === null ? null : gain };
      }),
      ...sweep.ground(name),
    };
  });
}

/** The columns to keep of each matrix whose inputs are known. */
async function choose(
  sweep: Sweep<SalientRequest>,
  plan: CheckpointPlan,
  share: number,
  seed: number,
  hooks: WorkHooks,
): Promise<ReadonlyMap<PlannedMatrix, Chosen>> {
  const { checkpoint, calibration, request, host } = sweep;
  const { file, kernels } = await collectActivations(checkpoint, calibration, host.devices, hooks);
  sweep.note(kernels);
  // The columns of a matrix that is turned around are no input channels.
  const turned = new Set(
    decoderOf(checkpoint)
      .layers.flat()
      .flatMap((step) => (step.kind === "linear" && step.weight.isTransposed ? [step.module] : [])),
  );
  const random = new SeededRandom(seed);
  const job = { checkpoint, candidates: [], arithmetic: request.arithmetic, calibration: [] };
  return withModels(job, host.devices, hooks, async ({ bench, reports }) => {
    const chosen = new Map<PlannedMatrix, Chosen>();
    for (const matrix of plan.matrices) {
      const { module, cols } = matrix;
      const inputs = file.modules.get(module);
      if (!inputs || inputs.meanAbs.length !== cols || turned.has(module)) continue;
      // A product that lies a hair above a whole number is that number.
      const count = Math.ceil(share * cols - 1e-9);
      // Of one matrix's columns the order of mean squares is that of their norms.
      const { meanSquare: weights } = await bench.attempt(`measuring the columns of ${quote(module)}`, () =>
        columnStatistics(bench, matrix),
      );
      chosen.set(matrix, {
        activations: largest(inputs.meanAbs, count),
        weights: largest(weights, count),
        random: drawn(random, cols, count),
      });
    }
    sweep.note(reports([channelStatistics]));
    return chosen;
  });
}

/** The places of the largest values, the first of equal ones. */
function largest(values: Float64Array, count: number): readonly number[] {
  return [...values.keys()].sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b).slice(0, count);
}

/** Any places, each once: the beginning of a shuffle by Fisher and Yates. */
function drawn(random: SeededRandom, length: number, count: number): readonly number[] {
  const places = Array.from({ length }, (_, place) => place);
  for (let at = 0; at < count; at++) {
    const other = at + Math.floor(random.nextUniform() * (length - at));
    [places[at], places[other]] = [places[other] ?? 0, places[at] ?? 0];
  }
  return places.slice(0, count);
}

function maskOf(columns: readonly number[], cols: number): Float32Array<ArrayBuffer> {
  const mask = new Float32Array(cols);
  for (const column of columns) mask[column] = 1;
  return mask;
}
