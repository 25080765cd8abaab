import { html, type TemplateResult } from "lit";
import { PRESETS } from "../../schemes/presets.ts";

/** The colour class of a scheme: hue is the number family, lightness the bits. */
export function schemeFamily(name: string): string {
  const preset = PRESETS.find((candidate) => candidate.name === name);
  return preset === undefined ? "orig" : `${preset.weights.type}${preset.weights.bits}`;
}

/** A scheme's mark. A circle is plain rounding; hollow means that activations are rounded too. */
export function schemeMark(family: string, isHollow: boolean): TemplateResult {
  return html`<svg class="mark ${family} ${isHollow ? "hollow" : ""}" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">
    <circle cx="7" cy="7" r="4.4"></circle>
  </svg>`;
}
