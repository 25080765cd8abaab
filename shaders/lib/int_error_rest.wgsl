// The entry point that adds what the usual path left out; which that is: head of quant/int_error.wgsl. Needs lib/invocation.wgsl,
// lib/int_weight.wgsl and lib/int_error_sums.wgsl with what they need.

const LEVEL_WORDS: u32 = 8u;
const REST_BLOCKS: u32 = 8u;

// Schemes of a set, a bit each, that have levels which have not been met yet.
fn without_all_levels(schemes: u32) -> u32 {
  var found = 0u;
  for (var left = schemes; left != 0u; left &= left - 1u) {
    let number = countTrailingZeros(left);
    let bits = shape.scheme[number].bits;
    var missing = 0u;
    for (var word = 0u; word < ((1u << bits) + 31u) / 32u; word += 1u) {
      missing |= ~atomicLoad(&levels[number * LEVEL_WORDS + word]);
    }
    missing &= select((1u << (1u << (bits & 7u))) - 1u, 0xffffffffu, bits >= 5u);
    found |= select(0u, left & (0u - left), missing != 0u && bits > 0u);
  }
  return found;
}

fn exponent_at(block: u32) -> i32 {
  return i32(sums[block * (BLOCK_WORDS + SCHEME_WORDS * shape.schemes) + 1u] >> 16u) - 512;
}

// Notes the levels that occur in a block, but for eights that were left out.
fn note_levels(block: u32, number: u32) {
  let scheme = shape.scheme[number];
  let frame = frame_of(scheme, exponent_at(block));
  let left_out = sums[sums_at(block, number) + 5u];
  let first = block * BLOCK;
  var seen: array<u32, LEVEL_WORDS>;
  for (var index = first; index < min(first + BLOCK, shape.elements); index += 1u) {
    let run = run_of(scheme, index / scheme.group_size, frame.unit);
    let weight = vec4<f32>(bitcast<f32>(weight_at(index)) * frame.unit);
    let marked = codes_of(weight, run, frame.margin).marked.x;
    let level = u32(min(max(marked, frame.low), frame.high) - frame.low);
    seen[level >> 5u] |= (~(left_out >> ((index - first) >> 3u)) & 1u) << (level & 31u);
  }
  for (var word = 0u; word < LEVEL_WORDS; word += 1u) {
    atomicOr(&levels[number * LEVEL_WORDS + word], seen[word]);
  }
}

// Adds a weight by the exact path, and notes its level.
fn add_exact(total: ptr<function, Sums>, number: u32, at: u32, exponent: i32) {
  let scheme = shape.scheme[number];
  var reconstruction = weight_at(at);
  if (scheme.bits > 0u) {
    let limit = 1 << (scheme.bits - 1u);
    let own = group_of(scheme, at / scheme.group_size);
    let code = exact_code(reconstruction, own.scale, i32(own.zero_point));
    let clamped = clamp(code, -limit, limit - 1);
    (*total).clipped += select(0u, 1u, code != clamped);
    let level = u32(clamped + limit);
    atomicOr(&levels[number * LEVEL_WORDS + (level >> 5u)], 1u << (level & 31u));
    reconstruction = weight_of(clamped - i32(own.zero_point), own.scale);
  }
  add_any(total, original_at(at), reconstruction, exponent);
}

fn add_to_word(place: u32, value: f32) {
  sums[place] = bitcast<u32>(bitcast<f32>(sums[place]) + value);
}

// Adds what was left out to the sums of a scheme in a block.
fn add_late(block: u32, number: u32, late: Sums) {
  let place = sums_at(block, number);
  // Every scheme adds all originals: those of the last one stay.
  if (number + 1u == shape.schemes) {
    add_to_word(sums_at(block, 0u) - BLOCK_WORDS, late.energy);
  }
  add_to_word(place, late.error_energy);
  sums[place + 1u] = bitcast<u32>(max(bitcast<f32>(sums[place + 1u]), late.largest));
  add_to_word(place + 2u, late.product);
  add_to_word(place + 3u, late.reconstruction_energy);
  sums[place + 4u] += (late.overflows << 16u) | late.clipped;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn rest(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let blocks = (shape.elements + BLOCK - 1u) / BLOCK;
  let first_block = linear_index(id, workgroups) * REST_BLOCKS;
  let end_block = min(first_block + REST_BLOCKS, blocks);
  if (first_block >= blocks) {
    return;
  }
  var open = without_all_levels((1u << shape.schemes) - 1u);
  for (var block = first_block; open != 0u && block < end_block; block += 1u) {
    for (var left = open; left != 0u; left &= left - 1u) {
      note_levels(block, countTrailingZeros(left));
    }
    open = without_all_levels(open);
  }

  // One loop over all weights that were left out, which looks for the next ones when it has run out of them.
  var item = first_block * shape.schemes;
  var block = 0u;
  var number = 0u;
  var eights = 0u;
  var late = no_sums();
  var at = 0u;
  var end = 0u;
  loop {
    for (; at == end && eights == 0u && item < end_block * shape.schemes; item += 1u) {
      block = item / shape.schemes;
      number = item % shape.schemes;
      if (!(PRUNED && shape.scheme[number].bits == 0u)) {
        let last = sums_at(block, number) + 5u;
        eights = sums[last];
        sums[last] = u32(exponent_at(block) + 512);
      }
    }
    if (at == end) {
      if (eights == 0u) {
        break;
      }
      at = block * BLOCK + 8u * countTrailingZeros(eights);
      end = min(at + 8u, shape.elements);
      eights &= eights - 1u;
    }
    add_exact(&late, number, at, exponent_at(block));
    at += 1u;
    if (at == end) {
      add_late(block, number, late);
      late = no_sums();
    }
  }
}
