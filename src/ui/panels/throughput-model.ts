import { formatCount, formatPercent, formatRate } from "../../base/format.ts";
import type { Quantity } from "../../base/quantity.ts";
import type { CompareResult, KernelReport, ThroughputResult } from "../../engine/result.ts";
import { shortName } from "../parts/safe-name.ts";

/** One kernel's line: its speed where it was timed, and where and how exactly it ran. */
export interface KernelRow {
  readonly kernel: string;
  readonly scheme: string | null;
  readonly bytes: Quantity | null;
  readonly elements: Quantity | null;
  readonly share: Quantity | null;
  readonly bytesText: string;
  readonly elementsText: string;
  readonly shareText: string;
  readonly roundsText: string;
  readonly device: string;
  readonly exactness: string;
}

/** Every kernel that ran or was timed. */
export function kernelRows(result: CompareResult): readonly KernelRow[] {
  const timed = result.throughput.map((row) => rowOf(row, reportOf(result, row)));
  const names = new Set(result.throughput.map((row) => row.kernel));
  const others = result.kernels.filter((report) => !names.has(report.kernel)).map((report) => rowOf(null, report));
  return [...timed, ...others];
}

/** Whether a line is about the chosen scheme: its own kernels, and those that serve all. */
export function concerns({ scheme: own }: KernelRow, scheme: string): boolean {
  return own === null || own === scheme || own.split(", ").includes(scheme);
}

/** What the table says: how near the kernel of the chosen scheme comes to a plain copy. */
export function throughputCaption(
  result: CompareResult,
  scheme: string,
): { readonly strong: string; readonly plain: string } {
  const ofScheme = result.throughput.filter((candidate) => candidate.scheme === scheme);
  const row =
    ofScheme.find((candidate) => /(^|_|\/)quantize$/.test(candidate.kernel)) ?? ofScheme[0] ?? result.throughput[0];
  if (row === undefined) {
    return result.outcome === "partial"
      ? { strong: "The kernels are not timed yet.", plain: "That happens after the errors, on a tile of this model." }
      : { strong: "The kernels were not timed.", plain: "Compare again to time them on a tile of this model." };
  }
  const device = reportOf(result, row)?.adapter ?? row.device;
  const kernel = row.kernel.split("/").at(-1) ?? row.kernel;
  const what = row.scheme === null ? kernel : `${shortName(row.scheme)}: ${kernel}`;
  return {
    strong: `${what} moves ${formatRate(row.bytesPerSecond.value, "bytes/s")}, ${formatPercent(row.shareOfCopyRoof.value)} of what a plain copy reaches here.`,
    plain: `Medians on ${device}, both timed in the same rounds; another device has other speeds.`,
  };
}

/** Whether all rows ran in one place: then the caption says it and the column is left out. */
export function isOneDevice(rows: readonly KernelRow[]): boolean {
  return new Set(rows.map((row) => row.device)).size <= 1;
}

function reportOf(result: CompareResult, row: ThroughputResult): KernelReport | null {
  return result.kernels.find((report) => report.kernel === row.kernel) ?? null;
}

function rowOf(speed: ThroughputResult | null, report: KernelReport | null): KernelRow {
  return {
    kernel: speed?.kernel ?? report?.kernel ?? "",
    scheme: speed?.scheme ?? null,
    bytes: speed?.bytesPerSecond ?? null,
    elements: speed?.elementsPerSecond ?? null,
    share: speed?.shareOfCopyRoof ?? null,
    bytesText: speed === null ? "–" : formatRate(speed.bytesPerSecond.value, "bytes/s"),
    elementsText: speed === null ? "–" : formatRate(speed.elementsPerSecond.value, "elements/s"),
    shareText: speed === null ? "–" : formatPercent(speed.shareOfCopyRoof.value),
    roundsText: speed?.bytesPerSecond.samples === undefined ? "–" : formatCount(speed.bytesPerSecond.samples),
    device: deviceWords(speed, report),
    exactness: report === null ? "–" : exactWords(report),
  };
}

function deviceWords(speed: ThroughputResult | null, report: KernelReport | null): string {
  const device = speed?.device ?? report?.device ?? "reference";
  const name = { webgpu: "WebGPU", wasm: "CPU", reference: "CPU" }[device];
  const adapter = report?.adapter;
  return adapter === undefined || adapter === "" ? name : `${name}, ${adapter}`;
}

function exactWords(report: KernelReport): string {
  const form = report.variant === "default" ? "" : `, in the form ${report.variant}`;
  const words = `${report.exactness === "bit-exact" ? "bit for bit" : "within tolerance"}${form}`;
  return report.fallback === null ? words : `${words}; moved there: ${report.fallback}`;
}
