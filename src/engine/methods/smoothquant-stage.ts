import { type SmoothingMapping, smoothingMappings } from "../../architectures/smoothing/mappings.ts";
import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import type { ChannelStatistics } from "../../models/channel-statistics.ts";
import type { Transform } from "../../schemes/method.ts";
import { foldFactors } from "./fold.ts";
import { columnStatistics } from "./input-statistics.ts";
import type { SmoothingReport } from "./method-report.ts";
import { observeMappings, refusedReport, smoothedReport } from "./smoothing.ts";
import { matrixOf, type Stage, type StageSetup } from "./stage.ts";

export type SmoothQuant = Extract<Transform, { readonly kind: "smoothquant" }>;

/** Factors are no smaller, so that nothing is divided by 0. Source: `MINIMUM_SMOOTHING_SCALE` of the tool, `clamp(1e-5)` of the paper's. */
const LEAST_FACTOR = 1e-5;

/** SmoothQuant over the layers. */
export class SmoothQuantStage implements Stage {
  readonly matrices = [];
  readonly smoothings: SmoothingReport[];
  readonly #setup: StageSetup;
  readonly #settings: SmoothQuant;
  readonly #mappings: readonly SmoothingMapping[];

  constructor(setup: StageSetup, settings: SmoothQuant) {
    const { mappings, refused } = smoothingMappings(setup.walk.setup.graph, "smoothquant");
    this.#setup = setup;
    this.#settings = settings;
    this.#mappings = mappings;
    this.smoothings = refused.map(refusedReport);
  }

  async apply(layer: number): Promise<void> {
    const { walk } = this.#setup;
    for (const { mapping, statistics } of await observeMappings(walk, layer, this.#mappings)) {
      const factors = smoothingFactors(
        this.#settings.rule,
        strengthOf(this.#settings, layer),
        statistics,
        await this.#columnMaxima(mapping),
        walk.format,
      );
      await foldFactors(this.#setup, mapping, factors);
      this.smoothings.push(smoothedReport(mapping, factors, null));
    }
  }

  /** The largest magnitude in each column of all the layers of a mapping. */
  async #columnMaxima({ balance, channels }: SmoothingMapping): Promise<Float64Array> {
    const largest = new Float64Array(channels);
    for (const layer of balance) {
      const { absMax } = await columnStatistics(this.#setup.walk.setup.bench, matrixOf(this.#setup, layer));
      for (const [channel, value] of absMax.entries()) largest[channel] = Math.max(largest[channel] ?? 0, value);
    }
    return largest;
  }
}

function strengthOf({ strength, layers }: SmoothQuant, layer: number): number {
  return layers.find(({ first, last }) => first <= layer && layer <= last)?.strength ?? strength;
}

/**
 * The factor of each channel. With a the range of its activations and w that of its weights: s = a^strength / w^(1 − strength).
 * `tool`: a the largest less the smallest activation, w twice the largest magnitude; where a column is all zero, s = a. Each
 * step is rounded to the model's dtype, and so are both exponents, as torch's `pow` has them. `paper`: largest magnitudes, w at
 * least 1e-5, in float32.
 * Source: LLM Compressor 0.14 `modifiers/transform/smoothquant/base.py :: _calculate_smoothing_scales, _apply_smoothing`;
 *   mit-han-lab/smoothquant `smoothquant/smooth.py :: smooth_ln_fcs_llama_like`.
 */
export function smoothingFactors(
  rule: SmoothQuant["rule"],
  strength: number,
  { absMax, min, max }: Pick<ChannelStatistics, "absMax" | "min" | "max">,
  columnMaxima: Float64Array,
  format: FloatName,
): Float32Array<ArrayBuffer> {
  const { round } = FLOAT_FORMATS[rule === "tool" ? format : "f32"];
  return Float32Array.from(columnMaxima, (largest, channel) => {
    if (rule === "paper") {
      const weight = Math.max(largest, LEAST_FACTOR);
      return Math.max((absMax[channel] ?? 0) ** strength / weight ** (1 - strength), LEAST_FACTOR);
    }
    const activation = round((max[channel] ?? 0) - (min[channel] ?? 0));
    const weight = round(2 * largest);
    const factor = round(round(activation ** round(strength)) / round(weight ** round(1 - strength)));
    return Math.max(weight > 0 ? factor : activation, LEAST_FACTOR);
  });
}
