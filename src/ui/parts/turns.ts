let last: Promise<void> = Promise.resolve();

/**
 * Waits for a turn of its own. What is drawn anew at once, the pictures of a surface, comes one piece after the other, so that
 * a frame fits in between and a key press is answered before the last of them.
 */
export function ownTurn(): Promise<void> {
  last = last.then(() => new Promise((resolve) => setTimeout(resolve)));
  return last;
}
