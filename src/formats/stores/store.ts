/** An entry of a store, without its bytes. */
export interface StoredEntry {
  readonly key: string;
  readonly sizeBytes: number;
}

/**
 * Bytes that outlive a run, under keys: what can be computed again and would take time. Nothing of a store is a job's failure:
 * what cannot be read is not there, and what cannot be kept is not kept. Keys are as `checkKey` has them.
 */
export interface Store {
  /** A copy of an entry's bytes as they were put; null where there is none, or where they are damaged. */
  get(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Keeps bytes in place of what the key had, as a whole or not at all. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Every entry, in no order; a damaged one too. */
  list(): Promise<readonly StoredEntry[]>;
  /** Removes an entry, if it is there. */
  delete(key: string): Promise<void>;
}

/** Keys are file names: safe on every system, also where upper and lower case are the same, and short enough with an ending. */
const KEY = /^[a-z0-9][a-z0-9._-]{0,119}$/;

/**
 * Lets a key pass: 1 to 120 lower-case letters, digits, dots, dashes and underscores, beginning with a letter or digit. What
 * comes from a file belongs into a hash.
 * @throws Error for any other
 */
export function checkKey(key: string): void {
  if (!KEY.test(key)) throw new Error(`not a key of a store: ${JSON.stringify(key)}`);
}
