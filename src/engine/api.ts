import type { WasmHost } from "../device/wasm/wasm-device.ts";
import type { ByteSource, Folder } from "../formats/byte-source.ts";
import type { OutputFolder } from "../formats/output.ts";
import type { Workspace } from "../formats/workspaces/workspace.ts";
import type {
  ActivationReport,
  ActivationStrip,
  DepthResult,
  DiagnosisRequest,
  GenerationRequest,
  GenerationResult,
  HealRequest,
  HealResult,
  ImportanceReport,
  TaskRequest,
  TaskResult,
  TokenLook,
} from "./diagnosis-api.ts";
import type { ErrorWindow, WindowRequest } from "./error-window.ts";
import type { Ledger } from "./ledger.ts";
import type { MeasuredTokens, MeasureResult } from "./measure-result.ts";
import type { ArithmeticName, CompareResult, ExportResult, ModelSummary, Progress } from "./result.ts";
import type { RunRules } from "./roundings.ts";
import type { MatrixSheet } from "./sheet.ts";
import type { Store } from "./store.ts";
import type {
  SalientChannels,
  SalientRequest,
  SampleCurve,
  SampleRequest,
  StrengthRequest,
  StrengthSweep,
} from "./sweep-api.ts";
import type { PreparedText, TextHost, TextRequest } from "./text-api.ts";

/**
 * Where kernels run. `auto`: of WebGPU and WebAssembly what a probe finds quicker, if it passes the self-test; the result says
 * which and why. `gpu`, `wasm`: that or an error. `cpu`: WebAssembly, or where the host refuses it the oracles.
 * `reference`: the oracles.
 */
export type DeviceChoice = "auto" | "gpu" | "wasm" | "cpu" | "reference";

/** What differs by host, injected by the face. */
export interface EngineHost {
  /** The host's WebGPU entry point, or null where there is none. A new adapter is asked for at each use. */
  readonly gpu: GPU | null;
  /** How the host starts compute threads; null: as if it refused WebAssembly. */
  readonly wasm: WasmHost | null;
  /** How the host helps with texts; absent where no text is ever prepared. */
  readonly text?: TextHost;
  readonly device: DeviceChoice;
  /** Monotonic milliseconds, `performance.now`. */
  readonly now: () => number;
  /** What outlives a visit: what takes long to find out and can be found out again. */
  readonly store: Store;
  /** New room for weights that a method changes; absent: in memory. */
  readonly workspace?: () => Workspace;
}

/** How a job talks back while it runs. */
export interface JobHooks {
  readonly onProgress?: (progress: Progress) => void;
  /** The comparison so far, whenever a row or a layer landed; at most about four times a second. */
  readonly onPartial?: (result: CompareResult) => void;
  /** The measurement so far, after each pass over the model. */
  readonly onMeasured?: (result: MeasureResult) => void;
  /** What is known of every scored position, after each pass over the model and at the end. */
  readonly onTokens?: (tokens: MeasuredTokens) => void;
  /** What heals, as far as it is known. */
  readonly onHealed?: (result: HealResult) => void;
  /** Aborting it ends the job with `run/cancelled` before the next tile; what was written is removed. */
  readonly signal?: AbortSignal;
}

/** What the planner's column assumes. */
export interface PlanSettings {
  /** Name of a row of the planner's GPU table. */
  readonly gpu: string;
  readonly contextTokens: number;
  readonly sequences: number;
}

/** Recipes that one comparison takes: as many schemes as one pass over the weights measures. */
export const MAX_RECIPES = 8;

export interface CompareRequest {
  /** Recipes as `parseRecipe` of `schemes` reads them, in the order of the rows: `W4A16`, `magnitude:2:4 | int4:group=32`. */
  readonly schemes: readonly string[];
  readonly arithmetic: ArithmeticName;
  /** Modules left alone: exact names, or `re:` and a pattern matched at the start of the name. */
  readonly ignore: readonly string[];
  readonly plan: PlanSettings;
  /** Also time the kernels on a tile of this model (about a second more). */
  readonly throughput: boolean;
  /** The text that methods are calibrated on; absent: there is none. */
  readonly calibration?: PreparedText | null;
}

export interface QuantizeRequest {
  /** A recipe, as in `CompareRequest`. */
  readonly scheme: string;
  readonly arithmetic: ArithmeticName;
  readonly ignore: readonly string[];
  /** As in `CompareRequest`. */
  readonly calibration?: PreparedText | null;
}

export interface MeasureRequest extends RunRules {
  /** Recipes, as in `CompareRequest`; with a KV cache also `none`, which rounds nothing else. */
  readonly schemes: readonly string[];
  /** As `prepareText` gives it. */
  readonly text: PreparedText;
  /** Also measures recipes with int8 activations per token as vLLM serves them, which rounds by another rule. */
  readonly served: boolean;
}

/** What the lab keeps from earlier measurements, so that they need not be made again. */
export interface KeptResults {
  readonly entries: readonly { readonly name: string; readonly sizeBytes: number }[];
}

/** The one public door to the lab's work. One job runs at a time. */
export interface Engine {
  /** Reads headers and config.json; no weights. The checkpoint stays open until the next `open`. */
  open(folder: Folder): Promise<ModelSummary>;
  /** Measures each scheme on every quantizable matrix of the open checkpoint. */
  compare(request: CompareRequest, hooks?: JobHooks): Promise<CompareResult>;
  /**
   * Runs the open checkpoint and what each scheme makes of it over a text: how far their predictions are apart. What was
   * measured before of the same weights and windows is not measured again.
   * @param against further checkpoints of the same architecture, measured beside the schemes
   */
  measure(request: MeasureRequest, hooks?: JobHooks, against?: readonly Folder[]): Promise<MeasureResult>;
  /** How error grows along depth: what each layer inherits, and what it adds. */
  depth(request: DiagnosisRequest, hooks?: JobHooks): Promise<DepthResult>;
  /** What comes of putting parts of the original back, one at a time. */
  heal(request: HealRequest, hooks?: JobHooks): Promise<HealResult>;
  /** What each strength of SmoothQuant does to a recipe, on the whole and layer by layer. */
  sweepStrength(request: StrengthRequest, hooks?: JobHooks): Promise<StrengthSweep>;
  /** What a recipe's method comes to with ever more windows of the calibration text. */
  sampleCurve(request: SampleRequest, hooks?: JobHooks): Promise<SampleCurve>;
  /** What a few input channels are worth that keep the original's weights. */
  salientChannels(request: SalientRequest, hooks?: JobHooks): Promise<SalientChannels>;
  /** The most likely next tokens at one position of one window, before and after. */
  lookAtToken(
    request: DiagnosisRequest,
    at: { readonly window: number; readonly position: number },
    hooks?: JobHooks,
  ): Promise<TokenLook>;
  /** How long models say the same as the original when all always take the most likely token. */
  generate(request: GenerationRequest, hooks?: JobHooks): Promise<GenerationResult>;
  /**
   * The items of a task file, JSON lines of {"context", "choices", "answer"}; null: the bundled ones.
   * @throws LabError `tasks/…`, `json/…`, `source/…`
   */
  readTasks(file: ByteSource | null): Promise<TaskRequest["tasks"]>;
  /** Multiple choice by likelihood. */
  answer(request: TaskRequest, hooks?: JobHooks): Promise<TaskResult>;
  /** What goes into every linear layer of the original over a text. */
  activations(text: PreparedText, hooks?: JobHooks): Promise<ActivationReport>;
  /** The same from a file that `activationsFile` made of the same weights. @throws LabError `statistics/…` */
  readActivations(file: ByteSource): Promise<ActivationReport>;
  /** The statistics that `activations` or `readActivations` gave last, as one safetensors file. */
  activationsFile(): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Their sums of squares as an importance matrix of llama.cpp, for `llama-quantize --imatrix`: of the layers alone, as
   * `llama-imatrix` leaves the head away unless told. Every expert is counted for every token, as in `activations`.
   * @throws LabError `run/nothing-collected`, `imatrix/…`
   */
  importanceFile(): Promise<Uint8Array<ArrayBuffer>>;
  /** What an importance matrix of llama.cpp says of the layers of the open model. @throws LabError `imatrix/…`, `gguf/…` */
  readImportance(file: ByteSource): Promise<ImportanceReport>;
  /** What goes into one linear layer of the original, token by token of one window. */
  strip(module: string, text: PreparedText, window: number, hooks?: JobHooks): Promise<ActivationStrip>;
  /** The text of each token id, safe to show; `#7` where the checkpoint has no tokenizer. */
  pieces(ids: readonly number[]): Promise<readonly string[]>;
  /**
   * Every tensor of the open checkpoint, from its headers; no job, so that it is there while one runs.
   * @throws LabError `run/nothing-open`
   */
  ledger(): Ledger;
  /** What a recipe does to one matrix, place by place: levels, scales, errors, channels. No progress is told. */
  sheet(module: string, request: QuantizeRequest, hooks?: JobHooks): Promise<MatrixSheet>;
  /** The errors of a rectangle of one matrix, weight by weight, as they are in the whole matrix. No progress is told. */
  errorWindow(module: string, request: QuantizeRequest, window: WindowRequest, hooks?: JobHooks): Promise<ErrorWindow>;
  /** Writes the quantized checkpoint, its `recipe.yaml` beside it. On any failure `output` is discarded. */
  quantize(request: QuantizeRequest, output: OutputFolder, hooks?: JobHooks): Promise<ExportResult>;
  /**
   * Windows of token ids for a measurement, by the open checkpoint's tokenizer, and what the doctor finds in them.
   * @throws LabError `text/…`, `tokenizer/…`, `template/…`, `json/…`, `source/…`, `run/cancelled`
   */
  prepareText(request: TextRequest, hooks?: Pick<JobHooks, "signal">): Promise<PreparedText>;
  /** What is kept of earlier measurements. */
  kept(): Promise<KeptResults>;
  /** Lets go of all of that. */
  forget(): Promise<KeptResults>;
  /** Frees the device. */
  close(): void;
}
