import { css } from "lit";

/** A choice as chips in a row, and the tray that opens beneath them. */
export const pickerStyles = css`
  h2,
  h3 {
    margin: 0;
    font: var(--t-small);
    color: var(--ink-2);
  }
  .chosen {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s2);
    align-items: center;
  }
  .chosen ul {
    display: contents;
  }
  .chosen li {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    max-width: 100%;
    min-height: 28px;
    padding-left: 8px;
    border: 1px solid var(--line-2);
    border-radius: var(--radius);
    font: var(--t-table);
  }
  .chosen li span {
    min-width: 0;
    padding: 3px 0;
  }
  .chosen li button {
    flex: none;
    width: 26px;
    height: 26px;
    padding: 0;
    border: 0;
    border-radius: var(--radius);
    background: none;
    color: var(--ink-3);
    font: 11px/1 var(--sans);
    cursor: pointer;
  }
  .chosen li button:hover:not([aria-disabled="true"]) {
    background: var(--sunk);
    color: var(--ink);
  }
  .chosen li button[aria-disabled="true"] {
    cursor: default;
    opacity: 0.5;
  }
  .button {
    min-height: 28px;
    padding: 3px 12px;
    font: 500 13px/20px var(--sans);
  }
  .tray {
    margin-top: var(--s2);
    padding: var(--s3);
    border-radius: var(--radius);
    background: var(--sunk);
  }
  .full {
    margin-bottom: var(--s2);
    font: 600 13px/18px var(--sans);
  }
  .line {
    display: grid;
    grid-template-columns: 160px minmax(0, 1fr);
    gap: var(--s1) var(--s3);
    padding: 5px 0;
  }
  .line + .line {
    border-top: 1px solid var(--line);
  }
  .line h3 {
    padding-top: 6px;
  }
  .offers,
  .fields {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    align-items: center;
    margin: 0;
    font: var(--t-small);
    color: var(--ink-2);
  }
  .offer {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    min-height: 28px;
    padding: 3px 10px 3px 7px;
    border: 1px solid var(--line-2);
    border-radius: var(--radius);
    background: var(--paper);
    color: var(--ink);
    font: var(--t-table);
    cursor: pointer;
  }
  .offer:hover:not([aria-disabled="true"]) {
    border-color: var(--line-3);
  }
  .offer[aria-pressed="true"] {
    border-color: var(--ink);
    box-shadow: inset 0 0 0 1px var(--ink);
    font-weight: 600;
  }
  .offer[aria-disabled="true"] {
    border-color: var(--line);
    background: none;
    color: var(--ink-3);
    cursor: default;
  }
  .pair {
    display: inline-flex;
    flex-wrap: wrap;
    gap: 6px;
    align-items: center;
  }
  input.number {
    width: 64px;
  }
  input.text {
    flex: 1 1 240px;
    max-width: 560px;
    font: 12px/18px var(--mono);
  }
  .words {
    flex: 1 1 100%;
    font: var(--t-small);
    color: var(--ink-2);
    text-wrap: pretty;
  }
  .words code {
    color: var(--ink);
  }
  .failed {
    color: var(--fail);
  }
  @media (forced-colors: active) {
    .offer[aria-pressed="true"] {
      outline: 2px solid Highlight;
    }
    .offer[aria-disabled="true"] {
      border-color: GrayText;
      color: GrayText;
    }
  }
  @media (max-width: 599px) {
    .line {
      grid-template-columns: minmax(0, 1fr);
    }
    .line h3 {
      padding-top: 0;
    }
  }
  @media print {
    :host {
      display: none;
    }
  }
`;
