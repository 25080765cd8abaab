import * as Comlink from "comlink";
import { afterAll, describe, expect, test } from "vitest";
import type { Kernel, KernelVariant } from "../../src/device/kernel.ts";
import { ALL_CASES } from "../../src/kernels/all-cases.ts";
import type { KernelsApi } from "./kernels.worker.ts";

// In a worker, as the product runs them. No adapter fails the whole file: a GPU test that did not run must not look like
// one that passed.
const worker = new Worker(new URL("./kernels.worker.ts", import.meta.url), { type: "module" });
const kernels = Comlink.wrap<KernelsApi>(worker);
const adapter = await kernels.adapter();
afterAll(() => worker.terminate());

const cases = ALL_CASES.map((item, index) => ({ ...item, index }));

const shaderCases = cases.filter(({ kernel }) => kernel.wgsl !== null);
const cpuOnly = cases.filter(({ kernel }) => kernel.wgsl === null);

test.each([...Map.groupBy(cpuOnly, (item) => item.kernel.name)])(
  "%s is refused, since it has no shader",
  async (_, own) => {
    await expect(kernels.difference(own[0]?.index ?? -1)).rejects.toThrow("a kernel without a shader");
  },
);

describe.each([...Map.groupBy(shaderCases, (item) => item.kernel.name)])("%s equals its oracle", (_kernel, own) => {
  test.each(own)("$name", async ({ index }) => {
    expect(await kernels.difference(index)).toBeNull();
  });
});

/** Every variant of every kernel, the cases that it takes, and whether this adapter can run it. */
const forms = await Promise.all(
  [...Map.groupBy(shaderCases, ({ kernel }) => kernel)].map(async ([kernel, own]) => {
    const runnable = await kernels.runnable(own[0]?.index ?? -1);
    return ((kernel as unknown as Kernel<unknown, unknown>).variants ?? []).map((variant) => ({
      title: `${kernel.name} as ${variant.name}`,
      variant,
      taken: own.filter(({ source, shape }) => variant.takes(source, shape)),
      all: own.length,
      canRun: runnable.includes(variant.name),
    }));
  }),
).then((each) => each.flat());

/** What did not run here, in words: a line of the log beside the count of skipped tests. */
function unrun({ title, taken, variant }: { title: string; taken: readonly unknown[]; variant: AnyVariant }): string {
  return `${title}: ${taken.length} cases did not run, since ${adapter} lacks one of ${variant.features.join(", ")}`;
}

type AnyVariant = KernelVariant<unknown, unknown>;

describe.each(forms)("$title equals its oracle", (form) => {
  if (!form.canRun) console.warn(unrun(form));
  test.skipIf(!form.canRun).each(form.taken)("$name", async ({ index }) => {
    expect(await kernels.difference(index, form.variant.name)).toBeNull();
  });
});

test("what a variant leaves to the default is said, and is not everything", () => {
  for (const { title, taken, all } of forms) {
    if (taken.length < all) console.info(`${title}: ${all - taken.length} of ${all} cases are left to the default`);
    expect([title, taken.length > 0]).toEqual([title, true]);
  }
});

test("a form that a device cannot run is refused", async () => {
  await expect(kernels.difference(0, "none")).rejects.toThrow("has no form none that runs here");
});
