import { formatBytes, formatNumber } from "../../base/format.ts";
import { type ChartTable, figure, words } from "./chart.ts";
import type { FrontierData } from "./frontier-points.ts";

/** The picture as a table, in the order given. */
export function frontierTable({ points, original }: FrontierData): ChartTable {
  const size = (bits: number, bytes: number) => [
    figure(bits, (value) => formatNumber(value, 4)),
    figure(bytes / BYTES_PER_MEGABYTE, (value) => formatNumber(value, 4)),
  ];
  return {
    columns: [
      { name: "scheme", unit: "" },
      { name: "whole file", unit: "bits per weight" },
      { name: "file", unit: "MB" },
      { name: "relative squared error", unit: "" },
      { name: "verdict", unit: "" },
    ],
    rows: [
      ...(original === null
        ? []
        : [
            [words("original"), ...size(original.bits, original.bytes), figure(null, formatNumber), words("reference")],
          ]),
      ...points.map((point) => [
        words(point.name),
        ...size(point.bits, point.bytes),
        figure(point.hasFailed ? null : point.error, formatNumber),
        words(point.verdict),
      ]),
    ],
  };
}

const BYTES_PER_MEGABYTE = 1e6;

/** `5.85 bits, 2.69 MB`. */
export function sizeSentence({ bits, bytes }: { readonly bits: number; readonly bytes: number }): string {
  return `${formatNumber(bits)} bits, ${formatBytes(bytes)}`;
}
