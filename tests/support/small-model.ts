import { join } from "node:path";
import type { EngineHost } from "../../src/engine/api.ts";
import { createEngine, type HostedEngine } from "../../src/engine/engine.ts";
import { openDiskModel } from "../../src/engine/node-host.ts";
import { nodeText } from "../../src/engine/node-text.ts";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { memoryHost } from "./memory-host.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures");

/** The bundled models, Llama and Mixtral of two layers, and OPT, which llama.cpp does not know. */
const MODELS = {
  natural: join(FIXTURES, "models/quantlab-4m"),
  loud: join(FIXTURES, "models/quantlab-4m-loud"),
  small: join(FIXTURES, "golden/architectures/llama/model"),
  experts: join(FIXTURES, "golden/architectures/mixtral/model"),
  opt: join(FIXTURES, "golden/architectures/opt/model"),
} as const;

/** Engines with an open model, all closed together. */
export class OpenEngines {
  readonly #opened: { close(): void | Promise<void> }[] = [];

  async open(model: keyof typeof MODELS, parts: Partial<EngineHost> = {}): Promise<HostedEngine> {
    const engine = createEngine(memoryHost({ device: "wasm", wasm: nodeWasm(), text: nodeText(), ...parts }));
    const disk = await openDiskModel(MODELS[model]);
    this.#opened.push(engine, disk);
    await engine.open(disk.folder);
    return engine;
  }

  async close(): Promise<void> {
    for (const item of this.#opened) await item.close();
  }
}
