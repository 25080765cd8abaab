import { css } from "lit";

/** The table of inputs beside the spectrum of the chosen one, the strip below. */
export const activationStyles = css`
  .caption {
    max-width: 1000px;
  }
  .both {
    display: grid;
    grid-template-columns: minmax(0, 8fr) minmax(0, 6fr);
    gap: var(--s5);
    align-items: start;
    margin-top: var(--s3);
  }
  .rows {
    max-height: 372px;
    overflow: auto;
  }
  .rows thead th {
    position: sticky;
    top: 0;
    z-index: 1;
    background: var(--paper);
    box-shadow: inset 0 -1px var(--line-2);
    border-bottom: 0;
  }
  .rows td:first-child,
  .rows th:first-child {
    padding-left: 6px;
  }
  tbody th .name {
    min-height: 26px;
    padding: 2px 0;
    border: 0;
    background: none;
    color: var(--ink);
    font: 12px/18px var(--mono);
    text-align: left;
    cursor: pointer;
  }
  tbody th .name:hover b {
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  tbody th b {
    font-weight: 500;
  }
  tbody th .others {
    color: var(--ink-3);
  }
  .picked > * {
    background: var(--sunk);
  }
  .picked > :first-child {
    box-shadow: inset 3px 0 var(--ink);
  }
  .picked b {
    font-weight: 700;
  }
  .sort {
    min-height: 24px;
    padding: 0;
    border: 0;
    background: none;
    color: inherit;
    font: inherit;
    cursor: pointer;
  }
  .sort:hover {
    color: var(--ink);
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  th[aria-sort] .sort {
    color: var(--ink);
    font-weight: 600;
  }
  .arrow {
    margin-left: 3px;
  }
  .channel {
    color: var(--ink-3);
  }
  .choice button[aria-disabled="true"] {
    color: var(--ink-3);
    border-color: var(--line);
    cursor: default;
  }
  .strip {
    margin-top: var(--s5);
  }
  .actions {
    margin-top: var(--s3);
  }
  .job {
    margin-top: var(--s2);
  }
  .job b {
    color: var(--fail);
  }
  .waits {
    display: grid;
    place-items: center;
    min-height: 120px;
    margin-top: var(--s3);
    border-radius: var(--radius);
    background: repeating-linear-gradient(135deg, var(--hatch) 0 1px, transparent 1px 5px);
    font: var(--t-small);
    color: var(--ink-2);
  }
  .waits span {
    padding: 2px 8px;
    background: var(--paper);
  }
  .example {
    max-width: 720px;
    margin-top: var(--s3);
    /* Dimmed, and still with contrast. */
    --ink: var(--ink-3);
    --ink-2: var(--ink-3);
  }
  .example tbody th {
    font: 12px/18px var(--mono);
  }
  .old .both,
  .old .strip {
    --ink: var(--ink-3);
    --ink-2: var(--ink-3);
    filter: grayscale(1);
  }
  @media (max-width: 1099px) {
    .both {
      grid-template-columns: minmax(0, 1fr);
    }
  }
  @media (max-width: 599px) {
    .rows .cards tr > :first-child {
      padding-left: 0;
    }
    .rows .cards tbody th {
      grid-column: 1 / -1;
      overflow-wrap: anywhere;
    }
    .rows .cards td:last-child {
      grid-column: 1 / -1;
    }
    .rows .cards .picked {
      box-shadow: inset 3px 0 var(--ink);
      padding-left: 8px;
    }
    .rows .cards .picked > * {
      background: none;
      box-shadow: none;
    }
  }
  @media print {
    .rows {
      max-height: none;
      overflow: visible;
    }
  }
`;
