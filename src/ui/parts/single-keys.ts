/** Where the choice is kept between visits. */
const KEY = "lab-single-keys";

let areOn = read();

/** Whether keys of one letter do something. People who dictate, or hit keys unawares, switch them off (WCAG 2.1.4). */
export function areSingleKeysOn(): boolean {
  return areOn;
}

export function setSingleKeys(on: boolean): void {
  areOn = on;
  try {
    localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // Storage may be refused; the choice then lasts as long as the page.
  }
}

/** The letter, digit or sign that a key press means by itself, or null: with a modifier, in a field, or switched off. */
export function singleKey(event: KeyboardEvent): string | null {
  if (!areOn || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.key.length !== 1) return null;
  const target = event.composedPath()[0];
  const isTyping =
    target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
  const isTicking =
    target instanceof HTMLInputElement && ["checkbox", "radio", "range", "button"].includes(target.type);
  return isTyping && !isTicking ? null : event.key;
}

function read(): boolean {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}
