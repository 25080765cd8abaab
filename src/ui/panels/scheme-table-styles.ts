import { css } from "lit";

/** The table of schemes, as rows and, where it is narrow, as columns. */
export const schemeTableStyles = css`
  .choice {
    font: var(--t-small);
    color: var(--ink-3);
  }
  .choice button[aria-pressed="true"] {
    border-color: var(--ink);
    box-shadow: inset 0 0 0 1px var(--ink);
    color: var(--ink);
  }
  .sort {
    position: relative;
    padding: 0;
    border: 0;
    background: none;
    color: inherit;
    font: inherit;
    text-align: left;
    cursor: pointer;
  }
  .sort::before {
    content: "";
    position: absolute;
    inset: -4px -2px;
  }
  .sort:hover {
    color: var(--ink);
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  .arrow {
    position: absolute;
    right: calc(100% + 1px);
  }
  .left .arrow,
  .turned .arrow {
    right: auto;
    left: calc(100% + 1px);
  }
  [aria-sort] .sort {
    color: var(--ink);
    font-weight: 600;
  }
  .left .kind,
  .turned .kind {
    transition: margin var(--quick);
  }
  .left[aria-sort] .kind,
  .turned [aria-sort] .kind {
    margin-left: 13px;
  }
  table:not(.turned) :is(th, td):not(:first-child, :last-child, .start, .left) {
    padding-inline: 8px;
  }
  td.left,
  th.left:not(:first-child) {
    padding-left: 20px;
  }
  td.left {
    min-width: 116px;
    max-width: 230px;
    white-space: normal;
  }
  .choice span:empty {
    display: none;
  }
  .name {
    display: inline-flex;
    align-items: center;
    gap: var(--s2);
    min-height: 24px;
    padding: 0;
    border: 0;
    background: none;
    color: inherit;
    font: inherit;
    text-align: left;
  }
  button.name {
    font-weight: 600;
    cursor: pointer;
  }
  button.name:hover {
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  .name .words {
    min-width: 0;
    max-width: 210px;
  }
  .name .long {
    min-width: 150px;
  }
  tbody th[scope="row"] {
    min-width: 132px;
    white-space: normal;
  }
  .ref {
    margin-left: 2px;
    color: var(--ink-2);
    font: 10px/1 var(--sans);
  }
  .notes {
    margin-top: var(--s2);
    max-width: 900px;
    color: var(--ink-2);
    font: var(--t-small);
  }
  .notes li {
    display: flex;
    gap: var(--s2);
    padding: 1px 0;
  }
  .notes li > span {
    flex: none;
    color: var(--ink-3);
  }
  .range {
    display: inline-block;
    min-width: 78px;
    padding-left: 4px;
    font-size: 11px;
    text-align: left;
  }
  .failed {
    color: var(--fail);
  }
  .why {
    white-space: normal;
    text-align: left;
    color: var(--ink-2);
  }
  td.start,
  th.start {
    padding-left: 24px;
  }
  tr.picked > * {
    background-color: var(--sunk);
    box-shadow:
      inset 0 1px var(--line-2),
      inset 0 -1px var(--line-2);
  }
  tr.picked > th {
    position: relative;
  }
  tr.picked > th::before {
    content: "";
    position: absolute;
    inset: 0 auto 0 -8px;
    width: 3px;
    background: var(--ink);
  }
  .turned th,
  .turned td {
    padding-inline: 4px;
  }
  .turned tbody .group-row th {
    padding-top: var(--s3);
    border-bottom-color: var(--line-2);
    color: var(--ink-3);
    font: var(--t-small);
  }
  .turned tbody th[scope="row"] {
    color: var(--ink-2);
    white-space: normal;
  }
  .turned .picked {
    background: var(--sunk);
  }
  .turned thead .picked {
    box-shadow: inset 0 3px var(--ink);
    padding-top: 6px;
  }
  .turned thead th {
    min-width: 112px;
  }
  .turned tr > th:first-child {
    min-width: 136px;
  }
  .turned td.words {
    max-width: 130px;
    white-space: normal;
  }
  .turned tr > :first-child {
    position: sticky;
    left: -8px;
    z-index: 1;
    padding-left: 8px;
    background: var(--paper);
  }
  .turned .group-row > th {
    z-index: 0;
  }
  .turned .name {
    flex-wrap: wrap;
    justify-content: flex-end;
    gap: var(--s1);
    color: var(--ink);
    font: var(--t-table);
    white-space: normal;
    text-align: right;
  }
  .turned button.name {
    font-weight: 600;
  }
  @media (forced-colors: active) {
    .choice button[aria-pressed="true"] {
      outline: 2px solid Highlight;
    }
  }
  @media print {
    .choice,
    .arrow {
      display: none;
    }
  }
`;
