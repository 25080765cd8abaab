import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { SeededRandom } from "../../src/base/random.ts";

// An export that is killed without warning leaves its output absent or complete, and its input alone.

const scratch = mkdtempSync(join(tmpdir(), "lab-kill-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const MODEL = "fixtures/models/quantlab-4m";
const KILLS = 20;
/** So many of them, at least, must meet the export while it writes: else they would prove nothing. */
const MIN_MET = 8;
const LIMIT_MS = 300_000;

interface Export {
  readonly child: ChildProcess;
  /** Settles when the command and all processes it started are gone. */
  readonly gone: Promise<number | null>;
}

/** The command as a user starts it, in a process group of its own. */
function startExport(out: string): Export {
  const args = ["quantize", MODEL, "--scheme", "W4A16", "--device", "cpu", "--out", out, "--quiet"];
  // The pipe closes when its last holder is gone: the command is two processes.
  const child = spawn(process.execPath, ["scripts/lab.mjs", ...args], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout?.resume();
  return { child, gone: new Promise((resolve) => child.once("close", resolve)) };
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) throw new Error("the export did not start");
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // It ended by itself just now.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Waits until the export shows itself beside what was there, or has ended. */
async function begun({ child }: Export, parent: string, before: number): Promise<void> {
  while (readdirSync(parent).length === before && child.exitCode === null) await pause(1);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function filesOf(folder: string): ReadonlyMap<string, string> {
  const paths = readdirSync(folder, { recursive: true }).map(String).sort();
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return new Map(files.map((path) => [path, readFileSync(join(folder, path)).toString("base64")]));
}

function madeFolder(name: string): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  return folder;
}

test(
  "SIGKILL at any time leaves the output absent or complete, and nothing that stops the next export",
  async () => {
    const input = filesOf(MODEL);
    const calm = madeFolder("calm");
    const undisturbed = startExport(join(calm, "out"));
    await begun(undisturbed, calm, 0);
    const start = performance.now();
    expect(await undisturbed.gone).toBe(0);
    const spanMs = performance.now() - start;
    const whole = filesOf(join(calm, "out"));
    expect([...whole.keys()]).toContain("model.safetensors");

    const random = new SeededRandom(20_260_101);
    const parent = madeFolder("killed");
    const out = join(parent, "out");
    let met = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      // One place for all, emptied of what came to its end: leftovers of the kills before lie beside it.
      rmSync(out, { recursive: true, force: true });
      const left = readdirSync(parent).length;
      const killed = startExport(out);
      await begun(killed, parent, left);
      await pause(((kill + random.nextUniform()) / KILLS) * spanMs);
      killGroup(killed.child);
      await killed.gone;
      if (existsSync(out)) expect(filesOf(out)).toEqual(whole);
      else met += readdirSync(parent).length - left;
      expect(filesOf(MODEL)).toEqual(input);
    }
    expect(met).toBeGreaterThanOrEqual(MIN_MET);

    rmSync(out, { recursive: true, force: true });
    expect(await startExport(out).gone).toBe(0);
    expect(filesOf(out)).toEqual(whole);
    expect(filesOf(MODEL)).toEqual(input);
  },
  LIMIT_MS,
);
