import { css } from "lit";

/** How a sweep looks. */
export const sweepStyles = css`
  :host(:not(:first-child)) {
    margin-top: var(--s4);
    padding-top: var(--s3);
    border-top: 1px solid var(--line);
  }
  .switches {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s2) var(--s4);
    margin: var(--s2) 0;
  }
  .switches div {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s1);
  }
  .actions {
    margin: var(--s2) 0 var(--s3);
  }
  .actions .small {
    flex: 1 1 240px;
  }
  .failed b {
    color: var(--fail);
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s1) var(--s4);
  }
  .legend span {
    display: inline-flex;
    gap: 6px;
    align-items: center;
  }
  .legend svg {
    flex: none;
    color: var(--ink);
  }
  .pictures {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--s4);
  }
  .found {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s1) var(--s3);
    align-items: center;
    margin-top: var(--s2);
    font: var(--t-small);
    color: var(--ink-2);
  }
  .found code {
    color: var(--ink);
  }
  .stale lab-chart {
    --ink: var(--ink-3);
    --ink-2: var(--ink-3);
    filter: grayscale(1);
  }
  @media (forced-colors: active) {
    .legend svg {
      forced-color-adjust: none;
    }
  }
  @media print {
    .switches,
    .found button {
      display: none;
    }
  }
`;
