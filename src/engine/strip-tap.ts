import { LabError, quote } from "../base/errors.ts";
import type { Device, DeviceBuffer } from "../device/device.ts";
import type { InputTap } from "../models/run-setup.ts";
import type { ActivationStrip } from "./diagnosis-api.ts";

/** Cells of a strip along the channels: as many as a picture shows. */
const MOST_CELLS = 512;

/** Keeps the largest magnitude of each token and some neighbouring channels of what goes into one linear layer. */
export class StripTap implements InputTap {
  readonly #device: Device;
  readonly #module: string;
  #strip: Omit<ActivationStrip, "module" | "window"> | null = null;

  constructor(device: Device, module: string) {
    this.#device = device;
    this.#module = module;
  }

  async take(module: string, input: DeviceBuffer, rows: number, width: number): Promise<void> {
    if (module !== this.#module) return;
    const found = new Float32Array((await this.#device.read(input, rows * width * 4)).buffer);
    const channelsPerCell = Math.ceil(width / MOST_CELLS);
    const cells = Math.ceil(width / channelsPerCell);
    const values = new Float32Array(rows * cells);
    for (let row = 0; row < rows; row++) {
      for (let channel = 0; channel < width; channel++) {
        const at = row * cells + Math.floor(channel / channelsPerCell);
        values[at] = Math.max(values[at] ?? 0, Math.abs(found[row * width + channel] ?? 0));
      }
    }
    this.#strip = { tokens: rows, channels: width, channelsPerCell, values };
  }

  /** @throws LabError `run/no-module` where the model has no such layer */
  strip(): Omit<ActivationStrip, "module" | "window"> {
    if (this.#strip) return this.#strip;
    throw new LabError({
      code: "run/no-module",
      doing: "looking at activations",
      found: `no linear layer "${quote(this.#module)}"`,
      allowed: "a linear layer of the open model",
      advice: "choose one of its matrices",
      fields: { module: quote(this.#module) },
    });
  }
}
