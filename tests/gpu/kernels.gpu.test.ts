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

describe.each([...Map.groupBy(cases, (item) => item.kernel.name)])("%s equals its oracle", (_kernel, own) => {
  test.each(own)("$name", async ({ index }) => {
    expect(await kernels.difference(index)).toBeNull();
  });
});
