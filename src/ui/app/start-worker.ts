import { scriptUrl } from "../../engine/script-url.ts";
import workerUrl from "./engine.worker.ts?worker&url";

/** Starts the engine's worker. */
export function startWorker(): Worker {
  return new Worker(scriptUrl(workerUrl), { type: "module", name: "engine" });
}
