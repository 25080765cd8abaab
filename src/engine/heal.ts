import type { DecoderGraph } from "../architectures/graph.ts";
import { LabError, quote } from "../base/errors.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { joinScores, type PositionRange, type TokenScores } from "../metrics/token-scores.ts";
import { type Applied, appliedOf, type Candidate, type RestoredModules } from "./candidate.ts";
import { type CheckpointPlan, modulePlace } from "./checkpoint-plan.ts";
import { decoderOf } from "./decoder-of.ts";
import { type DeviceSet, kernelReport } from "./device-set.ts";
import type { HealedPart, HealRequest, HealResult, HealUnit } from "./diagnosis-api.ts";
import { measureDivergence, NOTHING_KNOWN } from "./measure-divergence.ts";
import { modelKernels } from "./model-kernels.ts";
import type { WorkHooks } from "./pace.ts";
import { mostModels } from "./passes.ts";
import type { KernelReport } from "./result.ts";
import type { PreparedText } from "./text-api.ts";
import { nextToken } from "./token-look.ts";
import { attentionsOf } from "./variants.ts";

/** Modules outside of the decoder layers. */
const OUTSIDE = "outside the layers";

/** What rounding keys and values is called among kinds of modules. */
const CACHE = "keys and values";

/** Modules that are put back together. */
interface Part {
  readonly name: string;
  readonly modules: readonly string[];
}

/**
 * Puts one part of the original back at a time and says what that does to the divergence.
 * @throws LabError `text/no-position`, `text/no-slice`, `config/…`, `run/…`, `device/…`, `source/…`
 */
export async function heal(
  checkpoint: Checkpoint,
  plan: CheckpointPlan,
  request: HealRequest,
  devices: DeviceSet,
  hooks: WorkHooks,
): Promise<HealResult> {
  const graph = decoderOf(checkpoint);
  const applied = appliedOf(request.roundings);
  const parts = partsOf(graph, plan, applied, request.unit);
  const restored = [
    null,
    { name: "everything", has: () => true },
    ...parts.map(({ name, modules }): RestoredModules => {
      const own = new Set(modules);
      return { name, has: (module) => own.has(module) };
    }),
  ];
  const candidates = restored.map(
    (modules): Candidate => ({
      kind: "recipe",
      plan,
      applied: { ...applied, restored: modules },
    }),
  );
  const positions = positionsOf(request);
  const found: (TokenScores | undefined)[] = [];
  const kernels = new Map<string, KernelReport>();
  const result = (outcome: HealResult["outcome"]): HealResult => {
    const [whole, healed, ...own] = candidates.map((_, index) => meanOf(found[index]));
    return {
      kind: "heal",
      scheme: plan.recipe.name,
      ...{ unit: request.unit, at: request.at, outcome },
      positions: found[0]?.kld.length ?? 0,
      kld: whole ?? null,
      healed: healed ?? null,
      parts: parts
        .flatMap((part, index) => (found[index + 2] ? [partOf(part, own[index] ?? null, whole ?? null)] : []))
        .sort((a, b) => (b.recovered ?? -Infinity) - (a.recovered ?? -Infinity)),
      kernels: [...kernels.values()],
    };
  };
  const together = mostModels(graph, positions.windows) - 1;
  for (let first = 0; first < candidates.length; first += together) {
    const own = candidates.slice(first, first + together);
    const job = {
      ...{ checkpoint, candidates: own, arithmetic: request.arithmetic, ...positions },
      calibration: request.calibration?.windows ?? [],
    };
    const onProgress: WorkHooks["onProgress"] = (progress) =>
      hooks.onProgress?.({ ...progress, phase: "putting parts back", doneItems: first, totalItems: candidates.length });
    const { scores, used } = await measureDivergence(job, devices, { ...hooks, onProgress }, NOTHING_KNOWN, () => {});
    for (const [index, windowScores] of scores.entries()) found[first + index] = joinScores(windowScores);
    for (const report of used.flatMap((pick) => modelKernels(graph, own).map((kernel) => kernelReport(pick, kernel)))) {
      kernels.set(JSON.stringify(report), report);
    }
    hooks.onHealed?.(result("partial"));
  }
  return result("done");
}

/** The windows to run, and the positions of each that count. */
function positionsOf({ at, text }: HealRequest): {
  readonly windows: readonly (readonly number[])[];
  readonly scored?: readonly PositionRange[];
} {
  if (at === null) return { windows: text.windows };
  if ("slice" in at) return { windows: windowsOfSlice(text, at.slice) };
  const next = nextToken(text.windows, at) ?? 0;
  // Nothing before a position sees what comes after it. At the end of a window any id stands for the unknown next one.
  const window = [...(text.windows[at.window]?.slice(0, at.position + 1) ?? []), next];
  return { windows: [window], scored: [{ start: at.position, end: at.position + 1 }] };
}

/** @throws LabError `text/no-slice` */
function windowsOfSlice({ slices, windows }: PreparedText, name: string): readonly (readonly number[])[] {
  const slice = slices.find((own) => own.name === name);
  if (slice) return slice.places.map((place) => windows[place] ?? []);
  throw new LabError({
    code: "text/no-slice",
    doing: "putting parts back",
    found: `no slice "${quote(name)}" of this text`,
    allowed: slices.map((own) => own.name).join(", "),
    advice: "choose one of these",
    fields: { slice: quote(name) },
  });
}

/** What the recipe changes, part by part. */
function partsOf(graph: DecoderGraph, plan: CheckpointPlan, applied: Applied, unit: HealUnit): readonly Part[] {
  const parts = new Map<string, string[]>();
  const add = (name: string, module: string) => parts.set(name, [...(parts.get(name) ?? []), module]);
  if (applied.weights || applied.activations) {
    for (const { module } of plan.matrices) {
      const { layer, moduleKind } = modulePlace(module);
      add(unit === "kind" ? moduleKind : (layer?.toString() ?? OUTSIDE), module);
    }
  }
  for (const module of applied.kvCache ? attentionsOf(graph) : []) {
    add(unit === "kind" ? CACHE : (modulePlace(module).layer?.toString() ?? OUTSIDE), module);
  }
  return [...parts].map(([name, modules]) => ({ name, modules }));
}

function partOf({ name, modules }: Part, kld: number | null, whole: number | null): HealedPart {
  const recovered = kld === null || whole === null || whole === 0 ? null : (whole - kld) / whole;
  return { name, modules, kld, recovered };
}

/** Mean KL divergence, in nats; null where a position is not finite, or none is known. */
function meanOf(scores: TokenScores | undefined): number | null {
  if (!scores || scores.kld.length === 0) return null;
  const mean = scores.kld.reduce((sum, kld) => sum + kld, 0) / scores.kld.length;
  return Number.isFinite(mean) ? mean : null;
}
