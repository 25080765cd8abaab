import { css } from "lit";

/** Colours of scheme marks: hue is the number family, distance from the paper the bits, hollow means rounded activations. */
export const markStyles = css`
  .mark {
    flex: none;
    fill: var(--orig);
    stroke: var(--orig);
    stroke-width: 2;
  }
  .mark.int4 {
    fill: var(--int4);
    stroke: var(--int4);
  }
  .mark.int8 {
    fill: var(--int8);
    stroke: var(--int8);
  }
  .mark.hollow {
    fill: var(--paper);
  }
  @media (forced-colors: active) {
    .mark {
      forced-color-adjust: none;
    }
  }
`;
