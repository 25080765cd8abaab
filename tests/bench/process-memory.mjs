// Proportional set size of a process and all its descendants: what a browser with its renderers, GPU and workers really
// holds, shared pages counted once. Linux only.
import { readdirSync, readFileSync } from "node:fs";

const PAGE_BYTES = 4096;

/**
 * Reading a proportional size walks every page table of a process and stops it meanwhile: a browser read that way every
 * 50 ms runs eight times slower. Resident sizes are free; a proportional one is taken where they reach a new high, and at
 * least this often.
 */
const PROPORTIONAL_EVERY_MS = 1000;

/** Growth of the resident size that counts as a new high. */
const NEW_HIGH_BYTES = 1e6;

/** Bytes held by `root` and its descendants now, shared pages counted once. */
export function treeMemoryBytes(root) {
  return sum(treeOf(root), (id) => {
    const pss = /^Pss:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "utf8"));
    return Number(pss?.[1] ?? 0) * 1024;
  });
}

/** Watches `root`'s tree until `stop` is called; gives the largest proportional size seen. */
export function watchMemory(root, everyMs) {
  let [peak, highestResident, takenAt] = [0, 0, Number.NEGATIVE_INFINITY];
  const sample = () => {
    const resident = sum(
      treeOf(root),
      (id) => Number(readFileSync(`/proc/${id}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES,
    );
    const isHigh = resident > highestResident + NEW_HIGH_BYTES;
    if (!isHigh && performance.now() - takenAt < PROPORTIONAL_EVERY_MS) return;
    highestResident = Math.max(highestResident, resident);
    peak = Math.max(peak, treeMemoryBytes(root));
    takenAt = performance.now();
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

function sum(ids, bytesOf) {
  let bytes = 0;
  for (const id of ids) {
    try {
      bytes += bytesOf(id);
    } catch {
      // The process ended since it was listed.
    }
  }
  return bytes;
}
