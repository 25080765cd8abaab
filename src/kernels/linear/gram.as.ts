import { scratch } from "../assembly/scratch.as";

/** Columns of a panel: a piece is what two of them make of each other. The wrapper has the same number. */
const PANEL: u32 = 32;

/** Rows of a panel, whose products are summed as they are. Two panels fill the scratch memory. */
const ROWS: u32 = 64;
const PANEL_STRIDE: usize = PANEL << 2;
const OTHER: usize = ROWS * PANEL_STRIDE;

/** Adds Xᵀ X to totals. Pieces: 32 rows and 32 columns of the result, row by row up to the diagonal. */
export function gram(uniforms: usize, inputs: usize, totals: usize, begin: u32, end: u32): void {
  const rows = load<u32>(uniforms);
  const width = load<u32>(uniforms, 4);
  const stride = <usize>width << 2;
  const x = inputs + load<u32>(uniforms, 8) * stride;
  const low = width * stride;
  let panel: u32 = 0;
  let other = begin;
  while (other > panel) other -= ++panel;
  for (let piece = begin; piece < end; piece++) {
    for (let row: u32 = 0; row < rows; row += ROWS) {
      const count = min(ROWS, rows - row);
      pack(scratch, x + row * stride, stride, panel, width, count);
      if (other < panel) pack(scratch + OTHER, x + row * stride, stride, other, width, count);
      multiply(totals, stride, low, panel * PANEL, other * PANEL, min(PANEL, width - panel * PANEL), count);
    }
    if (other++ == panel) {
      panel++;
      other = 0;
    }
  }
}

/** Rows of a panel one after the other; columns beyond the last are zero. */
function pack(to: usize, x: usize, stride: usize, panel: u32, width: u32, count: u32): void {
  const columns = min(PANEL, width - panel * PANEL);
  let from = x + <usize>panel * PANEL_STRIDE;
  for (const stop = to + count * PANEL_STRIDE; to < stop; to += PANEL_STRIDE) {
    let at: usize = 0;
    for (; at < <usize>columns << 2; at += 16) v128.store(to + at, v128.load(from + at));
    for (; at < PANEL_STRIDE; at += 16) v128.store(to + at, i64x2.splat(0));
    from += stride;
  }
}

/** Adds what the panels that are packed make of each other: tiles of 4 rows and 8 columns. */
function multiply(totals: usize, stride: usize, low: usize, top: u32, left: u32, rows: u32, count: u32): void {
  const others = top == left ? scratch : scratch + OTHER;
  for (let row: u32 = 0; row < rows; row += 4) {
    for (let column: u32 = 0; column < PANEL && left + column <= top + row; column += 8) {
      let a0 = f32x4.splat(0);
      let a1 = f32x4.splat(0);
      let a2 = f32x4.splat(0);
      let a3 = f32x4.splat(0);
      let b0 = f32x4.splat(0);
      let b1 = f32x4.splat(0);
      let b2 = f32x4.splat(0);
      let b3 = f32x4.splat(0);
      let x = scratch + (<usize>row << 2);
      let y = others + (<usize>column << 2);
      for (const stop = x + count * PANEL_STRIDE; x < stop; x += PANEL_STRIDE, y += PANEL_STRIDE) {
        const one = v128.load(y);
        const two = v128.load(y, 16);
        let each = v128.load32_splat(x);
        a0 = f32x4.add(a0, f32x4.mul(each, one));
        b0 = f32x4.add(b0, f32x4.mul(each, two));
        each = v128.load32_splat(x, 4);
        a1 = f32x4.add(a1, f32x4.mul(each, one));
        b1 = f32x4.add(b1, f32x4.mul(each, two));
        each = v128.load32_splat(x, 8);
        a2 = f32x4.add(a2, f32x4.mul(each, one));
        b2 = f32x4.add(b2, f32x4.mul(each, two));
        each = v128.load32_splat(x, 12);
        a3 = f32x4.add(a3, f32x4.mul(each, one));
        b3 = f32x4.add(b3, f32x4.mul(each, two));
      }
      const to = totals + (top + row) * stride + (<usize>(left + column) << 2);
      addFour(to, stride, low, a0, a1, a2, a3, top + row == left + column);
      if (left + column + 4 > top + row) continue;
      addFour(to + 16, stride, low, b0, b1, b2, b3, top + row == left + column + 4);
    }
  }
}

/** Adds four rows of four sums; of those that meet the diagonal only what is not beyond it. */
@inline
function addFour(to: usize, stride: usize, low: usize, one: v128, two: v128, three: v128, four: v128, isCut: bool): void {
  addKept(to, low, one, isCut ? i32x4(-1, 0, 0, 0) : i32x4.splat(-1));
  addKept(to + stride, low, two, isCut ? i32x4(-1, -1, 0, 0) : i32x4.splat(-1));
  addKept(to + 2 * stride, low, three, isCut ? i32x4(-1, -1, -1, 0) : i32x4.splat(-1));
  addKept(to + 3 * stride, low, four, i32x4.splat(-1));
}

/** TwoSum of the high part, its error added to the low one, and the low part brought below half a unit of the high one. */
function addKept(to: usize, low: usize, sum: v128, kept: v128): void {
  const high = v128.load(to);
  const rest = v128.load(to + low);
  const total = f32x4.add(high, sum);
  const part = f32x4.sub(total, high);
  const error = f32x4.add(f32x4.sub(high, f32x4.sub(total, part)), f32x4.sub(sum, part));
  const lower = f32x4.add(rest, error);
  const upper = f32x4.add(total, lower);
  v128.store(to, v128.bitselect(upper, high, kept));
  v128.store(to + low, v128.bitselect(f32x4.sub(lower, f32x4.sub(upper, total)), rest, kept));
}
