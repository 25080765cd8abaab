import type { ActivationOrder } from "../../schemes/method.ts";
import type { PlannedMatrix } from "../checkpoint-plan.ts";
import { elementBytes } from "../element-values.ts";
import { leftMatrix, prepareMatrix } from "../restore-tile.ts";
import { rowBytesOf } from "../tiles.ts";
import { Compensation, type CompensationRule } from "./compensate.ts";
import { type FactoredHessian, factorHessian, type Hessian, HessianTap, hessianBytes } from "./hessian.ts";
import { importanceOf, isWeighed } from "./importance.ts";
import type { MatrixReport } from "./method-report.ts";
import { OutputErrorMeter } from "./output-error.ts";
import {
  matrixReport,
  outsideReports,
  type PlannedInput,
  plannedInputs,
  type Stage,
  type StageSetup,
} from "./stage.ts";

/** Bytes of sums of Hessians that are gathered in one run of a layer. */
const HESSIANS_BYTES = 2 ** 28;

/** What a stage of column loops is asked. */
export interface CompensationSettings {
  readonly rule: CompensationRule;
  readonly actorder: ActivationOrder;
  readonly dampening: number;
}

/** GPTQ or SparseGPT over the layers. */
export class CompensationStage implements Stage {
  readonly matrices: MatrixReport[];
  readonly smoothings = [];
  readonly #setup: StageSetup;
  readonly #settings: CompensationSettings;

  constructor(setup: StageSetup, settings: CompensationSettings) {
    this.#setup = setup;
    this.#settings = settings;
    this.matrices = [...outsideReports(setup)];
  }

  async apply(layer: number): Promise<void> {
    const { walk } = this.#setup;
    for (const together of this.#batches(plannedInputs(this.#setup, layer))) {
      const tap = new HessianTap(
        walk.setup.bench.device,
        new Map(together.map(({ leader, width }) => [leader, width])),
      );
      try {
        await walk.observe(layer, tap);
        for (const input of together) await this.#change(input, await tap.read(input.leader, input.width));
      } finally {
        tap.destroy();
      }
    }
  }

  /** Inputs whose Hessians are gathered together, each batch by a run of its own. */
  #batches(inputs: readonly PlannedInput[]): readonly (readonly PlannedInput[])[] {
    const { maxBufferBytes } = this.#setup.walk.setup.bench.device;
    const batches: PlannedInput[][] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (const input of inputs) {
      const own = hessianBytes(input.width);
      if (own > maxBufferBytes) {
        this.#leave(input, `its Hessian of ${own} bytes is larger than a buffer of this device, of ${maxBufferBytes}`);
        continue;
      }
      if (bytes + own > HESSIANS_BYTES) {
        batches.push([]);
        bytes = 0;
      }
      batches.at(-1)?.push(input);
      bytes += own;
    }
    return batches;
  }

  #leave({ matrices }: PlannedInput, fallback: string): void {
    for (const matrix of matrices) {
      const words = isWeighed(matrix) ? `${fallback}; all columns of its ranges count alike` : fallback;
      this.matrices.push(matrixReport(matrix, { fallback: words }));
    }
  }

  async #change({ matrices }: PlannedInput, hessian: Hessian): Promise<void> {
    const factored = await factorHessian(this.#setup.cpu, hessian, this.#settings);
    for (const matrix of matrices) await this.#compensate(matrix, hessian, factored);
  }

  /** A matrix with what weighs its columns, where that is asked for: the diagonal of the Hessian holds the very numbers. */
  #weighed(matrix: PlannedMatrix, { width, values }: Hessian): PlannedMatrix {
    if (!this.#settings.rule.rounds || !isWeighed(matrix)) return matrix;
    const importance = importanceOf(Float64Array.from({ length: width }, (_, at) => values[at * (width + 1)] ?? 0));
    if (typeof importance === "string") return matrix;
    this.#setup.importance.set(matrix.tensor.name, importance);
    return { ...matrix, importance };
  }

  async #compensate(planned: PlannedMatrix, hessian: Hessian, factored: FactoredHessian): Promise<void> {
    const matrix = this.#weighed(planned, hessian);
    const { walk, plan, patched, arithmetic } = this.#setup;
    const { bench } = walk.setup;
    const { rule } = this.#settings;
    const plainPruning = rule.pruning && { ...rule.pruning, criterion: "magnitude" as const };
    const target = rule.rounds ? matrix : { ...matrix, scheme: null };
    const plain =
      rule.rounds || rule.pruning
        ? await prepareMatrix(bench, { ...plan, pruning: plainPruning }, target, arithmetic)
        : leftMatrix(matrix, arithmetic);
    const meter = new OutputErrorMeter(matrix);
    await new Compensation(bench, matrix, factored, rule, plain).run(async (tile, original, before, changed) => {
      meter.take(tile, original, before, changed);
      await patched.write(matrix.tensor.name, tile.row * rowBytesOf(matrix), elementBytes(changed, matrix.element));
    });
    const outputError = await meter.finish(bench, hessian);
    this.matrices.push(matrixReport(matrix, { fallback: factored.failure, outputError, hessian: factored.meter }));
  }
}
