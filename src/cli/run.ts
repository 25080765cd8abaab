import { type CliHost, main } from "./main.ts";

/** Starts the command line in this process; `argv` without the program's name. Sets the exit code and returns. */
export async function runCli(host: Pick<CliHost, "argv" | "bundledModel" | "loadWebGpu">): Promise<void> {
  const controller = new AbortController();
  process.on("SIGINT", () => {
    // A second Ctrl-C does not wait: a running dispatch cannot be called back.
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  });
  process.on("SIGTERM", () => controller.abort());
  const isTerminal = process.stderr.isTTY === true;
  const code = await main({
    ...host,
    signal: controller.signal,
    isTerminal,
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(text.startsWith("\r") ? text : `${isTerminal ? "\r\u001b[K" : ""}${text}\n`),
  });
  process.exitCode = code;
}
