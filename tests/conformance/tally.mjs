/** Counts checks and prints a line for each. */
export class Tally {
  passed = 0;
  failed = 0;

  /** Prints one check. `wrong`: what is wrong, or null; `note`: what else to know. */
  report(name, wrong, seconds, note = "") {
    const isPassed = wrong === null;
    this[isPassed ? "passed" : "failed"]++;
    const words = wrong ?? note;
    console.log(`${isPassed ? "ok  " : "FAIL"}  ${name}  ${seconds.toFixed(1)} s${words ? `  ${words}` : ""}`);
  }

  /** Runs one check, whose function returns what to report; what it throws is a failure. */
  async check(name, run) {
    const begun = performance.now();
    try {
      const { wrong, seconds, note } = await run();
      this.report(name, wrong, seconds ?? (performance.now() - begun) / 1000, note);
    } catch (error) {
      this.report(name, error.message, (performance.now() - begun) / 1000);
    }
  }

  toString() {
    return `${this.passed} passed, ${this.failed} failed`;
  }
}
