import { html, type TemplateResult } from "lit";
import { quote } from "../../base/errors.ts";

/** A sentence has room for this much of a model's name or of a recipe, not for two hundred characters. */
const LONGEST_IN_SENTENCE = 48;

/** Untrusted text for a page: escapes made visible, cut, isolated from the direction of what stands around it. */
export function safeName(name: string): TemplateResult {
  return html`<bdi>${quote(name)}</bdi>`;
}

/** A recipe for a narrow place: it breaks after its signs rather than inside its words. */
export function recipeName(spec: string): TemplateResult {
  const parts = quote(spec).split(/(?<=[:@=])/);
  return html`<bdi>${parts.map((part, at) => (at === 0 ? part : html`<wbr />${part}`))}</bdi>`;
}

/** Untrusted text for a sentence: escapes made visible, cut to 48 characters. */
export function shortName(name: string): string {
  return quote(name.length > LONGEST_IN_SENTENCE ? `${name.slice(0, LONGEST_IN_SENTENCE)}…` : name);
}
