import { quote } from "../../base/errors.ts";
import { formatCount } from "../../base/format.ts";
import { cornerWords } from "../../engine/corner-words.ts";
import { methodLines } from "../../engine/method-lines.ts";
import type { ExportResult } from "../../engine/result.ts";
import { parseRecipe } from "../../schemes/recipe.ts";
import { shortName } from "../parts/safe-name.ts";

/** An archive that lies in this page, ready to be saved. */
export interface ExportedArchive {
  readonly result: ExportResult;
  /** A `blob:` address; valid until the next export. */
  readonly url: string;
  readonly fileName: string;
}

/** What was written, and whether it is what the table promised. */
export function exportSentence(
  archive: ExportedArchive,
  promisedBytes: number,
  shownScheme: string,
): { readonly strong: string; readonly plain: string } {
  const { scheme, fileBytes, quantizedModules, untouchedTensors, methodRun } = archive.result;
  const strong = `${shortName(scheme)} is written: ${formatCount(fileBytes.value)} bytes.`;
  const method = methodRun === null ? "" : ` ${upper(methodLines(methodRun).join("; "))}.`;
  const content = `${quantizedModules} matrices ${doneTo(scheme)}, ${untouchedTensors} tensors as they were.${method}`;
  if (scheme !== shownScheme) return { strong, plain: content };
  return fileBytes.value === promisedBytes
    ? { strong, plain: `To the byte what the table says. ${content}` }
    : { strong, plain: `The table says ${formatCount(promisedBytes)}: please report this difference. ${content}` };
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function doneTo(spec: string): string {
  try {
    const { pruning, groups } = parseRecipe(spec);
    if (pruning === null) return "quantized";
    return groups.length === 0 ? "pruned" : "pruned or quantized";
  } catch {
    return "quantized";
  }
}

/** More matrices with corners than this are counted, not named. */
const MODULES_NAMED = 4;

/** What to know about the checkpoint: what the next tool may stumble over, and where the arithmetic has a corner. */
export function exportNotes({ notices, corners }: ExportResult): readonly string[] {
  const named = corners
    .slice(0, MODULES_NAMED)
    .map((entry) => `${quote(entry.module)}: ${entry.corners.map(cornerWords).join(", ")}.`);
  const more = corners.length - named.length;
  const rest = more > 0 ? [`${formatCount(more)} more matrices have such groups; the map marks them.`] : [];
  return [...notices.map(({ text }) => text), ...named, ...rest];
}

/** Beyond this a name makes no button. */
const LONGEST_ON_BUTTON = 24;

/** What the button says. */
export function exportVerb(scheme: string): string {
  return scheme.length > LONGEST_ON_BUTTON ? "Export this recipe" : `Export ${quote(scheme)}`;
}
