import { copyCases } from "./measure/copy.cases.ts";
import { intDequantizeCases } from "./quant/int_dequantize.cases.ts";
import { intErrorCases } from "./quant/int_error.cases.ts";
import { intQuantizeCases } from "./quant/int_quantize.cases.ts";
import { intScaleCases } from "./quant/int_scale.cases.ts";
import { levelHistogramCases } from "./stats/level_histogram.cases.ts";
import type { KernelCase } from "./test-case.ts";

/** The cases of every kernel; `tests/law` sees to it that none is missing. */
export const ALL_CASES: readonly KernelCase[] = [
  ...intScaleCases,
  ...intQuantizeCases,
  ...intDequantizeCases,
  ...intErrorCases,
  ...levelHistogramCases,
  ...copyCases,
];
