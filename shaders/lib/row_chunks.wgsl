// Rows of equal width in chunks of 32 columns, one to an invocation: `kernels/model/pieces.ts` has the same number.

const CHUNK: u32 = 32u;

// Some columns of a row, as places in an array of rows of `width`.
struct Chunk {
  row: u32, // the number of rows or more where there is no such chunk
  first: u32,
  end: u32,
}

fn chunk_of(index: u32, width: u32) -> Chunk {
  let chunks = (width + CHUNK - 1u) / CHUNK;
  let row = index / chunks;
  let first = (index % chunks) * CHUNK;
  return Chunk(row, first, min(first + CHUNK, width));
}
