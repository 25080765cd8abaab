import { SeededRandom } from "../../src/base/random.ts";
import { type Chooser, editHeaderText } from "./header-text.ts";

const LENGTH_BYTES = 8;
/** How many edits a mutant has. */
const EDIT_COUNTS = [1, 1, 1, 2, 3];
/** Mutants out of ten whose header length is made right again after its text was edited. */
const MENDED_LENGTHS = 9;

/** Lengths that a header may claim, besides those near the right one. */
const LENGTHS = [0n, 1n, 2n, 7n, 8n, 100_000_000n, 100_000_001n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
const BYTES = [0x00, 0x20, 0x22, 0x2c, 0x2d, 0x30, 0x39, 0x3a, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xff];

type Edit = (bytes: Buffer, random: MutationRandom, samples: readonly Buffer[]) => Buffer;

/** Choices that a seed decides. */
class MutationRandom implements Chooser {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  readonly below = (bound: number): number => this.#random.nextUint32() % bound;

  readonly pick = <T>(items: readonly T[]): T => {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to choose from");
    return item;
  };

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}

/** A safetensors file of a header text and data. `claimed`: the header length it says, by default the right one. */
export function containerOf(text: string, data: Uint8Array, claimed?: bigint): Buffer {
  const header = Buffer.from(text, "latin1");
  const prefix = Buffer.alloc(LENGTH_BYTES);
  prefix.writeBigUInt64LE(claimed ?? BigInt(header.length));
  return Buffer.concat([prefix, header, data]);
}

/** Header text and data, as far as the length at the start can be believed. */
function partsOf(bytes: Buffer): { text: string; data: Buffer } {
  const claimed = bytes.length >= LENGTH_BYTES ? bytes.readBigUInt64LE() : 0n;
  const end = Number(claimed > BigInt(bytes.length - LENGTH_BYTES) ? bytes.length : claimed + 8n);
  return { text: bytes.toString("latin1", LENGTH_BYTES, end), data: bytes.subarray(end) };
}

const editText: Edit = (bytes, random) => {
  const { text, data } = partsOf(bytes);
  const edited = editHeaderText(text, random);
  return containerOf(edited, data, random.below(10) < MENDED_LENGTHS ? undefined : BigInt(text.length));
};

const editLength: Edit = (bytes, { below, pick }) => {
  const { text, data } = partsOf(bytes);
  const near = BigInt(text.length + below(9)) - 4n;
  return containerOf(text, data, pick([near, near, ...LENGTHS]) & (2n ** 64n - 1n));
};

const flipBit: Edit = (bytes, { below }) => changed(bytes, below(bytes.length), (byte) => byte ^ (1 << below(8)));
const setByte: Edit = (bytes, { below, pick }) => changed(bytes, below(bytes.length), () => pick(BYTES));

function changed(bytes: Buffer, at: number, change: (byte: number) => number): Buffer {
  if (at < bytes.length) bytes[at] = change(bytes[at] ?? 0);
  return bytes;
}

const cutOut: Edit = (bytes, { below }) => spliced(bytes, below(bytes.length + 1), 1 + below(8), Buffer.alloc(0));
const putIn: Edit = (bytes, random) =>
  spliced(bytes, random.below(bytes.length + 1), 0, random.bytes(1 + random.below(4)));
const spliceIn: Edit = (bytes, { below, pick }, samples) => {
  const other = pick(samples);
  const from = below(other.length + 1);
  return spliced(bytes, below(bytes.length + 1), below(32), other.subarray(from, from + below(64)));
};

function spliced(bytes: Buffer, at: number, removed: number, added: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
}

const truncate: Edit = (bytes, { below, pick }) =>
  bytes.subarray(0, Math.max(0, bytes.length - pick([1, 2, 4, below(64)])));
const extend: Edit = (bytes, random) => Buffer.concat([bytes, random.bytes(random.pick([1, 2, 4, 8, 16]))]);

/** Edits, those of the text more often: it is where most rules are. */
const EDITS: readonly Edit[] = [
  ...Array<Edit>(16).fill(editText),
  ...[editLength, flipBit, setByte, cutOut, putIn, spliceIn, truncate, extend],
];

/** `count` files, each one of `samples` with a few edits. The same seed gives the same files. */
export function* mutantsOf(samples: readonly Buffer[], seed: number, count: number): Generator<Buffer> {
  const random = new MutationRandom(seed);
  for (let made = 0; made < count; made++) {
    let bytes: Buffer = Buffer.from(random.pick(samples));
    for (let edits = random.pick(EDIT_COUNTS); edits > 0; edits--) bytes = random.pick(EDITS)(bytes, random, samples);
    yield bytes;
  }
}
