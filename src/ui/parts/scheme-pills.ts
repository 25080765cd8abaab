import { css, html, nothing, type TemplateResult } from "lit";
import { quote } from "../../base/errors.ts";
import { safeName } from "./safe-name.ts";
import { recipeLook, recipeMark } from "./scheme-mark.ts";

/** Longer names are cut on their button; their words then show in full. */
const LONGEST_ON_PILL = 28;

/** Recipes of which one is shown, as buttons in a row. */
export function schemePills(
  schemes: readonly string[],
  selected: string,
  pick: (scheme: string) => void,
): TemplateResult {
  return html`<div slot="head" class="pills" role="group" aria-label="Scheme shown">
    ${schemes.map(
      (name) =>
        html`<button type="button" class="pill" aria-pressed=${name === selected} data-tip=${name.length > LONGEST_ON_PILL ? quote(name) : nothing}
          @click=${() => pick(name)}>${recipeMark(recipeLook(name))}${safeName(name)}</button>`,
    )}
  </div>`;
}

/** With `pillStyles` and `markStyles`. */
export const schemePillStyles = css`
  .pills {
    display: flex;
    flex: 0 1 auto;
    flex-wrap: wrap;
    gap: var(--s1);
  }
  .pills .pill {
    max-width: 240px;
  }
  @media print {
    .pills {
      display: none;
    }
  }
`;
