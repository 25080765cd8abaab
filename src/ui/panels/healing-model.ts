import { formatNumber } from "../../base/format.ts";
import type { HealedPart, HealResult } from "../../engine/diagnosis-api.ts";
import type { Caption } from "../charts/chart.ts";
import type { RecoveryData } from "../charts/recovery-bars.ts";
import { schemeFamily } from "../parts/scheme-mark.ts";

/** The bars of what heals, as far as it is known. */
export function recoveryOf(result: HealResult, isRunning: boolean): RecoveryData {
  return {
    bars: result.parts.map((part) => ({ ...part, name: partName(part, result) })),
    family: schemeFamily(result.scheme),
    whole: result.kld,
    caption: healCaption(result, isRunning),
  };
}

function partName({ name }: HealedPart, { unit }: HealResult): string {
  return unit === "layer" && /^\d+$/.test(name) ? `layer ${name}` : name;
}

/** What the best part does: `Layer 2 put back removes 71 % of the divergence here.` */
export function healCaption(result: HealResult, isRunning: boolean): Caption {
  const { parts, kld, at, outcome } = result;
  const where = at === null ? "over the whole text" : "here";
  const whole = kld === null ? "" : `${formatNumber(kld)} nats with nothing put back.`;
  const soFar = isRunning
    ? ` ${parts.length === 1 ? "One part" : `${parts.length} parts`} so far.`
    : outcome === "partial"
      ? ` Stopped after ${parts.length === 1 ? "one part" : `${parts.length} parts`}.`
      : "";
  const [best] = parts;
  if (best === undefined) return { strong: "Parts are put back one at a time.", plain: whole };
  const name = upper(partName(best, result));
  const plain = `${whole}${soFar}${worstWords(result)}`;
  if (best.recovered === null) return { strong: `There is no divergence ${where} to remove.`, plain };
  if (best.recovered <= 0) {
    return { strong: `No part alone heals: even with ${partName(best, result)} put back the divergence grew.`, plain };
  }
  const share = formatNumber(best.recovered * 100, 2);
  return { strong: `${name} put back removes ${share} % of the divergence ${where}.`, plain };
}

/** Which parts make it worse when they are put back: errors of others had been undone by theirs. */
function worstWords(result: HealResult): string {
  const grew = result.parts.filter(({ recovered }) => recovered !== null && recovered < 0);
  const worst = grew.at(-1);
  if (worst === undefined || worst.recovered === null || worst === result.parts[0]) return "";
  const share = formatNumber(-worst.recovered * 100, 2);
  const others =
    grew.length === 1 ? "" : `, by less with ${grew.length === 2 ? "one more" : `${grew.length - 1} more`}`;
  return ` With ${partName(worst, result)} put back it grew by ${share} %${others}.`;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
