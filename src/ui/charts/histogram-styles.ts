import { css } from "lit";

/** Colours of the histogram. */
export const histogramStyles = css`
  .histogram {
    display: block;
    overflow: visible;
  }
  .histogram text {
    font: 11px var(--sans);
    font-variant-numeric: tabular-nums;
    fill: var(--ink-3);
    text-anchor: middle;
  }
  .histogram text.end {
    text-anchor: end;
  }
  .histogram text.peak {
    fill: var(--ink);
    font-weight: 600;
    paint-order: stroke;
    stroke: var(--paper);
    stroke-width: 4px;
    stroke-linejoin: round;
  }
  .grid {
    stroke: var(--line);
    shape-rendering: crispEdges;
  }
  .floor {
    stroke: var(--line-2);
    shape-rendering: crispEdges;
  }
  .outline {
    fill: none;
    stroke: var(--ink);
    stroke-width: 1;
    stroke-linejoin: round;
  }
  .tooth {
    fill: var(--family, var(--ink));
  }
  @media (forced-colors: active) {
    .tooth {
      forced-color-adjust: none;
    }
  }
`;
