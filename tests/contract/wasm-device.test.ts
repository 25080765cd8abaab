import { afterAll, beforeAll, expect, test } from "vitest";
import type { Device, DeviceBuffer } from "../../src/device/device.ts";
import { call } from "../../src/device/kernel.ts";
import { createWasmDevice } from "../../src/device/wasm/wasm-device.ts";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { add } from "../../src/kernels/model/add.ts";

// Calls take effect in the order they are made, although those that wait are handed to the threads together.

const ELEMENTS = 1 << 16;

let device: Device;
let [source, total]: DeviceBuffer[] = [];

beforeAll(async () => {
  device = await createWasmDevice(nodeWasm());
});
afterAll(() => device.destroy());

const filled = (value: number) => new Uint8Array(new Float32Array(ELEMENTS).fill(value).buffer);

/** total += source */
const increase = () =>
  device.run([call(add, {}, { elements: ELEMENTS }, [source as DeviceBuffer, total as DeviceBuffer])]);

async function found(): Promise<readonly [first: number, last: number]> {
  const values = new Float32Array((await device.read(total as DeviceBuffer, ELEMENTS * 4)).buffer);
  return [values[0] ?? Number.NaN, values.at(-1) ?? Number.NaN];
}

function start(): void {
  source = device.createBuffer(ELEMENTS * 4);
  total = device.createBuffer(ELEMENTS * 4);
  device.write(source, filled(1));
}

test("what is run after a read is not seen by it", async () => {
  start();
  for (let time = 0; time < 5; time++) increase();
  const before = found();
  for (let time = 0; time < 3; time++) increase();
  expect(await before).toEqual([5, 5]);
  expect(await found()).toEqual([8, 8]);
});

test("a write comes after the runs before it and ahead of those after it, and its bytes may be reused at once", async () => {
  start();
  increase();
  increase();
  const bytes = filled(10);
  device.write(source as DeviceBuffer, bytes);
  bytes.fill(0);
  increase();
  device.write(source as DeviceBuffer, filled(100));
  increase();
  increase();
  expect(await found()).toEqual([212, 212]);
});

test("a write to a buffer that nothing uses waits for nobody and disturbs nobody", async () => {
  start();
  const other = device.createBuffer(ELEMENTS * 4);
  increase();
  device.write(other, filled(7));
  const own = source;
  source = other;
  increase();
  source = own;
  increase();
  expect(await found()).toEqual([9, 9]);
  other.destroy();
});

test("more calls than one turn of the threads takes are all done, in order", async () => {
  start();
  for (let time = 0; time < 1500; time++) increase();
  expect(await found()).toEqual([1500, 1500]);
});
