import { css } from "lit";

/** What stands around the chips and the tray of the text: the button that starts, what will run, what was found. */
export const textPickerStyles = css`
  label.pill {
    min-height: 28px;
    padding-left: 6px;
    color: var(--ink);
    font: var(--t-table);
  }
  label.pill input {
    height: 16px;
    width: 16px;
    margin: 0;
    accent-color: var(--accent);
  }
  .start {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s2) var(--s4);
    align-items: center;
    margin-top: var(--s2);
  }
  .field {
    display: inline-flex;
    align-items: center;
    gap: var(--s2);
    font: var(--t-small);
    color: var(--ink-2);
  }
  input[type="range"] {
    width: 120px;
    height: 24px;
    padding: 0;
    border: 0;
    background: none;
    accent-color: var(--accent);
  }
  input.number {
    width: 64px;
  }
  .button kbd {
    margin-left: 6px;
    border-color: currentColor;
    color: inherit;
    opacity: 0.75;
  }
  .plan {
    font: var(--t-small);
    color: var(--ink-2);
    font-variant-numeric: tabular-nums;
  }
  textarea {
    flex: 1 1 320px;
    min-width: 0;
    max-width: 560px;
    padding: 6px 8px;
    border: 1px solid var(--line-2);
    border-radius: var(--radius);
    background: var(--paper);
    color: var(--ink);
    font: 12px/18px var(--mono);
    resize: vertical;
  }
  .words[role="alert"] {
    margin-top: var(--s1);
  }
  .facts {
    margin-top: var(--s2);
    font: var(--t-small);
    color: var(--ink-2);
    text-wrap: pretty;
  }
  .facts b {
    font-weight: 600;
  }
  .facts code {
    color: var(--ink);
  }
  .facts ul {
    display: flex;
    flex-wrap: wrap;
    gap: 0 var(--s3);
  }
  .facts .warning {
    flex: 1 1 100%;
    color: var(--ink);
  }
  .facts .warning span {
    display: inline-block;
    width: 14px;
    margin-right: 6px;
    border: 1px solid var(--line-3);
    border-radius: 50%;
    font: 600 10px/12px var(--sans);
    text-align: center;
  }
  @media (max-width: 599px) {
    .field {
      width: 100%;
    }
    input[type="range"] {
      flex: 1;
    }
  }
`;
