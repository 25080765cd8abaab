import { css } from "lit";

/** Colours of the memory bar. */
export const fitBarStyles = css`
  .fit-bar {
    display: block;
    overflow: visible;
  }
  .usable {
    fill: var(--sunk);
    stroke: var(--line);
  }
  .weights {
    fill: var(--int8);
  }
  .cache {
    fill: color-mix(in oklch, var(--int4), var(--paper) 45%);
  }
  .capacity {
    stroke: var(--ink);
    stroke-width: 1.5;
  }
  @media (forced-colors: active) {
    .fit-bar {
      forced-color-adjust: none;
    }
  }
`;
