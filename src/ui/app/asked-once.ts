import type { LabError } from "../../base/errors.ts";
import type { AskedRules } from "../panels/panel-events.ts";
import { type AskedText, isSameText } from "../parts/asked-text.ts";
import { type Fetched, NOT_FETCHED } from "../parts/fetched.ts";
import type { JobState } from "../parts/job-state.ts";

/** What was asked for once, and what came of it; old when something else would be asked now. */
export interface AskedOnce<T> {
  readonly view: Fetched<T>;
  /** Null where it follows none. */
  readonly rules: AskedRules | null;
  /** Null where no text is chosen for it. */
  readonly text: AskedText | null;
}

export const NOT_ASKED = { view: NOT_FETCHED, rules: null, text: null } as const;

/** What a job came to. One that was stopped, or had to make room, leaves what it had brought. */
export function viewOf<T>(
  end: { readonly result: T } | { readonly error: LabError } | null,
  soFar: T | null,
): Fetched<T> {
  if (end !== null && "result" in end) return { state: "ready", result: end.result };
  if (end === null || end.error.code === "run/cancelled") {
    return soFar === null ? NOT_FETCHED : { state: "ready", result: soFar };
  }
  return { state: "failed", error: end.error.toData() };
}

/** Whether something else would be asked now. */
export function isOld(
  { rules, text }: AskedOnce<unknown>,
  now: { readonly asked: AskedRules; readonly text: AskedText },
  isSameRun: (one: AskedRules, other: AskedRules) => boolean,
): boolean {
  if (rules !== null && !isSameRun(rules, now.asked)) return true;
  return text !== null && !isSameText(text, now.text);
}

/** How it stands, for a panel. */
export function jobState({ state }: Fetched<unknown>, isOlder: boolean): JobState {
  if (state === "waiting") return "busy";
  return state === "ready" && isOlder ? "stale" : state;
}
