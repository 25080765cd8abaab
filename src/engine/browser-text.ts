import { LabError, quote } from "../base/errors.ts";
import { openHttpSource } from "../formats/sources/http-source.ts";
import threadUrl from "../formats/tokenizer/text-thread.worker.ts?worker&url";
import type { TextThread } from "../formats/tokenizer/text-thread-client.ts";
import { scriptUrl } from "./script-url.ts";
import type { TextHost } from "./text-api.ts";

/** The longest bundled text has 140 kB. Fetched once, they are kept by the browser. */
const BUNDLED_BYTES = 2 ** 20;

/** Texts and tasks that the lab brings along: addresses of their files, given by the build. */
const BUNDLED: Readonly<Record<string, string>> = import.meta.glob(
  ["../../fixtures/text/*", "../../fixtures/tasks/*.jsonl"],
  { query: "?url", import: "default", eager: true },
);

/**
 * Texts in a browser's page or worker.
 * @param base the address that bundled files are relative to
 */
export function browserText(base: string): TextHost {
  return {
    startThread,
    async openBundled(path) {
      const url = BUNDLED[`../../fixtures/${path}`];
      if (url === undefined) throw notBundled(path);
      const source = await openHttpSource(url, { base, keepUpToBytes: BUNDLED_BYTES });
      const { sizeBytes } = source;
      return {
        name: path.slice(path.lastIndexOf("/") + 1),
        sizeBytes,
        read: (start, end, into) => source.read(start, end, into),
      };
    },
  };
}

function startThread(): TextThread {
  const worker = new Worker(scriptUrl(threadUrl), { type: "module", name: "text" });
  return {
    post: (message) => worker.postMessage(message),
    listen(onAnswer, onFailure) {
      worker.onmessage = ({ data }) => onAnswer(data);
      worker.onerror = (event) => onFailure(event.message || "a text thread could not be started");
    },
    terminate: () => worker.terminate(),
  };
}

function notBundled(path: string): LabError {
  return new LabError({
    code: "source/not-bundled",
    doing: "opening a bundled file",
    found: `none named "${quote(path)}"`,
    allowed: Object.keys(BUNDLED)
      .map((own) => own.replace("../../fixtures/", ""))
      .join(", "),
    advice: "choose one of these, or give a file",
  });
}
