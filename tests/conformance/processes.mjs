// The programs that a conformance run starts: the lab as a user starts it, and the kit's Python.
import { spawn } from "node:child_process";

/**
 * Runs a program to its end.
 * @returns {Promise<{ code: number, stdout: string, stderr: string, seconds: number }>}
 */
async function run(command, args, { input = "", cwd } = {}) {
  const started = performance.now();
  const child = spawn(command, args, { cwd, stdio: ["pipe", "pipe", "pipe"] });
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
const complaint = ({ stderr, stdout }) => (stderr.trim() || stdout.trim()).split("\n").slice(-4).join(" | ");

/** Why the lab refused, where it said so in its document. */
function refusal(result) {
  try {
    return JSON.parse(result.stdout).error.message;
  } catch {
    return complaint(result);
  }
}

/** Path of the kit's Python, whose environment is made where it is missing. */
export async function kitPython(kit) {
  const result = await run(`${kit}/setup`, []);
  const python = result.stdout.trim().split("\n").at(-1);
  if (result.code !== 0 || !python) throw new Error(`${kit}/setup failed: ${complaint(result)}`);
  return python;
}

/** `npm run --silent lab -- … --json`, its document and what it took. Throws where it fails. */
export async function lab(root, args) {
  const result = await run("npm", ["run", "--silent", "lab", "--", ...args, "--json"], { cwd: root });
  if (result.code !== 0) throw new Error(`lab ${args[0]} ended with ${result.code}: ${refusal(result)}`);
  return { document: JSON.parse(result.stdout), seconds: result.seconds };
}

/** The JSON document that a script of the kit prints. Throws where it fails. */
export async function kitDocument(python, script, args) {
  const result = await run(python, [script, ...args, "--json"]);
  if (result.code !== 0) throw new Error(`${script} ended with ${result.code}: ${complaint(result)}`);
  // Python writes NaN and Infinity, which JSON has not.
  const text = result.stdout.replace(/: (NaN|-?Infinity)\b/g, ": null");
  return { document: JSON.parse(text), seconds: result.seconds };
}

/**
 * Runs a driver of this folder on its jobs.
 * @returns {Promise<{ answers: object[], seconds: number, error: string | null }>} the answers it gave before it ended
 */
export async function runDriver(python, script, order) {
  const result = await run(python, [script], { input: JSON.stringify(order) });
  const answers = result.stdout.trim().split("\n").filter(Boolean).map(JSON.parse);
  const error = result.code === 0 ? null : `${script} ended with ${result.code}: ${complaint(result)}`;
  return { answers, seconds: result.seconds, error };
}
