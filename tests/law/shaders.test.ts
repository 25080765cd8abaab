import { describe, expect, test } from "vitest";
import type { AnyKernel } from "../../src/device/kernel.ts";
import { ALL_CASES } from "../../src/kernels/all-cases.ts";
import type { KernelCase } from "../../src/kernels/test-case.ts";
import { projectFiles, readProjectFile } from "../support/project-files.ts";
import { bindingsIn, includesIn, overridesIn } from "../support/wgsl-declarations.ts";

const shaders = projectFiles("shaders").filter((path) => path.endsWith(".wgsl"));
/** `quant/int_scale`, without the shared pieces. */
const names = shaders.map((path) => path.slice("shaders/".length, -".wgsl".length)).filter((name) => !isShared(name));
const kernelFiles = projectFiles("src/kernels");
/** Kernels that say that they have no shader. */
const cpuOnly = [...new Set(ALL_CASES.filter(({ kernel }) => kernel.wgsl === null).map(({ kernel }) => kernel.name))];
const casesOf = (name: string) => ALL_CASES.filter(({ kernel }) => kernel.name === name);

function isShared(name: string): boolean {
  return name.startsWith("lib/");
}

/** Stems of `src/kernels/<family>/x<suffix>` as `family/x`. */
function stemsWith(suffix: string): readonly string[] {
  return kernelFiles
    .filter((path) => path.endsWith(suffix) && path.split("/").length === 4)
    .map((path) => path.slice("src/kernels/".length, -suffix.length));
}

/** The shader of a kernel that must have one. */
function wgslOf({ name, wgsl }: AnyKernel): string {
  if (wgsl === null) throw new Error(`${name} has a shader and does not use it`);
  return wgsl;
}

function constantsOf({ kernel, source }: KernelCase): readonly string[] {
  return Object.keys((kernel as AnyKernel & { constants(source: unknown): object }).constants(source)).sort();
}

test("there are shaders", () => expect(names.length).toBeGreaterThan(0));

describe.each([...names, ...cpuOnly])("%s", (name) => {
  test.each([".ts", ".oracle.ts", ".cases.ts", ".as.ts"])("has its %s", (suffix) => {
    expect(kernelFiles).toContain(`src/kernels/${name}${suffix}`);
  });

  test("has one wrapper", () => expect(new Set(casesOf(name).map(({ kernel }) => kernel)).size).toBe(1));
});

describe.each(names)("the shader of %s", (name) => {
  test("has cases that run everywhere", () => expect(casesOf(name)).not.toHaveLength(0));

  test("declares the bindings of its wrapper, in order, and uniforms after them", () => {
    for (const { kernel } of casesOf(name)) {
      const wrapper = kernel.bindings.map((binding) => `${binding.name} ${binding.access}`);
      const declared = bindingsIn(wgslOf(kernel));
      expect(declared.map((binding) => binding.index)).toEqual(declared.map((_, index) => index));
      const storage = declared.filter(({ kind }) => kind !== "uniform");
      expect(storage.map((binding) => `${binding.name} ${binding.kind}`)).toEqual(wrapper);
      expect(declared.slice(storage.length).map(({ kind }) => kind)).toEqual(["uniform"]);
    }
  });

  test("has the constants of its wrapper as overrides", () => {
    for (const item of casesOf(name)) expect(overridesIn(wgslOf(item.kernel))).toEqual(constantsOf(item));
  });

  test("has the second entry point that its wrapper dispatches, or none", () => {
    for (const { kernel } of casesOf(name)) {
      const entries = [...wgslOf(kernel).matchAll(/@compute[^{]*?\bfn (\w+)/g)].map(([, entry]) => entry);
      expect(entries).toEqual(kernel.rest ? ["main", "rest"] : ["main"]);
    }
  });

  test("is what its wrapper runs, without include lines left over", () => {
    const body = readProjectFile(`shaders/${name}.wgsl`)
      .split(/^\/\/ include: .*\n/m)
      .at(-1);
    for (const { kernel } of casesOf(name)) {
      expect(includesIn(wgslOf(kernel))).toEqual([]);
      expect(wgslOf(kernel).endsWith(body ?? "")).toBe(true);
    }
  });
});

test.each(shaders)("%s includes files that exist", (path) => {
  const includes = includesIn(readProjectFile(path));
  expect(includes.filter((file) => !shaders.includes(`shaders/${file}`))).toEqual([]);
  // The resolver goes one level deep.
  if (isShared(path.slice("shaders/".length))) expect(includes).toEqual([]);
});

test("shared pieces are all included somewhere", () => {
  const included = new Set(shaders.flatMap((path) => includesIn(readProjectFile(path))));
  const shared = shaders.map((path) => path.slice("shaders/".length)).filter(isShared);
  expect(shared.filter((file) => !included.has(file))).toEqual([]);
});

test("every file of cases is in ALL_CASES and has a shader, unless its kernel says that there is none", () => {
  const registry = readProjectFile("src/kernels/all-cases.ts");
  const stems = stemsWith(".cases.ts");
  expect(stems.filter((stem) => !registry.includes(`"./${stem}.cases.ts"`))).toEqual([]);
  expect(stems.toSorted()).toEqual([...names, ...cpuOnly].sort());
  expect([...new Set(ALL_CASES.map(({ kernel }) => kernel.name))].sort()).toEqual([...names, ...cpuOnly].sort());
});

test("every oracle has a shader, a shared piece of one, or a kernel without", () => {
  const shared = (stem: string) => shaders.includes(`shaders/lib/${stem.split("/")[1]}.wgsl`);
  const known = [...names, ...cpuOnly];
  expect(stemsWith(".oracle.ts").filter((stem) => !known.includes(stem) && !shared(stem))).toEqual([]);
});

describe("this law", () => {
  const wgsl = `
override BITS: u32 = 4u;
@id(3) override OFFSET: u32;
@group(0) @binding(1) var<storage, read_write> codes: array<u32>;
@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(2) var<uniform> shape: Shape;
`;

  test("reads bindings in the order of their numbers, and overrides", () => {
    expect(bindingsIn(wgsl).map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      "weights read",
      "codes write",
      "shape uniform",
    ]);
    expect(overridesIn(wgsl)).toEqual(["BITS", "OFFSET"]);
  });

  test("reads includes, and refuses a line that the resolver would pass over", () => {
    expect(includesIn("// include: lib/pack.wgsl\n")).toEqual(["lib/pack.wgsl"]);
    expect(() => includesIn("//include: lib/pack.wgsl")).toThrow("not an include line");
    expect(() => includesIn("  // include: lib/pack.wgsl ")).toThrow("not an include line");
  });
});
