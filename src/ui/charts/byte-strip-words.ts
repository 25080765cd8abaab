import { formatBytes, formatCount } from "../../base/format.ts";
import { listWords } from "../parts/list-words.ts";
import type { ByteStripColumn, ByteStripData, ByteStripRole } from "./byte-strip-data.ts";
import { type Role, roleName, roleWord, shareWords } from "./byte-strip-looks.ts";
import { type Caption, type ChartTable, figure, words } from "./chart.ts";

/** What is spoken of a role. */
export function roleSentence({ role, tensors, weights, bytes, share, taken }: ByteStripRole): string {
  const many = `${formatCount(tensors)} ${tensors === 1 ? "tensor" : "tensors"} of ${formatCount(weights)} weights`;
  const left =
    taken.tensors === 0
      ? "Schemes leave it as it is"
      : taken.tensors === tensors
        ? "A scheme can shrink all of it"
        : `A scheme can shrink ${formatCount(taken.tensors)} of them`;
  return `${roleName(role)}: ${shareWords(share)} of the bytes, ${formatBytes(bytes)} in ${many}. ${left}.`;
}

/** What is spoken of a column of the lower strip. `all`: bytes of all tensors. */
export function placeSentence({ layer, last, bytes, parts }: ByteStripColumn, all: number): string {
  const name =
    layer === null
      ? `${roleName(parts[0]?.role ?? "other")} outside of the layers`
      : last === layer
        ? `Layer ${layer}`
        : `Layers ${layer} to ${last}`;
  const share = all > 0 ? `, ${shareWords(bytes / all)} of the bytes` : "";
  if (layer === null) return `${name}: ${formatBytes(bytes)}${share}.`;
  const sums = new Map<Role, number>();
  for (const part of parts) sums.set(part.role, (sums.get(part.role) ?? 0) + part.bytes);
  const listed = [...sums].sort(([, a], [, b]) => b - a).map(([role, sum]) => `${roleWord(role)} ${formatBytes(sum)}`);
  return `${name}: ${formatBytes(bytes)}${share}; ${listWords(listed)}.`;
}

/** The answer: how much of the file a scheme can shrink. Then what stays. */
export function byteStripCaption({ bytes, roles }: ByteStripData): Caption {
  if (roles.length === 0) return { strong: "There are no tensors in these files.", plain: "" };
  const taken = roles.filter((role) => role.taken.tensors > 0);
  const matrices = taken.reduce((sum, role) => sum + role.taken.tensors, 0);
  const takenBytes = taken.reduce((sum, role) => sum + role.taken.bytes, 0);
  if (matrices === 0 || bytes === 0) {
    const [largest] = roles as [ByteStripRole];
    return {
      strong: "No matrix here is one that a scheme would shrink.",
      plain: `Largest part: ${roleWord(largest.role)}, ${formatBytes(largest.bytes)}, ${shareWords(largest.share)}.`,
    };
  }
  const which = `${formatCount(matrices)} ${matrices === 1 ? "matrix" : "matrices"} that a scheme can shrink`;
  const named = listWords(taken.map(({ role }) => roleWord(role)));
  const stays = roles
    .map((role) => ({ word: roleWord(role.role), left: role.bytes - role.taken.bytes }))
    .filter(({ left }) => left > 0)
    .sort((a, b) => b.left - a.left)
    .map(({ word, left }) => `${word} ${formatBytes(left)}`);
  return {
    strong:
      takenBytes === bytes
        ? `All bytes are ${named}: ${which}.`
        : `${shareWords(takenBytes / bytes)} of the bytes are ${named}: ${which}.`,
    plain: stays.length === 0 ? "" : `What stays as it is: ${listWords(stays, 3)}.`,
  };
}

/** The same as the upper strip, as a table. */
export function byteStripTable({ roles }: ByteStripData): ChartTable {
  return {
    columns: [
      { name: "role", unit: "" },
      { name: "tensors", unit: "" },
      { name: "a scheme takes", unit: "" },
      { name: "weights", unit: "" },
      { name: "bytes", unit: "B" },
      { name: "share", unit: "%" },
    ],
    rows: roles.map(({ role, tensors, taken, weights, bytes, share }) => [
      words(roleName(role)),
      figure(tensors, formatCount),
      figure(taken.tensors, formatCount),
      figure(weights, formatCount),
      figure(bytes, formatCount),
      figure(share * 100, () => shareWords(share)),
    ]),
  };
}
