import type { ByteSource } from "../formats/byte-source.ts";

/** A range of a file. */
export interface FileRange {
  readonly source: ByteSource;
  readonly start: number;
  readonly end: number;
}

/** Ranges that are read while nobody waits for them. */
const DEPTH = 2;

/** Reads ranges of files before they are asked for, into buffers that are used again and again. */
export class ReadAhead {
  /** Reads under way or done, in the order they were begun. */
  #reads: { readonly range: FileRange; readonly bytes: Promise<Uint8Array<ArrayBuffer>> }[] = [];
  #free: ArrayBuffer[] = [];

  /** Begins to read the first ranges that come, unless that was done before. */
  begin(upcoming: readonly FileRange[]): void {
    for (const range of upcoming.slice(0, DEPTH)) {
      if (this.#reads.length < DEPTH && !this.#find(range)) this.#start(range);
    }
  }

  /** The bytes of a range. They stand until they are given back. */
  async take(range: FileRange): Promise<Uint8Array<ArrayBuffer>> {
    while (!this.#find(range) && this.#reads.length >= DEPTH) await this.#drop();
    const read = this.#find(range) ?? this.#start(range);
    try {
      return await read.bytes;
    } finally {
      this.#reads = this.#reads.filter((other) => other !== read);
    }
  }

  /** Gives back what `take` gave: the buffer is read into again. */
  giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
    this.#free.push(buffer);
  }

  /** Waits until nothing is under way, and forgets all of it. */
  async clear(): Promise<void> {
    while (this.#reads.length > 0) await this.#drop();
    this.#free = [];
  }

  #find({ source, start, end }: FileRange) {
    return this.#reads.find(({ range }) => range.source === source && range.start === start && range.end === end);
  }

  #start(range: FileRange) {
    const size = range.end - range.start;
    // The largest: what does not fit is made anew, and what was too small goes.
    this.#free.sort((one, other) => other.byteLength - one.byteLength);
    const known = this.#free.shift();
    const buffer = known && known.byteLength >= size ? known : new ArrayBuffer(size);
    const bytes = range.source.read(range.start, range.end, buffer);
    // A failure counts where it is taken.
    bytes.catch(() => {});
    const read = { range, bytes };
    this.#reads.push(read);
    return read;
  }

  /** Lets go of the oldest read that nobody came for. */
  async #drop(): Promise<void> {
    const read = this.#reads.shift();
    const bytes = await read?.bytes.catch(() => null);
    if (bytes) this.giveBack(bytes);
  }
}
