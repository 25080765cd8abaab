import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "./crc32.ts";
import { opened, sealed } from "./sealed-entry.ts";

test("the checksum is that of zip, PNG and gzip", () => {
  // The check value of the catalogue of parametrised CRC algorithms.
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array())).toBe(0);
});

test("an entry comes back as it was, and a file that lost, gained or changed bytes gives none", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, place, change) => {
      const file = sealed(bytes) as Uint8Array<ArrayBuffer>;
      expect(opened(file)).toEqual(new Uint8Array(bytes));
      expect(opened(file.slice(0, place % file.length))).toBeNull();
      expect(opened(new Uint8Array([...file, change]))).toBeNull();
      const other = file.slice();
      other[place % file.length] = (other[place % file.length] ?? 0) ^ change;
      expect(opened(other)).toBeNull();
    }),
  );
});
