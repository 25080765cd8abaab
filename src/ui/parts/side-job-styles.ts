import { css } from "lit";

/** A panel with a job of its own: what is asked, what waits, what failed, what is old. */
export const sideJobStyles = css`
  form {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s2) var(--s4);
    align-items: center;
    margin: var(--s3) 0;
    font: var(--t-small);
    color: var(--ink-2);
  }
  form label {
    display: inline-flex;
    gap: var(--s2);
    align-items: center;
  }
  form input[inputmode] {
    width: 64px;
  }
  .failed b {
    color: var(--fail);
  }
  .waits {
    height: 96px;
    border-radius: var(--radius);
    background: repeating-linear-gradient(135deg, var(--hatch) 0 1px, transparent 1px 5px);
  }
  .old table {
    --ink: var(--ink-3);
    --ink-2: var(--ink-3);
    color: var(--ink-3);
    filter: grayscale(1);
  }
  .named {
    display: inline-flex;
    gap: 6px;
    align-items: center;
  }
  @media print {
    form {
      display: none;
    }
  }
`;
