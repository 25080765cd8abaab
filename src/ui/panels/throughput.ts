import { scaleLinear } from "d3-scale";
import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { formatRate } from "../../base/format.ts";
import type { Quantity } from "../../base/quantity.ts";
import type { CompareResult } from "../../engine/result.ts";
import { figure, kindMark } from "../parts/number-kind.ts";
import { recipeName } from "../parts/safe-name.ts";
import { baseStyles, figureStyles, tableStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { concerns, isOneDevice, type KernelRow, kernelRows, throughputCaption } from "./throughput-model.ts";

const BAR = 72;
const share = scaleLinear().domain([0, 1]).range([0, BAR]).clamp(true);

/** How fast each kernel runs here, against a plain copy. */
export class LabThroughput extends TurnElement {
  @property({ attribute: false }) result: CompareResult | null = null;
  /** The chosen scheme, of whose kernel the caption speaks. */
  @property() scheme = "";

  static override styles = [
    baseStyles,
    figureStyles,
    tableStyles,
    css`
      .caption {
        margin-bottom: var(--s2);
      }
      tbody th {
        font-family: var(--mono);
        font-size: 12px;
      }
      .range {
        display: inline-block;
        min-width: 110px;
        padding-left: 6px;
        color: var(--ink-3);
        font-size: 11px;
        text-align: left;
      }
      .share svg {
        display: inline-block;
        margin-right: 8px;
        vertical-align: -1px;
      }
      .roof {
        fill: var(--sunk);
        stroke: var(--line);
      }
      .reached {
        fill: var(--ink-3);
      }
      details {
        margin-top: var(--s2);
      }
      summary {
        min-height: 24px;
        padding: 4px 0;
        cursor: pointer;
      }
      .words {
        min-width: 140px;
        white-space: normal;
      }
      @media print {
        .range {
          display: none;
        }
        .words {
          min-width: 0;
        }
      }
      @media (max-width: 599px) {
        .range,
        .share svg {
          display: none;
        }
      }
    `,
  ];

  protected override render(): TemplateResult | typeof nothing {
    const result = this.result;
    if (result === null) return nothing;
    const caption = throughputCaption(result, this.scheme);
    const rows = kernelRows(result);
    const oneDevice = isOneDevice(rows);
    const own = rows.filter((row) => concerns(row, this.scheme));
    const others = rows.filter((row) => !own.includes(row));
    return html`
      <figure>
        <figcaption class="caption">${caption.strong} <span>${caption.plain}</span></figcaption>
        ${
          rows.length === 0
            ? nothing
            : html`${this.#table(own, oneDevice, "Kernel throughput")}
                ${
                  others.length === 0
                    ? nothing
                    : html`<details><summary class="small">Kernels of the other schemes: ${others.length} more</summary>${this.#table(others, oneDevice, "Kernel throughput of the other schemes")}</details>`
                }`
        }
      </figure>
    `;
  }

  #table(rows: readonly KernelRow[], oneDevice: boolean, name: string): TemplateResult {
    const timed = rows.find((row) => row.bytes !== null);
    return html`<div class="scroll" role="region" aria-label=${name} tabindex="0">
      <table class="cards">
        <thead>
          <tr>
            <th class="left" scope="col">kernel</th>
            <th class="left" scope="col">scheme</th>
            <th scope="col">read and written${kindMark(timed?.bytes ?? undefined, "rounds")}</th>
            <th scope="col">weights${kindMark(timed?.elements ?? undefined, "rounds")}</th>
            <th scope="col">of a plain copy${kindMark(timed?.share ?? undefined, "rounds")}</th>
            <th scope="col">rounds</th>
            ${oneDevice ? nothing : html`<th class="left" scope="col">ran on</th>`}
            <th class="left" scope="col">agrees with its oracle</th>
          </tr>
        </thead>
        <tbody>${rows.map((row) => this.#row(row, oneDevice))}</tbody>
      </table>
    </div>`;
  }

  #row(row: KernelRow, oneDevice: boolean): TemplateResult {
    return html`<tr>
      <th scope="row">${row.kernel}</th>
      <td class="left words">${row.scheme === null ? html`<span class="dim">all</span>` : recipeName(row.scheme)}</td>
      <td data-head="read and written">${row.bytes === null ? "–" : figure(row.bytesText)}${spread(row.bytes)}</td>
      <td data-head="weights">${row.elements === null ? "–" : figure(row.elementsText)}</td>
      <td class="share" data-head="of a plain copy">
        ${
          row.share === null
            ? "–"
            : html`<svg width=${BAR} height="9" aria-hidden="true"><rect class="roof" width=${BAR} height="9"></rect><rect class="reached" width=${share(row.share.value)} height="9"></rect></svg>${figure(row.shareText)}`
        }
      </td>
      <td data-head="rounds">${row.roundsText}</td>
      ${oneDevice ? nothing : html`<td class="left words" data-head="ran on">${row.device}</td>`}
      <td class="left words" data-head="agrees">${row.exactness}</td>
    </tr>`;
  }
}

function spread(quantity: Quantity | null): TemplateResult | typeof nothing {
  const range = quantity?.spread;
  if (range === undefined) return nothing;
  const [low, high] = [formatRate(range.min, "bytes/s"), formatRate(range.max, "bytes/s")];
  return html`<span class="range">${low} … ${high}</span>`;
}

customElements.define("lab-throughput", LabThroughput);
