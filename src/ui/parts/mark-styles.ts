import { css } from "lit";

/** The colour of each number family, for whatever draws one: `var(--family)`. */
export const familyStyles = css`
  .orig { --family: var(--orig); }
  .int2 { --family: var(--int2); }
  .int3 { --family: var(--int3); }
  .int4 { --family: var(--int4); }
  .int5 { --family: var(--int5); }
  .int6 { --family: var(--int6); }
  .int7 { --family: var(--int7); }
  .int8 { --family: var(--int8); }
`;

/** Scheme marks; their elements bear the class of a family. */
export const markStyles = css`
  ${familyStyles}
  .mark {
    flex: none;
  }
  .fill {
    fill: var(--family);
    stroke: var(--family);
    stroke-width: 2;
  }
  path.fill {
    stroke-width: 1.4;
  }
  .fill.hollow {
    fill: var(--paper);
  }
  .cross {
    fill: none;
    stroke: var(--family);
    stroke-width: 1.8;
    stroke-linecap: round;
  }
  .cross.inside {
    stroke: var(--paper);
  }
  @media (forced-colors: active) {
    .mark {
      forced-color-adjust: none;
    }
  }
`;
