import type { ByteSource } from "../byte-source.ts";
import { viewForRange } from "./read-range.ts";

/** A file whose bytes are in memory already. Reads copy, so that a reader may write over what it got. */
export function createBufferSource(name: string, bytes: Uint8Array): ByteSource {
  const source = { name, sizeBytes: bytes.byteLength };
  return {
    ...source,
    async read(start, end, into) {
      const view = viewForRange(source, start, end, into);
      view.set(bytes.subarray(start, end));
      return view;
    },
  };
}
