/** Extremes of whole windows, for each of their rows. Pieces of work: `size` rows; theirs are the windows that begin there. */
export function join_rows(
  uniforms: usize,
  size: u32,
  extremes: usize,
  positions: usize,
  joined: usize,
  begin: u32,
  end: u32,
): void {
  const rows = load<u32>(uniforms);
  const last = min(end * size, rows);
  for (let first = begin * size; first < last; first++) {
    if (!beginsWindow(positions, first)) continue;
    let positive: u32 = 0;
    let negative: u32 = 0;
    let row = first;
    do {
      const at = extremes + (<usize>row << 3);
      positive = max(positive, load<u32>(at));
      negative = max(negative, load<u32>(at, 4));
      row++;
    } while (row < rows && !beginsWindow(positions, row));
    for (let own = first; own < row; own++) {
      const at = joined + (<usize>own << 3);
      store<u32>(at, positive);
      store<u32>(at, negative, 4);
    }
  }
}

@inline
function beginsWindow(positions: usize, row: u32): bool {
  return row == 0 || load<u32>(positions + (<usize>row << 2)) == 0;
}
