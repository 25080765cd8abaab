/** Turns an address into code, where the headers ask for such a policy. */
interface ScriptPolicy {
  createScriptURL(url: string): unknown;
}

let policy: ScriptPolicy | null | undefined;

/**
 * The address of a worker's script as `new Worker` takes it: the one place of a page or worker that turns a URL into code.
 * @throws TypeError for an address of another origin
 */
export function scriptUrl(url: string): string {
  if (new URL(url, globalThis.location.href).origin !== globalThis.location.origin) {
    throw new TypeError("a worker may only come from this origin");
  }
  policy ??= makePolicy();
  return (policy === null ? url : policy.createScriptURL(url)) as string;
}

/** The policy's name is the one that the page's headers allow, once in each page and worker. */
function makePolicy(): ScriptPolicy | null {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy };
  };
  return trustedTypes?.createPolicy("lab-worker", { createScriptURL: (url) => url }) ?? null;
}
