import { expect, test } from "vitest";
import { SeededRandom } from "../base/random.ts";
import { createReferenceDevice } from "../device/reference/reference-device.ts";
import { CallQueue } from "../models/call-queue.ts";
import { LayerErrors } from "./layer-errors.ts";

const WIDTH = 12;

/** Streams of three models over some rows, and what their errors are. */
function streams(rows: number, seed: number) {
  const random = new SeededRandom(seed);
  const original = new Float32Array(rows * WIDTH).map(() => random.nextNormal());
  const near = original.map((value) => value + random.nextNormal() / 100);
  const sums = (other: Float32Array) =>
    original.reduce<readonly [number, number]>(
      ([errors, squares], x, at) => [errors + (x - (other[at] ?? 0)) ** 2, squares + x * x],
      [0, 0],
    );
  return { values: [original, near, original.slice()], sums: sums(near) };
}

test("errors are those of all tokens of all runs, layer by layer", async () => {
  const device = createReferenceDevice();
  const queue = new CallQueue(device);
  const runs = [7, 3].map((rows, run) => {
    const layers = [0, 1].map((layer) => streams(rows, 10 * run + layer));
    return { rows, layers };
  });
  const found: LayerErrors[] = [];
  for (const { rows, layers } of runs) {
    const errors = new LayerErrors(device, rows);
    for (const [layer, { values }] of layers.entries()) {
      const buffers = values.map((own) => {
        const buffer = device.createBuffer(own.byteLength);
        device.write(buffer, new Uint8Array(own.buffer));
        return buffer;
      });
      await errors.layerDone(layer, buffers, WIDTH, queue);
    }
    found.push(errors);
  }
  const [first, second] = found;
  if (!first || !second) throw new Error("two runs");
  first.add(second);
  for (const layer of [0, 1]) {
    const [errors = 0, squares = 0] = [0, 1].map((side) =>
      runs.reduce((sum, { layers }) => sum + (layers[layer]?.sums[side] ?? 0), 0),
    );
    const own = first.errors(0)[layer];
    expect(own?.relative).toBeCloseTo(errors / squares, 8);
    expect(own?.signalToNoiseDb).toBeCloseTo(-10 * Math.log10(errors / squares), 4);
    expect(first.errors(1)[layer]).toEqual({ relative: 0, signalToNoiseDb: Number.POSITIVE_INFINITY });
  }
});
