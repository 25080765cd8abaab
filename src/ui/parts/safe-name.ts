import { html, type TemplateResult } from "lit";
import { quote } from "../../base/errors.ts";

/** Untrusted text for a page: escapes made visible, cut, isolated from the direction of what stands around it. */
export function safeName(name: string): TemplateResult {
  return html`<bdi>${quote(name)}</bdi>`;
}

/** A download name from a fixed pattern: nothing of a foreign name but letters, digits, dot, dash and underscore. */
export function archiveName(model: string, scheme: string): string {
  const clean = (text: string): string =>
    text
      .replace(/[^A-Za-z0-9._-]+/g, "-")
      .replace(/^[.-]+/, "")
      .slice(0, 80);
  return `${clean(model) || "model"}-${clean(scheme) || "quantized"}.tar`;
}
