import type { DecoderGraph } from "../architectures/graph.ts";
import { asLabError, LabError } from "../base/errors.ts";
import type { Device } from "../device/device.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { scatterRows } from "../kernels/model/scatter_rows.ts";
import { medianInterval } from "../metrics/median-interval.ts";
import type { TokenScores } from "../metrics/token-scores.ts";
import { decodeGreedily, decodingCapacity } from "../models/decoding.ts";
import { cacheBytes } from "../models/key-value-cache.ts";
import { appliedOf, type Candidate } from "./candidate.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import { decoderOf } from "./decoder-of.ts";
import { type DeviceSet, kernelReport } from "./device-set.ts";
import type { GenerationRequest, GenerationResult, GenerationRow } from "./diagnosis-api.ts";
import { endTokensOf } from "./generation-ends.ts";
import { measureDivergence, NOTHING_KNOWN } from "./measure-divergence.ts";
import { withModels } from "./model-bench.ts";
import { modelKernels } from "./model-kernels.ts";
import { ModelParameters, ORIGINAL_SOURCE } from "./model-parameters.ts";
import type { WorkHooks } from "./pace.ts";
import { passBytesOf, passEnd } from "./passes.ts";
import type { KernelReport } from "./result.ts";

const DOING = "preparing to generate";

/** Tokens that a prompt goes on by: each is a pass over all weights. */
export const MOST_TOKENS = 512;

/** Memory for the keys and values of the prompts that are decoded side by side, in bytes. */
const CACHE_BYTES = 2 ** 29;

/** What is generated with. */
export interface GenerationWork {
  readonly checkpoint: Checkpoint;
  /** Of the request's schemes. */
  readonly plans: readonly CheckpointPlan[];
  readonly request: GenerationRequest;
}

/** A prompt and what the original makes of it. */
interface Continuation {
  readonly prompt: readonly number[];
  readonly made: readonly number[];
}

/**
 * How long each variant says the same as the original when both always take the most likely token. The original goes on from
 * each prompt, the first half of a window, token by token. Then all variants read prompts and continuations in one pass: the
 * first place where a variant's most likely token is another than the original's next one is where its own text would part
 * from the original's. That is exact, since up to there it would have written the same and read the same.
 *
 * Decoding adds numbers up in another order than a pass over the whole text does. Where two tokens are as good as equally
 * likely to the original, so that its own pass takes the other one, either counts as the same.
 * @throws LabError `run/too-many-tokens`, `run/cache-too-large`, `run/not-finite`, `text/too-short`, `config/…`,
 *   `run/cancelled`, `run/no-calibration`, `device/…`, `source/…`
 */
export async function generate(
  { checkpoint, plans, request }: GenerationWork,
  devices: DeviceSet,
  hooks: WorkHooks,
): Promise<GenerationResult> {
  const graph = decoderOf(checkpoint);
  const prompts = promptsOf(request);
  const promptTokens = Math.max(...prompts.map(({ length }) => length));
  checkTokens(request.tokens, promptTokens, graph);
  const ends = await endTokensOf(checkpoint);
  const kernels = new Map<string, KernelReport>();
  const note = (reports: readonly KernelReport[]) => {
    for (const report of reports) kernels.set(JSON.stringify(report), report);
  };
  const made = await continueAll(checkpoint, prompts, request.tokens, ends, devices, hooks, note);
  const texts = prompts.map((prompt, index): Continuation => ({ prompt, made: made[index] ?? [] }));
  const applied = appliedOf(request.roundings);
  const candidates = plans.map((plan): Candidate => ({ kind: "recipe", plan, applied }));
  const job = {
    ...{ checkpoint, candidates, arithmetic: request.arithmetic },
    windows: texts.map((text) => [...text.prompt, ...text.made]),
    // The position before a token foretells it.
    scored: texts.map((text) => {
      const start = text.prompt.length - 1;
      return { start, end: start + text.made.length };
    }),
    calibration: request.calibration?.windows ?? [],
  };
  const rows: GenerationRow[] = [];
  if (candidates.length > 0) {
    const { scores, used } = await measureDivergence(job, devices, hooks, NOTHING_KNOWN, () => {});
    note(used.flatMap((pick) => modelKernels(graph, candidates).map((kernel) => kernelReport(pick, kernel))));
    for (const [index, plan] of plans.entries()) rows.push(rowOf(plan.recipe.name, texts, scores[index] ?? []));
  }
  const { tokens } = request;
  return {
    ...{ kind: "generation", prompts: prompts.length, promptTokens, tokens, rows },
    kernels: [...kernels.values()],
  };
}

function rowOf(scheme: string, texts: readonly Continuation[], scores: readonly TokenScores[]): GenerationRow {
  const firstDifference = texts.map(({ made }, index) => {
    const own = scores[index];
    return own ? firstDifferenceOf(made, own) : null;
  });
  const same = firstDifference.filter((place) => place === null).length;
  return { scheme, firstDifference, same, ...medianInterval(firstDifference) };
}

/**
 * Tokens that a variant says alike before it differs; null: all.
 * @param made what the original said
 * @param scores of the positions before them
 */
export function firstDifferenceOf(made: readonly number[], scores: TokenScores): number | null {
  const place = made.findIndex((token, at) => {
    const top = scores.top[at];
    return Number.isNaN(scores.kld[at]) || (top !== token && top !== scores.topBase[at]);
  });
  return place === -1 ? null : place;
}

/** What the original goes on by from each prompt: as many side by side as memory allows. */
async function continueAll(
  checkpoint: Checkpoint,
  prompts: readonly (readonly number[])[],
  tokens: number,
  ends: ReadonlySet<number>,
  devices: DeviceSet,
  hooks: WorkHooks,
  note: (reports: readonly KernelReport[]) => void,
): Promise<readonly (readonly number[])[]> {
  const original = { checkpoint, candidates: [], arithmetic: "eager", calibration: [] } as const;
  return withModels(original, devices, hooks, async ({ bench, graph, reports }) => {
    const made: (readonly number[])[] = [];
    let mostPrompts = Number.POSITIVE_INFINITY;
    while (made.length < prompts.length) {
      const found = await bench.attempt("generating", async () => {
        const { device } = bench;
        const first = made.length;
        const own = prompts.slice(first, groupEnd(graph, device, prompts, first, tokens, mostPrompts));
        const parametersOf = (pass: number) =>
          new ModelParameters(bench, checkpoint, [ORIGINAL_SOURCE], passProgressOf(pass, own));
        try {
          return await decodeGreedily({ device, graph, prompts: own, tokens, ends, parametersOf });
        } catch (thrown) {
          const error = asLabError(thrown, "generating");
          if (error.code === "device/out-of-memory") mostPrompts = Math.max(1, Math.floor(own.length / 2));
          throw error;
        }
      });
      made.push(...found);
    }
    note(reports([scatterRows]));
    return made;

    function passProgressOf(pass: number, own: readonly (readonly number[])[]) {
      const passBytes = passBytesOf(graph, checkpoint, own);
      // Every prompt counts as if it went on alone: what takes time is the products.
      const doneBytes = (made.length * tokens + own.length * pass) * passBytes;
      return (bytes: number) =>
        hooks.onProgress?.({
          phase: "generating",
          doneBytes: doneBytes + own.length * bytes,
          totalBytes: prompts.length * tokens * passBytes,
          item: `token ${pass + 1}`,
          doneItems: made.length,
          totalItems: prompts.length,
        });
    }
  });
}

/**
 * Before which prompt a group ends that begins at `first`: memory for registers and for the cache bound it.
 * @throws LabError `run/cache-too-large` where one prompt is too much
 */
export function groupEnd(
  graph: DecoderGraph,
  device: Pick<Device, "maxBufferBytes">,
  prompts: readonly (readonly number[])[],
  first: number,
  tokens: number,
  mostPrompts: number,
): number {
  const { all, largest } = cacheBytes(graph);
  const end = passEnd(graph, prompts, first, 1, mostPrompts);
  let longest = 0;
  for (let next = first; next < end; next++) {
    longest = Math.max(longest, prompts[next]?.length ?? 0);
    const rows = (next + 1 - first) * decodingCapacity(longest, tokens);
    const fits = rows * all <= CACHE_BYTES && rows * largest <= device.maxBufferBytes;
    if (!fits && next === first) throw cacheTooLarge(rows * all, Math.min(CACHE_BYTES, device.maxBufferBytes));
    if (!fits) return next;
  }
  return end;
}

/** The first half of each window. */
function promptsOf({ text }: GenerationRequest): readonly (readonly number[])[] {
  const prompts = text.windows.map((window) => window.slice(0, Math.floor(window.length / 2)));
  if (prompts.length > 0 && prompts.every(({ length }) => length > 0)) return prompts;
  throw new LabError({
    code: "text/too-short",
    doing: DOING,
    found: prompts.length === 0 ? "no window" : "a window of fewer than two tokens",
    allowed: "windows of two tokens or more: the first half of each is a prompt",
    advice: "give a longer text",
  });
}

function checkTokens(tokens: number, promptTokens: number, { maxPositions }: DecoderGraph): void {
  const room = (maxPositions ?? Number.POSITIVE_INFINITY) - promptTokens;
  const most = Math.min(MOST_TOKENS, room);
  if (Number.isInteger(tokens) && tokens >= 1 && tokens <= most) return;
  const places =
    room < MOST_TOKENS ? `, since a prompt has ${promptTokens} of the model's ${maxPositions} positions` : "";
  throw new LabError({
    code: "run/too-many-tokens",
    doing: DOING,
    found: `${tokens} tokens to generate`,
    allowed: most < 1 ? `none${places}` : `a whole number from 1 to ${most}${places}`,
    advice: room < MOST_TOKENS ? "ask for fewer tokens, or cut the text into shorter windows" : "ask for fewer tokens",
    fields: { tokens, promptTokens, maxPositions },
  });
}

function cacheTooLarge(bytes: number, most: number): LabError {
  return new LabError({
    code: "run/cache-too-large",
    doing: DOING,
    found: `${bytes} bytes of keys and values for one prompt`,
    allowed: `at most ${most}`,
    advice: "ask for fewer tokens, or cut the text into shorter windows",
    fields: { bytes },
  });
}
