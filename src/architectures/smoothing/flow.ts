import type { Columns, Heads, LinearStep, Step } from "../graph.ts";
import { loadedName } from "./patterns.ts";

/** The register that a step writes. */
export function writtenBy(step: Step): string {
  switch (step.kind) {
    case "add":
    case "accumulate":
      return step.target;
    case "rotate":
      return step.heads.register;
    default:
      return step.output;
  }
}

/**
 * Why columns cannot be divided without changing what the model computes; null where they can: every reader of them is
 * multiplied, or makes of them columns that are divided by the same factors and go the same way. The factor of a column
 * survives the product with an activation, and attention, which adds up values of one head.
 * @param steps after the step that writes the columns, up to the end of the model
 * @param balance steps whose matrices are multiplied, column by column of their input
 */
export function disturbance(steps: Iterable<Step>, divided: Columns, balance: ReadonlySet<LinearStep>): string | null {
  const reached = new Set<LinearStep>();
  let live: readonly Columns[] = [divided];
  for (const step of steps) {
    if (live.length === 0) break;
    const made: Columns[] = [];
    for (const columns of live) {
      if (!isRead(step, columns)) continue;
      if (step.kind === "linear" && balance.has(step)) {
        reached.add(step);
        continue;
      }
      const passed = passedOn(step, columns);
      if (passed === null) return `${readerOf(step)} reads the same values and cannot make up for the scales`;
      made.push(passed);
    }
    // Heads beside them may be rotated in place; whatever else writes without reading them leaves nothing of them.
    const over = step.kind === "rotate" ? null : writtenBy(step);
    live = [...live.filter(({ register }) => register !== over), ...made];
  }
  const missed = [...balance].filter((step) => !reached.has(step)).map(({ module }) => loadedName(module));
  return missed.length > 0 ? `${missed.join(", ")} does not read what it makes` : null;
}

/** What a step makes of divided columns, divided by the same factors; null where it makes something else. */
function passedOn(step: Step, columns: Columns): Columns | null {
  if (step.kind === "gate") {
    const { gate, up, output } = step;
    const isFactor = up !== null && isSame(up, columns) && !overlaps(gate, columns);
    return isFactor ? { register: output, start: 0, width: columns.width } : null;
  }
  if (step.kind === "attend") {
    const { query, key, value, output } = step;
    const isValue = value.stride === value.dim && isSame(spanOf(value), columns);
    const isScored = [query, key].some((heads) => headColumns(heads).some((head) => overlaps(head, columns)));
    return isValue && !isScored ? { register: output, start: 0, width: columns.width } : null;
  }
  return null;
}

function isRead(step: Step, columns: Columns): boolean {
  const whole = (register: string) => register === columns.register;
  switch (step.kind) {
    case "norm":
    case "linear":
      return whole(step.input);
    case "rotate":
      return headColumns(step.heads).some((head) => overlaps(head, columns));
    case "attend":
      return [step.query, step.key, step.value].flatMap(headColumns).some((head) => overlaps(head, columns));
    case "gate":
      return overlaps(step.gate, columns) || (step.up !== null && overlaps(step.up, columns));
    case "add":
      return whole(step.target) || whole(step.source);
    case "route":
      return whole(step.logits);
    case "accumulate":
      return whole(step.source) || whole(step.weights) || (whole(step.target) && !step.isFirst);
  }
}

function readerOf(step: Step): string {
  switch (step.kind) {
    case "linear":
    case "attend":
      return loadedName(step.module);
    case "norm":
      return step.weight.replace(/\.weight$/, "");
    case "add":
      return "the residual stream";
    case "gate":
      return "the activation function";
    case "rotate":
      return "the rotation of queries and keys";
    case "route":
    case "accumulate":
      return "the choice of experts";
  }
}

function headColumns({ register, start, stride, count, dim }: Heads): readonly Columns[] {
  return Array.from({ length: count }, (_, head) => ({ register, start: start + head * stride, width: dim }));
}

/** All columns of heads that lie one after the other. */
function spanOf({ register, start, count, dim }: Heads): Columns {
  return { register, start, width: count * dim };
}

function isSame(one: Columns, other: Columns): boolean {
  return one.register === other.register && one.start === other.start && one.width === other.width;
}

function overlaps(one: Columns, other: Columns): boolean {
  const isApart = one.start + one.width <= other.start || other.start + other.width <= one.start;
  return one.register === other.register && !isApart;
}
