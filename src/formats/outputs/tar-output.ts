import { LabError, quote } from "../../base/errors.ts";
import type { OutputFile, OutputFolder } from "../output.ts";
import { checkOutputPath, misuse, WriteGuard, writeFailed } from "./output-errors.ts";
import { TAR_BLOCK_BYTES, tarHeader } from "./tar-header.ts";

/** A file that is written at any place, in any order. */
export interface RandomAccessSink {
  write(offset: number, bytes: Uint8Array): Promise<void> | void;
  /** Ends the file at `sizeBytes`, makes it last and lets go of it. */
  finish(sizeBytes: number): Promise<void> | void;
  /** Removes the file. Safe to call more than once, also after `finish`. */
  discard(): Promise<void> | void;
}

/** An archive ends with two empty blocks. */
const END_BYTES = 2 * TAR_BLOCK_BYTES;

/**
 * An export as one tar archive: what a browser can hand over as one file. Files lie in the order of their creation, under
 * the folder `rootName`; the same files give the same bytes.
 * @throws LabError `export/bad-path` for a root name that is not one plain path part
 */
export function createTarOutput(sink: RandomAccessSink, rootName: string): OutputFolder {
  if (rootName.includes("/")) throw misuse(rootName, "a root of several parts", "one path part");
  return new TarOutput(sink, checkOutputPath(rootName));
}

class TarOutput implements OutputFolder {
  readonly #sink: RandomAccessSink;
  readonly #rootName: string;
  readonly #guards = new Map<string, WriteGuard>();
  #end = 0;
  #state: "open" | "committed" | "discarded" = "open";

  constructor(sink: RandomAccessSink, rootName: string) {
    this.#sink = sink;
    this.#rootName = rootName;
  }

  async create(path: string, sizeBytes: number): Promise<OutputFile> {
    checkOutputPath(path);
    this.#checkOpen(path);
    if (this.#guards.has(path)) throw misuse(path, "it was started before", "each file once");
    const guard = new WriteGuard(path, sizeBytes);
    const header = tarHeader(`${this.#rootName}/${path}`, sizeBytes);
    const headerStart = this.#end;
    const start = headerStart + header.byteLength;
    const padding = (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
    // Both before the first await: two files may be started at once.
    this.#end = start + sizeBytes + padding;
    this.#guards.set(path, guard);
    await this.#write(path, headerStart, header);
    if (padding > 0) await this.#write(path, start + sizeBytes, new Uint8Array(padding));
    return {
      write: async (offset, bytes) => {
        this.#checkOpen(path);
        guard.beforeWrite(offset, bytes.byteLength);
        await this.#write(path, start + offset, bytes);
      },
      close: async () => guard.close(),
    };
  }

  async commit(): Promise<void> {
    this.#checkOpen(this.#rootName);
    for (const [path, guard] of this.#guards) {
      if (!guard.isClosed) throw misuse(path, "it is still open", "commits of closed files");
    }
    await this.#write(this.#rootName, this.#end, new Uint8Array(END_BYTES));
    await this.#attempt(this.#rootName, () => this.#sink.finish(this.#end + END_BYTES));
    this.#state = "committed";
  }

  async discard(): Promise<void> {
    if (this.#state === "committed") return;
    this.#state = "discarded";
    await this.#attempt(this.#rootName, () => this.#sink.discard());
  }

  #checkOpen(path: string): void {
    if (this.#state !== "open") throw misuse(path, `the export was ${this.#state}`, "writes before its end");
  }

  #write(path: string, offset: number, bytes: Uint8Array): Promise<void> {
    return this.#attempt(path, () => this.#sink.write(offset, bytes));
  }

  async #attempt(path: string, action: () => Promise<void> | void): Promise<void> {
    try {
      await action();
    } catch (thrown) {
      if (thrown instanceof LabError) throw thrown;
      throw writeFailed(
        path,
        quote(thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)),
        thrown,
      );
    }
  }
}
