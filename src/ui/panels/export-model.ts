import { formatCount } from "../../base/format.ts";
import type { ExportResult } from "../../engine/result.ts";

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
  const { scheme, fileBytes, quantizedModules, untouchedTensors, notices } = archive.result;
  const strong = `${scheme} is written: ${formatCount(fileBytes.value)} bytes.`;
  const counts = `${quantizedModules} matrices quantized, ${untouchedTensors} tensors as they were.`;
  const content = [counts, ...notices.map(({ text }) => text)].join(" ");
  if (scheme !== shownScheme) return { strong, plain: content };
  return fileBytes.value === promisedBytes
    ? { strong, plain: `To the byte what the table says. ${content}` }
    : { strong, plain: `The table says ${formatCount(promisedBytes)}: please report this difference. ${content}` };
}
