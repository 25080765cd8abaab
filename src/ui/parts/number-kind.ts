import { html, nothing, type TemplateResult } from "lit";
import { formatCount, formatQuantity } from "../../base/format.ts";
import type { NumberKind, Quantity } from "../../base/quantity.ts";

/** The mark after a figure that says where it comes from. */
export const KIND_GLYPHS: Readonly<Record<NumberKind, string>> = {
  measured: "●",
  computed: "ƒ",
  "looked-up": "§",
  assumed: "✎",
};

/** What a measurement stands on: weights for an error, rounds for a speed, positions of a text for a divergence. */
export type Observations = "weights" | "rounds" | "positions";

/** In words, where a figure comes from: its kind, how many observations, spread, formula or source. */
export function describeKind(quantity: Quantity, observations: Observations = "weights"): string {
  switch (quantity.kind) {
    case "measured": {
      const over = quantity.samples === undefined ? "" : ` over ${formatCount(quantity.samples)} ${observations}`;
      const spread = quantity.spread;
      const between =
        spread === undefined
          ? ""
          : `, between ${formatWith(quantity, spread.min)} and ${formatWith(quantity, spread.max)}`;
      return `Measured here${over}${between}`;
    }
    case "computed":
      return `Computed: ${quantity.from ?? "by formula"}`;
    case "looked-up":
      return `Looked up: ${quantity.from ?? "in a table"}`;
    case "assumed":
      return `Assumed: ${quantity.from ?? "change it as you like"}`;
  }
}

/** The glyph as a small button whose words show on hover, focus and tap, and are read by screen readers. */
export function kindMark(quantity: Quantity | undefined, observations?: Observations): TemplateResult | typeof nothing {
  if (quantity === undefined) return nothing;
  return wordsMark(KIND_GLYPHS[quantity.kind], describeKind(quantity, observations));
}

/** A glyph with its words, for figures that are no `Quantity`. */
export function wordsMark(glyph: string, words: string): TemplateResult {
  return html`<button type="button" class="kind ${glyph === KIND_GLYPHS.measured ? "dot" : ""}" data-tip=${words} aria-label=${words}>${glyph}</button>`;
}

/** A figure and, lighter, its unit. */
export function figure(text: string): TemplateResult {
  const [value, unit] = splitUnit(text);
  return unit === "" ? html`${value}` : html`${value}<span class="unit"> ${unit}</span>`;
}

/** `7.35 MB` → `7.35` and `MB`. Thin spaces inside a number stay. */
export function splitUnit(text: string): readonly [value: string, unit: string] {
  const at = text.lastIndexOf(" ");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function formatWith(quantity: Quantity, value: number): string {
  const { text, unit } = formatQuantity({ ...quantity, value });
  return unit === "" ? text : `${text} ${unit}`;
}
