// The programs that a conformance run starts: the lab's command line, and the kit's Python.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { ROOT } from "../../scripts/bootstrap.mjs";

/** No command of the lab takes as long on the models here; one that hangs must not hang the run. */
const COMMAND_LIMIT_MS = 15 * 60_000;

/** Which process of a run computes on a device. */
export const LABS = { gpu: "gpu", wasm: "cpu", reference: "cpu" };

/** Programs that run now. */
const running = new Set();
let isOver = false;

function start(command, args, options) {
  if (isOver) throw new Error("the run was stopped");
  const child = spawn(command, args, options);
  running.add(child);
  child.on("close", () => running.delete(child));
  return child;
}

/** Ends everything that was started here, and returns when it has ended. Nothing is started any more. */
export async function stopAll() {
  isOver = true;
  const ends = [...running].map((child) => new Promise((resolve) => child.on("close", resolve)));
  for (const child of running) child.kill("SIGTERM");
  await Promise.all(ends);
}

/**
 * Runs a program to its end.
 * @returns {Promise<{ code: number, stdout: string, stderr: string, seconds: number }>}
 */
export async function run(command, args, { input = "", cwd } = {}) {
  const started = performance.now();
  const child = start(command, args, { cwd, stdio: ["pipe", "pipe", "pipe"] });
  const parts = { stdout: [], stderr: [] };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (part) => parts[name].push(part));
  child.stdin.on("error", () => {}); // A program that ended early does not read it; its exit code tells.
  child.stdin.end(input);
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? 1));
  });
  const [stdout, stderr] = [parts.stdout.join(""), parts.stderr.join("")];
  return { code, stdout, stderr, seconds: (performance.now() - started) / 1000 };
}

/** The last lines of what a program complained of. */
export const complaint = ({ stderr, stdout }) => (stderr.trim() || stdout.trim()).split("\n").slice(-4).join(" | ");

/** Path of the kit's Python, whose environment is made where it is missing. */
export async function kitPython(kit) {
  const result = await run(`${kit}/setup`, []);
  const python = result.stdout.trim().split("\n").at(-1);
  if (result.code !== 0 || !python) throw new Error(`${kit}/setup failed: ${complaint(result)}`);
  return python;
}

/** What a command of the lab printed under `--json`, or why it is no document. */
function answerOf(verb, { code, stdout, stderr }) {
  try {
    return { code, document: JSON.parse(stdout) };
  } catch {
    throw new Error(`lab ${verb} ended with ${code} and no document: ${complaint({ stdout, stderr })}`);
  }
}

function requireDone(verb, { code, document }) {
  if (code !== 0) throw new Error(`lab ${verb} ended with ${code}: ${document.error?.message}`);
  return document;
}

/** The document of `npm run --silent lab -- … --json`, in a process of its own, as its user starts it. */
export async function labProcess(args) {
  const result = await run("npm", ["run", "--silent", "lab", "--", ...args, "--json"], { cwd: ROOT });
  return requireDone(args[0], answerOf(args[0], result));
}

/** A process that runs one order to the lab after the other. It is started for the first, and anew after it broke. */
export class LabServer {
  #cacheHome;
  #child = null;
  #lines = null;
  #complaints = "";

  /** @param {string} cacheHome where it keeps what it measured: what an earlier version found must not pass for this one's */
  constructor(cacheHome) {
    this.#cacheHome = cacheHome;
  }

  /** Runs `lab … --json`. @returns {Promise<{ code: number, document: object, seconds: number }>} */
  async run(args) {
    const { answer, seconds } = await this.#ask(`lab ${args[0]}`, { args: [...args, "--json"] });
    return { ...answerOf(args[0], answer), seconds };
  }

  /** How far the lab's forward pass is from what a folder holds: `Deviations` of tests/support/architecture-cases.ts. */
  async deviations(folder, device) {
    const { answer, seconds } = await this.#ask(`the forward pass of ${folder}`, { folder, device });
    if (answer.error) throw new Error(answer.error);
    return { deviations: answer, seconds };
  }

  async #ask(name, order) {
    const started = performance.now();
    if (!this.#child) this.#start();
    const child = this.#child;
    const timer = setTimeout(() => child.kill("SIGTERM"), COMMAND_LIMIT_MS);
    try {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      const { value, done } = await this.#lines.next();
      if (done) {
        this.#child = null;
        const words = complaint({ stderr: this.#complaints, stdout: "no word of why" });
        throw new Error(`${name} broke its process: ${words}`);
      }
      return { answer: JSON.parse(value), seconds: (performance.now() - started) / 1000 };
    } finally {
      clearTimeout(timer);
    }
  }

  /** The document of a command that must succeed. */
  async done(args) {
    const answer = await this.run(args);
    return { document: requireDone(args[0], answer), seconds: answer.seconds };
  }

  /** Ends the process. */
  stop() {
    this.#child?.stdin.end();
    this.#child = null;
  }

  #start() {
    const server = pathToFileURL(join(import.meta.dirname, "lab-server.mjs"));
    const env = {
      ...process.env,
      XDG_CACHE_HOME: this.#cacheHome,
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --import=${server}`,
    };
    const child = start(process.execPath, [join(ROOT, "scripts/lab.mjs")], { cwd: ROOT, env });
    child.stdin.on("error", () => {}); // It broke; its output has ended, too.
    this.#complaints = "";
    child.stderr.setEncoding("utf8").on("data", (part) => {
      this.#complaints = (this.#complaints + part).slice(-4000);
    });
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.#child = child;
  }
}

/**
 * Runs a driver of this folder on its jobs, in two processes where they are many.
 * @param {object} order whose `jobs` are shared out
 * @returns {Promise<{ answers: object[], error: string | null }>} the answers it gave before it ended
 */
export async function runDriver(python, script, order) {
  const isSplit = (order.jobs?.length ?? 0) > 16;
  const orders = isSplit
    ? [0, 1].map((half) => ({ ...order, jobs: order.jobs.filter((_, at) => at % 2 === half) }))
    : [order];
  const parts = await Promise.all(
    orders.map(async (part) => {
      const result = await run(python, [script], { input: JSON.stringify(part) });
      const answers = result.stdout.trim().split("\n").filter(Boolean).map(JSON.parse);
      return { answers, error: result.code === 0 ? null : `${script} ended with ${result.code}: ${complaint(result)}` };
    }),
  );
  return { answers: parts.flatMap(({ answers }) => answers), error: parts.find(({ error }) => error)?.error ?? null };
}
