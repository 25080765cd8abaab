import { css } from "lit";

/** What every element of the lab starts from: text, focus, small marks. Colours and sizes come from `tokens.css`. */
export const baseStyles = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :host {
    display: block;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  h1,
  h2,
  h3,
  p,
  figure,
  dl,
  dd,
  ul {
    margin: 0;
    padding: 0;
  }
  ul {
    list-style: none;
  }
  code,
  .mono {
    font-family: var(--mono);
    font-size: 0.93em;
  }
  bdi {
    overflow-wrap: anywhere;
  }
  .small {
    font: var(--t-small);
    color: var(--ink-2);
  }
  .dim {
    color: var(--ink-3);
    font-weight: 400;
  }
  .unit {
    color: var(--ink-3);
    font-weight: 400;
  }
  .spoken {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  :focus-visible {
    outline: var(--ring) solid var(--accent);
    outline-offset: 2px;
    border-radius: 2px;
  }
  .caption {
    font: 600 14px/20px var(--sans);
    text-wrap: pretty;
  }
  .caption span {
    font-weight: 400;
    color: var(--ink-2);
  }
  kbd {
    display: inline-block;
    min-width: 18px;
    padding: 0 4px;
    border: 1px solid var(--line-2);
    border-radius: 3px;
    font: 11px/15px var(--mono);
    text-align: center;
    color: var(--ink-2);
  }
  .kind {
    position: relative;
    display: inline-block;
    margin: 0 0 0 3px;
    padding: 0;
    border: 0;
    background: none;
    color: var(--ink-3);
    font: 10px/12px var(--sans);
    vertical-align: 1px;
    cursor: help;
  }
  .kind.dot {
    font-size: 7px;
    vertical-align: 2px;
  }
  .kind::before {
    content: "";
    position: absolute;
    inset: 50% auto auto 50%;
    width: 24px;
    height: 24px;
    transform: translate(-50%, -50%);
  }
  @media print {
    .actions {
      display: none !important;
    }
  }
`;

/** Buttons and fields. */
export const controlStyles = css`
  .actions {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--s2);
  }
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    min-height: 32px;
    padding: 5px 14px;
    border: 1px solid var(--line-2);
    border-radius: var(--radius);
    background: none;
    color: var(--ink);
    font: 500 14px/20px var(--sans);
    text-decoration: none;
    white-space: nowrap;
    cursor: pointer;
    transition: background-color var(--quick);
  }
  .button:hover:not([aria-disabled="true"]) {
    background: var(--sunk);
    border-color: var(--line-3);
  }
  .button.main {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--accent-ink);
  }
  .button.main:hover:not([aria-disabled="true"]) {
    background: color-mix(in oklch, var(--accent), var(--ink) 14%);
  }
  .button.text {
    border-color: transparent;
    padding-inline: 6px;
    color: var(--accent);
  }
  @media (forced-colors: active) {
    .button.main {
      background: ButtonFace;
      border-color: ButtonText;
      color: ButtonText;
    }
  }
  .button[aria-disabled="true"] {
    color: var(--ink-3);
    background: none;
    border-color: var(--line);
    cursor: default;
  }
  @media (forced-colors: active) {
    .button[aria-disabled="true"] {
      border-color: GrayText;
      color: GrayText;
    }
  }
  select,
  input {
    height: 28px;
    min-width: 0;
    padding: 0 8px;
    border: 1px solid var(--line-2);
    border-radius: var(--radius);
    background: var(--paper);
    color: var(--ink);
    font: var(--t-table);
    font-variant-numeric: tabular-nums;
  }
  select {
    padding-right: 4px;
  }
  input[aria-invalid="true"] {
    border-color: var(--fail);
  }
  select:hover,
  input:hover {
    border-color: var(--line-3);
  }
`;

/** A dialog above the page. */
export const dialogStyles = css`
  dialog {
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--float);
    color: var(--ink);
    box-shadow: var(--shadow);
  }
  dialog::backdrop {
    background: oklch(0 0 0 / 0.25);
  }
`;

/** Buttons of which one, or some, are pressed: `<button class="pill" aria-pressed>`. */
export const pillStyles = css`
  .pill {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    min-height: 26px;
    padding: 3px 9px 3px 7px;
    border: 1px solid var(--line-2);
    border-radius: var(--radius);
    background: none;
    color: var(--ink-2);
    font: var(--t-small);
    cursor: pointer;
  }
  .pill:hover {
    border-color: var(--line-3);
  }
  .pill[aria-pressed="true"] {
    border-color: var(--ink);
    box-shadow: inset 0 0 0 1px var(--ink);
    color: var(--ink);
    font-weight: 600;
  }
  .pill bdi {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  @media (forced-colors: active) {
    .pill[aria-pressed="true"] {
      outline: 2px solid Highlight;
    }
  }
`;

/** Two large figures, and rows of name and figure. */
export const figureStyles = css`
  .big {
    display: grid;
    grid-template-columns: 1fr 1fr;
    gap: var(--s4);
    margin: var(--s3) 0;
  }
  .big b {
    display: block;
    font: var(--t-display);
    letter-spacing: -0.01em;
    white-space: nowrap;
  }
  .big b .unit {
    font-size: 18px;
    letter-spacing: 0;
  }
  .numbers {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    font: 13px/24px var(--sans);
  }
  .numbers > * {
    border-top: 1px solid var(--line);
  }
  .numbers dt {
    color: var(--ink-2);
    padding-right: var(--s3);
  }
  .numbers dd {
    text-align: right;
    font-variant-numeric: tabular-nums;
  }
  .hatched {
    background: repeating-linear-gradient(135deg, var(--hatch) 0 1px, transparent 1px 5px);
  }
`;

/** Tables with units in the head; those of class `cards` become cards below 600 px. */
export const tableStyles = css`
  .scroll {
    position: relative;
    overflow-x: auto;
    margin-left: -8px;
    padding-left: 8px;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    font: var(--t-table);
    font-variant-numeric: tabular-nums;
  }
  th {
    padding: 0 10px 4px;
    color: var(--ink-2);
    font: var(--t-small);
    text-align: right;
    vertical-align: bottom;
    white-space: nowrap;
  }
  thead .unit {
    display: block;
    min-height: 16px;
  }
  th.group {
    padding-bottom: 2px;
    border-bottom: 1px solid var(--line);
    color: var(--ink-3);
    text-align: left;
  }
  thead tr:last-child > * {
    border-bottom: 1px solid var(--line-2);
  }
  td,
  tbody th {
    height: 28px;
    padding: 0 10px;
    border-bottom: 1px solid var(--line);
    text-align: right;
    white-space: nowrap;
    font: var(--t-table);
    color: var(--ink);
    vertical-align: middle;
  }
  .left,
  tbody th {
    text-align: left;
  }
  tr > :first-child {
    padding-left: 0;
  }
  tr > :last-child {
    padding-right: 0;
  }
  @media (max-width: 1199px) {
    th,
    td,
    tbody th {
      padding-inline: 6px;
    }
  }
  @media print {
    .scroll {
      overflow: visible;
    }
    table {
      font-size: 11px;
    }
    th,
    td,
    tbody th {
      min-width: 0 !important;
      padding-inline: 3px !important;
      font-size: 11px;
    }
  }
  @media (max-width: 599px) {
    .cards,
    .cards tbody {
      display: block;
    }
    .cards thead {
      position: absolute;
      width: 1px;
      height: 1px;
      overflow: hidden;
      clip-path: inset(50%);
    }
    .cards tbody tr {
      display: grid;
      grid-template-columns: 1fr 1fr;
      gap: 2px var(--s3);
      padding: var(--s2) 0;
      border-bottom: 1px solid var(--line-2);
    }
    .cards td,
    .cards tbody th {
      display: block;
      height: auto;
      padding: 2px 0;
      border: 0;
      text-align: left;
      white-space: normal;
    }
    .cards td[data-head]::before {
      content: attr(data-head) " ";
      color: var(--ink-3);
      font: var(--t-small);
    }
  }
`;
