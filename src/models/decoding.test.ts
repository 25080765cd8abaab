import { expect, test } from "vitest";
import { createReferenceDevice } from "../device/reference/reference-device.ts";
import { TopTokens } from "./decoding.ts";

/** What a sink takes for the most likely of rows of logits that come in tiles, one after the other. */
async function topsOf(rows: number, tiles: readonly (readonly (readonly number[])[])[]): Promise<readonly number[]> {
  const device = createReferenceDevice();
  const sink = new TopTokens(
    device,
    Uint32Array.from({ length: rows }, (_, row) => row),
  );
  let first = 0;
  for (const tile of tiles) {
    const columns = tile[0]?.length ?? 0;
    const logits = device.createBuffer(Math.max(16, rows * columns * 4));
    device.write(logits, new Uint8Array(Float32Array.from(tile.flat()).buffer));
    sink.take({ variant: 0, first, columns, logits, base: logits });
    await sink.endTile();
    first += columns;
  }
  return Array.from({ length: rows }, (_, row) => sink.top(row));
}

test("the most likely token is the largest logit of all tiles, the lower id where several are", async () => {
  const tiles = [
    [
      [1, 3, 3],
      [-9, -8, -Infinity],
    ],
    [
      [3, 2],
      [-7, -7],
    ],
  ];
  expect(await topsOf(2, tiles)).toEqual([1, 3]);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])("%s among the logits is refused", async (logit) => {
  await expect(topsOf(1, [[[1, 2]], [[0, logit]]])).rejects.toMatchObject({ code: "run/not-finite" });
});
