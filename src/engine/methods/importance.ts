import { rangeSearcher } from "../../schemes/scheme.ts";
import type { PlannedMatrix } from "../checkpoint-plan.ts";
import { observePlanned } from "./input-statistics.ts";
import type { MatrixReport } from "./method-report.ts";
import { matrixReport, outsideReports, type Stage, type StageSetup } from "./stage.ts";

/** Added to a mean before it divides. Source: `torch.finfo(torch.float32).tiny`. */
const TINY = 2 ** -126;

/** Whether what goes into a matrix weighs the errors of its ranges. */
export function isWeighed({ scheme }: PlannedMatrix): boolean {
  return scheme !== null && rangeSearcher(scheme.weights) === "imatrix_mse";
}

/**
 * How much each column of a matrix counts: the mean square of what goes into it, over the mean of all columns, in float32.
 * @returns in words where there is nothing to weigh by
 * Source: LLM Compressor 0.14 `observers/imatrix.py :: _get_validated_importance, _prepare_importance`.
 */
export function importanceOf(meanSquares: Float64Array): Float32Array<ArrayBuffer> | string {
  const squares = Float32Array.from(meanSquares);
  if (!squares.every(Number.isFinite)) return "what goes into it is not finite";
  if (squares.every((square) => square === 0)) return "nothing but zeros goes into it";
  const mean = Math.fround(squares.reduce((sum, square) => sum + square, 0) / squares.length);
  return squares.map((square) => square / Math.fround(mean + TINY));
}

/** Gathers over the layers what goes into each matrix whose ranges are weighed by it; changes nothing. */
export class ImportanceStage implements Stage {
  readonly matrices: MatrixReport[];
  readonly smoothings = [];
  readonly #setup: StageSetup;

  constructor(setup: StageSetup) {
    const { plan } = setup;
    const weighed = { ...plan, matrices: plan.matrices.filter(isWeighed) };
    this.#setup = { ...setup, plan: weighed };
    this.matrices = [...outsideReports(this.#setup)];
  }

  async apply(layer: number): Promise<void> {
    for (const { matrices, statistics } of await observePlanned(this.#setup, layer)) {
      const found = importanceOf(statistics.meanSquare);
      for (const matrix of matrices) {
        if (typeof found !== "string") this.#setup.importance.set(matrix.tensor.name, found);
        this.matrices.push(matrixReport(matrix, typeof found === "string" ? { fallback: found } : {}));
      }
    }
  }
}
