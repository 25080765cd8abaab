import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { createBufferSource } from "../formats/sources/buffer-source.ts";
import { openNodeFile } from "../formats/sources/node-file-source.ts";
import type { TextThread } from "../formats/tokenizer/text-thread-client.ts";
import type { TextHost } from "./text-api.ts";

/** Enough for a text of 16 MB and the largest vocabularies; a template that fills it ends with its thread. */
const THREAD_HEAP_MB = 2048;

/** Texts in a Node process. Threads do not keep it alive. */
export function nodeText(): TextHost {
  return {
    startThread,
    openBundled: async (path) => {
      const file = await openNodeFile(fileURLToPath(new URL(`../../fixtures/${path}`, import.meta.url)));
      const bytes = await file.read(0, file.sizeBytes).finally(() => file.close());
      return createBufferSource(file.name, bytes);
    },
  };
}

function startThread(): TextThread {
  const worker = new Worker(new URL("../formats/tokenizer/text-thread.node.mjs", import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
  });
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    listen(onAnswer, onFailure) {
      worker.on("message", onAnswer);
      worker.on("error", (error) => onFailure(error.message));
    },
    terminate: () => void worker.terminate(),
  };
}
