import * as Comlink from "comlink";
import { afterAll, describe, expect, test } from "vitest";
import { ALL_CASES } from "../../src/kernels/all-cases.ts";
import type { KernelsApi } from "./kernels.worker.ts";

// In a worker, as the product runs them. No adapter fails the whole file: a GPU test that did not run must not look like
// one that passed.
const worker = new Worker(new URL("./kernels.worker.ts", import.meta.url), { type: "module" });
const kernels = Comlink.wrap<KernelsApi>(worker);
await kernels.adapter();
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
