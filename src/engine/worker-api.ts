import type { LabErrorData } from "../base/errors.ts";
import type { DeviceKind } from "../device/device.ts";
import type { CompareRequest, DeviceChoice, KeptResults, MeasureRequest, QuantizeRequest } from "./api.ts";
import type {
  ActivationReport,
  ActivationStrip,
  DepthResult,
  DiagnosisRequest,
  GenerationRequest,
  GenerationResult,
  HealRequest,
  HealResult,
  TaskRequest,
  TaskResult,
  TokenLook,
} from "./diagnosis-api.ts";
import type { ErrorWindow, WindowRequest } from "./error-window.ts";
import type { Ledger } from "./ledger.ts";
import type { MeasuredTokens, MeasureResult } from "./measure-result.ts";
import type { CompareResult, ExportResult, ModelSummary, Progress } from "./result.ts";
import type { MatrixSheet } from "./sheet.ts";
import type {
  SalientChannels,
  SalientRequest,
  SampleCurve,
  SampleRequest,
  StrengthRequest,
  StrengthSweep,
} from "./sweep-api.ts";
import type { PreparedText, TextRequest, TextSource } from "./text-api.ts";

/** What crosses from the worker: comlink keeps neither the class nor the code of a thrown error, so failures travel as data. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: LabErrorData };

/** The checkpoint to open: one that the lab brings along, or files of the user's machine. */
export type ModelChoice =
  | { readonly kind: "bundled"; readonly name: string }
  | {
      readonly kind: "files";
      readonly name: string;
      readonly files: readonly { readonly path: string; readonly file: File }[];
    };

/** A `TextRequest` as it crosses to the worker: a file of the user's machine in place of a byte source. */
export type TextChoice = Omit<TextRequest, "source"> & {
  readonly source: Exclude<TextSource, { readonly kind: "file" }> | { readonly kind: "file"; readonly file: File };
};

/** What the worker says while it works, over the port given to `start`. */
export type WorkerEvent =
  | { readonly type: "alive" }
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "partial"; readonly result: CompareResult }
  | { readonly type: "measured"; readonly result: MeasureResult }
  | { readonly type: "tokens"; readonly tokens: MeasuredTokens }
  | { readonly type: "healed"; readonly result: HealResult };

/** Where kernels run in this worker. */
export interface DeviceSummary {
  readonly kind: DeviceKind;
  readonly adapter: string;
  /** The kernels passed the start-up self-test bit for bit on this adapter. */
  readonly exact: boolean;
  /** Why it is not the device that was asked for, or null. */
  readonly fallback: string | null;
  /** What the probe measured where there was a choice, else null. */
  readonly choice: string | null;
}

/** The engine as a page sees it across the worker boundary. One job runs at a time. */
export interface WorkerApi {
  /** Handshake. `events` receives WorkerEvents, `alive` every second. */
  start(events: MessagePort, device: DeviceChoice): Promise<Outcome<{ device: DeviceSummary }>>;
  /** Where kernels run from the next job on. Where that cannot be had, nothing changes. */
  useDevice(choice: DeviceChoice): Promise<Outcome<DeviceSummary>>;
  open(choice: ModelChoice): Promise<Outcome<ModelSummary>>;
  compare(request: CompareRequest): Promise<Outcome<CompareResult>>;
  ledger(): Promise<Outcome<Ledger>>;
  sheet(module: string, request: QuantizeRequest): Promise<Outcome<MatrixSheet>>;
  errorWindow(module: string, request: QuantizeRequest, window: WindowRequest): Promise<Outcome<ErrorWindow>>;
  prepareText(choice: TextChoice): Promise<Outcome<PreparedText>>;
  /** Runs the open checkpoint and what each scheme makes of it over a text, other checkpoints beside them. */
  measure(
    request: MeasureRequest,
    against: readonly ModelChoice[],
  ): Promise<Outcome<{ readonly result: MeasureResult; readonly tokens: MeasuredTokens | null }>>;
  depth(request: DiagnosisRequest): Promise<Outcome<DepthResult>>;
  heal(request: HealRequest): Promise<Outcome<HealResult>>;
  sweepStrength(request: StrengthRequest): Promise<Outcome<StrengthSweep>>;
  sampleCurve(request: SampleRequest): Promise<Outcome<SampleCurve>>;
  salientChannels(request: SalientRequest): Promise<Outcome<SalientChannels>>;
  lookAtToken(
    request: DiagnosisRequest,
    at: { readonly window: number; readonly position: number },
  ): Promise<Outcome<TokenLook>>;
  generate(request: GenerationRequest): Promise<Outcome<GenerationResult>>;
  /** The multiple-choice items of a file, or the bundled ones (null). */
  readTasks(file: File | null): Promise<Outcome<TaskRequest["tasks"]>>;
  answer(request: TaskRequest): Promise<Outcome<TaskResult>>;
  activations(text: PreparedText): Promise<Outcome<ActivationReport>>;
  readActivations(file: File): Promise<Outcome<ActivationReport>>;
  activationsFile(): Promise<Outcome<Uint8Array<ArrayBuffer>>>;
  importanceFile(): Promise<Outcome<Uint8Array<ArrayBuffer>>>;
  strip(module: string, text: PreparedText, window: number): Promise<Outcome<ActivationStrip>>;
  /** The text of each token id; not a job. */
  pieces(ids: readonly number[]): Promise<Outcome<readonly string[]>>;
  /** What the lab keeps on this machine from earlier measurements. */
  kept(): Promise<Outcome<KeptResults>>;
  /** Lets go of it. */
  forget(): Promise<Outcome<KeptResults>>;
  exportCheckpoint(
    request: QuantizeRequest,
  ): Promise<Outcome<{ result: ExportResult; archive: File; fileName: string }>>;
  /** Ends the running job with `run/cancelled`. */
  cancel(): Promise<void>;
}
