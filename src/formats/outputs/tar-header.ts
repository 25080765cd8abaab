/** Everything in a tar archive begins at a multiple of this. */
export const TAR_BLOCK_BYTES = 512;

/** The largest size of 11 octal digits, 8 GiB − 1. Above it the field is base 256, as GNU tar and bsdtar read it. */
const MAX_OCTAL_SIZE = 8 ** 11 - 1;

/** Widths of the two fields that a path is split over. */
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/**
 * The blocks before a file's bytes: a ustar header, and before it a pax header where the path does not fit or is not
 * ASCII. Nothing in them depends on who writes and when: time, user and group are 0, the mode is 0644.
 * @param path `/` between parts
 * Source: POSIX.1-2017, `pax`, "ustar Interchange Format" and "pax Extended Header".
 */
export function tarHeader(path: string, sizeBytes: number): Uint8Array {
  const split = splitPath(path);
  if (split !== null) return ustarBlock(split.prefix, split.name, sizeBytes, "0");
  const record = paxRecord("path", path);
  const records = new Uint8Array(Math.ceil(record.byteLength / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES);
  records.set(record);
  // Readers without pax see these names; those with it take the record's.
  const plain = path.replace(/[^ -~]/g, "_").slice(path.lastIndexOf("/") + 1);
  const shortName = plain.slice(-(NAME_BYTES - "PaxHeaders/".length));
  const blocks = [
    ustarBlock("", `PaxHeaders/${shortName}`, record.byteLength, "x"),
    records,
    ustarBlock("", shortName, sizeBytes, "0"),
  ];
  const header = new Uint8Array(blocks.reduce((sum, block) => sum + block.byteLength, 0));
  let at = 0;
  for (const block of blocks) {
    header.set(block, at);
    at += block.byteLength;
  }
  return header;
}

/** The path as ustar's prefix and name; null where it has to go into a pax record. */
function splitPath(path: string): { prefix: string; name: string } | null {
  if (!/^[ -~]*$/.test(path)) return null;
  if (path.length <= NAME_BYTES) return { prefix: "", name: path };
  // The leftmost slash whose rest still fits keeps the prefix shortest.
  const slash = path.indexOf("/", path.length - NAME_BYTES - 1);
  if (slash <= 0 || slash > PREFIX_BYTES || slash === path.length - 1) return null;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** `<length> <key>=<value>\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = new TextEncoder().encode(` ${key}=${value}\n`);
  let length = rest.byteLength;
  while (String(length).length + rest.byteLength !== length) length = String(length).length + rest.byteLength;
  const record = new Uint8Array(length);
  record.set(new TextEncoder().encode(String(length)));
  record.set(rest, length - rest.byteLength);
  return record;
}

function ustarBlock(prefix: string, name: string, sizeBytes: number, type: "0" | "x"): Uint8Array {
  const block = new Uint8Array(TAR_BLOCK_BYTES);
  const put = (at: number, text: string): void => block.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(100, octal(0o644, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  putSize(block, sizeBytes);
  put(136, octal(0, 11));
  put(148, " ".repeat(8));
  put(156, type);
  put(257, "ustar\0");
  put(263, "00");
  put(345, prefix);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  put(148, `${octal(checksum, 6)}\0 `);
  return block;
}

function putSize(block: Uint8Array, sizeBytes: number): void {
  if (sizeBytes <= MAX_OCTAL_SIZE) {
    block.set(new TextEncoder().encode(octal(sizeBytes, 11)), 124);
    return;
  }
  block[124] = 0x80;
  let rest = sizeBytes;
  for (let at = 135; at > 124 && rest > 0; at--) {
    block[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}
