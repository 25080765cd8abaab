import type { WasmHost } from "../device/wasm/wasm-device.ts";
import type { Folder } from "../formats/byte-source.ts";
import type { OutputFolder } from "../formats/output.ts";
import type { ErrorWindow, WindowRequest } from "./error-window.ts";
import type { Ledger } from "./ledger.ts";
import type { MeasureResult } from "./measure-result.ts";
import type { ArithmeticName, CompareResult, ExportResult, ModelSummary, Progress } from "./result.ts";
import type { MatrixSheet } from "./sheet.ts";
import type { Store } from "./store.ts";
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
}

/** How a job talks back while it runs. */
export interface JobHooks {
  readonly onProgress?: (progress: Progress) => void;
  /** The comparison so far, whenever a row or a layer landed; at most about four times a second. */
  readonly onPartial?: (result: CompareResult) => void;
  /** The measurement so far, after each pass over the model. */
  readonly onMeasured?: (result: MeasureResult) => void;
  /** At the end of a measurement, once for each row in order: KL divergence of every scored position, in nats. */
  readonly onPositions?: (scheme: string, kld: Float64Array<ArrayBuffer>) => void;
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
}

export interface QuantizeRequest {
  /** A recipe, as in `CompareRequest`. */
  readonly scheme: string;
  readonly arithmetic: ArithmeticName;
  readonly ignore: readonly string[];
}

export interface MeasureRequest {
  /** Recipes, as in `CompareRequest`. */
  readonly schemes: readonly string[];
  readonly arithmetic: ArithmeticName;
  readonly ignore: readonly string[];
  /** As `prepareText` gives it. */
  readonly text: PreparedText;
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
