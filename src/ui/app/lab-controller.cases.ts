import { LabError } from "../../base/errors.ts";
import { sampleMeasurement } from "../../engine/measure-result.cases.ts";
import type { Outcome, WorkerApi } from "../../engine/worker-api.ts";
import { sampleResult } from "../panels/compare-result.cases.ts";
import { type EngineLink, LabController } from "./lab-controller.ts";
import { LabStore } from "./lab-store.ts";

/** Two checkpoints, and an error. */
export const MODEL = { kind: "bundled", name: "tiny" } as const;
export const OTHER = { kind: "bundled", name: "other" } as const;
export const BROKEN = new LabError({
  code: "safetensors/too-short",
  doing: "reading",
  found: "b",
  allowed: "c",
  advice: "d",
});

/** A text as the engine hands it back. */
export const PREPARED = {
  windows: [[1, 2, 3]],
  slices: [],
  source: "scripture: 1 windows",
  tokenizer: "BPE",
  bos: { id: 1, token: "<s>" },
  hash: "0123456789abcdef",
  windowHashes: ["x"],
  textHashes: ["y"],
  findings: [
    { code: "tokens", severity: "note", count: 3, words: "3 tokens in 1 windows." },
    { code: "bos-missing", severity: "warning", count: 1, words: "One does not begin." },
  ],
};

/** A link whose engine answers from `answers`, and that notes what was asked. */
export class FakeLink implements EngineLink {
  readonly asked: string[] = [];
  /** What the last call was given. */
  request: unknown = null;
  generation = 1;
  isBusy = false;
  answers: { [name: string]: (request?: unknown) => Promise<Outcome<unknown>> } = {
    open: async () => ({ ok: true, value: sampleResult().model }),
    compare: async () => ({ ok: true, value: sampleResult() }),
    ledger: async () => ({ ok: true, value: { shards: [], tensors: [], roles: [], sideFiles: [] } }),
    sheet: async () => ({ ok: true, value: { module: "m" } }),
    errorWindow: async () => ({ ok: true, value: { row: 0, column: 0, rows: 1, columns: 1 } }),
    prepareText: async () => ({ ok: true, value: PREPARED }),
    measure: async () => ({ ok: true, value: { result: sampleMeasurement(), tokens: null } }),
    pieces: async (ids) => ({ ok: true, value: (ids as number[]).map((id) => ` piece${id}`) }),
    kept: async () => ({ ok: true, value: { entries: [{ name: "scores-a", sizeBytes: 10 }] } }),
    forget: async () => ({ ok: true, value: { entries: [] } }),
    exportCheckpoint: async () => ({
      ok: true,
      value: { result: { scheme: "W4A16" }, archive: null, fileName: "tiny-W4A16.tar" },
    }),
  };

  async start() {
    return { kind: "reference", adapter: "", exact: true, fallback: null, choice: null } as const;
  }

  async call<T>(_doing: string, invoke: Parameters<EngineLink["call"]>[1]): Promise<T> {
    const api = new Proxy({} as WorkerApi, {
      get: (_target, name) => (request: unknown) => {
        // What is kept is counted after every job, and tokens are named beside it.
        if (name === "kept" || name === "pieces") return this.answers[name]?.(request);
        this.asked.push(String(name));
        this.request = request;
        return this.answers[String(name)]?.(request);
      },
    });
    const outcome = (await (invoke as (api: unknown) => Promise<Outcome<T>>)(api)) as Outcome<T>;
    if (outcome.ok) return outcome.value;
    throw LabError.fromData(outcome.error);
  }

  async ask<T>(doing: string, invoke: Parameters<EngineLink["ask"]>[1]): Promise<T> {
    return await this.call(doing, invoke);
  }

  cancel(): void {}
}

/** A controller on a link that answers at once. */
export function lab(): {
  store: LabStore;
  link: FakeLink;
  /** Names of the files that were offered for saving. */
  offered: string[];
  controller: LabController;
} {
  const store = new LabStore();
  store.set({ asked: { ...store.state.asked, schemes: ["W4A16", "W8A8"] } });
  const link = new FakeLink();
  const keep = (
    _archive: File,
    fileName: string,
    result: Parameters<ConstructorParameters<typeof LabController>[2]>[2],
  ) => ({
    result,
    url: "blob:x",
    fileName,
  });
  const offered: string[] = [];
  const offer = (_file: Blob, name: string) => void offered.push(name);
  return { store, link, offered, controller: new LabController(store, link, keep, offer) };
}

/** An answer that is a failure. */
export const failing = (error: LabError) => async (): Promise<Outcome<unknown>> => ({
  ok: false,
  error: error.toData(),
});
/** Lets everything that waits happen. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
