// Loaded ahead of a command by `node --import`: at its end appends the process's largest resident set, in bytes, to the file
// that LAB_BENCH_PEAKS names.
import { appendFileSync } from "node:fs";

const file = process.env.LAB_BENCH_PEAKS;
if (file) process.on("exit", () => appendFileSync(file, `${process.resourceUsage().maxRSS * 1024}\n`));
