import { VALUE_TYPE } from "./values.ts";

/** What was read of the file ends here; it may go on. */
export class RanOut extends Error {}

/** Walks over the numbers and texts of a file's first bytes, least byte first. Every step throws `RanOut` past their end. */
export class GgufCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes behind it. */
  get position(): number {
    return this.#position;
  }

  /** @returns where the bytes begin that it is now behind */
  advance(sizeBytes: number): number {
    const start = this.#position;
    if (start + sizeBytes > this.#bytes.byteLength) throw new RanOut();
    this.#position += sizeBytes;
    return start;
  }

  u32(): number {
    return this.#view.getUint32(this.advance(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.advance(8), true);
  }

  /** Bytes behind their length. */
  text(): Uint8Array {
    const sizeBytes = Number(this.u64());
    const start = this.advance(sizeBytes);
    return this.#bytes.subarray(start, start + sizeBytes);
  }

  /** A number of a value type; null where the type is none of a number. */
  number(type: number): number | bigint | null {
    const view = this.#view;
    switch (type) {
      case VALUE_TYPE.uint8:
        return view.getUint8(this.advance(1));
      case VALUE_TYPE.int8:
        return view.getInt8(this.advance(1));
      case VALUE_TYPE.uint16:
        return view.getUint16(this.advance(2), true);
      case VALUE_TYPE.int16:
        return view.getInt16(this.advance(2), true);
      case VALUE_TYPE.uint32:
        return view.getUint32(this.advance(4), true);
      case VALUE_TYPE.int32:
        return view.getInt32(this.advance(4), true);
      case VALUE_TYPE.float32:
        return view.getFloat32(this.advance(4), true);
      case VALUE_TYPE.uint64:
        return view.getBigUint64(this.advance(8), true);
      case VALUE_TYPE.int64:
        return view.getBigInt64(this.advance(8), true);
      case VALUE_TYPE.float64:
        return view.getFloat64(this.advance(8), true);
      default:
        return null;
    }
  }
}
