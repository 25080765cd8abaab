// Proportional set size of a process and all its descendants: what a browser with its renderers, GPU and workers really
// holds, shared pages counted once. Linux only.
import { readdirSync, readFileSync } from "node:fs";

/** Bytes held by `root` and its descendants now, shared pages counted once. */
export function treeMemoryBytes(root) {
  let bytes = 0;
  for (const id of treeOf(root)) {
    try {
      const pss = /^Pss:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "utf8"));
      bytes += Number(pss?.[1] ?? 0) * 1024;
    } catch {
      // The process ended since it was listed.
    }
  }
  return bytes;
}

/** Samples `root`'s tree until `stop` is called; gives the largest sample. A sample of a browser takes about 25 ms. */
export function watchMemory(root, everyMs) {
  let peak = 0;
  const sample = () => {
    peak = Math.max(peak, treeMemoryBytes(root));
  };
  const timer = setInterval(sample, everyMs);
  sample();
  return {
    stop() {
      clearInterval(timer);
      sample();
      return peak;
    },
  };
}

/** The process that was started with `argument` and is no child of such a process. */
export function processWithArgument(argument) {
  const ids = readdirSync("/proc").filter((entry) => {
    try {
      return /^[0-9]+$/.test(entry) && readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0").includes(argument);
    } catch {
      return false;
    }
  });
  const root = ids.map(Number).find((id) => ids.every((other) => treeOf(id).includes(Number(other))));
  if (root === undefined) throw new Error(`no process was started with ${argument}`);
  return root;
}

/** `root` and all its descendants. */
function treeOf(root) {
  const children = new Map();
  for (const entry of readdirSync("/proc")) {
    if (!/^[0-9]+$/.test(entry)) continue;
    try {
      // The command may hold spaces and parentheses; the parent is the second field after its last parenthesis.
      const status = readFileSync(`/proc/${entry}/stat`, "utf8");
      const parent = Number(status.slice(status.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // The process ended between the listing and the reading.
    }
  }
  const tree = [];
  const waiting = [root];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    tree.push(id);
    waiting.push(...(children.get(id) ?? []));
  }
  return tree;
}
