import { quote } from "../base/errors.ts";
import {
  isJsonNumber,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonFromPlain,
  type PlainJsonValue,
  parseJson,
  stringifyJson,
} from "../base/json.ts";
import { DEFAULT_VARIANT, type VariantTable } from "../device/device.ts";
import type { AnyKernel } from "../device/kernel.ts";
import { crc32 } from "../formats/stores/crc32.ts";
import type { Store } from "./store.ts";

/** What was found of the forms of a kernel on an adapter. */
export interface Timing {
  /** The form that was taken. */
  readonly variant: string;
  /** Milliseconds of a run by form, null for one that is wrong; empty: the device was lost when forms were tried. */
  readonly times: ReadonlyMap<string, number | null>;
}

/** Raised when choices are made in another way: older ones are then made anew. */
const RULES = 1;

/** An entry is below a kilobyte or two; more is not ours. */
const LIMITS = { maxBytes: 65_536, maxDepth: 8, maxValues: 4096 } as const;

/** What a store has for an adapter, by kernel: those whose shaders are as they were. */
export async function readTimings(
  store: Store,
  variants: Pick<VariantTable, "adapterKey" | "runnable">,
  kernels: readonly AnyKernel[],
): Promise<ReadonlyMap<string, Timing>> {
  const { adapterKey } = variants;
  const bytes = await store.get(keyOf(adapterKey));
  const own = bytes && kernelsIn(bytes, adapterKey);
  const found = kernels.flatMap((kernel): [string, Timing][] => {
    const timing = own ? timingOf(own.get(kernel.name), kernel, variants.runnable(kernel)) : null;
    return timing ? [[kernel.name, timing]] : [];
  });
  return new Map(found);
}

/** Keeps what is known of an adapter. */
export async function writeTimings(
  store: Store,
  adapterKey: string,
  kernels: readonly AnyKernel[],
  timings: ReadonlyMap<string, Timing>,
): Promise<void> {
  const own = kernels.flatMap((kernel): [string, PlainJsonValue][] => {
    const timing = timings.get(kernel.name);
    if (!timing) return [];
    const { variant, times } = timing;
    return [[kernel.name, { shaders: shadersOf(kernel), variant, timesMs: Object.fromEntries(times) }]];
  });
  const entry = { rules: RULES, adapter: quote(adapterKey), kernels: Object.fromEntries(own) };
  await store.put(keyOf(adapterKey), new TextEncoder().encode(stringifyJson(jsonFromPlain(entry))));
}

function keyOf(adapterKey: string): string {
  return `kernel-forms-${checksum(adapterKey)}`;
}

/** A short name of the text of all forms of a kernel. */
function shadersOf({ wgsl, variants = [] }: AnyKernel): string {
  return checksum([wgsl ?? "", ...variants.flatMap(({ name, wgsl: own }) => [name, own])].join("\n"));
}

function checksum(text: string): string {
  return crc32(new TextEncoder().encode(text)).toString(16).padStart(8, "0");
}

/** The part of an entry that is about kernels; null where the entry is of another adapter, or not as it is written here. */
function kernelsIn(bytes: Uint8Array, adapterKey: string): JsonObject | null {
  let entry: JsonValue;
  try {
    entry = parseJson(bytes, "the choice of kernels", LIMITS);
  } catch {
    return null;
  }
  if (!isJsonObject(entry) || entry.get("adapter") !== quote(adapterKey)) return null;
  const [rules, kernels] = [entry.get("rules"), entry.get("kernels")];
  return isJsonNumber(rules) && rules.asNumber() === RULES && isJsonObject(kernels) ? kernels : null;
}

function timingOf(value: JsonValue | undefined, kernel: AnyKernel, runnable: readonly string[]): Timing | null {
  if (!isJsonObject(value) || value.get("shaders") !== shadersOf(kernel)) return null;
  const [variant, timesMs] = [value.get("variant"), value.get("timesMs")];
  if (typeof variant !== "string" || !isJsonObject(timesMs)) return null;
  const forms = [DEFAULT_VARIANT, ...runnable];
  const times = new Map<string, number | null>();
  for (const [form, time] of timesMs) {
    if (!forms.includes(form) || !(time === null || isJsonNumber(time))) return null;
    times.set(form, time === null ? null : time.asNumber());
  }
  // A form is taken for its time, and the default also where there is none.
  const isTimed = typeof times.get(variant) === "number";
  return isTimed || (variant === DEFAULT_VARIANT && times.size === 0) ? { variant, times } : null;
}
