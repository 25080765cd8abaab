/** Writes below this are not worth a mapping. */
const LEAST_BYTES = 2 ** 16;

const SLOTS = 2;

/**
 * Buffers that stay mapped while nobody uses them, to bring bytes to a device: one copy into them is all that the calling
 * thread does, where `writeBuffer` makes memory of its own for every call.
 */
export class UploadRing {
  readonly #device: GPUDevice;
  readonly #slotBytes: number;
  readonly #free: GPUBuffer[] = [];
  #made = 0;

  /** @param slotBytes the most that one upload takes */
  constructor(device: GPUDevice, slotBytes: number) {
    this.#device = device;
    this.#slotBytes = slotBytes;
  }

  /**
   * Copies bytes, a multiple of four, to the start of a buffer.
   * @returns false where they are few or too many, or no slot is free: nothing was done then
   */
  write(target: GPUBuffer, bytes: Uint8Array): boolean {
    if (bytes.byteLength < LEAST_BYTES || bytes.byteLength > this.#slotBytes) return false;
    const slot = this.#free.pop() ?? this.#make();
    if (!slot) return false;
    try {
      new Uint8Array(slot.getMappedRange()).set(bytes);
    } catch {
      // The device is gone; the next read says so.
      return false;
    }
    slot.unmap();
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(slot, 0, target, 0, bytes.byteLength);
    this.#device.queue.submit([encoder.finish()]);
    slot.mapAsync(GPUMapMode.WRITE).then(
      () => this.#free.push(slot),
      // Of a device that is gone nothing comes back.
      () => {},
    );
    return true;
  }

  #make(): GPUBuffer | null {
    if (this.#made === SLOTS) return null;
    const usage = GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC;
    try {
      const slot = this.#device.createBuffer({ label: "upload", size: this.#slotBytes, usage, mappedAtCreation: true });
      this.#made++;
      return slot;
    } catch {
      // A RangeError: no memory for it. The plain way needs less, or says so.
      return null;
    }
  }
}
