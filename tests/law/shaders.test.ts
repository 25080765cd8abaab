import { describe, expect, test } from "vitest";
import type { AnyKernel, Kernel, KernelVariant } from "../../src/device/kernel.ts";
import { WANTED_FEATURES } from "../../src/device/webgpu/open-adapter.ts";
import { ALL_CASES } from "../../src/kernels/all-cases.ts";
import type { KernelCase } from "../../src/kernels/test-case.ts";
import { projectFiles, readProjectFile } from "../support/project-files.ts";
import { bindingsIn, includesIn, overridesIn } from "../support/wgsl-declarations.ts";

const shaders = projectFiles("shaders").filter((path) => path.endsWith(".wgsl"));
/** `quant/int_scale`, without the shared pieces, and `stats/min_max.subgroup`, a variant. */
const shaderStems = shaders
  .map((path) => path.slice("shaders/".length, -".wgsl".length))
  .filter((name) => !isShared(name));
const names = shaderStems.filter((name) => !name.includes("."));
const kernelFiles = projectFiles("src/kernels");
/** Kernels that say that they have no shader. */
const cpuOnly = [...new Set(ALL_CASES.filter(({ kernel }) => kernel.wgsl === null).map(({ kernel }) => kernel.name))];
/** Every variant that a wrapper names, as `stats/min_max.subgroup`. */
const variants = [...new Set(ALL_CASES.map(({ kernel }) => kernel))].flatMap((kernel) => {
  const { variants: own = [] } = kernel as unknown as Kernel<unknown, unknown>;
  return own.map((variant) => ({ title: `${kernel.name}.${variant.name}`, kernel, variant }));
});
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

type AnyVariant = KernelVariant<unknown, unknown>;

/** Features that WGSL names as it enables them, by the words of WebGPU. */
const FEATURE_OF_EXTENSION: Readonly<Record<string, string>> = { subgroups: "subgroups", f16: "shader-f16" };

function enabledIn(wgsl: string): readonly string[] {
  const extensions = [...wgsl.matchAll(/^enable ([^;]+);/gm)].flatMap(([, list = ""]) => list.split(/\s*,\s*/));
  return extensions.map((extension) => FEATURE_OF_EXTENSION[extension] ?? `none of ${extension}`).sort();
}

/** Names of a shader's entry points, sorted. */
function entriesIn(wgsl: string): readonly string[] {
  return [...wgsl.matchAll(/@compute[^{]*?\bfn (\w+)/g)].map(([, entry = ""]) => entry).sort();
}

/** What software adapters pay dearly for, and what not every device has. */
function gpuShapeIn(wgsl: string): readonly string[] {
  const code = wgsl.replace(/\/\/.*$/gm, "");
  return [...code.matchAll(/\b\w*[Bb]arrier\(|var<workgroup>|\bsubgroup\w*|^enable .*;/gm)].map(([found]) => found);
}

/** Bindings as a wrapper has them, storage first. */
function storageIn(wgsl: string): readonly string[] {
  const declared = bindingsIn(wgsl);
  expect(declared.map((binding) => binding.index)).toEqual(declared.map((_, index) => index));
  const storage = declared.filter(({ kind }) => kind !== "uniform");
  expect(declared.slice(storage.length).map(({ kind }) => kind)).toEqual(["uniform"]);
  return storage.map((binding) => `${binding.name} ${binding.kind}`);
}

/** The struct of the uniforms, one member a line. */
function uniformsIn(wgsl: string): string | undefined {
  return /^struct Shape \{[^}]*\}/m.exec(wgsl)?.[0];
}

/** What follows the last include line of a file. */
function bodyOf(path: string): string | undefined {
  return readProjectFile(path)
    .split(/^\/\/ include: .*\n/m)
    .at(-1);
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
      expect(storageIn(wgslOf(kernel))).toEqual(kernel.bindings.map((binding) => `${binding.name} ${binding.access}`));
    }
  });

  test("has the constants of its wrapper as overrides", () => {
    for (const item of casesOf(name)) expect(overridesIn(wgslOf(item.kernel))).toEqual(constantsOf(item));
  });

  test("has the second entry point that its wrapper dispatches, or none", () => {
    for (const { kernel } of casesOf(name)) {
      expect(entriesIn(wgslOf(kernel))).toEqual(kernel.rest ? ["main", "rest"] : ["main"]);
    }
  });

  test("runs on every device, and waits for nobody", () => {
    for (const { kernel } of casesOf(name)) expect(gpuShapeIn(wgslOf(kernel))).toEqual([]);
  });

  test("is what its wrapper runs, without include lines left over", () => {
    for (const { kernel } of casesOf(name)) {
      expect(includesIn(wgslOf(kernel))).toEqual([]);
      expect(wgslOf(kernel).endsWith(bodyOf(`shaders/${name}.wgsl`) ?? "")).toBe(true);
    }
  });
});

test("there are variants, each a file of its own, and no file is left over", () => {
  expect(variants.length).toBeGreaterThan(0);
  expect(variants.map(({ title }) => title).toSorted()).toEqual(
    shaderStems.filter((name) => name.includes(".")).sort(),
  );
  expect(variants.filter(({ variant }) => variant.name === "default")).toEqual([]);
});

describe.each(variants)(
  "the variant $title",
  ({ title, kernel, variant }: { title: string; kernel: AnyKernel; variant: AnyVariant }) => {
    test("has the bindings, the uniforms and the entry points of the kernel's own shader", () => {
      expect(storageIn(variant.wgsl)).toEqual(storageIn(wgslOf(kernel)));
      expect(uniformsIn(variant.wgsl)).toEqual(uniformsIn(wgslOf(kernel)));
      expect(uniformsIn(variant.wgsl)).toBeDefined();
      expect(entriesIn(variant.wgsl)).toEqual(entriesIn(wgslOf(kernel)));
    });

    test("has its constants as overrides", () => {
      for (const item of casesOf(kernel.name)) expect(overridesIn(variant.wgsl)).toEqual(constantsOf(item));
    });

    test("says which features it enables, and devices are asked for them", () => {
      expect(variant.features.toSorted()).toEqual(enabledIn(variant.wgsl));
      expect(variant.features.filter((feature) => !WANTED_FEATURES.includes(feature))).toEqual([]);
    });

    test("is its file, without include lines left over", () => {
      expect(includesIn(variant.wgsl)).toEqual([]);
      expect(variant.wgsl.endsWith(bodyOf(`shaders/${title}.wgsl`) ?? "none")).toBe(true);
    });

    test("takes cases that run everywhere, and dispatches something for each", () => {
      const taken = casesOf(kernel.name).filter(({ source, shape }) => variant.takes(source, shape));
      expect(taken).not.toHaveLength(0);
      expect(taken.filter(({ source, shape }) => variant.workgroups(source, shape) < 1)).toEqual([]);
    });
  },
);

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

  test("reads features, and finds what software adapters pay dearly for", () => {
    expect(enabledIn("enable f16, subgroups;\nenable chromium_x;")).toEqual([
      "none of chromium_x",
      "shader-f16",
      "subgroups",
    ]);
    expect(gpuShapeIn("workgroupBarrier();\nvar<workgroup> a: u32;\nsubgroupMax(b); // storageBarrier()")).toHaveLength(
      3,
    );
  });

  test("reads includes, and refuses a line that the resolver would pass over", () => {
    expect(includesIn("// include: lib/pack.wgsl\n")).toEqual(["lib/pack.wgsl"]);
    expect(() => includesIn("//include: lib/pack.wgsl")).toThrow("not an include line");
    expect(() => includesIn("  // include: lib/pack.wgsl ")).toThrow("not an include line");
  });
});
