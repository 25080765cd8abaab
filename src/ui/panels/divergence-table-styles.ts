import { css } from "lit";

/** llama.cpp's table: dense, figures in columns, what is uncertain about them smaller and lighter. */
export const divergenceTableStyles = css`
  .caption {
    max-width: 1000px;
  }
  th,
  td,
  tbody th {
    padding-inline: 2px;
  }
  thead th {
    padding-top: 6px;
    padding-bottom: 6px;
  }
  /* Names stand above the figures, not above what is uncertain about them. */
  thead th:not(:first-child) {
    padding-right: 90px;
  }
  tbody td,
  tbody th {
    height: 22px;
  }
  .spread {
    display: inline-block;
    min-width: 88px;
    padding-left: 4px;
    color: var(--ink-3);
    font-size: 11px;
    text-align: left;
  }
  /* As warnings of the text look. */
  .alarm {
    display: inline-block;
    width: 14px;
    margin-right: 6px;
    border: 1px solid var(--line-3);
    border-radius: 50%;
    color: var(--ink);
    font: 600 10px/12px var(--sans);
    text-align: center;
  }
  .group-row th {
    height: auto;
    padding-top: var(--s3);
    border-bottom-color: var(--line-2);
    color: var(--ink-3);
    font: var(--t-small);
  }
  .name {
    min-height: 24px;
    padding: 0;
    border: 0;
    background: none;
    color: var(--ink);
    font: 600 13px/18px var(--sans);
    cursor: pointer;
  }
  .name:hover {
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  .head-name {
    display: inline-flex;
    gap: 6px;
    align-items: center;
    max-width: 170px;
    white-space: normal;
    text-align: left;
  }
  /* A name is broken only where it is longer than a column may be. */
  .head-name bdi {
    overflow-wrap: break-word;
  }
  .under {
    display: block;
    max-width: 190px;
    margin-left: auto;
    color: var(--ink-3);
    font-weight: 400;
    white-space: normal;
  }
  .picked {
    background: var(--sunk);
  }
  thead .picked {
    box-shadow: inset 0 3px var(--ink);
    padding-top: 6px;
  }
  .growing th:not(:first-child) {
    background: repeating-linear-gradient(135deg, var(--hatch) 0 1px, transparent 1px 5px);
  }
  tr > :first-child {
    position: sticky;
    left: -8px;
    padding-left: 8px;
    background: var(--paper);
  }
  .example {
    max-width: 640px;
    margin-top: var(--s3);
    /* Dimmed, and still with contrast. */
    --ink: var(--ink-3);
    --ink-2: var(--ink-3);
  }
  .example .spread {
    display: none;
  }
  .example thead th:not(:first-child) {
    padding-right: 4px;
  }
  .example .mark {
    opacity: 0.4;
    filter: grayscale(1);
  }
  .actions {
    margin-top: var(--s3);
  }
  .cards details {
    border-top: 1px solid var(--line);
  }
  .cards summary {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s2);
    align-items: center;
    min-height: 36px;
    cursor: pointer;
  }
  .cards summary::before {
    content: "▸";
    color: var(--ink-3);
  }
  .cards details[open] summary::before {
    content: "▾";
  }
  .cards summary b {
    flex: 0 1 auto;
    min-width: 0;
    max-width: calc(100% - 48px);
  }
  .cards summary .small {
    margin-left: auto;
  }
  .cards h3 {
    margin: var(--s2) 0 var(--s1);
    color: var(--ink-3);
    font: var(--t-small);
  }
  .cards .numbers {
    grid-template-columns: minmax(112px, 1fr) minmax(0, auto);
    font: 13px/22px var(--sans);
  }
  @media print {
    .choice {
      display: none;
    }
  }
`;
