import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/** Prints `N passed, M failed` last, and leaves the counts as JSON where `LAB_TEST_COUNTS` says, for `npm test` to add up. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++;
      if (module.errors().length > 0) count.failed++;
    }
    const skipped = count.skipped + count.pending;
    const file = process.env.LAB_TEST_COUNTS;
    if (file) writeFileSync(file, JSON.stringify({ passed: count.passed, failed: count.failed, skipped }));
    process.once("exit", () =>
      console.log(`${count.passed} passed, ${count.failed} failed${skipped ? `, ${skipped} skipped` : ""}`),
    );
  }
}
