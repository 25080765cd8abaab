/** Turns share a task until it has taken this long: a frame fits in between, and small pieces do not wait for a timer each. */
const TASK_MS = 6;

let last: Promise<void> = Promise.resolve();
let began = Number.NEGATIVE_INFINITY;

/**
 * Waits for a turn of its own. What is drawn anew at once, the panels and pictures of a surface, comes one piece after the
 * other, so that a key press is answered before the last of them.
 */
export function ownTurn(): Promise<void> {
  last = last.then(() => (performance.now() - began < TASK_MS ? undefined : newTask()));
  return last;
}

async function newTask(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  began = performance.now();
}
