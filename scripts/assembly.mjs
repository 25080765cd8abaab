// Vite's way to the kernels in AssemblyScript: `x.as.ts?wasm` is the compiled module as bytes, `?wasm-shared` the same on
// memory that threads share. What was compiled once is kept, since the compiler alone takes a second to load.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { ROOT } from "./bootstrap.mjs";

const KEPT = join(ROOT, "node_modules/.cache/lab-assembly");
const QUERY = /^(.*\.as\.ts)\?wasm(-shared)?$/;

/** Pages of 64 KiB that memory begins with, and ends at: 2 GiB, which every engine grants. */
const PAGES = { first: 16, last: 32_768 };

const OPTIONS = ["-O3", "--runtime", "stub", "--noAssert", "--use", "abort=", "--importMemory"];
const SHARED = ["--sharedMemory", "--initialMemory", `${PAGES.first}`, "--maximumMemory", `${PAGES.last}`];

/** @returns {import("vite").Plugin} */
export function assembly() {
  return {
    name: "assembly",
    async load(id) {
      const [, entry, shared] = QUERY.exec(id) ?? [];
      if (!entry) return null;
      for (const file of sources()) this.addWatchFile(file);
      const bytes = await compiled(entry, Boolean(shared));
      return `export const wasm = Uint8Array.from(atob("${bytes.toString("base64")}"), (byte) => byte.charCodeAt(0));`;
    },
  };
}

/** Every file of AssemblyScript below `src`. */
function sources() {
  const folder = join(ROOT, "src");
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(".as.ts"))
    .map((name) => join(folder, name))
    .sort();
}

/** The module of a file, compiled anew where it, a file beside it, the compiler or an option has changed. */
async function compiled(entry, isShared) {
  const { version } = createRequire(import.meta.url)("assemblyscript/package.json");
  const options = [...OPTIONS, "--enable", "simd", "--enable", "threads", ...(isShared ? SHARED : [])];
  const hash = createHash("sha256").update(JSON.stringify([version, options, relative(ROOT, entry)]));
  for (const file of new Set([...sources(), entry])) hash.update(file).update(readFileSync(file));
  const kept = join(KEPT, `${hash.digest("hex")}.wasm`);
  try {
    return readFileSync(kept);
  } catch {
    const bytes = await compile(entry, options);
    mkdirSync(dirname(kept), { recursive: true });
    // Another process may do the same: the file appears whole.
    const own = `${kept}.${process.pid}`;
    writeFileSync(own, bytes);
    renameSync(own, kept);
    return bytes;
  }
}

async function compile(entry, options) {
  const { default: asc } = await import("assemblyscript/asc");
  let bytes = null;
  const { error, stderr } = await asc.main([relative(ROOT, entry), ...options, "--outFile", "module.wasm"], {
    readFile: (name, base) => {
      try {
        return readFileSync(join(ROOT, base ?? "", name), "utf8");
      } catch {
        return null;
      }
    },
    writeFile: (name, contents) => {
      if (name.endsWith(".wasm")) bytes = Buffer.from(contents);
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${relative(ROOT, entry)} does not compile:\n${stderr.toString()}`);
  return bytes;
}
