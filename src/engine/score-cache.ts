import { sha256, sha256OfText } from "../base/sha256.ts";
import type { Device } from "../device/device.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import type { TokenScores } from "../metrics/token-scores.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { Candidate, MeasureJob, WindowScores } from "./measure-divergence.ts";
import type { Store } from "./store.ts";

/** Raised when what is measured changes otherwise than by its kernels. */
const VERSION = 1;

/** What names of its entries begin with. */
export const SCORES_PREFIX = "scores-";

/** Hexadecimal digits of a hash in a name: 128 bits. */
const HASH_LENGTH = 32;

const COLUMNS = ["nllBase", "nll", "kld", "deltaP"] as const;

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
  readonly #programs: Promise<string>;
  readonly #signal: AbortSignal | undefined;

  /** @param programs the texts of all kernels: what another program found is not taken for this one's */
  constructor(
    store: Store,
    job: MeasureJob,
    candidates: readonly Candidate[],
    programs: Uint8Array<ArrayBuffer>,
    signal: AbortSignal | undefined,
  ) {
    this.#programs = sha256(programs);
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
    const parts = [`${VERSION}`, await this.#programs, kind, adapter, await fingerprint(checkpoint), firstWindow];
    let name = "bf16";
    if (candidate?.kind === "recipe") {
      name = candidate.plan.recipe.name;
      parts.push(name, request.arithmetic, ...request.ignore);
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
  const bytes = new Uint8Array(8 + head.length + 8 * positions * (COLUMNS.length + 1));
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 8);
  const numbers = new Float64Array(bytes.buffer, 8 + head.length);
  let at = 0;
  for (const own of scores) {
    for (const column of [...COLUMNS.map((name) => own[name]), own.sameTop]) {
      numbers.set(column, at);
      at += column.length;
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
    const expected = windows.reduce((sum, { positions }) => sum + positions, 0) * (COLUMNS.length + 1);
    if (numbers.length !== expected) return [];
    let at = 0;
    return windows.map(({ hash, positions, notFinite }) => {
      const take = () => {
        at += positions;
        return numbers.slice(at - positions, at);
      };
      const [nllBase, nll, kld, deltaP] = [take(), take(), take(), take()];
      return { hash, scores: { nllBase, nll, kld, deltaP, sameTop: Uint8Array.from(take()), notFinite } };
    });
  } catch {
    return [];
  }
}
