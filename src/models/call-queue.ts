import type { Device, DeviceBuffer } from "../device/device.ts";
import type { KernelCall } from "../device/kernel.ts";

/** Hands calls to a device in runs as long as it handles in well under 100 ms. */
export class CallQueue {
  readonly #device: Device;
  #calls: KernelCall<DeviceBuffer>[] = [];
  #products = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  /** @param products multiplications that the call takes, about */
  add(call: KernelCall<DeviceBuffer>, products: number): void {
    if (this.#products + products > this.#device.productsPerRun) this.flush();
    this.#calls.push(call);
    this.#products += products;
  }

  /** To be called before a buffer that a call reads is written to from outside. */
  flush(): void {
    if (this.#calls.length > 0) this.#device.run(this.#calls);
    this.#calls = [];
    this.#products = 0;
  }
}
