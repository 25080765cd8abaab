import { LabError, quote } from "../base/errors.ts";
import type { Granularity, IntBits, Scheme, WeightScheme } from "./scheme.ts";

/** Input widths of real layers end far below; a longer group is a slip of the hand. */
const MAX_GROUP_SIZE = 2 ** 24;

/** What LLM Compressor's presets take, and a custom scheme unless it says otherwise. */
const DEFAULT_GRANULARITY: Granularity = { strategy: "group", groupSize: 128 };

const ALLOWED = "int2 to int8, then :tensor, :channel or :group=N, and :sym or :asym, each at most once";

/** Whether a name is meant as a custom scheme. Presets go first: `int8` alone is LLM Compressor's INT8. */
export function isCustom(name: string): boolean {
  return /^int/i.test(name);
}

/**
 * A custom scheme, `int<bits>[:tensor|:channel|:group=N][:sym|:asym]`: 2 to 8 bits; the other parts in any order, each at
 * most once, whatever their letter case; groups of 128 and symmetric where nothing is said. Weights alone are rounded,
 * and stored packed.
 * @returns the scheme under its canonical name, `customName`
 * @throws LabError `scheme/bad-custom`
 */
export function parseCustom(text: string): Scheme {
  const [head = "", ...parts] = text.trim().toLowerCase().split(":");
  const bits = /^int([2-8])$/.exec(head)?.[1];
  if (bits === undefined) throw badCustom(text, `"${quote(head)}" in the first place`);
  let granularity: Granularity | undefined;
  let symmetric: boolean | undefined;
  for (const part of parts) {
    if (part === "sym" || part === "asym") {
      if (symmetric !== undefined) throw badCustom(text, `a second word on symmetry, "${part}"`);
      symmetric = part === "sym";
    } else {
      if (granularity) throw badCustom(text, `"${quote(part)}" beside "${granularityName(granularity)}"`);
      granularity = parseGranularity(part, text);
    }
  }
  const weights: WeightScheme = {
    type: "int",
    bits: Number(bits) as IntBits,
    symmetric: symmetric ?? true,
    granularity: granularity ?? DEFAULT_GRANULARITY,
  };
  return { name: customName(weights), weights, inputActivations: null, format: "pack-quantized" };
}

/** The one spelling of a custom scheme: the granularity always said, `sym` never: `int4:group=32:asym`, `int8:channel`. */
export function customName({ bits, granularity, symmetric }: WeightScheme): string {
  return `int${bits}:${granularityName(granularity)}${symmetric ? "" : ":asym"}`;
}

function parseGranularity(part: string, text: string): Granularity {
  if (part === "tensor" || part === "channel") return { strategy: part };
  const size = /^group=(.*)$/s.exec(part)?.[1];
  if (size === undefined) throw badCustom(text, `the part "${quote(part)}"`);
  const groupSize = /^[1-9][0-9]{0,7}$/.test(size) ? Number(size) : 0;
  if (groupSize < 1 || groupSize > MAX_GROUP_SIZE) {
    throw badCustom(text, `a group size of "${quote(size)}"`, `whole numbers from 1 to ${MAX_GROUP_SIZE}`);
  }
  return { strategy: "group", groupSize };
}

function granularityName(granularity: Granularity): string {
  return granularity.strategy === "group" ? `group=${granularity.groupSize}` : granularity.strategy;
}

function badCustom(text: string, found: string, allowed: string = ALLOWED): LabError {
  return new LabError({
    code: "scheme/bad-custom",
    doing: `reading the custom scheme "${quote(text)}"`,
    found,
    allowed,
    advice: "write it like int4:group=32:asym, int8:channel or int6:tensor",
    fields: { scheme: quote(text) },
  });
}
