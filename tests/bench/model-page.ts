import * as Comlink from "comlink";
import type { ModelApi } from "./model.worker.ts";
import workerUrl from "./model.worker.ts?worker&url";

const worker = Comlink.wrap<ModelApi>(new Worker(workerUrl, { type: "module", name: "model" }));

export const forward = (...given: Parameters<ModelApi["forward"]>) => worker.forward(...given);
export const variants = (...given: Parameters<ModelApi["variants"]>) => worker.variants(...given);
