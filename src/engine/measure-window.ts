import { windowErrors } from "../metrics/matrix-maps.ts";
import type { JobHooks, QuantizeRequest } from "./api.ts";
import { Bench, MOST_TOGETHER } from "./bench.ts";
import { type CheckpointPlan, plannedMatrix } from "./checkpoint-plan.ts";
import { codesOf } from "./codes.ts";
import type { DeviceSet } from "./device-set.ts";
import { elementValues } from "./element-values.ts";
import { clampWindow, type ErrorWindow, type WindowRequest } from "./error-window.ts";
import { originalRows, prepareMatrix, restoreTile } from "./restore-tile.ts";
import { rowBytesOf } from "./tiles.ts";

/**
 * The errors of a rectangle of one matrix, the same as in the whole matrix: groups lie within rows, and what one scale or a
 * share of all weights asks for takes a pass over the matrix before. Else only the rows of the window are read.
 * @throws LabError `run/bad-window`, and those of `sheetOf`
 */
export async function errorWindowOf(
  plan: CheckpointPlan,
  module: string,
  { arithmetic }: Pick<QuantizeRequest, "arithmetic">,
  request: WindowRequest,
  devices: DeviceSet,
  { signal }: JobHooks,
): Promise<ErrorWindow> {
  const matrix = plannedMatrix(plan, module);
  const window = clampWindow(request, matrix);
  const { row, column, rows, columns } = window;
  const [lane] = await devices.lanes([plan], (item) => codesOf(item, arithmetic), "measuring");
  if (!lane) throw new Error("a recipe without a lane");
  const errors = new Float32Array(rows * columns);
  const weights = new Float32Array(rows * columns);
  const bench = new Bench(devices, lane, signal, "measuring", MOST_TOGETHER);
  try {
    const recipe = await prepareMatrix(bench, plan, matrix, arithmetic);
    const range = { start: row, end: row + rows };
    await bench.eachTile(
      matrix,
      1,
      async (tile, bytes) => {
        const originals = originalRows(matrix, tile, bytes);
        const { restored } = await restoreTile(bench, recipe, tile, bytes);
        const found = await bench.device.read(restored, tile.rows * rowBytesOf(matrix));
        const values = elementValues(found, matrix.element);
        const part = windowErrors(await originals, values, { cols: matrix.cols, column, columns });
        errors.set(part.errors, (tile.row - row) * columns);
        weights.set(part.weights, (tile.row - row) * columns);
      },
      range,
    );
  } finally {
    await bench.close();
  }
  return { ...window, recipe: plan.recipe.name, errors, weights };
}
