import type { ExportResult } from "../../engine/result.ts";
import type { ExportedArchive } from "../panels/export-model.ts";

let lastUrl: string | null = null;

/** Offers an archive for saving under the engine's name for it. The address of the one before ends here. */
export function keepArchive(archive: File, fileName: string, result: ExportResult): ExportedArchive {
  if (lastUrl !== null) URL.revokeObjectURL(lastUrl);
  const url = URL.createObjectURL(archive);
  lastUrl = url;
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  return { result, url, fileName };
}
