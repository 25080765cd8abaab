import type { Connect, Plugin } from "vite";

const POLICY = {
  "default-src": "'none'",
  "script-src": "'self'",
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
 * Sets the strict headers on every response of Vite's servers: pages, scripts, workers, 206 and 304 alike.
 * A policy on the page alone would not reach a worker loaded by URL.
 */
export function strictHeaders(): Plugin {
  const middleware =
    (values: Record<string, string>): Connect.NextHandleFunction =>
    (_request, response, next) => {
      for (const [name, value] of Object.entries(values)) response.setHeader(name, value);
      next();
    };
  return {
    name: "strict-headers",
    configureServer: (server) => void server.middlewares.use(middleware(headers("'self' 'unsafe-inline'"))),
    configurePreviewServer: (server) => void server.middlewares.use(middleware(headers())),
  };
}
