import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { openNodeFolder } from "../../src/formats/sources/node-file-source.ts";
import { loudDifference } from "../support/loud-model.ts";
import { memoryHost } from "../support/memory-host.ts";

const MODELS = join(import.meta.dirname, "../../fixtures/models");

test("the natural and the loud model have the same logits", async () => {
  const folders = [];
  for (const name of ["quantlab-4m", "quantlab-4m-loud"]) folders.push(await openNodeFolder(join(MODELS, name)));
  const [natural, loud] = folders;
  if (!natural || !loud) throw new Error("two models are needed");
  const host = memoryHost({ device: "wasm", wasm: nodeWasm() });
  expect(await loudDifference(host, natural, loud)).toBeLessThanOrEqual(1e-5);
  for (const folder of folders) await folder.close();
});
