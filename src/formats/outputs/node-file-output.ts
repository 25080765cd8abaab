import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename } from "node:path";
import { writeFailed } from "./output-errors.ts";

/**
 * Writes one file beside its place and renames it at the end: what had the name before stays until all of it is there.
 * @throws LabError `export/write-failed`
 */
export async function writeNodeFile(path: string, contents: string | Uint8Array): Promise<void> {
  const partial = `${path}.partial-${randomBytes(6).toString("hex")}`;
  try {
    const file = await open(partial, "wx");
    try {
      await file.writeFile(contents);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (thrown) {
    await rm(partial, { force: true }).catch(() => {});
    throw writeFailed(basename(path), thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
}
