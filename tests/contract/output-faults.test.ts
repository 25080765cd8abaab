import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

// Places that cannot take an export: one typed error, exit code 4, nothing left behind.

const scratch = mkdtempSync(join(tmpdir(), "lab-faults-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const LIMIT_MS = 60_000;
const QUANTIZE = "quantize fixtures/models/quantlab-4m --scheme W4A16 --device cpu --json --out".split(" ");

interface Finished {
  readonly code: number;
  readonly document: { readonly outcome: string; readonly error: { readonly code: string; readonly message: string } };
}

/** Runs an export in a shell that was told `setup` first. */
function exportTo(out: string, setup = ":"): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const script = `${setup}; exec "$0" scripts/lab.mjs "$@"`;
    const args = ["-c", script, process.execPath, ...QUANTIZE, out];
    execFile("bash", args, { timeout: LIMIT_MS }, (error, stdout, stderr) => {
      if (error?.killed || !stdout) reject(new Error(`the export said nothing: ${stderr}`));
      else resolve({ code: typeof error?.code === "number" ? error.code : 0, document: JSON.parse(stdout) });
    });
  });
}

test("a disk that takes no more is named, and nothing half-written stays", async () => {
  // A limit on the size of a file stands for a full disk: a write in the middle fails, which needs no file system of its own.
  const { code, document } = await exportTo(join(scratch, "out"), "ulimit -f 500");
  expect([code, document.outcome, document.error.code]).toEqual([4, "refused", "export/write-failed"]);
  expect(document.error.message).toContain("model.safetensors");
  expect(document.error.message).not.toMatch(/\n\s+at /);
  expect(readdirSync(scratch)).toEqual([]);
});

test.each([
  ["a folder of the system, where nobody can write", "/proc/lab-out"],
  ["a folder below one that cannot be made", "/proc/lab/out"],
  ["a folder below a file", join(scratch, "file/out")],
  ["a file", join(scratch, "file")],
])("%s is refused", async (_, out) => {
  writeFileSync(join(scratch, "file"), "precious");
  const { code, document } = await exportTo(out);
  expect([code, document.outcome]).toEqual([4, "refused"]);
  expect(document.error.code).toMatch(/^export\/(write-failed|not-empty)$/);
  expect(readdirSync(scratch)).toEqual(["file"]);
  expect(existsSync("/proc/lab-out")).toBe(false);
});
