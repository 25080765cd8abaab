import type { Device, DeviceBuffer } from "../../device/device.ts";
import { call } from "../../device/kernel.ts";
import { residualError } from "../../kernels/model/residual_error.ts";
import type { ActivationRounding } from "../../models/activation-rounding.ts";
import { CallQueue } from "../../models/call-queue.ts";
import { Registers } from "../../models/registers.ts";
import { RoundingCalls } from "../../models/rounding-calls.ts";
import type { InputTap } from "../../models/run-setup.ts";
import type { WindowBatch } from "../../models/windows.ts";

/** The only register of its little graph. */
const INPUT = "input";

/** Sums of what rounding takes from what goes into one linear layer, and of its squares: Σ(x − Q(x))² and Σx². */
type Sums = [errors: number, squares: number];

/** Adds up what a rounding would take from what goes into linear layers. The run itself rounds nothing. */
export class RoundingErrorTap implements InputTap {
  readonly #device: Device;
  readonly #rounding: ActivationRounding;
  readonly #batch: WindowBatch;
  readonly #sums = new Map<string, Sums>();

  /** @param batch windows of the run */
  constructor(device: Device, rounding: ActivationRounding, batch: WindowBatch) {
    this.#device = device;
    this.#rounding = rounding;
    this.#batch = batch;
  }

  async take(module: string, input: DeviceBuffer, rows: number, width: number): Promise<void> {
    if (!this.#rounding.input(module)) return;
    const widths = new Map([[INPUT, width]]);
    const own = new Registers(this.#device, widths, rows, new Map([[INPUT, input]]));
    const shared = new Registers(this.#device, new Map(), rows);
    const queue = new CallQueue(this.#device);
    const setup = {
      graph: { registers: widths },
      variants: [{ roundsTo: null, rounding: this.#rounding }],
      batch: this.#batch,
    };
    try {
      const rounded = new RoundingCalls(setup, [own], shared, queue).input(0, module, INPUT);
      const sums = shared.made("sums", rows * 2);
      queue.add(call(residualError, {}, { rows, width }, [input, rounded, sums]), 4 * rows * width);
      queue.flush();
      const found = new Float32Array((await this.#device.read(sums, Math.max(16, rows * 8))).buffer);
      const total = this.#sums.get(module) ?? [0, 0];
      this.#sums.set(module, total);
      for (let row = 0; row < rows; row++) {
        total[0] += found[2 * row] ?? 0;
        total[1] += found[2 * row + 1] ?? 0;
      }
    } finally {
      own.destroy();
      shared.destroy();
    }
  }

  /** By module. */
  get sums(): ReadonlyMap<string, Readonly<Sums>> {
    return this.#sums;
  }
}
