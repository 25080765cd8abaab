// A program that answers each line of its input with one line: what takes long to start and is timed again and again.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export class LineProcess {
  #child;
  #lines;
  #complaints = "";
  #ended;

  constructor(command, args, options = {}) {
    this.#child = spawn(command, args, { ...options, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stdin.on("error", () => {}); // It ended early; its output has ended, too.
    this.#child.stderr.setEncoding("utf8").on("data", (part) => {
      this.#complaints = (this.#complaints + part).slice(-4000);
    });
    this.#ended = new Promise((resolve) => {
      this.#child.on("error", resolve);
      this.#child.on("close", resolve);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Sends a document, and waits for the answer. */
  async ask(document) {
    this.#child.stdin.write(`${JSON.stringify(document)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#child.spawnargs.join(" ")} ended: ${this.#complaints.trim().slice(-1000)}`);
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  /** Ends the program, and returns when it has ended. */
  async stop() {
    this.#child.stdin.end();
    this.#child.kill("SIGTERM");
    await this.#ended;
  }
}
