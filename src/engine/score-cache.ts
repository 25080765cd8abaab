import { sha256, sha256OfText } from "../base/sha256.ts";
import type { Device } from "../device/device.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { emptyScores, TOKEN_COLUMNS, type TokenScores } from "../metrics/token-scores.ts";
import { needsRanges } from "./calibration.ts";
import { appliedKey, type Candidate } from "./candidate.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { MeasureJob, WindowScores } from "./measure-divergence.ts";
import type { Store } from "./store.ts";

/** Raised when what is measured changes otherwise than by its kernels. */
const VERSION = 2;

/** What names of its entries begin with. */
export const SCORES_PREFIX = "scores-";

/** Hexadecimal digits of a hash in a name: 128 bits. */
const HASH_LENGTH = 32;

/** One window in an entry's head. */
interface StoredWindow {
  readonly hash: string;
  readonly positions: number;
  readonly notFinite: number;
}

/**
 * Remembers what was measured, window by window, by the contents of the weights and of the text: a stopped measurement goes on where
 * it was, and one with more windows measures only those. An entry that cannot be read is measured again.
 */
export class ScoreCache {
  readonly #store: Store;
  readonly #job: MeasureJob;
  readonly #candidates: readonly Candidate[];
  readonly #programs: readonly Promise<string>[];
  readonly #signal: AbortSignal | undefined;

  /** @param programs of each candidate the texts of all kernels: what another program found is not taken for this one's */
  constructor(
    store: Store,
    job: MeasureJob,
    candidates: readonly Candidate[],
    programs: readonly Uint8Array<ArrayBuffer>[],
    signal: AbortSignal | undefined,
  ) {
    this.#programs = programs.map((own) => sha256(own));
    this.#store = store;
    this.#job = job;
    this.#candidates = candidates;
    this.#signal = signal;
  }

  /** Scores of the first windows of a candidate that were measured on a device before. */
  async known(candidate: number, device: Device): Promise<WindowScores> {
    const entry = await this.#store.get(await this.#keyOf(candidate, device));
    const stored = entry === null ? [] : decode(entry);
    const hashes = this.#job.request.text.windowHashes;
    const differs = stored.findIndex(({ hash }, index) => hash !== hashes[index]);
    return (differs < 0 ? stored : stored.slice(0, differs)).map(({ scores }) => scores);
  }

  async keep(candidate: number, device: Device, scores: WindowScores): Promise<void> {
    await this.#store.put(await this.#keyOf(candidate, device), encode(scores, this.#job.request.text.windowHashes));
  }

  /** Readable for who lists entries, and as different as what it stands for. */
  async #keyOf(index: number, { kind, adapter }: Device): Promise<string> {
    const { checkpoint, request } = this.#job;
    const candidate = this.#candidates[index];
    const fingerprint = (of: Checkpoint) => fingerprintOf(of, this.#signal);
    const [firstWindow = ""] = request.text.windowHashes;
    const programs = (await this.#programs[index]) ?? "";
    const parts = [`${VERSION}`, programs, kind, adapter, await fingerprint(checkpoint), firstWindow];
    let name = "bf16";
    if (candidate?.kind === "recipe") {
      name = candidate.plan.recipe.name;
      parts.push(name, request.arithmetic, ...request.ignore, appliedKey(candidate.applied));
      if (needsRanges(candidate) || candidate.plan.method) parts.push(request.calibration?.hash ?? "");
    } else if (candidate?.kind === "checkpoint") {
      name = candidate.checkpoint.name;
      parts.push(await fingerprint(candidate.checkpoint));
    }
    const hash = (await sha256OfText(parts.join("\n"))).slice(0, HASH_LENGTH);
    return `${SCORES_PREFIX}${[checkpoint.name, name, kind].map(slug).join("-")}-${hash}`;
  }
}

/** Letters and digits of a name that anyone may have given. */
function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .slice(0, 20);
}

/** A head in JSON, filled with spaces to a multiple of 8 bytes and preceded by its length, then all columns as float64. */
function encode(scores: WindowScores, hashes: readonly string[]): Uint8Array<ArrayBuffer> {
  const windows = scores.map(
    ({ kld, notFinite }, index): StoredWindow => ({ hash: hashes[index] ?? "", positions: kld.length, notFinite }),
  );
  const text = JSON.stringify({ windows });
  const head = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const positions = windows.reduce((sum, window) => sum + window.positions, 0);
  const bytes = new Uint8Array(8 + head.length + 8 * positions * TOKEN_COLUMNS.length);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 8);
  const numbers = new Float64Array(bytes.buffer, 8 + head.length);
  let at = 0;
  for (const own of scores) {
    for (const name of TOKEN_COLUMNS) {
      numbers.set(own[name], at);
      at += own[name].length;
    }
  }
  return bytes;
}

/** @returns nothing where the entry is not whole */
function decode(entry: Uint8Array): readonly { readonly hash: string; readonly scores: TokenScores }[] {
  try {
    const bytes = entry.slice();
    const headLength = new DataView(bytes.buffer).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headLength)));
    const windows: readonly StoredWindow[] = head.windows;
    const numbers = new Float64Array(bytes.buffer, 8 + headLength);
    const expected = windows.reduce((sum, { positions }) => sum + positions, 0) * TOKEN_COLUMNS.length;
    if (numbers.length !== expected) return [];
    let at = 0;
    return windows.map(({ hash, positions, notFinite }) => {
      const scores = emptyScores(positions);
      for (const name of TOKEN_COLUMNS) {
        scores[name].set(numbers.subarray(at, at + positions));
        at += positions;
      }
      return { hash, scores: { ...scores, notFinite } };
    });
  } catch {
    return [];
  }
}
