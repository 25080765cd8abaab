import { css } from "lit";

/** What the fields of a method have besides those of every tray. */
export const schemePickerStyles = css`
  .check {
    display: inline-flex;
    gap: 6px;
    align-items: center;
    min-height: 28px;
    cursor: pointer;
  }
  .check input {
    width: 16px;
    height: 16px;
    margin: 0;
    accent-color: var(--accent);
  }
  select {
    max-width: 100%;
  }
`;
