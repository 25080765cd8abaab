import { formatCount } from "../../base/format.ts";
import { depthFinding, depthWords } from "../../engine/depth-words.ts";
import type { DepthResult } from "../../engine/diagnosis-api.ts";
import type { DepthData, DepthLine } from "../charts/depth-chart.ts";
import { shortName } from "../parts/safe-name.ts";
import { recipeLook } from "../parts/scheme-mark.ts";

/** Lines of all schemes that were followed, the chosen one first; null where none was. */
export function depthDataOf(results: ReadonlyMap<string, DepthResult>, scheme: string): DepthData | null {
  const all = [...results.values()];
  const chosen = all.find((own) => own.scheme === scheme);
  const ordered = chosen === undefined ? all : [chosen, ...all.filter((own) => own !== chosen)];
  if (ordered.length === 0) return null;
  const caption =
    chosen === undefined
      ? {
          strong: `${shortName(scheme)} was not followed yet.`,
          plain: "The lines are of the schemes that were.",
        }
      : captionOf(chosen);
  return { lines: ordered.map((own) => lineOf(own, own === chosen)), caption };
}

function captionOf(result: DepthResult): DepthData["caption"] {
  const { strong, plain } = depthWords(result);
  return { strong: `${shortName(result.scheme)}: ${lower(strong)}`, plain };
}

function lineOf(result: DepthResult, isChosen: boolean): DepthLine {
  const { scheme, layers, rounded } = result;
  const [fill] = recipeLook(scheme).fills;
  return {
    scheme,
    name: shortName(scheme),
    family: fill?.family ?? "orig",
    // What a run rounded counts, not what the scheme could: activations can be left as they are.
    isHollow: rounded.some((own) => !own.startsWith("weights:")),
    isChosen,
    layers,
    culprits: depthFinding(result).culprits,
  };
}

/** What a result stands on: `4 windows, 1 024 tokens; rounded: weights: int4 …`. */
export function depthBasis({ windows, tokens, rounded }: DepthResult): string {
  const what = rounded.length === 0 ? "nothing rounded" : `rounded: ${rounded.join(" · ")}`;
  return `${formatCount(windows)} ${windows === 1 ? "window" : "windows"}, ${formatCount(tokens)} tokens; ${what}`;
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** What the engine says of W8A8 on quantlab-4m-loud over four windows of scripture; stands there, dimmed, before it is asked. */
const EXAMPLE: readonly (readonly [inherited: number, fresh: number])[] = [
  [6.154e-4, 6.154e-4],
  [6.875e-3, 6.368e-3],
  [1.729e-2, 1.041e-2],
  [1.71e-2, 1.273e-4],
];

export const EXAMPLE_DEPTH: DepthData = {
  lines: [
    {
      scheme: "W8A8",
      name: "W8A8",
      family: "int8",
      isHollow: true,
      isChosen: true,
      layers: EXAMPLE.map(([inherited, fresh], layer) => ({
        layer,
        inherited: { relative: inherited, signalToNoiseDb: null },
        fresh: { relative: fresh, signalToNoiseDb: null },
      })),
      culprits: [1, 2],
    },
  ],
  caption: { strong: "", plain: "" },
};
