import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** What tools make beside the project's own files; the same names as in .gitignore. */
const MADE_BY_TOOLS = new Set([".git", "node_modules", "dist", "test-results", ".cache"]);

/** Paths of the project's files below a folder, from the root, with forward slashes, sorted. */
export function projectFiles(under = ""): readonly string[] {
  return readdirSync(join(ROOT, under), { withFileTypes: true })
    .filter(({ name }) => !MADE_BY_TOOLS.has(name))
    .flatMap((entry) => {
      const path = relative(ROOT, join(ROOT, under, entry.name))
        .split(sep)
        .join("/");
      return entry.isDirectory() ? projectFiles(path) : [path];
    })
    .sort();
}

export function readProjectFile(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** TypeScript without its comments; strings stay. What stands in a string after a blank and `//` goes too. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}
