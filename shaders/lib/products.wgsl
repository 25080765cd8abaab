// WGSL leaves open to which neighbour a product of float32 is rounded. Two that lie in the middle tell what the adapter does:
// one goes up and one down where ties go to even. `count`, below 2^31, is of the run: no factor may be known before it.
fn rounds_to_even(count: u32) -> bool {
  let three = f32(3u + (count >> 31u));
  let neighbours = bitcast<vec4<f32>>(vec4<u32>(0x3f800001u, 0x3f800003u, 0xbf800001u, 0xbf800003u));
  let products = bitcast<vec4<u32>>(neighbours * three);
  return all(products == vec4<u32>(0x40400002u, 0x40400004u, 0xc0400002u, 0xc0400004u));
}
