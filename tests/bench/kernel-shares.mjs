// Where the time of some work goes, kernel by kernel.

/**
 * A table in per cent, those first that take most on WebAssembly.
 * @param words what stands before it
 * @param times of each kind of device the milliseconds of each kernel, as `kernelTimes` has them
 */
export function kernelShares(words, { wasm, webgpu }) {
  const kernels = [...new Set([...Object.keys(wasm), ...Object.keys(webgpu)])];
  const share = (times, kernel) => {
    const all = Object.values(times).reduce((sum, own) => sum + own, 0);
    return (100 * (times[kernel] ?? 0)) / all;
  };
  const sorted = kernels.sort((one, other) => share(wasm, other) - share(wasm, one));
  return [
    words,
    "",
    "| kernel | WebAssembly | WebGPU |",
    "|---|---|---|",
    ...sorted.map((name) => `| ${name} | ${share(wasm, name).toFixed(1)} % | ${share(webgpu, name).toFixed(1)} % |`),
  ].join("\n");
}
