import type { LinearStep, Step } from "../../architectures/graph.ts";
import { writtenBy } from "../../architectures/smoothing/flow.ts";

/** Linear layers that are multiplied with the very same numbers. */
export interface SharedInput {
  /** The first of them, in the order of the run. */
  readonly leader: string;
  readonly steps: readonly LinearStep[];
  readonly width: number;
}

/** The linear layers of some steps by what they read: a register, and how often it was written to before. */
export function sharedInputs(steps: readonly Step[]): readonly SharedInput[] {
  const writes = new Map<string, number>();
  const found = new Map<string, LinearStep[]>();
  for (const step of steps) {
    if (step.kind === "linear") {
      const key = `${step.input} ${writes.get(step.input) ?? 0}`;
      found.set(key, [...(found.get(key) ?? []), step]);
    }
    const target = writtenBy(step);
    writes.set(target, (writes.get(target) ?? 0) + 1);
  }
  return [...found.values()].flatMap((own) => {
    const [first] = own;
    return first ? [{ leader: first.module, steps: own, width: first.inFeatures }] : [];
  });
}

/**
 * Of each linear layer the first that is multiplied with the same numbers: itself, or one before it.
 * @param modules those that count
 */
export function leadersOf(
  steps: readonly Step[],
  modules: { has(module: string): boolean } = { has: () => true },
): ReadonlyMap<string, string> {
  return new Map(
    sharedInputs(steps).flatMap(({ steps: all }) => {
      const own = all.map(({ module }) => module).filter((module) => modules.has(module));
      return own.map((module) => [module, own[0] ?? module] as const);
    }),
  );
}
