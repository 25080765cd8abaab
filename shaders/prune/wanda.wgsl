// Wanda: of each M neighbours of a row the N, or under M = 0 of each row some, whose scores |w| * importance are the smallest
// become +0, the others are copied bit for bit.
//   weights     elements (lib/elements.wgsl) [rows, cols]
//   importance  float32 [cols], none negative
//   pruned      elements [rows, cols]; where a half word is left over, it is 0
//   dispatch    one invocation per 16 groups, or per row; per two rows where they share a word. No workgroup memory, no barrier
// Exact: scores order like their bits, NaN above infinity; of equals the earlier goes first. Where the adapter rounds products
// as float32 should be and no score is subnormal, infinite or NaN, `main` takes them from it; `rest` does what else there is
// with whole numbers.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/weights.wgsl
// include: lib/rounding.wgsl
// include: lib/float32_steps.wgsl
// include: lib/products.wgsl

override N: u32 = 2u;
override M: u32 = 4u;

const GROUPS: u32 = 16u; // an even number, so that no two invocations write one word
const LARGEST_M: u32 = 32u; // bits of a mask

struct Shape {
  rows: u32,
  cols: u32,
  per_row: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> importance: array<u32>;
@group(0) @binding(2) var<storage, read_write> pruned: array<u32>;
@group(0) @binding(3) var<uniform> shape: Shape;

// The score of a weight in a column, as bits.
fn score_of(index: u32, column: u32, is_exact: bool) -> u32 {
  let own = weight_at(index) & ~SIGN;
  let by = importance[column] & ~SIGN;
  var score: u32;
  if (is_exact) {
    score = exact_product(own, by);
  } else {
    score = bitcast<u32>(bitcast<f32>(own) * bitcast<f32>(by));
  }
  return score;
}

// Whether the adapter's product is the score: of zeros, or where all is far from the ends of float32.
fn is_plain(index: u32, column: u32) -> bool {
  let own = weight_at(index) & ~SIGN;
  let by = importance[column] & ~SIGN;
  let score = bitcast<u32>(bitcast<f32>(own) * bitcast<f32>(by));
  let is_zero = (own == 0u && by < INFINITY) || (by == 0u && own < INFINITY);
  return is_zero || (is_usual(own) && is_usual(by) && score >= 0x01000000u && score < 0x7e000000u);
}

// The places of the N smallest, one bit each.
fn smallest_of(scores: ptr<function, array<u32, LARGEST_M>>) -> u32 {
  var taken = 0u;
  for (var round = 0u; round < N; round += 1u) {
    var smallest = 0xffffffffu;
    var place = 0u;
    for (var i = 0u; i < M; i += 1u) {
      let score = (*scores)[i];
      if (((taken >> i) & 1u) == 0u && score < smallest) {
        smallest = score;
        place = i;
      }
    }
    taken |= 1u << place;
  }
  return taken;
}

// Writes a weight, or +0; the first half of a word waits in `word` for the second.
fn put(index: u32, is_gone: bool, word: ptr<function, u32>) {
  let raw = element_raw(weights[element_word(index) >> 2u][element_word(index) & 3u], index);
  let kept = select(raw, 0u, is_gone);
  if (ELEMENT == F32) {
    pruned[index] = kept;
  } else if ((index & 1u) == 0u) {
    *word = kept;
  } else {
    pruned[index >> 1u] = *word | (kept << 16u);
  }
}

fn prune_groups(start: u32, end: u32, is_exact: bool, word: ptr<function, u32>) {
  var scores: array<u32, LARGEST_M>;
  var column = start % shape.cols;
  for (var first = start; first < end; first += M) {
    for (var i = 0u; i < M; i += 1u) {
      scores[i] = score_of(first + i, column + i, is_exact);
    }
    let gone = smallest_of(&scores);
    for (var i = 0u; i < M; i += 1u) {
      put(first + i, ((gone >> i) & 1u) == 1u, word);
    }
    column += M;
    if (column >= shape.cols) {
      column = 0u;
    }
  }
}

// The largest score of a row that goes, and how many of those equal to it do: found four bits at a time, from the highest on.
struct Bound {
  score: u32,
  equals: u32,
}

fn bound_of(first: u32, is_exact: bool) -> Bound {
  var bound = Bound(0u, shape.per_row);
  for (var low = 32u; low > 0u; ) {
    low -= 4u;
    var counts = array<u32, 16>();
    for (var column = 0u; column < shape.cols; column += 1u) {
      let score = score_of(first + column, column, is_exact) >> low;
      if ((score >> 4u) == bound.score) {
        counts[score & 15u] += 1u;
      }
    }
    var digit = 0u;
    while (digit < 15u && counts[digit] < bound.equals) {
      bound.equals -= counts[digit];
      digit += 1u;
    }
    bound.score = bound.score * 16u + digit;
  }
  return bound;
}

fn prune_row(first: u32, is_exact: bool, word: ptr<function, u32>) {
  let bound = bound_of(first, is_exact);
  var left = bound.equals;
  for (var column = 0u; column < shape.cols; column += 1u) {
    let score = score_of(first + column, column, is_exact);
    let takes = score == bound.score && left > 0u;
    left -= select(0u, 1u, takes);
    put(first + column, takes || score < bound.score, word);
  }
}

// An invocation's weights, where they are of the kind that is asked for.
fn prune(invocation: u32, is_exact: bool) {
  let elements = shape.rows * shape.cols;
  var size = GROUPS * M;
  if (M == 0u) {
    size = shape.cols * select(1u, 2u, ELEMENT != F32 && (shape.cols & 1u) == 1u);
  }
  let start = min(invocation * size, elements);
  var end = min(start + size, elements);
  var plain = rounds_to_even(shape.rows);
  var place = start % shape.cols;
  for (var index = start; index < end; index += 1u) {
    plain = plain && is_plain(index, place);
    place += 1u;
    if (place == shape.cols) {
      place = 0u;
    }
  }
  // A loop without a turn costs software adapters less than a branch.
  end = select(end, start, plain == is_exact);
  var word = 0u;
  if (M == 0u) {
    for (var first = start; first < end; first += shape.cols) {
      prune_row(first, is_exact, &word);
    }
  } else {
    prune_groups(start, end, is_exact, &word);
  }
  if (ELEMENT != F32 && start < end && (end & 1u) == 1u) {
    pruned[end >> 1u] = word;
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  prune(linear_index(id, workgroups), false);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn rest(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  prune(linear_index(id, workgroups), true);
}
