import type { EngineHost } from "../../src/engine/api.ts";
import type { Folder } from "../../src/formats/byte-source.ts";
import { runFolder } from "./architecture-cases.ts";

/** Ids all over the vocabulary of 2,048, in two windows of unlike lengths; the first is what begins a text. */
const WINDOWS = [64, 47].map((length, window) =>
  Array.from({ length }, (_, at) => (at === 0 ? 0 : (at * 131 + window * 977) % 2048)),
);

/**
 * The largest difference between logits of the bundled model and of its loud copy, in which channels are scaled up in one
 * place and down where they are read: the same function.
 */
export async function loudDifference(host: EngineHost, natural: Folder, loud: Folder): Promise<number> {
  const [one, other] = [await runFolder(host, natural, WINDOWS), await runFolder(host, loud, WINDOWS)];
  const count = WINDOWS.flat().length * 2048;
  if (one.logits.length !== count || other.logits.length !== count) throw new Error("other logits");
  let worst = 0;
  for (const [index, value] of one.logits.entries()) {
    const difference = Math.abs(value - (other.logits[index] ?? Number.NaN));
    if (Number.isNaN(difference)) return difference;
    worst = Math.max(worst, difference);
  }
  return worst;
}
