import type { ExportResult } from "../../engine/result.ts";
import type { ExportedArchive } from "../panels/export-model.ts";
import { archiveName } from "../parts/safe-name.ts";

let lastUrl: string | null = null;

/** Offers an archive for saving under a name of the lab's own pattern. The address of the one before ends here. */
export function keepArchive(archive: File, model: string, result: ExportResult): ExportedArchive {
  if (lastUrl !== null) URL.revokeObjectURL(lastUrl);
  const url = URL.createObjectURL(archive);
  lastUrl = url;
  const fileName = archiveName(model, result.scheme);
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  return { result, url, fileName };
}
