// The same work as others do it: llama.cpp, onnxruntime-web, a plain version in JavaScript.
import { join } from "node:path";
import { runnerImport } from "vite";
import { assembly } from "../../../scripts/assembly.mjs";
import { ROOT } from "../../../scripts/bootstrap.mjs";
import { NO_KIT } from "../kit.mjs";
import { LineProcess } from "../line-process.mjs";
import { openBenchPage } from "../page-pipelines.mjs";
import { medianOf, ratios, row, unmeasured } from "../rows.mjs";

export const title = "Beside others";

const SIDE = "peers-page.ts";

/** A round of these takes seconds. */
const MOST_SLOW_ROUNDS = 5;

const least = { direction: "least" };

export async function run({ openKit, server, executablePath, rounds, isQuick, say }) {
  say("llama.cpp");
  const rows = [await besideGgml(await openKit(), isQuick ? 2 ** 22 : 2 ** 24, rounds)];
  const bench = await openBenchPage(server.address, executablePath);
  const slow = Math.min(rounds, MOST_SLOW_ROUNDS);
  const size = isQuick ? 256 : 1024;
  try {
    say("onnxruntime-web, WebAssembly");
    rows.push(productRow("P15", 0.5, size, await bench.run(SIDE, "matMul", "wasm", size, rounds), "two threads each"));
    say("Cholesky");
    rows.push(choleskyRow(isQuick ? 512 : 2048, await bench.run(SIDE, "cholesky", isQuick ? 512 : 2048, slow)));
    say("onnxruntime-web, WebGPU");
    rows.push(productRow("P11", 2, size, await bench.run(SIDE, "matMul", "webgpu", size, slow), "WebGPU each"));
    for (const [level, groupSize, limit] of [
      [0, 32, 1.2],
      [4, 128, 1.5],
    ]) {
      const found = await bench.run(SIDE, "packedMatMul", 128, size, groupSize, level, slow);
      rows.push(...packedRows(found, { level, groupSize, limit, size }));
    }
    return { rows };
  } finally {
    await bench.close();
  }
}

/** Both sides in turns, each timing itself. */
async function besideGgml(kit, count, rounds) {
  const goal = {
    id: "P14",
    what: `INT4 in groups of 32 from ${count / 2 ** 20} Mi float32, one thread: ggml's Q4_0 over ours, scales included`,
    limit: 1,
    ...least,
  };
  if (!kit) return unmeasured(goal, NO_KIT);
  const options = { configFile: false, plugins: [assembly()], root: ROOT, logLevel: "error" };
  const { module } = await runnerImport(join(ROOT, "tests/bench/quantize-peer.ts"), options);
  const ours = await module.openQuantizer(count);
  const ggml = new LineProcess(kit.python, [join(import.meta.dirname, "../ggml_rounds.py"), kit.kit, `${count}`]);
  const ms = { ours: [], ggml: [] };
  try {
    for (let round = 0; round <= rounds; round++) {
      const [own, { seconds }] = [await ours.run(), await ggml.ask({})];
      if (round === 0) continue;
      ms.ours.push(own);
      ms.ggml.push(seconds * 1000);
    }
  } finally {
    ours.close();
    await ggml.stop();
  }
  const rate = (own) => `${(count / medianOf(own) / 1000).toFixed(0)} Melem/s`;
  return row({
    ...goal,
    device: `${ours.adapter}, Node`,
    values: ratios(ms.ggml, ms.ours),
    note: `${rate(ms.ours)}, ggml ${rate(ms.ggml)}; each process times itself`,
  });
}

function productRow(id, limit, size, { adapter, ms }, how) {
  const rate = (own) => `${((2 * size ** 3) / medianOf(own) / 1e6).toFixed(1)} GFLOP/s`;
  return row({
    id,
    what: `float32 product ${size}³, inputs in and outputs out: onnxruntime-web's MatMul over ours, ${how}`,
    device: adapter,
    values: ratios(ms.theirs, ms.ours),
    limit,
    ...least,
    note: `${rate(ms.ours)}, onnxruntime-web ${rate(ms.theirs)}; its weights are a constant`,
  });
}

function choleskyRow(n, { adapter, ms }) {
  const rate = (own) => `${(n ** 3 / 3 / medianOf(own) / 1e6).toFixed(1)} GFLOP/s`;
  return row({
    id: "P19",
    what: `Cholesky factor in float64, n = ${n}: the plain version in JavaScript over ours with two threads`,
    device: adapter,
    values: ratios(ms.theirs, ms.ours),
    limit: 5,
    ...least,
    note: `${rate(ms.ours)}, plain ${rate(ms.theirs)}`,
  });
}

function packedRows({ adapter, ms }, { level, groupSize, limit, size }) {
  const what = `128 rows times INT4 weights [${size}, ${size}] in groups of ${groupSize}`;
  return [
    row({
      id: `P12 level ${level}`,
      what: `${what}, inputs in and outputs out: onnxruntime-web's MatMulNBits at accuracy level ${level} over ours`,
      device: adapter,
      values: ratios(ms.theirs, ms.ours),
      limit,
      ...least,
      note: `${medianOf(ms.ours).toFixed(1)} ms, onnxruntime-web ${medianOf(ms.theirs).toFixed(1)} ms`,
    }),
    row({
      id: `P13 groups of ${groupSize}`,
      what: `${what}: our float32 product of the same shape over it`,
      device: adapter,
      values: ratios(ms.plain, ms.packed),
      limit: 0.6,
      ...least,
    }),
  ];
}
