// Whole files through the engine in a worker of Chromium: time over reading alone, memory, smoothness of the page meanwhile.
import { join } from "node:path";
import { makeCheckpoint } from "../made-checkpoint.mjs";
import { openBenchPage, PIPELINES, pick, pipelineMemory, pipelineRounds } from "../page-pipelines.mjs";
import { medianOf, ratios, row } from "../rows.mjs";
import { EIGHT, ONE } from "../scheme-names.mjs";

export const title = "Whole files, in Chromium";

/** Rows of 4096 weights of the files: 256 MiB, 1 GiB, 64 MiB, and 2 MiB for what a job costs whatever its size. */
const FILES = { middle: 32_768, large: 131_072, small: 8192, tiny: 256 };

/** The same for a look at whether everything works. */
const QUICK_FILES = { middle: 4096, large: 8192, small: 2048, tiny: 256 };

const COLS = 4096;

/** More rounds of these take minutes on a software adapter. */
const MOST_GPU_ROUNDS = 5;

const THREADS = "WebAssembly";
const GPU = "WebGPU (SwiftShader)";

export async function run({ server, executablePath, folder, rounds, isQuick, say }) {
  const files = isQuick ? QUICK_FILES : FILES;
  const places = Object.fromEntries(
    Object.entries(files).map(([name, rows]) => {
      const place = join(folder, `file-${name}`);
      // Matrices of 64 MiB at most, as models have them.
      const matrices = Math.max(1, rows / 8192);
      makeCheckpoint(place, { matrices, rows: rows / matrices, cols: COLS });
      return [name, place];
    }),
  );
  const parameters = (name) => files[name] * COLS;
  const mebibytes = (name) => `${(parameters(name) * 2) / 2 ** 20} MiB`;
  const bench = await openBenchPage(server.address, executablePath);
  let wasm;
  let gpu;
  const probes = [];
  try {
    for (const name of ["middle", "large", "tiny"]) await pick(bench, name, places[name]);
    for (let round = 0; round < rounds; round++) probes.push(await bench.run(PIPELINES, "probe"));
    say("WebAssembly");
    wasm = await pipelineRounds(
      bench,
      [
        { name: "eight", file: "middle", device: "wasm", schemes: EIGHT },
        { name: "large", file: "large", device: "wasm", schemes: EIGHT },
        { name: "one", file: "middle", device: "wasm", schemes: [ONE] },
        { name: "auto", file: "middle", device: "auto", schemes: [ONE] },
        { name: "tiny", file: "tiny", device: "wasm", schemes: EIGHT },
      ],
      rounds,
    );
    say("WebGPU");
    gpu = await pipelineRounds(
      bench,
      [
        { name: "eight", file: "middle", device: "gpu", schemes: EIGHT },
        { name: "one", file: "middle", device: "gpu", schemes: [ONE] },
        { name: "large", file: "large", device: "gpu", schemes: [ONE] },
        { name: "auto", file: "middle", device: "auto", schemes: [ONE] },
        { name: "wasm", file: "middle", device: "wasm", schemes: [ONE] },
        { name: "tiny", file: "tiny", device: "gpu", schemes: [ONE] },
      ],
      Math.min(rounds, MOST_GPU_ROUNDS),
    );
  } finally {
    await bench.close();
  }
  requireAlike(wasm.eight, gpu.eight);
  requireAlike(wasm.one, gpu.one);
  say("memory");
  const rise = (name, device, schemes) =>
    pipelineMemory(server.address, executablePath, places[name], { device, schemes });
  const rises = {
    wasm: { small: await rise("small", "wasm", EIGHT), large: await rise("large", "wasm", EIGHT) },
    gpu: { small: await rise("small", "gpu", [ONE]), large: await rise("large", "gpu", [ONE]) },
  };
  return {
    rows: [
      ...timeRows(wasm, gpu, mebibytes),
      ...memoryRows(rises, mebibytes),
      ...linearityRows(wasm, gpu, parameters, mebibytes),
      gapRow("wasm", THREADS, wasm),
      gapRow("webgpu", GPU, gpu),
      ...choiceRows(gpu, wasm, probes, mebibytes("middle")),
    ],
  };
}

/** Both devices measure the same, or one of them is wrong. */
function requireAlike([one], [other]) {
  for (const [index, error] of one.errors.entries()) {
    if (!(Math.abs(error / other.errors[index] - 1) < 1e-6)) {
      throw new Error(`scheme ${index}: ${one.adapter} finds ${error}, ${other.adapter} ${other.errors[index]}`);
    }
  }
}

const times = (found) => found.map(({ ms }) => ms);
const overReading = (found) => found.map(({ ms, readMs }) => ms / readMs);

function timeRows(wasm, gpu, mebibytes) {
  const rowOf = (id, device, found, schemes, limit) => {
    const note = `${medianOf(times(found)).toFixed(0)} ms; reading ${medianOf(found.map(({ readMs }) => readMs)).toFixed(0)} ms`;
    const what = `${schemes} over ${mebibytes("middle")} of bf16, over reading the same bytes alone`;
    return row({ id, what, device, values: overReading(found), limit, note });
  };
  return [
    rowOf("P6 wasm eight", THREADS, wasm.eight, "eight schemes", 4),
    rowOf("P6 wasm one", THREADS, wasm.one, "one scheme", null),
    rowOf("P6 webgpu eight", GPU, gpu.eight, "eight schemes", 30),
    rowOf("P6 webgpu one", GPU, gpu.one, "one scheme", 5.5),
  ];
}

function memoryRows({ wasm, gpu }, mebibytes) {
  const kinds = [
    ["wasm", THREADS, wasm, "eight schemes", 200],
    ["webgpu", GPU, gpu, "one scheme, whose tiles are the largest", 350],
  ];
  return kinds.flatMap(([kind, device, rises, schemes, limit]) => [
    ...Object.entries(rises).map(([name, bytes]) =>
      row({
        id: `P7 ${kind} ${name}`,
        what: `peak over the idle page (PSS of the browser's processes), ${mebibytes(name)}, ${schemes}`,
        device,
        unit: "MB",
        values: bytes.map((value) => value / 1e6),
        limit,
        judged: "max",
        note: "two passes of one fresh browser",
      }),
    ),
    row({
      id: `P7 ${kind} growth`,
      what: `the larger peak at ${mebibytes("large")} over that at ${mebibytes("small")}`,
      device,
      values: [Math.max(...rises.large) / Math.max(...rises.small)],
      limit: 1.5,
    }),
  ]);
}

function linearityRows(wasm, gpu, parameters, mebibytes) {
  const kinds = [
    ["wasm", THREADS, wasm.large, wasm.eight, wasm.tiny, "eight schemes"],
    ["webgpu", GPU, gpu.large, gpu.one, gpu.tiny, "one scheme"],
  ];
  return kinds.flatMap(([kind, device, large, middle, tiny, schemes]) => {
    const rate = (found, name) => times(found).map((ms) => parameters(name) / ms / 1000);
    return [
      row({
        id: `P8 ${kind}`,
        what: `weights per second at ${mebibytes("large")} over those at ${mebibytes("middle")}, ${schemes}`,
        device,
        values: ratios(rate(large, "large"), rate(middle, "middle")),
        limit: 0.9,
        direction: "least",
        note: `${medianOf(rate(large, "large")).toFixed(0)} Mparam/s`,
      }),
      row({
        id: `P8 ${kind} fixed`,
        what: `all of a file of ${(parameters("tiny") / 1e6).toFixed(0)} M weights, ${schemes}: what a job costs whatever its size`,
        device,
        unit: "ms",
        values: times(tiny),
        limit: 150,
      }),
    ];
  });
}

function gapRow(kind, device, jobs) {
  const all = Object.values(jobs).flat();
  const sum = (field) => all.reduce((total, found) => total + found[field], 0);
  return row({
    id: `P9 ${kind}`,
    what: "longest gap between two frames of the page during a job",
    device,
    unit: "ms",
    values: all.map(({ longestGapMs }) => longestGapMs),
    limit: 50,
    judged: "max",
    note: `${sum("longGaps")} of ${sum("frames")} frames over 50 ms, in ${all.length} jobs`,
  });
}

function choiceRows(gpu, wasm, probes, size) {
  const best = gpu.wasm.map(({ ms }, round) => Math.min(ms, gpu.one[round].ms));
  const device = gpu.auto[0].adapter;
  return [
    row({
      id: "P16",
      what: `one scheme over ${size}, the device chosen by the lab, over the better of both forced by hand`,
      device,
      values: ratios(times(gpu.auto), best),
      limit: 1.15,
      note: "the choice was made before the first round",
    }),
    row({
      id: "P16 wasm",
      what: "the same over WebAssembly forced by hand, with more rounds",
      device,
      values: ratios(times(wasm.auto), times(wasm.one)),
      limit: 1.15,
    }),
    row({
      id: "P16 probe",
      what: "what the choice takes, on fresh devices",
      device: "both",
      unit: "ms",
      values: probes,
      limit: 150,
    }),
  ];
}
