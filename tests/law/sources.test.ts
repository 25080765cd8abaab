import { describe, expect, test } from "vitest";
import { projectFiles, readProjectFile, withoutComments } from "../support/project-files.ts";

/** Something that code must not contain. */
interface Ban {
  readonly what: string;
  readonly pattern: RegExp;
  /** Where it is looked for. Tests are left out: they feed such things to what they test. */
  readonly files: RegExp;
  /** The one place that may. */
  readonly except?: string;
  /** A line that breaks it, to see that the pattern finds it. */
  readonly example: string;
}

const SOURCE = /^src\/.*\.(ts|css)$/;
const EXACT = /^src\/(base|schemes|formats|kernels|methods)\//;
const FACES = /^src\/(ui|cli)\//;

const BANS: readonly Ban[] = [
  {
    what: "rounding halves up, where the tools round them to even",
    pattern: /\bMath\.round\(/,
    files: EXACT,
    example: "Math.round(x)",
  },
  {
    what: "arithmetic in a face",
    pattern: /\bMath\.(pow|log\w*|exp\w*|sqrt)\b|\*\*/,
    files: FACES,
    example: "-10 * Math.log10(x)",
  },
  {
    what: "WebGPU taken from the host instead of handed in",
    pattern: /\bnavigator\s*\??\.\s*gpu\b/,
    files: SOURCE,
    except: "src/engine/browser-host.ts",
    example: "navigator.gpu.requestAdapter()",
  },
  {
    what: "markup from text",
    pattern: /\b(inner|outer)HTML\b|insertAdjacentHTML|unsafe(HTML|SVG|CSS)|srcdoc|document\.write/,
    files: SOURCE,
    example: "element.innerHTML = name",
  },
  {
    what: "code from text",
    pattern: /\beval\(|\bnew Function\(/,
    files: SOURCE,
    example: "new Function(text)",
  },
  {
    what: "a way to the network",
    pattern:
      /(?<![.\w])fetch\(|XMLHttpRequest|WebSocket|WebTransport|EventSource|RTCPeerConnection|sendBeacon|importScripts/,
    files: SOURCE,
    except: "src/formats/sources/http-source.ts",
    example: "await fetch(url)",
  },
  {
    what: "an absolute address",
    // The name of the SVG namespace looks like an address and is none.
    pattern: /["'`(=]\s*(https?:)?\/\/(?!www\.w3\.org\/2000\/svg")\w/,
    files: SOURCE,
    example: 'const page = "https://example.org/a"',
  },
  {
    what: "a default export",
    pattern: /^export default\b|^export \{[^}]*\bas default\b/m,
    files: SOURCE,
    example: "export default 1",
  },
];

/** Names that say nothing about what a file holds. */
const EMPTY_NAMES = new Set(["index", "utils", "util", "helpers", "helper", "misc", "common"]);

/** Texts that the project was given, and files whose contents are attacks. */
const GIVEN = /^fixtures\/(text|hostile)\//;

/** Written apart, so that this file does not contain them. */
const MACHINE_PATHS = ["work", "root", "tmp", "home"].map((name) => `/${name}/`);

const everything = projectFiles();
const sources = everything.filter((path) => SOURCE.test(path) && !path.endsWith(".test.ts"));
const code = new Map(sources.map((path) => [path, withoutComments(readProjectFile(path))]));

test("there are sources", () => expect(sources.length).toBeGreaterThan(50));

describe.each(BANS)("$what", ({ pattern, files, except, example }) => {
  test("is nowhere it must not be", () => {
    const found = [...code].filter(([path, text]) => files.test(path) && path !== except && pattern.test(text));
    expect(found.map(([path]) => path)).toEqual([]);
  });

  test("would be found", () => expect(pattern.test(withoutComments(example))).toBe(true));

  test("is still needed where it may be", () => {
    if (except) expect(code.get(except)).toMatch(pattern);
  });
});

test("no file has a name that says nothing", () => {
  const named = everything.filter((path) => /^(src|tests|scripts|shaders)\//.test(path));
  expect(named.filter(hasEmptyName)).toEqual([]);
  expect(["src/base/utils.ts", "tests/a/index.test.ts", "src/formats/shard-index.ts"].map(hasEmptyName)).toEqual([
    true,
    true,
    false,
  ]);
});

function hasEmptyName(path: string): boolean {
  const stem = path.slice(path.lastIndexOf("/") + 1).split(".")[0] ?? "";
  return EMPTY_NAMES.has(stem);
}

test("no text names a path of somebody's machine", () => {
  const found = everything.filter((path) => {
    if (GIVEN.test(path)) return false;
    const text = readProjectFile(path);
    return !text.includes("\0") && MACHINE_PATHS.some((machine) => text.includes(machine));
  });
  expect(found).toEqual([]);
});

test("comments do not count, strings with addresses do", () => {
  expect(withoutComments('a(); // fetch(b)\n/* eval(c) */ d("https://e")')).toBe('a(); \n d("https://e")');
});
