import { describe, expect, test } from "vitest";
import { type Edge, edgesOf, findCycles, importsIn, reachedFrom } from "../support/import-graph.ts";
import { projectFiles, readProjectFile } from "../support/project-files.ts";

interface Room {
  /** Rooms that it may import, besides itself. */
  readonly imports: readonly string[];
  /** Rooms of which it may import types alone. */
  readonly types?: readonly string[];
}

const BELOW_ENGINE = [
  "base",
  "schemes",
  "formats",
  "architectures",
  "planner",
  "device",
  "kernels",
  "models",
  "methods",
  "metrics",
];
const FACE = ["engine", "planner", "schemes", "base"];

/** The rooms of `src/`, and who may import whom. */
const ROOMS: Readonly<Record<string, Room>> = {
  base: { imports: [] },
  schemes: { imports: ["base"] },
  formats: { imports: ["base", "schemes"] },
  architectures: { imports: ["base"] },
  planner: { imports: ["base", "schemes", "architectures"] },
  device: { imports: ["base"] },
  kernels: { imports: ["base", "device"] },
  models: { imports: ["base", "formats", "architectures", "device", "kernels"] },
  methods: { imports: ["base", "schemes", "device", "kernels"], types: ["architectures"] },
  metrics: { imports: ["base", "device", "kernels", "models"] },
  engine: { imports: BELOW_ENGINE },
  ui: { imports: FACE },
  cli: { imports: FACE },
};

/** Who may import which package. A row for `node:` is a row about the host: those files run in Node only. */
const PACKAGES: readonly { readonly name: RegExp; readonly files: RegExp }[] = [
  { name: /^yaml$/, files: /^src\/schemes\// },
  { name: /^lit(\/|$)/, files: /^src\/ui\// },
  { name: /^d3-scale$/, files: /^src\/ui\/(charts|panels)\// },
  { name: /^@huggingface\/(jinja|tokenizers)$/, files: /^src\/formats\/tokenizer\// },
  { name: /^comlink$/, files: /^src\/ui\/app\// },
  { name: /^node:/, files: /^src\/(formats\/\w+\/node-[^/]+|engine\/node-(host|text|threads)\.ts|cli\/[^/]+)$/ },
  { name: /^(vitest$|fast-check$|node:)/, files: /\.test\.ts$/ },
];

/** Floors of `ui`, lowest first: a file imports its own floor and those below. */
const UI_FLOORS = ["parts", "charts", "panels", "app"];

/** Siblings of a kind never import each other; a file without a key here is what they meet in. */
const SIBLINGS: readonly { readonly kind: string; readonly key: (path: string) => string | undefined }[] = [
  { kind: "panels", key: panelOf },
  { kind: "kernel families", key: (path) => /^src\/kernels\/(?!assembly\/)(\w+)\//.exec(path)?.[1] },
  {
    kind: "architectures",
    key: (path) => /^src\/architectures\/(?!(?:architecture|families)\.)([\w-]+)\./.exec(path)?.[1],
  },
];

/** What runs in the browser starts here. */
const PAGE = ["src/ui/app/main.ts", "src/ui/app/engine.worker.ts"];

/** A panel is its element, its model, its words and its styles; tests and their inputs may meet several. */
function panelOf(path: string): string | undefined {
  if (/\.(test|cases)\.ts$/.test(path)) return undefined;
  const stem = /^src\/ui\/panels\/(?!panel-events\.)([\w-]+)\./.exec(path)?.[1];
  return stem?.replace(/-(model|words|styles|panel)$/, "");
}

/** Every edge that breaks a law, named with the law. */
function brokenEdges(edges: readonly Edge[]): readonly string[] {
  return edges.flatMap((edge) => {
    const laws = edge.isPackage ? packageLaws(edge) : [...roomLaws(edge), ...siblingLaws(edge)];
    return laws.map((law) => `${edge.from} → ${edge.to}: ${law}`);
  });
}

function packageLaws({ from, to }: Edge): readonly string[] {
  const allowed = PACKAGES.some(({ name, files }) => name.test(to) && files.test(from));
  return allowed ? [] : ["this package has no business there"];
}

function roomLaws({ from, to, isType }: Edge): readonly string[] {
  const room = roomOf(from);
  const rules = ROOMS[room];
  if (!rules) return [`"${room}" is no room`];
  if (/^tests\/support\//.test(to) && from.endsWith(".test.ts")) return [];
  const target = roomOf(to);
  if (target === room) return room === "ui" ? floorLaws(from, to) : [];
  if (rules.imports.includes(target)) return [];
  if (rules.types?.includes(target)) return isType ? [] : [`${room} may import types alone from ${target}`];
  return [`${room} may import ${rules.imports.join(", ") || "no other room"}`];
}

function floorLaws(from: string, to: string): readonly string[] {
  const [above, below] = [from, to].map((path) => UI_FLOORS.indexOf(path.split("/")[2] ?? ""));
  if (above === -1 || below === -1) return [`the floors of ui are ${UI_FLOORS.join(", ")}`];
  return (below ?? 0) > (above ?? 0) ? [`${UI_FLOORS[above ?? 0]} lies below ${UI_FLOORS[below ?? 0]}`] : [];
}

function siblingLaws({ from, to }: Edge): readonly string[] {
  return SIBLINGS.flatMap(({ kind, key }) => {
    const [one, other] = [key(from), key(to)];
    return one && other && one !== other ? [`two ${kind} never import each other`] : [];
  });
}

/** The room of a path below `src/`; of anything else, the path itself. */
function roomOf(path: string): string {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? path;
}

const files = new Map(
  projectFiles("src")
    .filter((path) => path.endsWith(".ts"))
    .map((path) => [path, readProjectFile(path)]),
);
const edges = edgesOf(files);

describe("imports of src", () => {
  test("every file has a room", () => {
    expect([...files.keys()].filter((path) => !(roomOf(path) in ROOMS))).toEqual([]);
  });

  test("go where the table allows", () => {
    expect(edges.length).toBeGreaterThan(100);
    expect(brokenEdges(edges)).toEqual([]);
  });

  test("name files that exist", () => {
    const all = new Set(projectFiles());
    expect(edges.filter(({ to, isPackage }) => !isPackage && !all.has(to))).toEqual([]);
  });

  test("are literal", () => {
    expect([...files].filter(([, text]) => /\bimport\((?!\s*["'])/.test(text)).map(([path]) => path)).toEqual([]);
  });

  test("never turn in a circle, types included", () => {
    expect(findCycles(edges)).toEqual([]);
  });

  test("of the page reach no module of Node", () => {
    const reached = [...reachedFrom(PAGE, edges)];
    expect(reached.length).toBeGreaterThan(50);
    expect(reached.filter((path) => path.startsWith("node:"))).toEqual([]);
  });
});

describe("this law", () => {
  const broken = (from: string, text: string) => brokenEdges(edgesOf(new Map([[from, text]])));

  test("reads every way of importing", () => {
    const text = [
      'import "./bare.ts";',
      'import type { A } from "./type.ts";',
      'import {\n  type B,\n  type C,\n} from "./types.ts";',
      'import { type D, e } from "./mixed.ts";',
      'export * from "./all.ts";',
      'export type { F } from "./export-type.ts";',
      'const g = await import("./dynamic.ts");',
      'export const from = "./no-import.ts";',
    ].join("\n");
    expect(importsIn(text).map(({ specifier, isType }) => `${specifier} ${isType}`)).toEqual([
      "./bare.ts false",
      "./type.ts true",
      "./types.ts true",
      "./mixed.ts false",
      "./all.ts false",
      "./export-type.ts true",
      "./dynamic.ts false",
    ]);
  });

  test("names an edge upwards", () => {
    expect(broken("src/base/x.ts", 'import type { Engine } from "../engine/api.ts";')).toEqual([
      "src/base/x.ts → src/engine/api.ts: base may import no other room",
    ]);
  });

  test("tells values from types where a room may have types alone", () => {
    const from = "src/methods/rtn.ts";
    expect(broken(from, 'import type { Family } from "../architectures/architecture.ts";')).toEqual([]);
    expect(broken(from, 'import { families } from "../architectures/families.ts";')).toEqual([
      "src/methods/rtn.ts → src/architectures/families.ts: methods may import types alone from architectures",
    ]);
  });

  test("names a package out of its place, and Node in the page", () => {
    expect(broken("src/engine/x.ts", 'import { html } from "lit";')).toHaveLength(1);
    expect(broken("src/ui/panels/x.ts", 'import { wrap } from "comlink";')).toHaveLength(1);
    expect(broken("src/formats/sources/blob-source.ts", 'import { open } from "node:fs";')).toHaveLength(1);
    expect(broken("src/formats/sources/node-file-source.ts", 'import { open } from "node:fs";')).toEqual([]);
  });

  test("names siblings that import each other", () => {
    expect(broken("src/ui/panels/headline.ts", 'import "./throughput.ts";')).toHaveLength(1);
    expect(broken("src/ui/panels/headline.ts", 'import "./throughput-model.ts";')).toHaveLength(1);
    expect(broken("src/ui/panels/headline.ts", 'import "./headline-model.ts";\nimport "./panel-events.ts";')).toEqual(
      [],
    );
    expect(broken("src/kernels/stats/x.ts", 'import "../quant/int_scale.ts";\nimport "../halves.ts";')).toHaveLength(1);
    expect(broken("src/architectures/a.ts", 'import "./b.ts";\nimport "./architecture.ts";')).toHaveLength(1);
  });

  test("names an edge up the floors of ui", () => {
    expect(broken("src/ui/charts/x.ts", 'import "../panels/panel-events.ts";')).toEqual([
      "src/ui/charts/x.ts → src/ui/panels/panel-events.ts: charts lies below panels",
    ]);
  });

  test("names a circle, also of types", () => {
    const circle = new Map([
      ["src/base/a.ts", 'import "./b.ts";'],
      ["src/base/b.ts", 'import type { C } from "./c.ts";'],
      ["src/base/c.ts", 'export * from "./a.ts";'],
    ]);
    expect(findCycles(edgesOf(circle))).toEqual(["src/base/a.ts → src/base/b.ts → src/base/c.ts → src/base/a.ts"]);
    circle.set("src/base/c.ts", "");
    expect(findCycles(edgesOf(circle))).toEqual([]);
  });
});
