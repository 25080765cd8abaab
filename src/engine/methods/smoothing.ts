import type { RefusedMapping, SmoothingMapping } from "../../architectures/smoothing/mappings.ts";
import { quote } from "../../base/errors.ts";
import type { ChannelStatistics } from "../../models/channel-statistics.ts";
import { observeInputs } from "./input-statistics.ts";
import type { LayerWalk } from "./layer-walk.ts";
import type { SmoothingGrid, SmoothingReport } from "./method-report.ts";

/** A mapping with statistics of what the layers read that are multiplied. */
export interface ObservedMapping {
  readonly mapping: SmoothingMapping;
  readonly statistics: ChannelStatistics;
}

/** Looks at what the layers of a decoder layer's mappings read. */
export async function observeMappings(
  walk: LayerWalk,
  layer: number,
  mappings: readonly SmoothingMapping[],
): Promise<readonly ObservedMapping[]> {
  const own = mappings.filter((mapping) => mapping.layer === layer);
  const reader = ({ balance }: SmoothingMapping) => balance[0]?.module ?? "";
  const inputs = await observeInputs(walk, layer, new Set(own.map(reader)));
  return own.map((mapping) => {
    const statistics = inputs.get(reader(mapping));
    if (!statistics) throw new Error(`no statistics of what ${mapping.name} makes`);
    return { mapping, statistics };
  });
}

/** A mapping that is applied. @param grid of a search; null without one */
export function smoothedReport(
  { name, balance }: SmoothingMapping,
  factors: Float32Array,
  grid: SmoothingGrid | null,
): SmoothingReport {
  return {
    name: quote(name),
    balance: balance.map(({ module }) => quote(module)),
    factors: { min: Math.min(...factors), max: Math.max(...factors) },
    refused: null,
    grid,
  };
}

/** A mapping that is not applied. */
export function refusedReport({ layer, name, reason }: RefusedMapping): SmoothingReport {
  // Where the layer has no such module, the name is only an ending.
  const place = name.includes(".") ? quote(name) : `layer ${layer}, ${quote(name)}`;
  return { name: place, balance: [], factors: null, refused: quote(reason), grid: null };
}
