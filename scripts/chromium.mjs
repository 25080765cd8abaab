import { existsSync } from "node:fs";

/** Flags under which headless Chromium offers WebGPU on a machine without a GPU, and speaks to nobody. */
export const CHROMIUM_ARGS = Object.freeze([
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
]);

/** The first Chromium of this machine: `LAB_CHROMIUM`, Debian's, other usual places; undefined where there is none. */
export function findChromium() {
  const places = [process.env.LAB_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  return places.find((place) => place !== undefined && place !== "" && existsSync(place));
}
