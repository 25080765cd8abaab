import type { Quantity } from "./quantity.ts";

const THIN_SPACE = "\u2009";
const MINUS = "−";

/** Digits shown of a figure unless its place says otherwise. */
const SIGNIFICANT_DIGITS = 3;

/** Decimal multiples of bytes. The lab prints GB, never GiB, so that two figures of one picture compare. */
const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/**
 * A number for people: `digits` significant digits (default 3), thin spaces in thousands, a true minus, `∞` and `–` for
 * what is not finite. Very small and very large values are written as `4.05e−5`.
 */
export function formatNumber(value: number, digits: number = SIGNIFICANT_DIGITS): string {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  if (magnitude < 1e-3 || magnitude >= 1e15) {
    return value
      .toExponential(digits - 1)
      .replaceAll("-", MINUS)
      .replace("e+", "e");
  }
  const rounded = Number(value.toPrecision(digits));
  const text = Math.abs(rounded) >= 10 ** digits ? value.toFixed(0) : value.toPrecision(digits);
  return groupThousands(text).replace("-", MINUS);
}

/** A whole number with thin spaces in thousands: `3 672 320`. */
export function formatCount(value: number): string {
  return groupThousands(value.toFixed(0)).replace("-", MINUS);
}

/** Bytes in the largest decimal unit below them, `digits` significant digits (default 3): `7.35 MB`. */
export function formatBytes(bytes: number, digits: number = SIGNIFICANT_DIGITS): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? formatCount(value) : formatNumber(value, digits)} ${BYTE_UNITS[unit]}`;
}

/** How many times smaller or larger: `2.74 ×`. */
export function formatRatio(ratio: number): string {
  return `${formatNumber(ratio)}${THIN_SPACE}×`;
}

/** A speed in a decimal multiple of its unit: `1.20 GB/s`, `304 Melem/s`. */
export function formatRate(perSecond: number, unit: "bytes/s" | "elements/s"): string {
  if (unit === "bytes/s") return `${formatBytes(perSecond)}/s`;
  const [scale, prefix] = perSecond >= 1e9 ? [1e9, "G"] : perSecond >= 1e6 ? [1e6, "M"] : [1e3, "k"];
  return `${formatNumber(perSecond / scale)} ${prefix}elem/s`;
}

/** A duration for people: `840 ms`, `12.4 s`, `3 min 20 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${formatNumber(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

/** How long something will still take, in whole seconds: `6 s`, `3 min 20 s`. */
export function formatWait(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** A fraction as a percentage: `71.3 %`. */
export function formatPercent(fraction: number): string {
  return `${formatNumber(fraction * 100)} %`;
}

/** A count of parameters as people say it: `3.67 M`, `1.24 B`. */
export function formatParameters(count: number): string {
  if (count >= 1e9) return `${formatNumber(count / 1e9)} B`;
  if (count >= 1e6) return `${formatNumber(count / 1e6)} M`;
  if (count >= 1e3) return `${formatNumber(count / 1e3)} k`;
  return formatCount(count);
}

/** A quantity's figure and its unit apart, so that a table can put the unit in the head of the column. */
export function formatQuantity(quantity: Quantity): { readonly text: string; readonly unit: string } {
  switch (quantity.unit) {
    case "bytes":
      return { text: formatBytes(quantity.value), unit: "" };
    case "bytes/s":
    case "elements/s":
      return { text: formatRate(quantity.value, quantity.unit), unit: "" };
    case "ratio":
      return { text: formatNumber(quantity.value), unit: "×" };
    case "ms":
      return { text: formatDuration(quantity.value), unit: "" };
    case "weights":
    case "tokens":
    case "sequences":
      return { text: formatCount(quantity.value), unit: quantity.unit };
    default:
      return { text: formatNumber(quantity.value), unit: quantity.unit };
  }
}

function groupThousands(text: string): string {
  const [whole = "", fraction] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
