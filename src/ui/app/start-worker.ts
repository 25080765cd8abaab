import workerUrl from "./engine.worker.ts?worker&url";

/** The one place that turns a URL into code. The policy's name is the one that the page's headers allow. */
const policy = window.trustedTypes?.createPolicy("lab-worker", {
  createScriptURL(url: string): string {
    if (new URL(url, window.location.href).origin !== window.location.origin) {
      throw new TypeError("a worker may only come from this origin");
    }
    return url;
  },
});

/** Starts the engine's worker. */
export function startWorker(): Worker {
  const url = policy === undefined ? workerUrl : (policy.createScriptURL(workerUrl) as unknown as string);
  return new Worker(url, { type: "module", name: "engine" });
}
