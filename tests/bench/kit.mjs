// The conformance kit as the bench uses it: the real tools' Python, and a model of a size that people use.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ROOT } from "../../scripts/bootstrap.mjs";
import { Models } from "../conformance/models.mjs";
import { kitPython } from "../conformance/processes.mjs";

/**
 * The kit that QUANTLAB_SHARED names, default ../shared.
 * @returns {Promise<{ kit: string, python: string, smollm2: () => Promise<string> } | null>} null where there is none
 */
export async function openKit(scratch) {
  const kit = resolve(ROOT, process.env.QUANTLAB_SHARED ?? "../shared", "conformance");
  if (!existsSync(join(kit, "reference.py"))) return null;
  const python = await kitPython(kit);
  const models = new Models({ kit, cache: join(ROOT, ".cache/conformance"), python, scratch });
  return {
    kit,
    python,
    /** The folder of SmolLM2-135M, made where it is missing. */
    async smollm2() {
      await models.make(["smollm2"]);
      return models.folder("smollm2");
    },
  };
}

export const NO_KIT = "no conformance kit (QUANTLAB_SHARED, default ../shared)";
