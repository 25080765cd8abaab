// The command line, once after the other in one process: to start it takes longer than most cases do.
// `LabServer` starts scripts/lab.mjs, which chooses the driver's environment, and has Node run this ahead of the
// scripts/lab-process.mjs that it starts, in its place. A line of stdin is {"args": [text]}; one of stdout is
// {"code", "stdout", "stderr"}.
import { join } from "node:path";
import { createInterface } from "node:readline";

if (process.argv[1]?.endsWith("lab-process.mjs")) {
  const { runnerImport } = await import("vite");
  const { assembly } = await import("../../scripts/assembly.mjs");
  const { ROOT } = await import("../../scripts/bootstrap.mjs");
  const options = { configFile: false, root: ROOT, logLevel: "error", plugins: [assembly()] };
  const { module } = await runnerImport(join(ROOT, "src/cli/main.ts"), options);
  const loadWebGpu = oneGpu();
  for await (const line of createInterface({ input: process.stdin })) {
    const printed = { out: [], err: [] };
    const code = await module.main({
      argv: JSON.parse(line).args,
      bundledModel: join(ROOT, "fixtures/models/quantlab-4m"),
      loadWebGpu,
      signal: new AbortController().signal,
      isTerminal: false,
      out: (text) => printed.out.push(`${text}\n`),
      err: (text) => printed.err.push(`${text}\n`),
    });
    const [stdout, stderr] = [printed.out.join(""), printed.err.join("")];
    process.stdout.write(`${JSON.stringify({ code, stdout, stderr })}\n`);
  }
  process.exit(0);
}

/** The package `webgpu` with one entry point that outlives every command: collected early, it takes the process along. */
function oneGpu() {
  let gpu = null;
  return async () => {
    const { create, globals } = await import("webgpu");
    gpu ??= create([]);
    return { create: () => gpu, globals };
  };
}
