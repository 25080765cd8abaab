import { formatBytes, formatNumber } from "../../base/format.ts";
import { type ChartTable, figure, words } from "./chart.ts";
import type { FrontierData } from "./frontier-points.ts";

/** The picture as a table, in the order given. */
export function frontierTable({ points, original, measure, floor }: FrontierData): ChartTable {
  const size = (bits: number, bytes: number) => [
    figure(bits, (value) => formatNumber(value, 4)),
    figure(bytes / BYTES_PER_MEGABYTE, (value) => formatNumber(value, 4)),
  ];
  const spread = (...values: readonly (number | null | undefined)[]) =>
    measure.hasSpread ? values.map((value) => figure(value, formatNumber)) : [];
  const none = { text: "–", value: null };
  return {
    columns: [
      { name: "scheme", unit: "" },
      { name: "whole file", unit: "bits per weight" },
      { name: "file", unit: "MB" },
      { name: measure.name, unit: measure.unit },
      ...(measure.hasSpread
        ? ["95 % from", "95 % to", "99 % of positions below"].map((name) => ({ name, unit: measure.unit }))
        : []),
      { name: "verdict", unit: "" },
    ],
    rows: [
      ...(original === null
        ? []
        : [
            [
              words("original"),
              ...size(original.bits, original.bytes),
              none,
              ...spread(null, null, null),
              words("reference"),
            ],
          ]),
      ...points.map((point) => [
        words(point.name),
        ...size(point.bits, point.bytes),
        figure(point.hasFailed ? null : point.error, formatNumber),
        ...spread(point.interval?.low, point.interval?.high, point.cap),
        words(point.verdict),
      ]),
      ...(floor === null
        ? []
        : [
            [words(floor.words), none, none, figure(floor.error, formatNumber), ...spread(null, null, null), words("")],
          ]),
    ],
  };
}

const BYTES_PER_MEGABYTE = 1e6;

/** `5.85 bits, 2.69 MB`. */
export function sizeSentence({ bits, bytes }: { readonly bits: number; readonly bytes: number }): string {
  return `${formatNumber(bits)} bits, ${formatBytes(bytes)}`;
}
