import { afterAll, describe, expect, test } from "vitest";
import { LabError } from "../../src/base/errors.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { ByteSource, Folder } from "../../src/formats/byte-source.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { createMemoryStore } from "../../src/formats/stores/memory-store.ts";
import type { HostileCase } from "../support/hostile-expectations.ts";
import { createMemoryOutput } from "../support/memory-output.ts";

// What comparing and exporting make of valid files with awkward numbers and shapes: the same on WebGPU and the CPU, never a
// crash, and what is not finite is counted.

const ADDRESSES: Readonly<Record<string, string>> = import.meta.glob("../../fixtures/hostile/**", {
  query: "?url",
  import: "default",
  eager: true,
});
const PREFIX = "../../fixtures/hostile/";
const SCHEMES = [
  "W4A16",
  "int3:channel:asym",
  "int8:tensor",
  "magnitude:rows:0.5 | int5:channel",
  "magnitude:0.3 | none",
];

async function bytesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const address = ADDRESSES[`${PREFIX}${path}`];
  if (address === undefined) throw new Error(`${path} is missing`);
  return new Uint8Array(await (await fetch(address)).arrayBuffer());
}

interface Weights extends HostileCase {
  readonly facts: Readonly<Record<"nan" | "posInf" | "negInf", number>>;
}

const manifest: { readonly cases: readonly Weights[] } = JSON.parse(
  new TextDecoder().decode(await bytesOf("manifest.json")),
);
const CASES = manifest.cases.filter(({ kind }) => kind === "weights");

const engines = (["gpu", "cpu"] as const).map((device) =>
  createEngine({ gpu: navigator.gpu, wasm: null, device, now: () => performance.now(), store: createMemoryStore() }),
);
afterAll(() => {
  for (const engine of engines) engine.close();
});

async function folderOf(file: string): Promise<Folder> {
  const source = (name: string, bytes: Uint8Array<ArrayBuffer>): [string, ByteSource] => [
    name,
    createBufferSource(name, bytes),
  ];
  const config = new TextEncoder().encode('{"model_type":"odd"}');
  return {
    name: "hostile",
    files: new Map([source("model.safetensors", await bytesOf(file)), source("config.json", config)]),
  };
}

async function exported(engine: (typeof engines)[number], scheme: string): Promise<string> {
  const output = createMemoryOutput();
  try {
    await engine.quantize({ scheme, arithmetic: "eager", ignore: [] }, output);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    expect(output.files.size).toBe(0);
    return error.code;
  }
  return [...output.files].map(([name, bytes]) => `${name} ${bytes.join(",")}`).join("\n");
}

test("there are cases", () => expect(CASES.length).toBeGreaterThan(10));

describe.each(CASES)("$id: $what", ({ file, facts }) => {
  test("is compared alike on both devices, what is not finite is counted", async () => {
    const results = [];
    for (const engine of engines) {
      await engine.open(await folderOf(file));
      const result = await engine.compare({
        schemes: SCHEMES,
        arithmetic: "eager",
        ignore: [],
        plan: { gpu: "L4 24 GB", contextTokens: 16, sequences: 1 },
        throughput: false,
      });
      results.push(
        result.schemes.flatMap(({ scheme, layers }) =>
          layers.map(({ module, error, notFinite, corners, clippedShare, usedLevels }) => {
            if (!error) expect(notFinite.weights).toBe(facts.nan + facts.posInf + facts.negInf);
            return { scheme, module, code: error?.code, notFinite, corners, clippedShare, usedLevels };
          }),
        ),
      );
    }
    expect(results[0]).toEqual(results[1]);
  });

  test.each(SCHEMES)("%s: is written or refused alike", async (scheme) => {
    const outcomes: string[] = [];
    for (const engine of engines) {
      await engine.open(await folderOf(file));
      outcomes.push(await exported(engine, scheme));
    }
    expect(outcomes[0] === outcomes[1]).toBe(true);
  });
});
