import type { ServerResponse } from "node:http";
import type { Plugin } from "vite";

const POLICY = {
  "default-src": "'none'",
  // Of WebAssembly, what comes with the page; not code from text.
  "script-src": "'self' 'wasm-unsafe-eval'",
  "style-src": "'self'",
  "worker-src": "'self'",
  "connect-src": "'self'",
  "img-src": "'self' data: blob:",
  "font-src": "'self'",
  "manifest-src": "'self'",
  "object-src": "'none'",
  "frame-src": "'none'",
  "base-uri": "'none'",
  "form-action": "'none'",
  "frame-ancestors": "'none'",
  "require-trusted-types-for": "'script'",
  "trusted-types": "lab-worker lit-html",
};

/** The headers of every response. `styles` replaces the style source; the development server needs inline styles. */
export function headers(styles = POLICY["style-src"]): Record<string, string> {
  const policy = { ...POLICY, "style-src": styles };
  return {
    "Content-Security-Policy": Object.entries(policy)
      .map(([directive, sources]) => `${directive} ${sources}`)
      .join("; "),
    "Connection-Allowlist": "(response-origin)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), payment=()",
  };
}

/**
 * Sets the strict headers on every response of Vite's servers: pages, scripts, workers, 206 and 304, refusals too.
 * A policy on the page alone would not reach a worker loaded by URL. The listener stands before Vite's own, since its host
 * check and its answer to preflights come before any middleware.
 */
export function strictHeaders(): Plugin {
  const guard = (server: { readonly httpServer: Emitter | null }, values: Record<string, string>) =>
    server.httpServer?.prependListener("request", (_request: unknown, response: ServerResponse) => {
      for (const [name, value] of Object.entries(values)) response.setHeader(name, value);
    });
  return {
    name: "strict-headers",
    config: () => ({ preview: { cors: false } }),
    configureServer: (server) => void guard(server, headers("'self' 'unsafe-inline'")),
    configurePreviewServer: (server) => void guard(server, headers()),
  };
}

/** The part of Node's HTTP servers in use. */
interface Emitter {
  prependListener(event: "request", listener: (request: unknown, response: ServerResponse) => void): unknown;
}
