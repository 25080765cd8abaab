import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Folder } from "../../src/formats/byte-source.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import type { HostileCase } from "./hostile-expectations.ts";

/** Where the cases lie. */
export const HOSTILE_FOLDER = join(import.meta.dirname, "../../fixtures/hostile");

/** The cases of some kinds. Throws when there are none, so that no test passes on nothing. */
export function hostileCases(...kinds: readonly HostileCase["kind"][]): readonly HostileCase[] {
  const { cases }: { cases: readonly HostileCase[] } = JSON.parse(
    readFileSync(join(HOSTILE_FOLDER, "manifest.json"), "utf8"),
  );
  const chosen = cases.filter(({ kind }) => kinds.includes(kind));
  if (chosen.length === 0) throw new Error(`no hostile cases of kind ${kinds.join(", ")}`);
  return chosen;
}

export function readHostileFile(path: string): Uint8Array {
  return readFileSync(join(HOSTILE_FOLDER, path));
}

/** The folder that a case drops, in memory. */
export function hostileFolder({ id, file, files }: HostileCase): Folder {
  const names = files ?? [file.slice(dirname(file).length + 1)];
  const sources = names.map((name) => {
    const bytes = readHostileFile(join(dirname(file), name));
    return [name, createBufferSource(name.slice(name.lastIndexOf("/") + 1), bytes)] as const;
  });
  return { name: id, files: new Map(sources) };
}
