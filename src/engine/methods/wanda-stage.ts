import { quote } from "../../base/errors.ts";
import { call } from "../../device/kernel.ts";
import { elementWords } from "../../kernels/elements.ts";
import { wanda } from "../../kernels/prune/wanda.ts";
import type { Pruning } from "../../schemes/pruning.ts";
import type { PlannedMatrix } from "../checkpoint-plan.ts";
import { rowBytesOf } from "../tiles.ts";
import { observeInputs } from "./input-statistics.ts";
import type { MatrixReport } from "./method-report.ts";
import { sharedInputs } from "./shared-inputs.ts";
import { outsideReports, plannedSteps, type Stage, type StageSetup } from "./stage.ts";

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
    const { walk, plan } = this.#setup;
    const shared = sharedInputs(walk.steps(layer)).filter(({ steps }) => plannedSteps(steps, plan).length > 0);
    const found = await observeInputs(walk, layer, new Set(shared.map(({ leader }) => leader)));
    for (const { leader, steps } of shared) {
      const statistics = found.get(leader);
      if (!statistics) throw new Error(`no statistics of ${leader}`);
      // Of each window the squared norm, as LLM Compressor has it; any other measure would rank alike.
      const norms = statistics.meanSquare.map((mean) => (mean * statistics.rows) / walk.setup.windows.length);
      const importance = Float32Array.from(norms, (norm) => Math.sqrt(Math.fround(norm)));
      for (const { matrix } of plannedSteps(steps, plan)) await this.#prune(matrix, importance);
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
    const rows = { start: 0, end: matrix.rows };
    const whole = { matrix, rowMultiple: 1, rows, mostBytes: Number.POSITIVE_INFINITY };
    await bench.streamTiles(whole, async (tile, bytes) => {
      const { device, scratch } = bench;
      const weights = scratch.filled("weights", bytes);
      const factors = scratch.filled("importance", new Uint8Array(importance.buffer));
      const pruned = scratch.buffer("pruned", elementWords(tile.rows * cols, element) * 4);
      const shape = { rows: tile.rows, cols, perRow };
      device.run([call(wanda, { element, structure }, shape, [weights, factors, pruned])]);
      const kept = await device.read(pruned, tile.rows * rowBytesOf(matrix));
      await patched.write(matrix.tensor.name, tile.row * rowBytesOf(matrix), kept);
    });
    this.matrices.push({
      module: quote(matrix.module),
      fallback: null,
      outputError: null,
      hessian: null,
      clipped: null,
    });
  }
}
