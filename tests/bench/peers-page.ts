import * as Comlink from "comlink";
import type { PeersApi } from "./peers.worker.ts";
import workerUrl from "./peers.worker.ts?worker&url";

const worker = Comlink.wrap<PeersApi>(new Worker(workerUrl, { type: "module", name: "peers" }));

export const matMul = (...given: Parameters<PeersApi["matMul"]>) => worker.matMul(...given);
export const packedMatMul = (...given: Parameters<PeersApi["packedMatMul"]>) => worker.packedMatMul(...given);
export const cholesky = (...given: Parameters<PeersApi["cholesky"]>) => worker.cholesky(...given);
