import { LabError, quote } from "../../base/errors.ts";

/** Limits worth asking for; the rest stay at WebGPU's lowest, so that what runs here runs everywhere. */
const WANTED_LIMITS = ["maxBufferSize", "maxStorageBufferBindingSize"] as const;

/** Features that variants of kernels use; a device gets those that its adapter has. */
export const WANTED_FEATURES: readonly GPUFeatureName[] = ["subgroups"];

/** Largest buffer the lab maps or binds. Tiles are far smaller; it bounds a mistake, not the work. */
export const MAX_BUFFER_BYTES = 2 ** 28;

/** Drivers that compute on the CPU and do not say so: SwiftShader, Mesa's llvmpipe and lavapipe, Microsoft's WARP. */
const SOFTWARE_NAMES = /swiftshader|llvmpipe|lavapipe|basic render/i;

/** A device and what its adapter says of itself. */
export interface OpenAdapter {
  readonly device: GPUDevice;
  /** For people; safe to print. */
  readonly name: string;
  /** All that tells it from others, for the memory of what suits it. */
  readonly key: string;
  readonly isSoftware: boolean;
}

/**
 * Opens a device on a fresh adapter (an adapter serves one device only).
 * @param gpu the host's `navigator.gpu`, or null where it has none
 * @throws LabError `device/no-webgpu`, `device/no-adapter`, `device/refused`
 */
export async function openAdapter(gpu: GPU | null): Promise<OpenAdapter> {
  if (!gpu) {
    throw new LabError({
      code: "device/no-webgpu",
      doing: "looking for WebGPU",
      found: isInsecurePage()
        ? "none, since this page came neither over https nor from localhost"
        : "this environment has none",
      allowed: "a browser with WebGPU on https or localhost, or Node with the optional package webgpu",
      advice: "take another browser, install the package, or choose the CPU",
    });
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new LabError({
      code: "device/no-adapter",
      doing: "asking for a WebGPU adapter",
      found: "no adapter",
      allowed: "a GPU with a Vulkan, Metal or D3D12 driver, or a software driver such as SwiftShader",
      advice: "on Debian install chromium and libvulkan1, in a browser enable hardware acceleration, or choose the CPU",
    });
  }
  const device = await requestDevice(adapter);
  const { vendor, architecture, device: model, description, isFallbackAdapter } = adapter.info;
  const words = [vendor, architecture, model].filter(Boolean).join(" ");
  const features = WANTED_FEATURES.filter((feature) => device.features.has(feature));
  return {
    device,
    name: quote(description || words || "unnamed WebGPU adapter"),
    key: [words, description, ...features].join(", "),
    isSoftware: isFallbackAdapter || SOFTWARE_NAMES.test(`${words} ${description}`),
  };
}

/** Browsers have WebGPU on secure pages only. */
function isInsecurePage(): boolean {
  return "isSecureContext" in globalThis && globalThis.isSecureContext === false;
}

async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits = Object.fromEntries(
    WANTED_LIMITS.map((name) => [name, Math.min(adapter.limits[name], MAX_BUFFER_BYTES)]),
  );
  const requiredFeatures = WANTED_FEATURES.filter((feature) => adapter.features.has(feature));
  try {
    return await adapter.requestDevice({ requiredLimits, requiredFeatures });
  } catch (first) {
    try {
      return await adapter.requestDevice();
    } catch {
      throw new LabError({
        code: "device/refused",
        doing: "opening a WebGPU device",
        found: quote(first instanceof Error ? first.message : String(first)),
        allowed: "a device with WebGPU's lowest limits",
        advice: "close other pages that use the GPU and reload, or choose the CPU",
        cause: first,
      });
    }
  }
}
