import { css } from "lit";

/** The frame around a picture. What is in the picture takes its colours from the theme. */
export const chartStyles = css`
  .head {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    align-items: flex-start;
    gap: var(--s1) var(--s4);
    margin-bottom: var(--s1);
  }
  .caption {
    flex: 1 1 320px;
  }
  .note {
    min-height: 16px;
    margin-bottom: var(--s1);
    font: var(--t-small);
    color: var(--ink-3);
  }
  .pan {
    display: flex;
    margin: -4px;
    padding: 4px;
    overflow: auto hidden;
    scrollbar-width: thin;
  }
  .pinned {
    position: sticky;
    left: -4px;
    z-index: 1;
    flex: none;
    background: var(--paper);
  }
  .stack {
    position: relative;
    flex: none;
  }
  svg {
    display: block;
    overflow: visible;
    font-family: var(--sans);
    font-variant-numeric: tabular-nums;
    forced-color-adjust: none;
  }
  svg text {
    pointer-events: none;
  }
  canvas {
    position: absolute;
    inset: 0;
  }
  .stack svg {
    position: relative;
  }
  .mark {
    fill: transparent;
    stroke: none;
    outline: none;
  }
  .mark.pickable {
    cursor: pointer;
  }
  .mark.pickable:hover {
    stroke: var(--ink);
    stroke-width: 1;
  }
  .mark:focus-visible,
  .cursor {
    stroke: var(--accent);
    stroke-width: 3;
  }
  .example .stack,
  .example .pinned {
    opacity: 0.28;
    filter: grayscale(1);
    pointer-events: none;
  }
  .foot {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s1) var(--s4);
    align-items: center;
    justify-content: space-between;
    min-height: 24px;
    margin-top: var(--s2);
    font: var(--t-small);
    color: var(--ink-3);
  }
  .tools {
    display: flex;
    position: relative;
    gap: var(--s1);
    margin-left: -6px;
  }
  .tool {
    min-height: 24px;
    padding: 2px 6px;
    border: 1px solid transparent;
    border-radius: 4px;
    background: none;
    color: var(--ink-2);
    font: var(--t-small);
    white-space: nowrap;
    cursor: pointer;
  }
  .tool:hover,
  .tool[aria-pressed="true"],
  .tool[aria-expanded="true"] {
    border-color: var(--line-2);
    color: var(--ink);
  }
  .menu {
    position: absolute;
    bottom: 28px;
    left: 0;
    z-index: 3;
    display: flex;
    gap: 2px;
    padding: var(--s1);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--float);
    box-shadow: var(--shadow);
  }
  .scroll {
    max-height: 480px;
    overflow-y: auto;
  }
  .scroll td,
  .scroll tbody th {
    height: 24px;
  }
  @media (max-width: 599px) {
    kbd {
      display: none;
    }
  }
  @media print {
    .tools {
      display: none;
    }
    .scroll {
      max-height: none;
      overflow: visible;
    }
    .pan {
      overflow: visible;
    }
  }
`;
