import type { LabError } from "../../base/errors.ts";
import type { RunRules } from "../../engine/roundings.ts";
import type { AskedRules } from "../panels/panel-events.ts";
import type { AskEngine } from "./ask-engine.ts";
import type { SideJob } from "./lab-state.ts";

/** What a desk needs of the controller. */
export interface DeskLink {
  /** Asks something that is no job. */
  readonly ask: AskEngine;
  /** What every run is asked with; may prepare a calibration text. */
  readonly rules: (asked: AskedRules) => Promise<RunRules>;
  /**
   * Runs a job whose panel tells what comes of it.
   * @returns null where something newer took its place
   */
  readonly run: <T>(
    kind: SideJob,
    name: string,
    doing: string,
    work: (call: AskEngine) => Promise<T>,
  ) => Promise<{ readonly result: T } | { readonly error: LabError } | null>;
}
