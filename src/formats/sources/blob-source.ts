import { LabError } from "../../base/errors.ts";
import type { ByteSource, Folder } from "../byte-source.ts";
import { lastPart, MAX_READ_BYTES, sourceChanged, sourceUnreadable, viewForRange, wordsOf } from "./read-range.ts";

/** What browsers throw once a file on disk differs from the one that was picked. */
const CHANGED_NAMES: ReadonlySet<string> = new Set(["NotReadableError", "NotFoundError"]);

/**
 * Streams being read. Chromium 156 collects a blob's byte stream as garbage when nothing holds it but the read that waits
 * for it, and that read then never ends; held here, it does.
 */
const READERS_AT_WORK = new Set<ReadableStreamBYOBReader>();

/**
 * A browser `File` or `Blob`. Bytes land in the caller's buffer by way of BYOB reads, so that reading a model leaves no
 * garbage behind; where the platform has none, through buffers of at most 64 MiB.
 */
export function createBlobSource(name: string, blob: Blob): ByteSource {
  const source = { name, sizeBytes: blob.size };
  return {
    ...source,
    async read(start, end, into) {
      let view = viewForRange(source, start, end, into);
      try {
        for (let from = start; from < end; from += MAX_READ_BYTES) {
          const slice = blob.slice(from, Math.min(end, from + MAX_READ_BYTES));
          view = await fill(view, from - start, slice, name);
        }
      } catch (thrown) {
        throw thrown instanceof LabError ? thrown : await readError(name, blob, start, thrown);
      }
      return view;
    },
  };
}

/**
 * Files that a person dropped or picked, by path within their folder.
 * @param entries paths with `/` between parts and without the folder's own name; a page takes them from
 *   `webkitRelativePath`, which does not survive the way to a worker
 */
export function createBlobFolder(name: string, entries: Iterable<readonly [path: string, blob: Blob]>): Folder {
  const files = new Map<string, ByteSource>();
  for (const [path, blob] of entries) files.set(path, createBlobSource(lastPart(path), blob));
  return { name, files };
}

/**
 * What a failed read means. A stream fails with a mere "network error" in Chromium; reading one byte in the plain way
 * tells why.
 */
async function readError(name: string, blob: Blob, start: number, thrown: unknown): Promise<LabError> {
  const reason = await blob
    .slice(start, start + 1)
    .arrayBuffer()
    .then(
      () => thrown,
      (plain: unknown) => plain,
    );
  const isChanged = reason instanceof DOMException && CHANGED_NAMES.has(reason.name);
  return isChanged ? sourceChanged(name, wordsOf(reason), reason) : sourceUnreadable(name, wordsOf(reason), reason);
}

/** Writes all of `slice` into `view` at `offset`. @returns the same bytes, possibly in a buffer that replaced a detached one */
async function fill(
  view: Uint8Array<ArrayBuffer>,
  offset: number,
  slice: Blob,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const size = slice.size;
  const length = view.byteLength;
  const reader = openByobReader(slice);
  if (reader === null) {
    const bytes = new Uint8Array(await slice.arrayBuffer());
    if (bytes.byteLength !== size) throw sourceChanged(name, `${bytes.byteLength} bytes where ${size} were`);
    view.set(bytes, offset);
    return view;
  }
  let buffer = view.buffer;
  READERS_AT_WORK.add(reader);
  try {
    for (let done = 0; done < size; ) {
      // `min` fills the buffer in one step instead of 64 KiB at a time; a platform that does not know it goes round the loop.
      const left = size - done;
      const result = await reader.read(new Uint8Array(buffer, offset + done, left), { min: left });
      if (result.value === undefined || result.value.byteLength === 0) {
        throw sourceChanged(name, `it ended ${left} bytes early`);
      }
      buffer = result.value.buffer;
      done += result.value.byteLength;
    }
  } finally {
    // Cancelling frees the stream at once; after an error it is closed already and rejects.
    await reader.cancel().catch(() => undefined);
    READERS_AT_WORK.delete(reader);
  }
  return new Uint8Array(buffer, 0, length);
}

function openByobReader(blob: Blob): ReadableStreamBYOBReader | null {
  try {
    return blob.stream().getReader({ mode: "byob" });
  } catch {
    // A TypeError: this platform's blobs give plain streams, whose chunks would all be garbage.
    return null;
  }
}
