import { call } from "../../device/kernel.ts";
import { elementWords } from "../../kernels/elements.ts";
import { wanda } from "../../kernels/prune/wanda.ts";
import type { Pruning } from "../../schemes/pruning.ts";
import type { PlannedMatrix } from "../checkpoint-plan.ts";
import { observePlanned } from "./input-statistics.ts";
import type { MatrixReport } from "./method-report.ts";
import { matrixReport, outsideReports, rewriteMatrix, type Stage, type StageSetup } from "./stage.ts";

/** Wanda over the layers. */
export class WandaStage implements Stage {
  readonly matrices: MatrixReport[];
  readonly smoothings = [];
  readonly #setup: StageSetup;
  readonly #pruning: Extract<Pruning, { readonly structure: "n-of-m" | "unstructured" }>;

  constructor(setup: StageSetup, pruning: Extract<Pruning, { readonly structure: "n-of-m" | "unstructured" }>) {
    this.#setup = setup;
    this.#pruning = pruning;
    this.matrices = [...outsideReports(setup)];
  }

  async apply(layer: number): Promise<void> {
    const { windows } = this.#setup.walk.setup;
    for (const { matrices, statistics } of await observePlanned(this.#setup, layer)) {
      // Of each window the squared norm, as LLM Compressor has it; any other measure would rank alike.
      const norms = statistics.meanSquare.map((mean) => (mean * statistics.rows) / windows.length);
      const importance = Float32Array.from(norms, (norm) => Math.sqrt(Math.fround(norm)));
      for (const matrix of matrices) await this.#prune(matrix, importance);
    }
  }

  async #prune(matrix: PlannedMatrix, importance: Float32Array<ArrayBuffer>): Promise<void> {
    const { walk, patched } = this.#setup;
    const { bench } = walk.setup;
    const { cols, element } = matrix;
    const pruning = this.#pruning;
    const structure =
      pruning.structure === "n-of-m"
        ? ({ kind: "n-of-m", n: pruning.n, m: pruning.m } as const)
        : ({ kind: "share" } as const);
    const perRow = pruning.structure === "n-of-m" ? 0 : Math.floor(cols * pruning.share);
    await rewriteMatrix(bench, patched, matrix, ({ rows }, weights) => {
      const { device, scratch } = bench;
      const factors = scratch.filled("importance", new Uint8Array(importance.buffer));
      const pruned = scratch.buffer("pruned", elementWords(rows * cols, element) * 4);
      device.run([call(wanda, { element, structure }, { rows, cols, perRow }, [weights, factors, pruned])]);
      return pruned;
    });
    this.matrices.push(matrixReport(matrix));
  }
}
