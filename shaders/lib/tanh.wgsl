// At most 1e-6 (relative) off, for any x. WGSL's own tanh may lose everything near 0, where it is the quotient of a sinh and a
// cosh, and overflow far from it. Near 0 the odd polynomial of Cephes (Moshier, single/tanhf.c).
fn tanh_each(x: vec4<f32>) -> vec4<f32> {
  let magnitude = abs(x);
  let square = x * x;
  let p = (((vec4<f32>(-5.70498872745e-3) * square + 2.06390887954e-2) * square - 5.37397155531e-2) * square +
    1.33314422036e-1) * square - 3.33332819422e-1;
  let near = x * square * p + x;
  // From 10 on tanh is 1 in float32.
  let far = 1.0 - 2.0 / (exp(2.0 * select(magnitude, vec4<f32>(10.0), magnitude > vec4<f32>(10.0))) + 1.0);
  let signed = select(far, -far, x < vec4<f32>(0.0));
  return select(near, signed, magnitude >= vec4<f32>(0.625));
}
