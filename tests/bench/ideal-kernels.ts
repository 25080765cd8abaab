// What the kernels would cost where nothing is exact: plain float32, no rounding of the quotient to the weights' format, one
// invocation for each 128 weights, whole vectors loaded, and of all sums only that of squared errors. They stand beside the
// lab's own in the bench, to show what exactness costs; no result of the lab comes from them.
import type { FloatName } from "../../src/base/float-format.ts";
import type { Kernel } from "../../src/device/kernel.ts";

/** Weights of an invocation. */
export const IDEAL_GROUP = 128;

export interface IdealShape {
  readonly groups: number;
}

/** A scheme in groups of 32 or 128. */
export interface IdealScheme {
  readonly bits: number;
  readonly symmetric: boolean;
  readonly groupSize: number;
}

type IdealKernel = Kernel<Record<string, never>, IdealShape>;

const HEAD = `
struct Shape {
  groups: u32,
}

fn lower(words: vec4<u32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u));
}

fn upper(words: vec4<u32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4(words.z << 16u, words.z & 0xffff0000u, words.w << 16u, words.w & 0xffff0000u));
}

fn least_of(v: vec4<f32>) -> f32 {
  return min(min(v.x, v.y), min(v.z, v.w));
}

fn most_of(v: vec4<f32>) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}
`;

const BEGIN = `
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let group = id.y * (workgroups.x * 64u) + id.x;
  if (group >= shape.groups) {
    return;
  }
`;

function ideal(name: string, wgsl: string, bindings: readonly string[], wasm: string | null): IdealKernel {
  return {
    name: `ideal/${name}`,
    wgsl,
    bindings: bindings.map((binding, index) => ({
      name: binding,
      access: index === bindings.length - 1 ? "write" : "read",
    })),
    isExact: false,
    constants: () => ({}),
    uniforms: ({ groups }) => [groups],
    invocations: (_source, { groups }) => groups,
    wasm: (_source, { groups }) => (wasm === null ? [] : [{ name: wasm, pieces: groups }]),
    oracle: () => {
      throw new Error(`${name} has no oracle: the lab's own kernel is what it is compared with`);
    },
  };
}

/** INT4 codes of groups of 128, symmetric, eight to a word as the lab packs them: 64 bytes a group. WebGPU alone. */
export function idealQuantize(element: Extract<FloatName, "bf16" | "f32">): IdealKernel {
  const isShort = element === "bf16";
  const vectors = isShort ? 16 : 32;
  const word = (at: string) =>
    isShort
      ? `packed(lower(weights[${at}]), upper(weights[${at}]), inverse)`
      : `packed(weights[2u * (${at}) - first], weights[2u * (${at}) - first + 1u], inverse)`;
  const wgsl = `${HEAD}
@group(0) @binding(0) var<storage, read> weights: array<vec4<${isShort ? "u32" : "f32"}>>;
@group(0) @binding(1) var<storage, read_write> codes: array<vec4<u32>>;
@group(0) @binding(2) var<uniform> shape: Shape;

fn half(v: vec4<f32>, inverse: f32) -> u32 {
  return u32(dot(clamp(round(v * inverse), vec4(-8.0), vec4(7.0)) + 8.0, vec4(1.0, 16.0, 256.0, 4096.0)));
}

fn packed(a: vec4<f32>, b: vec4<f32>, inverse: f32) -> u32 {
  return half(a, inverse) | (half(b, inverse) << 16u);
}
${BEGIN}
  let first = group * ${vectors}u;
  var largest = vec4(0.0);
  for (var at = first; at < first + ${vectors}u; at += 1u) {
    ${isShort ? "largest = max(largest, max(abs(lower(weights[at])), abs(upper(weights[at]))));" : "largest = max(largest, abs(weights[at]));"}
  }
  let inverse = 7.5 / max(most_of(largest), 1e-30);
  for (var part = 0u; part < 4u; part += 1u) {
    let at = first + 4u * part;
    codes[4u * group + part] = vec4(${["at", "at + 1u", "at + 2u", "at + 3u"].map(word).join(", ")});
  }
}
`;
  return ideal(`quantize ${element}`, wgsl, ["weights", "codes"], null);
}

/** Squared errors of schemes on bf16: a float32 for each scheme and 128 weights. */
export function idealError(schemes: readonly IdealScheme[]): IdealKernel {
  const each = (line: (scheme: IdealScheme, number: number) => string) => schemes.map(line).join("\n");
  const wgsl = `${HEAD}
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;
@group(0) @binding(2) var<uniform> shape: Shape;

fn lost(v: vec4<f32>, scale: f32, inverse: f32, low: f32, high: f32) -> vec4<f32> {
  let error = v - clamp(round(v * inverse), vec4(low), vec4(high)) * scale;
  return error * error;
}

fn lost_from(v: vec4<f32>, scale: f32, inverse: f32, zero: f32, low: f32, high: f32) -> vec4<f32> {
  let error = v - (clamp(round(v * inverse + zero), vec4(low), vec4(high)) - zero) * scale;
  return error * error;
}
${BEGIN}
  let first = group * 16u;
  var lows: vec4<f32>;
  var highs: vec4<f32>;
  for (var part = 0u; part < 4u; part += 1u) {
    var least = vec4(0.0);
    var most = vec4(0.0);
    for (var at = first + 4u * part; at < first + 4u * part + 4u; at += 1u) {
      let words = weights[at];
      least = min(least, min(lower(words), upper(words)));
      most = max(most, max(lower(words), upper(words)));
    }
    lows[part] = least_of(least);
    highs[part] = most_of(most);
  }
  let low_of_all = least_of(lows);
  let high_of_all = most_of(highs);
${each((_, n) => `  var total_${n} = vec4(0.0);`)}
  for (var part = 0u; part < 4u; part += 1u) {
${each((scheme, n) => {
  const [low, high] = scheme.groupSize === 32 ? ["lows[part]", "highs[part]"] : ["low_of_all", "high_of_all"];
  const span = scheme.symmetric ? `2.0 * max(-${low}, ${high})` : `${high} - ${low}`;
  const zero = scheme.symmetric
    ? ""
    : `\n    let zero_${n} = round(-${2 ** (scheme.bits - 1)}.0 - ${low} * inverse_${n});`;
  return `    let scale_${n} = max(${span}, 1e-30) / ${2 ** scheme.bits - 1}.0;\n    let inverse_${n} = 1.0 / scale_${n};${zero}`;
})}
    for (var at = first + 4u * part; at < first + 4u * part + 4u; at += 1u) {
      let words = weights[at];
      let a = lower(words);
      let b = upper(words);
${each(({ bits, symmetric }, n) => {
  const range = `-${2 ** (bits - 1)}.0, ${2 ** (bits - 1) - 1}.0`;
  const of = (v: string) =>
    symmetric
      ? `lost(${v}, scale_${n}, inverse_${n}, ${range})`
      : `lost_from(${v}, scale_${n}, inverse_${n}, zero_${n}, ${range})`;
  return `      total_${n} += ${of("a")} + ${of("b")};`;
})}
    }
  }
${each((_, n) => `  sums[group * ${schemes.length}u + ${n}u] = dot(total_${n}, vec4(1.0));`)}
}
`;
  const wasm = schemes.length === 1 ? "ideal_error_one" : "ideal_error_eight";
  return ideal(`error of ${schemes.length}`, wgsl, ["weights", "sums"], wasm);
}

/** What `idealError` sums for a scheme, over all groups: the plain version, in float64. */
export function idealErrorOracle(weights: Float32Array, { bits, symmetric, groupSize }: IdealScheme): number {
  const [low, high] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  let sum = 0;
  for (let first = 0; first < weights.length; first += groupSize) {
    const group = weights.subarray(first, first + groupSize);
    const [least, most] = [Math.min(0, ...group), Math.max(0, ...group)];
    const scale = (symmetric ? 2 * Math.max(-least, most) : most - least) / (high - low);
    const zero = symmetric ? 0 : Math.round(low - least / scale);
    for (const weight of group) {
      const code = Math.max(low, Math.min(high, Math.round(weight / scale + zero)));
      sum += (weight - (code - zero) * scale) ** 2;
    }
  }
  return sum;
}
