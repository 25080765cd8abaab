// Single kernels on 16 Mi weights in Chromium, as multiples of a plain copy's time in the same round.
import { openBenchPage } from "../page-pipelines.mjs";
import { medianOf, ratios, row, unmeasured } from "../rows.mjs";

export const title = "Kernels, in Chromium";

const SIDE = "kernel-rounds.ts";

/** Names of the goals, of what is timed, and their limits on WebGPU. */
const OVER_COPY = [
  [
    "P1",
    "quantize bf16",
    "INT4 groups of 128 from bf16, scales, codes and packing, over a copy of as many float32",
    2.2,
  ],
  ["P2", "quantize f32", "the same from float32, over a copy", 2.6],
  ["P3", "dequantize", "INT4 to float32, over a copy", 1.2],
  ["P4", "error", "error of one scheme on bf16, scales included, over a copy", 2],
];

/** What this bench does not reach. */
const ELSEWHERE = [
  unmeasured(
    { id: "P1–P5 GPU", what: "the same kernels on a hardware GPU" },
    "the bench opens Chromium on SwiftShader; goals for GPUs are on paper",
  ),
  unmeasured({ id: "P5 lavapipe", what: "the same on lavapipe", limit: 3 }, "it does not come up inside Chromium"),
];

export async function run({ server, executablePath, rounds, isQuick, say }) {
  const rows = isQuick ? 1024 : 16_384;
  const bench = await openBenchPage(server.address, executablePath);
  try {
    say("WebGPU");
    const gpu = await bench.run(SIDE, "kernelRounds", "webgpu", rows, rounds);
    say("submits and uploads");
    const submits = await bench.run(SIDE, "submitRounds", rounds);
    const uploads = await bench.run(SIDE, "uploadRounds", rounds);
    say("WebAssembly");
    const wasm = await bench.run(SIDE, "kernelRounds", "wasm", rows, rounds);
    return {
      rows: [...gpuRows(gpu), ...transferRows(gpu.adapter, submits, uploads), ...wasmRows(wasm), ...ELSEWHERE],
    };
  } finally {
    await bench.close();
  }
}

function speed({ ms, elements }, name) {
  const median = medianOf(ms[name]);
  return `${median.toFixed(1)} ms, ${(elements / median / 1000).toFixed(0)} Melem/s`;
}

function gpuRows(found) {
  const { ms, adapter: device } = found;
  const parts = ms["quantize bf16"].map((quantize, round) => quantize + ms.dequantize[round] + ms.copy[round]);
  const overCopy = OVER_COPY.flatMap(([id, name, what, limit]) => [
    row({
      id: `${id} webgpu`,
      what,
      device,
      values: ratios(ms[name], ms.copy),
      limit,
      note: `${speed(found, name)}; the copy ${speed(found, "copy")}`,
    }),
    ...(ms[`ideal ${name}`] ? [idealRow(found, id, name, what)] : []),
  ]);
  return [
    ...overCopy,
    row({
      id: "P4 webgpu parts",
      what: "error of one scheme over quantize, dequantize and a difference pass, counted as a copy",
      device,
      values: ratios(ms.error, parts),
      limit: 0.65,
    }),
    ...eightRows(found, "webgpu", 7.5),
  ];
}

function idealRow(found, id, name, what) {
  return row({
    id: `${id} webgpu ideal`,
    what: `${what}: without exactness`,
    device: found.adapter,
    values: ratios(found.ms[`ideal ${name}`], found.ms.copy),
    note: speed(found, `ideal ${name}`),
  });
}

function eightRows(found, kind, limit) {
  const { ms, adapter: device } = found;
  const what = "error of eight schemes in one pass over that of one";
  return [
    row({ id: `P5 ${kind}`, what, device, values: ratios(ms.eight, ms.error), limit, note: speed(found, "eight") }),
    row({
      id: `P5 ${kind} ideal`,
      what: `${what}: without exactness`,
      device,
      values: ratios(ms["ideal eight"], ms["ideal error"]),
      note: speed(found, "ideal eight"),
    }),
    ...["error", "eight"].map((name) =>
      row({
        id: `exactness ${kind} ${name}`,
        what: `error of ${name === "error" ? "one scheme" : "eight schemes"}, exact over without exactness`,
        device,
        values: ratios(ms[name], ms[`ideal ${name}`]),
      }),
    ),
  ];
}

function wasmRows(found) {
  const { ms, adapter: device } = found;
  return [
    ...eightRows(found, "wasm", 3),
    ...OVER_COPY.map(([id, name, what]) =>
      row({
        id: `${id} wasm`,
        what,
        device,
        values: ratios(ms[name], ms.copy),
        note: `${speed(found, name)}; a copy here is a copy of memory, no roof of arithmetic: no goal`,
      }),
    ),
  ];
}

function transferRows(device, { ms, tileBytes }, uploads) {
  return [
    row({
      id: "P10",
      what: "longest of eight submits of eight schemes, tiles as the engine takes them",
      device,
      unit: "ms",
      values: ms,
      limit: 400,
      judged: "max",
      note: `tiles of ${tileBytes / 2 ** 20} MiB`,
    }),
    row({
      id: "P17 tiles",
      what: "256 MiB to the device: a writeBuffer for each 4 MiB over the ring of two mapped buffers",
      device,
      values: ratios(uploads["writeBuffer by tiles"], uploads.ring),
    }),
    row({
      id: "P17",
      what: "256 MiB to the device: one writeBuffer over the ring of two mapped buffers",
      device,
      values: ratios(uploads.writeBuffer, uploads.ring),
      limit: 1.5,
      direction: "least",
      note: `${medianOf(uploads.writeBuffer).toFixed(1)} ms and ${medianOf(uploads.ring).toFixed(1)} ms`,
    }),
  ];
}
