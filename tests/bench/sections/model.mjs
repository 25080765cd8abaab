// A model as it runs for a measurement: what it takes beside its products alone, and what variants of it cost together.
import { kernelShares } from "../kernel-shares.mjs";
import { openBenchPage } from "../page-pipelines.mjs";
import { medianOf, ratios, row } from "../rows.mjs";

export const title = "Forward pass, in Chromium";

const SIDE = "model-page.ts";

/** Two layers of SmolLM2-135M; the vocabulary as large beside them as its own beside thirty. */
const MODEL = { layers: 2, hidden: 576, intermediate: 1536, heads: 9, keyHeads: 3, vocabulary: 4096 };
const WINDOWS = { windows: 2, tokens: 256 };
const QUICK = { ...MODEL, layers: 1, vocabulary: 1024, windows: 2, tokens: 64 };

/** INT4 and INT8, symmetric and asymmetric, groups of 32 and 64: rows of 576 weights have no groups of 128. */
const EIGHT = [4, 8].flatMap((bits) =>
  ["", ":asym"].flatMap((symmetry) => [32, 64].map((size) => `int${bits}:group=${size}${symmetry}`)),
);

/** Most rounds of a pass and of variants: on SwiftShader they take seconds and half a minute. */
const KINDS = [
  // P18 is a goal of WebGPU: on WebAssembly, whose products are fifteen times as fast, all the rest weighs more.
  { name: "wasm", choice: "wasm", most: { forward: 9, variants: 9 }, share: {} },
  { name: "webgpu", choice: "gpu", most: { forward: 5, variants: 3 }, share: { limit: 0.7 } },
];

const WHERE_IT_GOES =
  "Where one more such pass goes, its calls handed over one by one; uploads count to what comes after them, `model/widen`:";

export async function run({ server, executablePath, rounds, isQuick, say }) {
  const work = isQuick ? QUICK : { ...MODEL, ...WINDOWS };
  const bench = await openBenchPage(server.address, executablePath);
  const rows = [];
  const times = {};
  try {
    for (const { name, choice, most, share } of KINDS) {
      say(`${name}, one model`);
      const alone = await bench.run(SIDE, "forward", choice, work, Math.min(rounds, most.forward));
      rows.push(...forwardRows(name, work, alone, share));
      times[name] = alone.times;
      say(`${name}, eight variants`);
      const eight = await bench.run(SIDE, "variants", choice, work, EIGHT, Math.min(rounds, most.variants));
      rows.push(variantsRow(name, work, eight));
    }
    return { rows, words: kernelShares(WHERE_IT_GOES, times) };
  } finally {
    await bench.close();
  }
}

function forwardRows(name, work, { adapter, ms, tokens, products }, share) {
  const rate = (own) => `${((2 * products) / medianOf(own) / 1e6).toFixed(1)} GFLOP/s`;
  const what = `${work.layers} layers as SmolLM2-135M has them and ${work.vocabulary} ids, ${work.windows} windows of ${work.tokens}`;
  return [
    row({
      id: `P18 ${name}`,
      what: `${what}, from the file to all logits: the products alone, weights on the device, over the whole pass`,
      device: adapter,
      values: ratios(ms.products, ms.forward),
      ...share,
      direction: "least",
      note: `${rate(ms.forward)}, the products alone ${rate(ms.products)}; logits are the oracles'`,
    }),
    row({
      id: `forward ${name}`,
      what: "the same pass: tokens for each second",
      device: adapter,
      unit: "tokens/s",
      values: ms.forward.map((own) => (1000 * tokens) / own),
      direction: "least",
      note: `${medianOf(ms.forward).toFixed(0)} ms for ${tokens} tokens`,
    }),
  ];
}

function variantsRow(name, work, { adapter, ms, tiles, bytes }) {
  const seconds = (own) => `${(medianOf(own) / 1000).toFixed(2)} s`;
  return row({
    id: `variants ${name}`,
    what: `eight schemes beside one original over a window of ${work.tokens}: one run over eight runs of the original and one scheme`,
    device: adapter,
    values: ratios(ms.together, ms.apart),
    limit: 0.62,
    note: `${seconds(ms.together)} and ${seconds(ms.apart)}; figures equal to the bit; each of ${tiles} tiles, ${(bytes / 1e6).toFixed(1)} MB, read and uploaded once a run`,
  });
}
