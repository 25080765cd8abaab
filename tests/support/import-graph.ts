import { posix } from "node:path";

/** One import of one file. */
export interface Edge {
  readonly from: string;
  /** A path from the root, or a package as it is written. */
  readonly to: string;
  readonly isPackage: boolean;
  /** Nothing of it is left once types are gone. */
  readonly isType: boolean;
}

/** `import … from`, `export … from` and bare `import`, which Biome keeps at the start of a line. */
const STATEMENT = /^(?:import|export)\s+(?:(type)\s+)?(?:([^"';]*?)\s*\bfrom\s*)?["']([^"']+)["']/gm;
/** `import("…")`, of values and of types. */
const DYNAMIC = /\bimport\(\s*["']([^"']+)["']/g;

/** Every import that a TypeScript file writes with a literal. */
export function importsIn(text: string): readonly { readonly specifier: string; readonly isType: boolean }[] {
  const statements = [...text.matchAll(STATEMENT)].map(([, keyword, names = "", specifier = ""]) => ({
    specifier,
    isType: keyword !== undefined || isAllTypes(names),
  }));
  const dynamic = [...text.matchAll(DYNAMIC)].map(([, specifier = ""]) => ({ specifier, isType: false }));
  return [...statements, ...dynamic];
}

/** `{ type A, type B }` */
function isAllTypes(names: string): boolean {
  const inner = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1];
  const parts = inner?.split(",").map((part) => part.trim());
  return parts?.some(Boolean) === true && parts.every((part) => part === "" || part.startsWith("type "));
}

/** The edges of some files, given by path and text. */
export function edgesOf(files: ReadonlyMap<string, string>): readonly Edge[] {
  return [...files].flatMap(([from, text]) =>
    importsIn(text).map(({ specifier, isType }) => {
      const isPackage = !specifier.startsWith(".");
      // AssemblyScript adds the end of the name itself.
      const path = specifier.replace(/\?.*$/, "").replace(/\.as$/, ".as.ts");
      const to = isPackage ? specifier : posix.join(posix.dirname(from), path);
      return { from, to, isPackage, isType };
    }),
  );
}

/** Circles of imports as `a → b → a`, at least one of every knot. */
export function findCycles(edges: readonly Edge[]): readonly string[] {
  const next = targets(edges);
  const done = new Set<string>();
  const path: string[] = [];
  const found: string[] = [];
  const walk = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file].join(" → "));
    if (start >= 0 || done.has(file)) return;
    path.push(file);
    for (const to of next.get(file) ?? []) walk(to);
    path.pop();
    done.add(file);
  };
  for (const file of next.keys()) walk(file);
  return found;
}

/** Everything that the given files reach over imports that run, themselves included. */
export function reachedFrom(starts: readonly string[], edges: readonly Edge[]): ReadonlySet<string> {
  const next = targets(edges.filter(({ isType }) => !isType));
  const reached = new Set(starts);
  for (const file of reached) for (const to of next.get(file) ?? []) reached.add(to);
  return reached;
}

/** What each file imports. */
function targets(edges: readonly Edge[]): ReadonlyMap<string, readonly string[]> {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to]);
  return next;
}
