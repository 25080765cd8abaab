import type * as Comlink from "comlink";
import type { Outcome, WorkerApi } from "../../engine/worker-api.ts";

/** Calls the engine. */
export type AskEngine = <T>(
  doing: string,
  invoke: (api: Comlink.Remote<WorkerApi>) => Promise<Outcome<T>>,
) => Promise<T>;
