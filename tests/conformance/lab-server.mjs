// The command line, once after the other in one process: to start it takes longer than most cases do.
// `LabServer` starts scripts/lab.mjs, which chooses the driver's environment, and has Node run this ahead of the
// scripts/lab-process.mjs that it starts, in its place. A line of stdin is an order: {"args": [text]} is answered by
// {"code", "stdout", "stderr"}; {"folder", "device"} by what deviations.ts finds of that folder, or {"error": text}.
import { join } from "node:path";
import { createInterface } from "node:readline";

if (process.argv[1]?.endsWith("lab-process.mjs")) {
  const { runnerImport } = await import("vite");
  const { assembly } = await import("../../scripts/assembly.mjs");
  const { ROOT } = await import("../../scripts/bootstrap.mjs");
  const options = { configFile: false, root: ROOT, logLevel: "error", plugins: [assembly()] };
  const load = async (path) => (await runnerImport(join(ROOT, path), options)).module;
  const { main } = await load("src/cli/main.ts");
  const loadWebGpu = oneGpu();
  let deviations = null;

  const command = async ({ args }) => {
    const printed = { out: [], err: [] };
    const code = await main({
      argv: args,
      bundledModel: join(ROOT, "fixtures/models/quantlab-4m"),
      loadWebGpu,
      signal: new AbortController().signal,
      isTerminal: false,
      out: (text) => printed.out.push(`${text}\n`),
      err: (text) => printed.err.push(`${text}\n`),
    });
    return { code, stdout: printed.out.join(""), stderr: printed.err.join("") };
  };
  const deviationsOf = async ({ folder, device }) => {
    try {
      deviations ??= await load("tests/conformance/deviations.ts");
      return await deviations.folderDeviations(folder, device, loadWebGpu);
    } catch (error) {
      return { error: error.message };
    }
  };

  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    const answer = await (order.args ? command(order) : deviationsOf(order));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
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
