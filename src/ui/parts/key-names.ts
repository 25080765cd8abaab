/** Keys as they are printed: `mod+k` with the modifier of this machine, `Escape` as on its key, `g l` one after the other. */
export function keyNames(key: string): readonly string[] {
  if (key === "mod+k") return [/Mac|iPhone|iPad/.test(navigator.platform) ? "⌘K" : "Ctrl K"];
  return key.split(" ").map((part) => (part === "Escape" ? "Esc" : part));
}
