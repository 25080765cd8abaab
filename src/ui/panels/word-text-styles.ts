import { css } from "lit";

/** Running text whose words are marked. Nothing that marks a word takes room: text near and far from view is equally long. */
export const wordTextStyles = css`
  .bar {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s2) var(--s4);
    align-items: center;
    justify-content: space-between;
    margin-bottom: var(--s2);
  }
  .turn {
    display: inline-flex;
    gap: var(--s1);
    align-items: center;
  }
  .turn button {
    display: inline-grid;
    place-items: center;
    width: 28px;
    height: 28px;
    padding: 0;
    border: 1px solid var(--line-2);
    border-radius: var(--radius);
    background: none;
    color: var(--ink-2);
    cursor: pointer;
  }
  .turn button:hover:not([aria-disabled="true"]) {
    border-color: var(--line-3);
    color: var(--ink);
  }
  .turn button[aria-disabled="true"] {
    color: var(--ink-3);
    opacity: 0.5;
    cursor: default;
  }
  .turn select {
    max-width: 260px;
  }
  .text {
    max-width: 76ch;
    margin: 0;
    padding: 2px 4px 10px;
    overflow-x: clip;
    color: var(--ink);
    font: var(--t-read);
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  .text.long {
    max-height: 640px;
    overflow-y: auto;
    scrollbar-width: thin;
  }
  .t {
    position: relative;
    border-radius: 2px;
    text-decoration: none;
    text-decoration-skip-ink: none;
    text-underline-offset: 5px;
    -webkit-box-decoration-break: clone;
    box-decoration-break: clone;
  }
  .t.context {
    color: var(--ink-2);
  }
  .t.scored,
  .t.blank {
    cursor: pointer;
  }
  .t.scored:hover {
    box-shadow: 0 0 0 1px var(--line-3);
  }
  .t.waiting {
    color: var(--ink-2);
    text-decoration: underline 1px dotted var(--line-3);
  }
  .t.blank {
    text-decoration: underline 2px wavy var(--line-3);
  }
  .l1 { --tint: var(--m3); --thick: 1px; --ground: 12%; }
  .l2 { --tint: var(--m4); --thick: 2px; --ground: 16%; }
  .l3 { --tint: var(--m6); --thick: 3px; --ground: 20%; }
  .l4 { --tint: var(--m7); --thick: 4px; --ground: 24%; }
  .l5 { --tint: var(--m9); --thick: 6px; --ground: 28%; }
  .l1, .l2, .l3, .l4, .l5 {
    background: color-mix(in oklch, var(--tint) calc(var(--ground) * var(--tinting, 1)), transparent);
    text-decoration: underline var(--thick) solid var(--tint);
    text-decoration-skip-ink: none;
    text-underline-offset: 5px;
  }
  .flip {
    outline: 1.5px solid var(--ink-2);
    outline-offset: 1px;
    border-radius: 3px;
  }
  .flip.found {
    outline-style: dashed;
  }
  .flip.lost {
    outline: 2px solid var(--ink);
  }
  .t.chosen {
    z-index: 1;
    outline: 2.5px solid var(--accent);
    outline-offset: 2px;
  }
  .t:focus-visible {
    z-index: 1;
    outline: 3px solid var(--accent);
    outline-offset: 3px;
  }
  .under {
    position: absolute;
    top: calc(100% + 1px);
    left: 50%;
    z-index: 1;
    padding: 0 3px;
    border-radius: 2px;
    background: var(--paper);
    color: var(--accent);
    font: 11px/13px var(--mono);
    white-space: pre;
    pointer-events: none;
    translate: calc(-50% + var(--shift, 0px)) 0;
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s2) var(--s5);
    margin-top: var(--s2);
    padding-top: var(--s3);
    border-top: 1px solid var(--line);
    font: var(--t-small);
    color: var(--ink-2);
  }
  .legend > span,
  .legend > span > span {
    display: inline-flex;
    flex-wrap: wrap;
    gap: var(--s1) var(--s3);
    align-items: baseline;
  }
  .legend .sample {
    padding: 0 4px;
    color: var(--ink);
    font: 15px/24px var(--serif);
    cursor: default;
  }
  .legend .sample.context {
    color: var(--ink-2);
  }
  .foot {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s1) var(--s4);
    justify-content: space-between;
    margin-top: var(--s2);
    font: var(--t-small);
    color: var(--ink-3);
  }
  .caption {
    margin-bottom: var(--s2);
  }
  .actions {
    margin-top: var(--s4);
  }
  @media (max-width: 599px) {
    .keys {
      display: none;
    }
    .turn {
      width: 100%;
    }
    .turn select {
      flex: 1;
      max-width: none;
    }
  }
  @media (forced-colors: active) {
    .l1, .l2, .l3, .l4, .l5 {
      background: none;
      text-decoration-color: CanvasText;
    }
  }
  @media print {
    .turn,
    .keys {
      display: none;
    }
    .text.long {
      max-height: none;
      overflow: visible;
    }
    .t {
      print-color-adjust: exact;
    }
  }
`;
