/** How long a file's address stands after it was offered, in milliseconds: its saving has begun by then. */
const OFFERED_MS = 10_000;

/** Offers a file for saving. */
export function offerFile(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), OFFERED_MS);
}
