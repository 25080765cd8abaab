import { choleskyCases } from "./linear/cholesky.cases.ts";
import { intLinearCases } from "./linear/int_linear.cases.ts";
import { linearCases } from "./linear/linear.cases.ts";
import { triangularInverseCases } from "./linear/triangular_inverse.cases.ts";
import { copyCases } from "./measure/copy.cases.ts";
import { nOfMCases } from "./prune/n_of_m.cases.ts";
import { structuredCases } from "./prune/structured.cases.ts";
import { thresholdCases } from "./prune/threshold.cases.ts";
import { intDequantizeCases } from "./quant/int_dequantize.cases.ts";
import { intErrorCases } from "./quant/int_error.cases.ts";
import { intQparamsCases } from "./quant/int_qparams.cases.ts";
import { intQuantizeCases } from "./quant/int_quantize.cases.ts";
import { packColumnsCases } from "./quant/pack_columns.cases.ts";
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
  ...levelHistogramCases,
  ...nOfMCases,
  ...thresholdCases,
  ...structuredCases,
  ...magnitudeHistogramCases,
  ...energiesCases,
  ...linearCases,
  ...intLinearCases,
  ...choleskyCases,
  ...triangularInverseCases,
  ...copyCases,
];
