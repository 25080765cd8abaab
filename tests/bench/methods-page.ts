import * as Comlink from "comlink";
import type { MethodsApi } from "./methods.worker.ts";
import workerUrl from "./methods.worker.ts?worker&url";

const worker = Comlink.wrap<MethodsApi>(new Worker(workerUrl, { type: "module", name: "methods" }));

export const statistics = (...given: Parameters<MethodsApi["statistics"]>) => worker.statistics(...given);
export const gptq = (...given: Parameters<MethodsApi["gptq"]>) => worker.gptq(...given);
