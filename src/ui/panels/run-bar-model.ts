import { quote } from "../../base/errors.ts";
import { formatBytes, formatCount, formatDuration, formatRate, formatWait } from "../../base/format.ts";
import type { MeasureResult } from "../../engine/measure-result.ts";
import type { CompareResult, Progress } from "../../engine/result.ts";
import type { DeviceSummary } from "../../engine/worker-api.ts";

/** What runs, as the app knows it. */
export type RunState =
  | {
      readonly kind: "running";
      readonly what: string;
      readonly progress: Progress | null;
      /** What people count it in: a measurement reads the same bytes for every window. Default bytes. */
      readonly counts?: "bytes" | "windows" | "items";
    }
  | {
      readonly kind: "idle";
      readonly end: "none" | "done" | "cancelled" | "failed";
      /** What the last run measured over text, where it did; else it compared. */
      readonly measured?: MeasureResult | null;
      /** What else it did, where it neither measured nor compared. */
      readonly did?: string | null;
    };

/** What the run bar says. */
export interface RunBar {
  readonly strong: string;
  readonly parts: readonly string[];
  /** For the thin bar; null when nothing runs. A total of 0 means that it is not known yet. */
  readonly meter: { readonly done: number; readonly total: number } | null;
  readonly tone: "plain" | "failed";
  /** For the tab's title: `37 %`, or empty. */
  readonly percent: string;
  /** What a screen reader hears: changes at quarters only. */
  readonly announced: string;
}

/** The bar for what runs now, or for how the last run ended. */
export function runBar(state: RunState, shown: CompareResult | null): RunBar {
  if (state.kind === "running") return running(state.what, state.progress, state.counts ?? "bytes");
  const idle = { meter: null, percent: "", tone: "plain" as const };
  if (state.end === "failed") {
    return { ...idle, tone: "failed", strong: "Failed", parts: ["what is on screen stands"], announced: "" };
  }
  if (state.end === "cancelled") {
    return { ...idle, strong: "Stopped by you", parts: ["what was measured stands"], announced: "Stopped" };
  }
  if (state.end === "done" && state.did) return { ...idle, strong: "Done", parts: [state.did], announced: "Done" };
  if (state.end === "done" && state.measured) {
    const { text, rows, elapsedMs } = state.measured;
    const parts = [`${formatCount(text.windows)} windows under ${schemeWords(rows.length)}`, formatDuration(elapsedMs)];
    return { ...idle, strong: "Done", parts, announced: "Done" };
  }
  if (state.end === "none" || shown === null) return { ...idle, strong: "Nothing runs", parts: [], announced: "" };
  const parts = [...(shown.schemes.length === 0 ? [] : [doneWords(shown)]), formatDuration(shown.elapsedMs)];
  return { ...idle, strong: "Done", parts, announced: "Done" };
}

function doneWords({ schemes }: CompareResult): string {
  const words = schemeWords(schemes.length);
  const counts = new Set(schemes.map((scheme) => scheme.modules));
  return counts.size === 1 ? `${[...counts][0]} matrices under ${words}` : words;
}

function schemeWords(count: number): string {
  return count === 1 ? "1 scheme" : `${count} schemes`;
}

function running(what: string, progress: Progress | null, counts: "bytes" | "windows" | "items"): RunBar {
  if (progress === null) {
    return { strong: what, parts: [], meter: { done: 0, total: 0 }, tone: "plain", percent: "", announced: what };
  }
  const { doneItems, totalItems, doneBytes, totalBytes, bytesPerSecond, leftMs } = progress;
  const parts: string[] = [];
  if (totalItems > 0) parts.push(`${doneItems} of ${totalItems}${counts === "windows" ? " windows" : ""}`);
  if (totalBytes > 0 && counts === "bytes") parts.push(`${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`);
  if (bytesPerSecond !== null && counts === "bytes") parts.push(formatRate(bytesPerSecond, "bytes/s"));
  if (leftMs !== null) parts.push(`${formatWait(leftMs)} left`);
  if (progress.item !== null) parts.push(quote(progress.item));
  const meter = totalBytes > 0 ? { done: doneBytes, total: totalBytes } : { done: doneItems, total: totalItems };
  const share = meter.total > 0 ? meter.done / meter.total : 0;
  const strong = `${progress.phase.charAt(0).toUpperCase()}${progress.phase.slice(1)}`;
  return {
    strong,
    parts,
    meter,
    tone: "plain",
    percent: `${Math.floor(share * 100)} %`,
    announced: `${strong}, ${Math.floor(share * 4) * 25} percent`,
  };
}

/** Where kernels run, in words. */
function place({ kind, adapter }: Pick<DeviceSummary, "kind" | "adapter">): string {
  return kind === "webgpu" ? `WebGPU, ${quote(adapter)}` : `CPU, ${quote(adapter)}`;
}

/** Where kernels run, why there, and how exactly, for the right end of the bar. */
export function deviceLine(device: DeviceSummary | null, shown: CompareResult | null): { text: string; tip: string } {
  if (device === null) return { text: "starting the engine", tip: "" };
  const arithmetic = shown?.arithmetic ?? "eager";
  const name = place(device);
  const moved = shown?.kernels.find((kernel) => kernel.device !== device.kind);
  if (moved !== undefined) {
    return {
      text: `${name} · ${moved.kernel} ran on ${place({ kind: moved.device, adapter: moved.adapter })}`,
      tip: `${moved.fallback ?? "It was asked to."} Same digits.`,
    };
  }
  if (!device.exact) {
    return { text: `${name} · not bit-exact here`, tip: "Some kernels did not pass the start-up self-test." };
  }
  const why = device.fallback === null ? device.choice : `Not where it was asked to run: ${device.fallback}`;
  return {
    text: `${name} · bit-exact here: ${arithmetic} arithmetic`,
    tip: [
      ...(why === null ? [] : [`${why}.`]),
      "The rounding kernels passed the start-up self-test bit for bit; sums agree within a stated tolerance.",
    ].join(" "),
  };
}
