import { expect, test } from "vitest";
import { memoryHost } from "../../tests/support/memory-host.ts";
import type { ByteSource, Folder } from "../formats/byte-source.ts";
import { openCheckpoint } from "../formats/huggingface/checkpoint.ts";
import { parseRecipe } from "../schemes/recipe.ts";
import { Bench, type TileWalk } from "./bench.ts";
import { planCheckpoint } from "./checkpoint-plan.ts";
import { DeviceSet } from "./device-set.ts";
import { madeCheckpoint, madeMatrix } from "./sheet.cases.ts";

/** The same folder, telling which bytes are read. */
function watched(folder: Folder, told: (start: number, end: number) => void): Folder {
  const files = [...folder.files].map(([path, source]): [string, ByteSource] => [
    path,
    {
      name: source.name,
      sizeBytes: source.sizeBytes,
      read: (start, end, into) => {
        told(start, end);
        return source.read(start, end, into);
      },
    },
  ]);
  return { name: folder.name, files: new Map(files) };
}

test("a part of a matrix that is read ahead is cut as it is walked: every byte is read once", async () => {
  const reads: [number, number][] = [];
  const checkpoint = await openCheckpoint(
    watched(madeCheckpoint(madeMatrix(64, 96, "bf16")), (start, end) => reads.push([start, end])),
  );
  const [matrix] = planCheckpoint(checkpoint, parseRecipe("int4:group=32"), []).matrices;
  if (!matrix) throw new Error("no matrix");
  const devices = new DeviceSet(memoryHost({}));
  const bench = new Bench(devices, await devices.primary("multiplying"), undefined, "multiplying");
  const rowBytes = matrix.cols * 2;
  const walk = (start: number, end: number, rows: number): TileWalk => ({
    matrix,
    rowMultiple: 1,
    rows: { start, end },
    mostBytes: rows * rowBytes,
  });
  const [first, second] = [walk(0, 20, 8), walk(20, 64, 7)];
  reads.length = 0;
  const tiles: number[] = [];
  bench.announce(second);
  await bench.streamTiles(first, async (tile) => void tiles.push(tile.rows));
  bench.announce(null);
  await bench.streamTiles(second, async (tile) => void tiles.push(tile.rows));
  await bench.close();
  devices.close();
  expect(tiles).toEqual([8, 8, 4, 7, 7, 7, 7, 7, 7, 2]);
  const inOrder = reads.toSorted(([one], [other]) => one - other);
  expect(inOrder[0]?.[0]).toBe(matrix.tensor.start);
  expect(inOrder.at(-1)?.[1]).toBe(matrix.tensor.end);
  // Each begins where the one before it ends.
  for (const [index, [start]] of inOrder.slice(1).entries()) expect(start).toBe(inOrder[index]?.[1]);
});
