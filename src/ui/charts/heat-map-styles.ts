import { css } from "lit";

/** Colours of the heat map; its geometry is drawn. */
export const heatMapStyles = css`
  .picture {
    display: flex;
    align-items: flex-start;
  }
  .rows {
    flex: none;
    padding-top: 20px;
  }
  .row-label {
    display: flex;
    align-items: center;
    justify-content: flex-end;
    height: 24px;
    padding-right: 10px;
    font: 11.5px/14px var(--mono);
    color: var(--ink-2);
    white-space: nowrap;
  }
  .row-label.tall {
    height: 32px;
  }
  .row-label.total {
    margin-top: 6px;
    font-family: var(--sans);
  }
  .row-label bdi {
    max-width: 100%;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .pan {
    overflow-x: auto;
    overflow-y: hidden;
    margin: -4px;
    padding: 4px;
    scrollbar-width: thin;
  }
  .strip {
    flex: none;
    margin-left: 24px;
  }
  svg {
    display: block;
    overflow: visible;
  }
  text {
    font: 12px var(--sans);
    font-variant-numeric: tabular-nums;
    fill: var(--ink-2);
    text-anchor: middle;
    pointer-events: none;
  }
  text.axis {
    font-size: 11px;
    fill: var(--ink-3);
  }
  .cell {
    cursor: pointer;
    outline: none;
  }
  .cell.total {
    cursor: default;
  }
  .cell.near text {
    fill: var(--on-near);
  }
  .cell.far text {
    fill: var(--on-far);
  }
  .m0 .face { fill: var(--m0); }
  .m1 .face { fill: var(--m1); }
  .m2 .face { fill: var(--m2); }
  .m3 .face { fill: var(--m3); }
  .m4 .face { fill: var(--m4); }
  .m5 .face { fill: var(--m5); }
  .m6 .face { fill: var(--m6); }
  .m7 .face { fill: var(--m7); }
  .m8 .face { fill: var(--m8); }
  .m9 .face { fill: var(--m9); }
  .waiting .face {
    stroke: var(--line);
  }
  .cell.waiting text {
    display: none;
  }
  .blank .face {
    fill: var(--paper);
    stroke: var(--line-2);
  }
  .refused .face,
  .failed .face {
    fill: var(--paper);
    stroke: var(--line);
  }
  .cell.refused text {
    fill: var(--ink-3);
  }
  .cell.failed text {
    fill: var(--fail);
  }
  .notch {
    fill: var(--ink);
    pointer-events: none;
  }
  .near .notch {
    fill: var(--on-near);
  }
  .far .notch {
    fill: var(--on-far);
  }
  .hatch {
    stroke: var(--line-2);
    stroke-width: 1.1;
  }
  .cell:hover .face {
    stroke: var(--ink);
    stroke-width: 1;
  }
  .ring {
    fill: none;
    stroke: var(--ink);
    stroke-width: 2.5;
    pointer-events: none;
  }
  .ring.inside {
    stroke: var(--paper);
    stroke-width: 1.5;
  }
  .cell:focus-visible .face {
    stroke: var(--accent);
    stroke-width: 3;
  }
  .grid {
    stroke: var(--line);
    shape-rendering: crispEdges;
  }
  .base {
    stroke: var(--line);
    shape-rendering: crispEdges;
  }
  .tick {
    stroke: var(--ink-3);
    stroke-width: 2;
    opacity: 0.75;
  }
  .tick.selected {
    stroke: var(--ink);
    stroke-width: 3;
    opacity: 1;
  }
  @media (forced-colors: active) {
    .face {
      forced-color-adjust: none;
    }
  }
`;
