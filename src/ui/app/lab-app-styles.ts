import { css } from "lit";

/** The frame: headline, main picture and aside, bands over the full width. */
export const appStyles = css`
  main {
    max-width: 1440px;
    margin: 0 auto;
    padding: var(--s4) var(--page) 76px;
  }
  lab-headline {
    margin-bottom: var(--s5);
  }
  .split {
    display: grid;
    grid-template-columns: minmax(0, 2fr) minmax(0, 1fr);
    gap: var(--s5);
    align-items: stretch;
  }
  @media (min-width: 900px) {
    .split {
      min-height: 440px;
    }
  }
  .main {
    display: flex;
    flex-direction: column;
    min-width: 0;
  }
  .aside {
    min-width: 0;
    padding-left: var(--s5);
    border-left: 1px solid var(--line);
  }
  .aside > * + * {
    margin-top: var(--s4);
  }
  .aside > lab-gpu-fit {
    padding-top: var(--s3);
    border-top: 1px solid var(--line);
  }
  .main > .actions {
    margin-top: var(--s4);
  }
  .main > lab-tensor-tree {
    margin-top: var(--s5);
    padding-top: var(--s3);
    border-top: 1px solid var(--line);
  }
  .halves {
    display: grid;
    grid-template-columns: repeat(2, minmax(0, 1fr));
    gap: var(--s5);
  }
  .halves h2 {
    margin-bottom: var(--s3);
  }
  .pair {
    display: grid;
    grid-template-columns: repeat(2, minmax(0, 1fr));
    gap: var(--s5) var(--s6);
    align-items: start;
  }
  .pair.uneven {
    grid-template-columns: minmax(0, 5fr) minmax(0, 6fr);
  }
  .band-name {
    margin: 0 0 var(--s3);
    font: var(--t-small);
    color: var(--ink-3);
  }
  .band {
    margin-top: var(--s5);
    padding-top: var(--s3);
    border-top: 1px solid var(--line);
  }
  lab-scheme-picker,
  lab-text-picker,
  lab-rounding-switches,
  lab-compare-settings {
    margin-top: var(--s3);
  }
  /* Old figures step back but stay readable: their ink is the lightest that still has contrast. */
  .stale .numbers-of-result,
  .old-text .numbers-of-text {
    --ink: var(--ink-3);
    --ink-2: var(--ink-3);
    /* Faint ink on tinted ground would have no contrast; the lines below the words stay. */
    --tinting: 0;
    color: var(--ink-3);
    filter: grayscale(1);
  }
  .warnings {
    margin: calc(-1 * var(--s3)) 0 var(--s4);
    font: var(--t-table);
  }
  .warnings li::before {
    content: "!";
    display: inline-block;
    width: 16px;
    margin-right: 6px;
    border: 1px solid var(--line-3);
    border-radius: 50%;
    font: 600 10px/14px var(--sans);
    text-align: center;
  }
  .foot {
    margin-top: var(--s5);
    padding-top: var(--s3);
    border-top: 1px solid var(--line);
    color: var(--ink-3);
    font: var(--t-small);
  }
  .foot > * + * {
    margin-top: var(--s1);
  }
  .drop {
    position: fixed;
    inset: 0;
    z-index: 9;
    display: grid;
    place-items: center;
    background: color-mix(in oklch, var(--paper), transparent 15%);
    pointer-events: none;
  }
  .drop p {
    padding: var(--s5) var(--s6);
    border: 2px dashed var(--accent);
    border-radius: var(--radius);
    background: var(--float);
    font: var(--t-head);
    text-align: center;
  }
  .drop .small {
    display: block;
    margin-top: var(--s1);
  }
  .stacked {
    grid-template-columns: minmax(0, 1fr);
  }
  .stacked > .aside {
    padding: var(--s4) 0 0;
    border-left: 0;
    border-top: 1px solid var(--line);
  }
  @media (max-width: 1099px) {
    .pair,
    .pair.uneven {
      grid-template-columns: minmax(0, 1fr);
    }
  }
  @media (max-width: 899px) {
    .split {
      grid-template-columns: minmax(0, 1fr);
    }
    .aside {
      padding: var(--s4) 0 0;
      border-left: 0;
      border-top: 1px solid var(--line);
    }
  }
  @media (max-width: 699px) {
    .halves {
      grid-template-columns: minmax(0, 1fr);
    }
  }
  @media (max-width: 599px) {
    main {
      padding: var(--s3) var(--page) 120px;
    }
  }
  @media print {
    main {
      padding-bottom: 0;
    }
  }
`;
