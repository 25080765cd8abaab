// Calibrated methods: what looking at a pass costs, and GPTQ beside what it cannot do without.
import { kernelShares } from "../kernel-shares.mjs";
import { openBenchPage } from "../page-pipelines.mjs";
import { medianOf, ratios, row } from "../rows.mjs";

export const title = "Calibrated methods, in Chromium";

const SIDE = "methods-page.ts";

/** Two layers of SmolLM2-135M. What is looked at ends before the head, so that its vocabulary does not matter. */
const MODEL = { layers: 2, hidden: 576, intermediate: 1536, heads: 9, keyHeads: 3, vocabulary: 1024 };
const WORK = { ...MODEL, windows: 2, tokens: 256 };
const QUICK = { ...MODEL, layers: 1, windows: 2, tokens: 64 };

/** Windows of 256 tokens of the bundled calibration text, fewer on SwiftShader, whose products take ten times as long. */
const KINDS = [
  { name: "wasm", choice: "wasm", windows: 64, most: { statistics: 9, gptq: 3 } },
  { name: "webgpu", choice: "gpu", windows: 4, most: { statistics: 5, gptq: 3 } },
];

export async function run({ server, executablePath, rounds, isQuick, say }) {
  const bench = await openBenchPage(server.address, executablePath);
  const rows = [];
  const times = {};
  try {
    for (const { name, choice, windows, most } of KINDS) {
      say(`${name}, statistics`);
      const work = isQuick ? QUICK : WORK;
      const observed = await bench.run(SIDE, "statistics", choice, work, Math.min(rounds, most.statistics));
      rows.push(statisticsRow(name, work, observed));
      say(`${name}, GPTQ`);
      const own = await bench.run(SIDE, "gptq", choice, isQuick ? 1 : windows, Math.min(rounds, most.gptq));
      rows.push(...gptqRows(name, own));
      times[name] = own.times;
    }
    return {
      rows,
      words: kernelShares("Where one more such run of GPTQ goes, its calls handed over one by one:", times),
    };
  } finally {
    await bench.close();
  }
}

const seconds = (own) => `${(medianOf(own) / 1000).toFixed(2)} s`;

function statisticsRow(name, { layers, windows, tokens }, { adapter, ms }) {
  return row({
    id: `statistics ${name}`,
    what: `${layers} layers as SmolLM2-135M has them, ${windows} windows of ${tokens}, up to the head: a pass that gathers statistics of what goes into each linear layer over the same pass alone`,
    device: adapter,
    values: ratios(ms.observed, ms.plain),
    limit: 1.25,
    note: `${medianOf(ms.observed).toFixed(0)} ms and ${medianOf(ms.plain).toFixed(0)} ms; statistics are those of the inputs in float64`,
  });
}

function gptqRows(name, { adapter, ms, tokens }) {
  const solved = ms.gemm.map((own, round) => own + ms.factorizations[round]);
  const spared = ms.hessians.map((own, round) => own + ms.factorizations[round]);
  const needed = spared.map((own, round) => own + ms.passes[round]);
  return [
    row({
      id: `GPTQ ${name}`,
      what: `GPTQ of quantlab-4m to W4A16, ${tokens} tokens: all of it over its Hessians' products XᵀX as whole ones and their factorizations alone`,
      device: adapter,
      values: ratios(ms.gptq, solved),
      limit: 3,
      note: `${seconds(ms.gptq)}; ${seconds(ms.gemm)} (as the lab makes them, half of each by symmetry, ${seconds(ms.hessians)}) and ${seconds(ms.factorizations)}; every matrix comes out closer than by plain rounding`,
    }),
    row({
      id: `GPTQ passes ${name}`,
      what: "the same over the half products, the factorizations and two plain passes of the model, since each layer runs twice",
      device: adapter,
      values: ratios(ms.gptq, needed),
      note: `two passes ${seconds(ms.passes)}`,
    }),
  ];
}
