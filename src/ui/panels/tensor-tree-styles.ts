import { css } from "lit";

/** The tree: a name at the left, its figures in columns; in a narrow place two lines. */
export const tensorTreeStyles = css`
  :host {
    container-type: inline-size;
  }
  .find {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--s2);
    margin: var(--s2) 0;
  }
  .find input {
    flex: 0 1 240px;
  }
  .find .small {
    min-width: 72px;
  }
  .chips {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s1);
  }
  svg {
    display: block;
    flex: none;
    forced-color-adjust: none;
  }
  .sheet {
    max-height: 640px;
    overflow-y: auto;
    scrollbar-width: thin;
    border-bottom: 1px solid var(--line-2);
    /* room for the ring of the row that has the focus */
    margin-inline: -4px;
    padding-inline: 4px;
  }
  .row,
  .columns {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 24px minmax(0, 196px) 108px 76px 64px minmax(72px, 14cqi);
    column-gap: var(--s3);
    align-items: center;
    font: var(--t-table);
    font-variant-numeric: tabular-nums;
  }
  .columns {
    position: sticky;
    top: 0;
    z-index: 1;
    padding: var(--s1) 0;
    border-bottom: 1px solid var(--line-2);
    background: var(--paper);
    color: var(--ink-3);
    font: var(--t-small);
  }
  .row {
    min-height: 28px;
    padding: 3px 0;
    border-bottom: 1px solid var(--line);
    cursor: default;
  }
  ul[role="tree"] {
    margin-bottom: -1px;
  }
  .row.opens {
    cursor: pointer;
  }
  .row:hover {
    background: var(--sunk);
  }
  .row.chosen {
    background: var(--sunk);
    box-shadow: -3px 0 0 var(--ink);
  }
  li {
    outline: none;
  }
  li:focus-visible > .row {
    outline: var(--ring) solid var(--accent);
    outline-offset: -1px;
    border-radius: 2px;
  }
  .name {
    display: flex;
    align-items: center;
    gap: 6px;
    min-width: 0;
  }
  ul[role="group"] {
    padding-left: 18px;
  }
  .lead {
    display: grid;
    flex: none;
    place-items: center;
    width: 14px;
    height: 14px;
    color: var(--ink-3);
  }
  .twisty {
    transition: rotate var(--quick);
  }
  .is-open > .row .twisty {
    rotate: 90deg;
  }
  .label {
    display: -webkit-box;
    overflow: hidden;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    font-family: var(--mono);
    font-size: 12px;
    overflow-wrap: anywhere;
  }
  .label bdi {
    direction: ltr;
  }
  .branch > .row .label {
    font-weight: 600;
  }
  li:focus > .row .label {
    -webkit-line-clamp: none;
    line-clamp: none;
  }
  .figure {
    text-align: right;
    white-space: nowrap;
  }
  .use {
    text-align: center;
    white-space: nowrap;
    color: var(--ink-2);
  }
  .what {
    overflow: hidden;
    color: var(--ink-2);
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .bar {
    width: 100%;
  }
  .bar rect {
    fill: var(--ink-3);
  }
  .more .label {
    font-family: var(--sans);
    color: var(--accent);
  }
  .nothing {
    padding: var(--s4) 0;
  }
  .foot {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    gap: var(--s1) var(--s4);
    margin-top: var(--s2);
    font: var(--t-small);
    color: var(--ink-3);
  }
  @container (max-width: 999px) {
    .row,
    .columns {
      grid-template-columns: minmax(0, 1fr) 24px minmax(0, 180px) 76px 64px 72px;
    }
    .weights {
      display: none;
    }
  }
  @container (max-width: 719px) {
    .columns {
      display: none;
    }
    .sheet {
      border-top: 1px solid var(--line-2);
    }
    .row {
      grid-template:
        "name bytes bar" auto
        "what what what" auto / minmax(0, 1fr) 64px 40px;
      gap: 0 var(--s2);
      padding: 4px 0;
    }
    .name {
      grid-area: name;
    }
    ul[role="group"] {
      padding-left: 12px;
    }
    .what {
      grid-area: what;
      padding-left: 20px;
      font: var(--t-small);
      color: var(--ink-3);
    }
    .bytes {
      grid-area: bytes;
    }
    .bar {
      grid-area: bar;
    }
    .use,
    .share {
      display: none;
    }
    .chips .pill {
      min-height: 28px;
    }
    .keys {
      display: none;
    }
  }
  @container (min-width: 720px) {
    .aside {
      display: none;
    }
  }
  @media (forced-colors: active) {
    .row.chosen {
      outline: 2px solid Highlight;
    }
    .bar rect {
      fill: CanvasText;
    }
  }
  @media print {
    .find,
    .keys,
    .more {
      display: none;
    }
    .sheet {
      max-height: none;
      overflow: visible;
    }
    .row {
      break-inside: avoid;
    }
  }
`;
