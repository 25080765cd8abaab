import type { AnyKernel } from "../../device/kernel.ts";
import { columnBlock } from "../../kernels/compensation/column_block.ts";
import { scores } from "../../kernels/compensation/scores.ts";
import { trailingUpdate } from "../../kernels/compensation/trailing_update.ts";
import { cholesky } from "../../kernels/linear/cholesky.ts";
import { gram } from "../../kernels/linear/gram.ts";
import { triangularInverse } from "../../kernels/linear/triangular_inverse.ts";
import { residualError } from "../../kernels/model/residual_error.ts";
import { roundTo } from "../../kernels/model/round_to.ts";
import { wanda } from "../../kernels/prune/wanda.ts";
import { clip } from "../../kernels/quant/clip.ts";
import { clipSearch } from "../../kernels/quant/clip_search.ts";
import { relativeMagnitudes } from "../../kernels/smoothing/relative_magnitudes.ts";
import { scaleLines } from "../../kernels/smoothing/scale_lines.ts";
import { channelStatistics } from "../../kernels/stats/channel_statistics.ts";
import { minMax } from "../../kernels/stats/min_max.ts";
import { removesParts } from "../../schemes/pruning.ts";
import { type Recipe, weighsRanges } from "../../schemes/recipe.ts";

/** The kernels that the method of a recipe takes besides those that run the model, for its report. */
export function methodKernels(recipe: Recipe): readonly AnyKernel[] {
  const { pruning, method } = recipe;
  const kernels: unknown[] = [];
  const isColumnwise = method.rounding.kind === "gptq" || pruning?.criterion === "sparsegpt";
  if (isColumnwise) kernels.push(gram, cholesky, triangularInverse, columnBlock, trailingUpdate);
  if (pruning?.criterion === "sparsegpt") kernels.push(scores);
  if (pruning?.criterion === "wanda" && pruning.structure !== "layers") kernels.push(channelStatistics);
  if (pruning?.criterion === "wanda" && !removesParts(pruning)) kernels.push(wanda);
  if (method.transforms.length > 0) kernels.push(channelStatistics, scaleLines);
  if (method.transforms.some(({ kind }) => kind === "awq")) kernels.push(relativeMagnitudes, residualError);
  if (method.transforms.some((own) => own.kind === "awq" && own.clip)) kernels.push(minMax, clipSearch, clip);
  // GPTQ finds the importance of inputs on its Hessian's diagonal.
  if (weighsRanges(recipe) && !isColumnwise) kernels.push(channelStatistics);
  return (kernels.length > 0 ? [...new Set([...kernels, roundTo])] : []) as readonly AnyKernel[];
}
