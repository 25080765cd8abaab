import type { JobHooks } from "./api.ts";
import type { ProgressStep } from "./result.ts";

/** How work inside of the engine talks back: without its pace, which is added on the way out. */
export interface WorkHooks extends Omit<JobHooks, "onProgress"> {
  readonly onProgress?: (step: ProgressStep) => void;
}

/** Before that a mean is of nothing, in milliseconds. */
const RATE_AFTER_MS = 500;
const LEFT_AFTER_MS = 3000;

/** The same hooks, telling how fast each phase goes. `now` is monotonic, in milliseconds. */
export function paced({ onProgress, ...hooks }: JobHooks, now: () => number): WorkHooks {
  if (onProgress === undefined) return hooks;
  let phase = "";
  let began = 0;
  return {
    ...hooks,
    onProgress: (step) => {
      if (step.phase !== phase) {
        phase = step.phase;
        began = now();
      }
      const elapsedMs = now() - began;
      const isKnown = elapsedMs >= RATE_AFTER_MS && step.doneBytes > 0;
      const left = (elapsedMs * (step.totalBytes - step.doneBytes)) / step.doneBytes;
      onProgress({
        ...step,
        bytesPerSecond: isKnown ? (1000 * step.doneBytes) / elapsedMs : null,
        leftMs: isKnown && elapsedMs >= LEFT_AFTER_MS ? left : null,
      });
    },
  };
}
