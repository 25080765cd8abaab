import { css } from "lit";

/** What stands over a table: its sentence, and what may be done with it. */
export const tableHeadStyles = css`
  .head {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    align-items: flex-start;
    gap: var(--s1) var(--s4);
    margin-bottom: var(--s2);
  }
  .caption {
    flex: 1 1 320px;
  }
  .choice {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--s2);
  }
  .choice button {
    min-height: 24px;
    padding: 2px 8px;
    border: 1px solid var(--line-2);
    border-radius: 4px;
    background: none;
    color: var(--ink-2);
    font: var(--t-small);
    cursor: pointer;
  }
  .choice button:hover {
    border-color: var(--line-3);
    color: var(--ink);
  }
`;
