import type * as Comlink from "comlink";
import type { LabError } from "../../base/errors.ts";
import type { RunRules } from "../../engine/roundings.ts";
import type { Outcome, WorkerApi } from "../../engine/worker-api.ts";
import type { AskedRules } from "../panels/panel-events.ts";
import type { SideJob } from "./lab-state.ts";

/** Calls the engine. */
type Ask = <T>(doing: string, invoke: (api: Comlink.Remote<WorkerApi>) => Promise<Outcome<T>>) => Promise<T>;

/** What a desk needs of the controller. */
export interface DeskLink {
  /** Asks something that is no job. */
  readonly ask: Ask;
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
    work: (call: Ask) => Promise<T>,
  ) => Promise<{ readonly result: T } | { readonly error: LabError } | null>;
}
