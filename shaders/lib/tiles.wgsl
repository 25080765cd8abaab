// Tiles of a matrix [m, n], one to an invocation: 4 columns of a few rows.

const BAND: u32 = 8u; // tiles

// First row and column of a tile: down the rows of a band first, so that 64 neighbours make a square where there are rows
// enough. The row is m or more where there is no such tile.
fn tile_place(index: u32, m: u32, n: u32, tile_rows: u32) -> vec2<u32> {
  let rows = (m + tile_rows - 1u) / tile_rows;
  let columns = (n + 3u) / 4u;
  let band = index / (BAND * columns);
  let within = index % (BAND * columns);
  let height = clamp(rows - min(rows, BAND * band), 1u, BAND);
  let row = BAND * band + within % height;
  return vec2<u32>(select(tile_rows * row, m, within / height >= columns), 4u * (within / height));
}

// Four rows from `first` on, none beyond the last of `count`.
fn rows_from(first: u32, count: u32) -> vec4<u32> {
  return min(vec4<u32>(0u, 1u, 2u, 3u) + first, vec4<u32>(count - 1u));
}
