import * as Comlink from "comlink";
import type { DeviceChoice } from "../../src/engine/api.ts";
import type { PickedFile, PipelineApi } from "./pipeline.worker.ts";
import workerUrl from "./pipeline.worker.ts?worker&url";

const worker = Comlink.wrap<PipelineApi>(new Worker(workerUrl, { type: "module", name: "pipelines" }));

/** Between frames, in milliseconds: what is longer is seen. */
const LONG_FRAME_MS = 50;

/** What was picked in an input: a folder by its files. */
function picked(id: string): readonly PickedFile[] {
  const input = document.querySelector<HTMLInputElement>(`input#${id}`);
  const files = [...(input?.files ?? [])];
  if (files.length === 0) throw new Error(`nothing was picked as ${id}`);
  return files.map((file) => ({ path: file.webkitRelativePath.split("/").slice(1).join("/"), file }));
}

let gaps: number[] = [];
let last = 0;
const frame = (now: number) => {
  if (last > 0) gaps.push(now - last);
  last = now;
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);

/** A folder input by a name. */
export function addInput(id: string): void {
  const input = document.createElement("input");
  input.id = id;
  input.type = "file";
  input.webkitdirectory = true;
  document.body.append(input);
}

/** Runs a job of the worker, and says how smooth this page was meanwhile. */
async function watched<T>(job: () => Promise<T>) {
  gaps = [];
  const result = await job();
  const long = gaps.filter((gap) => gap > LONG_FRAME_MS);
  return { ...result, longestGapMs: Math.max(0, ...gaps), longGaps: long.length, frames: gaps.length };
}

export const read = (id: string): Promise<number> => worker.read(picked(id));

export const compare = (id: string, device: DeviceChoice, schemes: readonly string[]) =>
  watched(() => worker.compare(picked(id), device, schemes));

export const exportTo = (id: string, device: DeviceChoice, scheme: string, isHashed: boolean) =>
  watched(() => worker.exportTo(picked(id), device, scheme, isHashed));

export const probe = (): Promise<number> => worker.probe();
