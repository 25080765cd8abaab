import { FLOAT_FORMATS, float32Bits } from "../base/float-format.ts";
import { call } from "../device/kernel.ts";
import { elementAt, elementWords } from "../kernels/elements.ts";
import { byteAt } from "../kernels/int-params.ts";
import { CORNER_NAMES, intQparams } from "../kernels/quant/int_qparams.ts";
import type { CacheRounding, FixedScale } from "../models/activation-rounding.ts";
import type { KvCacheScheme } from "../schemes/kv-cache.ts";
import { observeRanges, UNSET_OBSERVER, type ValueRanges } from "../schemes/observers.ts";
import type { ActivationScheme } from "../schemes/scheme.ts";
import type { Bench } from "./bench.ts";
import type { CalibrationRanges } from "./calibration.ts";

/** The one scale of what goes into a linear layer, as its observer leaves it. */
export async function inputScale(
  bench: Bench,
  { format, inputs }: CalibrationRanges,
  module: string,
  { bits, symmetric, observer }: ActivationScheme,
): Promise<FixedScale> {
  const range = observeRanges(observer ?? UNSET_OBSERVER, inputs.get(module) ?? [], format);
  const [scale] = await scalesOf(bench, format, bits, symmetric, range);
  if (!scale) throw new Error(`no range of what goes into ${module}`);
  return scale;
}

/** The scales of an attention's keys and values: one for all heads, or one a head. */
export async function cacheScales(
  bench: Bench,
  { format, caches }: CalibrationRanges,
  module: string,
  { bits, strategy, observer }: Extract<KvCacheScheme, { readonly rule: "compressed-tensors" }>,
): Promise<CacheRounding> {
  const ranges = caches.get(module);
  if (!ranges) throw new Error(`no range of the keys of ${module}`);
  const [keyScales, valueScales] = await Promise.all(
    [ranges.key, ranges.value].map(async (windows) => {
      const batches = strategy === "tensor" ? windows.map(joined) : windows;
      const scales = await scalesOf(bench, format, bits, true, observeRanges(observer, batches, format));
      return Float32Array.from(scales, ({ scale }) => scale);
    }),
  );
  return {
    rule: "fixed",
    keyScales: keyScales as Float32Array<ArrayBuffer>,
    valueScales: valueScales as Float32Array<ArrayBuffer>,
  };
}

function joined({ min, max }: ValueRanges): ValueRanges {
  return { min: Float64Array.of(Math.min(...min)), max: Float64Array.of(Math.max(...max)) };
}

/** Scales and zero points of ranges, computed in a format by the kernel that computes them for weights. */
async function scalesOf(
  { device }: Bench,
  element: CalibrationRanges["format"],
  bits: number,
  symmetric: boolean,
  { min, max }: ValueRanges,
): Promise<readonly FixedScale[]> {
  const groups = min.length;
  // Kernels take four groups at once.
  const words = new Uint32Array(Math.ceil(groups / 4) * 8);
  for (const [group, smallest] of min.entries()) {
    words[2 * group] = float32Bits(Math.max(0, max[group] ?? 0));
    words[2 * group + 1] = float32Bits(Math.max(0, -smallest));
  }
  const whole = Math.ceil(groups / 4) * 4;
  const sizes = [words.byteLength, elementWords(whole, element) * 4, whole, CORNER_NAMES.length * 4];
  const buffers = sizes.map((size) => device.createBuffer(Math.max(16, Math.ceil(size / 16) * 16)));
  const [extremes, scales, points] = buffers;
  if (!extremes || !scales || !points) throw new Error("four buffers were made");
  try {
    device.write(extremes, new Uint8Array(words.buffer));
    device.run([call(intQparams, { element, bits, symmetric }, { groups, first: 0, slot: 0 }, buffers)]);
    const scaleWords = new Uint32Array((await device.read(scales, scales.sizeBytes)).buffer);
    const pointWords = new Uint32Array((await device.read(points, points.sizeBytes)).buffer);
    const { fromBits } = FLOAT_FORMATS[element];
    return Array.from({ length: groups }, (_, group) => ({
      scale: fromBits(elementAt(scaleWords, group, element)),
      zeroPoint: symmetric ? 0 : byteAt(pointWords, group),
    }));
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}
