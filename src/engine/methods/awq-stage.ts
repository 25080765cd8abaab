import { type SmoothingMapping, smoothingMappings } from "../../architectures/smoothing/mappings.ts";
import type { DeviceBuffer } from "../../device/device.ts";
import { call } from "../../device/kernel.ts";
import { sourceOf } from "../../formats/huggingface/checkpoint.ts";
import { copy } from "../../kernels/measure/copy.ts";
import { residualError } from "../../kernels/model/residual_error.ts";
import { relativeMagnitudes, relativeMagnitudesWords } from "../../kernels/smoothing/relative_magnitudes.ts";
import type { Scheme } from "../../schemes/scheme.ts";
import type { PlannedMatrix } from "../checkpoint-plan.ts";
import type { VariantSource } from "../model-parameters.ts";
import { NO_RANGES } from "../range-search.ts";
import { type Awq, type GridPoint, gridFactors, gridPoints } from "./awq-grid.ts";
import { foldFactors } from "./fold.ts";
import type { LayerInput } from "./layer-walk.ts";
import type { SmoothingReport } from "./method-report.ts";
import { observeMappings, refusedReport, smoothedReport } from "./smoothing.ts";
import type { Stage, StageSetup } from "./stage.ts";

/** AWQ over the layers: of a grid of factors those that leave the smallest error behind the layers that read them. */
export class AwqStage implements Stage {
  readonly matrices = [];
  readonly smoothings: SmoothingReport[];
  readonly #setup: StageSetup;
  readonly #points: readonly GridPoint[];
  readonly #mappings: readonly SmoothingMapping[];

  constructor(setup: StageSetup, settings: Awq) {
    const { mappings, refused } = smoothingMappings(setup.walk.setup.graph, "awq");
    this.#setup = setup;
    this.#points = gridPoints(settings);
    this.#mappings = mappings;
    this.smoothings = refused.map(refusedReport);
  }

  async apply(layer: number): Promise<void> {
    const { walk } = this.#setup;
    const observed = await observeMappings(walk, layer, this.#mappings);
    for (const [index, { mapping, statistics }] of observed.entries()) {
      const share = (done: number) => walk.tell(layer, 0.1 + (0.8 * (index + done)) / observed.length);
      this.smoothings.push(await this.#smooth(mapping, statistics.meanAbs, share));
    }
  }

  async #smooth(
    mapping: SmoothingMapping,
    activations: Float64Array,
    share: (done: number) => void,
  ): Promise<SmoothingReport> {
    const { layer, name } = mapping;
    const planned = this.#planned(mapping);
    if (planned.length === 0)
      return refusedReport({ layer, name, reason: "none of the layers that read it is quantized" });
    if (planned.some(({ scheme }) => scheme?.weights.granularity.strategy === "tensor")) {
      return refusedReport({ layer, name, reason: "one scale for a whole matrix is not searched for" });
    }
    const weights = await this.#weightMeans(planned, mapping.channels);
    const factors = this.#points.map((point) => gridFactors(point, activations, weights));
    const losses = await this.#losses(mapping, planned, factors, share);
    if (losses === null)
      return refusedReport({ layer, name, reason: "the outputs of the layers that read it are not finite" });
    const least = losses.reduce((smallest, loss) => (loss < smallest ? loss : smallest), Number.POSITIVE_INFINITY);
    const best = losses.indexOf(least);
    const own = factors[best];
    if (!own) return refusedReport({ layer, name, reason: "no choice of factors leaves finite outputs" });
    await foldFactors(this.#setup, mapping, own);
    const points = this.#points.map(({ ratio, duoScaling }, index) => {
      const loss = losses[index] ?? Number.NaN;
      return { ratio, duoScaling, loss: Number.isFinite(loss) ? loss : null };
    });
    return smoothedReport(mapping, own, { points, best });
  }

  /** The matrices of a mapping that are quantized. */
  #planned({ balance }: SmoothingMapping): readonly PlannedMatrix[] {
    const tensors = new Set(balance.map(({ weight }) => weight.tensor));
    return this.#setup.plan.matrices.filter(({ tensor, scheme }) => scheme !== null && tensors.has(tensor.name));
  }

  /** How large the weights of each column are beside the largest of their group, on average over all rows. */
  async #weightMeans(planned: readonly PlannedMatrix[], channels: number): Promise<Float64Array> {
    const { bench } = this.#setup.walk.setup;
    const sums = new Float64Array(channels);
    let count = 0;
    for (const matrix of planned) {
      const { cols, element, scheme } = matrix;
      const granularity = scheme?.weights.granularity;
      const groupSize = granularity?.strategy === "group" ? granularity.groupSize : cols;
      await bench.streamTiles({ matrix }, async (tile, bytes) => {
        const { device, scratch } = bench;
        const weights = scratch.filled("weights", bytes);
        const shape = { rows: tile.rows, cols, groupSize };
        const sizeBytes = relativeMagnitudesWords(shape) * 4;
        const found = scratch.buffer("relative magnitudes", sizeBytes);
        device.run([call(relativeMagnitudes, { element }, shape, [weights, found])]);
        const blocks = new Float32Array((await device.read(found, sizeBytes)).buffer);
        for (const [at, sum] of blocks.entries()) sums[at % cols] = (sums[at % cols] ?? 0) + sum;
      });
      count += matrix.rows;
    }
    return sums.map((sum) => sum / count);
  }

  /** The mean squared difference that each choice of factors makes behind the parent; null where the original is not finite. */
  async #losses(
    mapping: SmoothingMapping,
    planned: readonly PlannedMatrix[],
    factors: readonly Float32Array<ArrayBuffer>[],
    share: (done: number) => void,
  ): Promise<readonly number[] | null> {
    const { walk, arithmetic } = this.#setup;
    const { after, graph, windows } = walk.setup;
    const sources = factors.map(
      (columnFactors): VariantSource => ({
        checkpoint: null,
        matrices: new Map(
          planned.map((matrix) => {
            const source = sourceOf(after, matrix.tensor);
            const own = {
              ...matrix,
              source,
              original: source,
              scheme: matrix.scheme && withWholeRanges(matrix.scheme),
            };
            return [matrix.tensor.name, { matrix: own, arithmetic, mask: null, ranges: NO_RANGES, columnFactors }];
          }),
        ),
      }),
    );
    const width = graph.registers.get(mapping.parent.output) ?? 0;
    const sums = factors.map(() => 0);
    let energy = 0;
    let rows = 0;
    let done = 0;
    await walk.eachInput(factors.length + 1, async (input) => {
      const found = await this.#runParent(
        mapping,
        input,
        [{ checkpoint: null, matrices: new Map() }, ...sources],
        width,
      );
      for (const [index, { error }] of found.entries()) sums[index] = (sums[index] ?? 0) + error;
      energy += found[0]?.energy ?? 0;
      rows += input.batch.rows;
      done += input.batch.starts.length;
      share(done / windows.length);
    });
    return Number.isFinite(energy) ? sums.map((sum) => sum / (rows * width)) : null;
  }

  /** Runs the parent with all choices on the same input. @returns of each, Σ (y − ŷ)² and Σ y² */
  async #runParent(
    { layer, parent }: SmoothingMapping,
    { batch, hidden }: LayerInput,
    sources: readonly VariantSource[],
    width: number,
  ): Promise<readonly { readonly error: number; readonly energy: number }[]> {
    const { walk } = this.#setup;
    const { bench, before, after, graph } = walk.setup;
    const { device } = bench;
    const made: DeviceBuffer[] = [];
    const create = (words: number) => {
      const buffer = device.createBuffer(words * 4);
      made.push(buffer);
      return buffer;
    };
    try {
      const inputWords = batch.rows * (graph.registers.get(parent.input) ?? 0);
      const input = create(inputWords);
      const prefix = { layer, first: 0, end: parent.firstStep };
      await walk.runPart(before, batch, prefix, [
        new Map([
          ["hidden", hidden],
          [parent.input, input],
        ]),
      ]);
      const lent = sources.map(() => {
        const own = create(inputWords);
        device.run([call(copy, {}, { vectors: inputWords / 4 }, [input, own])]);
        const output = parent.output === parent.input ? own : create(batch.rows * width);
        return { own, output };
      });
      await walk.runPart(
        after,
        batch,
        { layer, first: parent.firstStep, end: parent.endStep },
        lent.map(
          ({ own, output }) =>
            new Map([
              [parent.output, output],
              [parent.input, own],
            ]),
        ),
        sources,
      );
      const [original, ...changed] = lent;
      if (!original) throw new Error("a parent without the original");
      const shape = { rows: batch.rows, width };
      const found: { error: number; energy: number }[] = [];
      const sums = create(batch.rows * 2);
      for (const { output } of changed) {
        device.run([call(residualError, {}, shape, [original.output, output, sums])]);
        const pairs = new Float32Array((await device.read(sums, batch.rows * 8)).buffer);
        const total = (offset: 0 | 1) =>
          Array.from({ length: batch.rows }, (_, row) => pairs[2 * row + offset] ?? 0).reduce((a, b) => a + b, 0);
        found.push({ error: total(0), energy: total(1) });
      }
      return found;
    } finally {
      for (const buffer of made) buffer.destroy();
    }
  }
}

/** While the tool tries factors, ranges go from the smallest weight to the largest, whatever the scheme's observer. */
function withWholeRanges(scheme: Scheme): Scheme {
  return { ...scheme, weights: { ...scheme.weights, observer: null } };
}
