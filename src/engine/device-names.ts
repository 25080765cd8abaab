import type { DeviceKind } from "../device/device.ts";

/** What people call the kinds of devices. */
export const DEVICE_NAMES: Readonly<Record<DeviceKind, string>> = {
  webgpu: "WebGPU",
  wasm: "WebAssembly",
  reference: "JavaScript",
};
