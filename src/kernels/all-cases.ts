import { activationExtremesCases } from "./activations/extremes.cases.ts";
import { joinRowsCases } from "./activations/join_rows.cases.ts";
import { roundCases } from "./activations/round.cases.ts";
import { roundInPlaceCases } from "./activations/round_in_place.cases.ts";
import { servedScalesCases } from "./activations/served_scales.cases.ts";
import { columnBlockCases } from "./compensation/column_block.cases.ts";
import { scoresCases } from "./compensation/scores.cases.ts";
import { trailingUpdateCases } from "./compensation/trailing_update.cases.ts";
import { choleskyCases } from "./linear/cholesky.cases.ts";
import { gramCases } from "./linear/gram.cases.ts";
import { intLinearCases } from "./linear/int_linear.cases.ts";
import { linearCases } from "./linear/linear.cases.ts";
import { triangularInverseCases } from "./linear/triangular_inverse.cases.ts";
import { copyCases } from "./measure/copy.cases.ts";
import { accumulateCases } from "./model/accumulate.cases.ts";
import { addCases } from "./model/add.cases.ts";
import { addRowCases } from "./model/add_row.cases.ts";
import { attentionCases } from "./model/attention.cases.ts";
import { attentionRoundedCases } from "./model/attention_rounded.cases.ts";
import { divergenceCases } from "./model/divergence.cases.ts";
import { embedCases } from "./model/embed.cases.ts";
import { gateCases } from "./model/gate.cases.ts";
import { normCases } from "./model/norm.cases.ts";
import { residualErrorCases } from "./model/residual_error.cases.ts";
import { rotateCases } from "./model/rotate.cases.ts";
import { roundToCases } from "./model/round_to.cases.ts";
import { routeCases } from "./model/route.cases.ts";
import { scatterRowsCases } from "./model/scatter_rows.cases.ts";
import { softCapCases } from "./model/soft_cap.cases.ts";
import { widenCases } from "./model/widen.cases.ts";
import { nOfMCases } from "./prune/n_of_m.cases.ts";
import { structuredCases } from "./prune/structured.cases.ts";
import { thresholdCases } from "./prune/threshold.cases.ts";
import { wandaCases } from "./prune/wanda.cases.ts";
import { clipCases } from "./quant/clip.cases.ts";
import { clipSearchCases } from "./quant/clip_search.cases.ts";
import { intDequantizeCases } from "./quant/int_dequantize.cases.ts";
import { intErrorCases } from "./quant/int_error.cases.ts";
import { intQparamsCases } from "./quant/int_qparams.cases.ts";
import { intQuantizeCases } from "./quant/int_quantize.cases.ts";
import { packColumnsCases } from "./quant/pack_columns.cases.ts";
import { rangeSearchCases } from "./quant/range_search.cases.ts";
import { relativeMagnitudesCases } from "./smoothing/relative_magnitudes.cases.ts";
import { scaleLinesCases } from "./smoothing/scale_lines.cases.ts";
import { channelStatisticsCases } from "./stats/channel_statistics.cases.ts";
import { energiesCases } from "./stats/energies.cases.ts";
import { levelHistogramCases } from "./stats/level_histogram.cases.ts";
import { magnitudeHistogramCases } from "./stats/magnitude_histogram.cases.ts";
import { minMaxCases } from "./stats/min_max.cases.ts";
import type { KernelCase } from "./test-case.ts";

/** The cases of every kernel; `tests/law` sees to it that none is missing. */
export const ALL_CASES: readonly KernelCase[] = [
  ...minMaxCases,
  ...intQparamsCases,
  ...intQuantizeCases,
  ...intDequantizeCases,
  ...intErrorCases,
  ...packColumnsCases,
  ...rangeSearchCases,
  ...clipSearchCases,
  ...clipCases,
  ...levelHistogramCases,
  ...nOfMCases,
  ...thresholdCases,
  ...structuredCases,
  ...wandaCases,
  ...magnitudeHistogramCases,
  ...energiesCases,
  ...channelStatisticsCases,
  ...scaleLinesCases,
  ...relativeMagnitudesCases,
  ...linearCases,
  ...intLinearCases,
  ...attentionCases,
  ...attentionRoundedCases,
  ...divergenceCases,
  ...choleskyCases,
  ...triangularInverseCases,
  ...gramCases,
  ...columnBlockCases,
  ...trailingUpdateCases,
  ...scoresCases,
  ...accumulateCases,
  ...addCases,
  ...addRowCases,
  ...embedCases,
  ...gateCases,
  ...normCases,
  ...residualErrorCases,
  ...rotateCases,
  ...roundToCases,
  ...routeCases,
  ...scatterRowsCases,
  ...softCapCases,
  ...widenCases,
  ...copyCases,
  ...activationExtremesCases,
  ...joinRowsCases,
  ...servedScalesCases,
  ...roundCases,
  ...roundInPlaceCases,
];
