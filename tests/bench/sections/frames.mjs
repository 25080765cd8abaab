// The delivered page while somebody uses it: gaps between frames, and from an interaction to its paint.
import { join } from "node:path";
import { serveBuiltPage } from "../built-page.mjs";
import { makeCheckpoint } from "../made-checkpoint.mjs";
import { measurePageFrames } from "../page-frames.mjs";
import { row } from "../rows.mjs";

export const title = "Page in use";

/** While a comparison runs: between frames, and from an interaction to its paint. */
const FRAME_LIMIT_MS = 50;
const PAINT_LIMIT_MS = 100;

const DEVICE = "Chromium, software-rendered";

export async function run({ executablePath, folder, isQuick, say }) {
  const layers = isQuick ? 10 : 30;
  const model = join(folder, "made-layers");
  makeCheckpoint(model, { matrices: 7 * layers, rows: 1024, cols: 1024, allKinds: true });
  say("building the page");
  const server = await serveBuiltPage(join(folder, "page-frames"));
  try {
    say("using it");
    const frames = await measurePageFrames(server.address, model, executablePath);
    return { rows: [...rowsOf(frames)], words: words(frames, layers) };
  } finally {
    await server.close();
  }
}

function rowsOf({ busy }) {
  // Frames come on a grid of 16.7 ms, and clocks round.
  const gaps = shareOf(busy.gaps, 1);
  const paint = shareOf(paintsOf(busy), 1);
  return [
    row({
      id: "frames gap",
      what: "longest gap between frames of the busy page",
      device: DEVICE,
      unit: "ms",
      values: [gaps],
      limit: FRAME_LIMIT_MS,
      note: `${busy.gaps.length} frames`,
    }),
    row({
      id: "frames paint",
      what: "slowest interaction with the busy page, until it is painted",
      device: DEVICE,
      unit: "ms",
      values: [paint],
      limit: PAINT_LIMIT_MS,
      note: `${busy.interactions.length} interactions`,
    }),
  ];
}

function words({ busy, idle }, layers) {
  return [
    `Page in use while it compares ${layers} layers × 7 matrices, software-rendered on the same cores, and idle after it; event timing counts in steps of 8 ms.`,
    "",
    "| page | gap between frames: median, 99 %, longest | over 50 ms | from an interaction to its paint: median, 75 %, longest | of that until the page has handled it: median, longest |",
    "|---|---|---|---|---|",
    frameLine("busy", busy),
    frameLine("idle", idle),
  ].join("\n");
}

/** The value that a share of sorted ones does not exceed. */
function shareOf(sorted, share) {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function paintsOf({ interactions }) {
  return interactions.map(({ ms }) => ms);
}

function frameLine(name, { gaps, interactions }) {
  const paints = paintsOf({ interactions });
  const at = (list, share) => shareOf(list, share).toFixed(0);
  const late = gaps.filter((gap) => gap > FRAME_LIMIT_MS + 1).length;
  const slowest = interactions.at(-1)?.name ?? "";
  const handled = interactions.map(({ handledMs }) => handledMs).sort((a, b) => a - b);
  return `| ${name} | ${at(gaps, 0.5)}, ${at(gaps, 0.99)}, ${at(gaps, 1)} ms | ${late} of ${gaps.length} | ${at(paints, 0.5)}, ${at(paints, 0.75)}, ${at(paints, 1)} ms (${slowest}) | ${at(handled, 0.5)}, ${at(handled, 1)} ms |`;
}
