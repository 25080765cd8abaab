import { LabError } from "../../base/errors.ts";
import { foldDispatch, foldWorkgroups, type Kernel, type KernelVariant } from "../kernel.ts";
import type { Variants } from "./variants.ts";

/** A compiled form of a kernel. */
export interface Program {
  /** One for each entry point. */
  readonly pipelines: readonly GPUComputePipeline[];
  readonly layout: GPUBindGroupLayout;
}

/** What the device compiles. */
interface Described {
  readonly layout: GPUBindGroupLayout;
  /** One for each entry point. */
  readonly descriptors: readonly GPUComputePipelineDescriptor[];
}

type AnyForm = Kernel<unknown, unknown>;
type AnyVariant = KernelVariant<unknown, unknown>;

/** The programs that a device has compiled. */
export class Programs {
  readonly #device: GPUDevice;
  readonly #variants: Variants;
  readonly #compiled = new Map<string, Program>();

  constructor(device: GPUDevice, variants: Variants) {
    this.#device = device;
    this.#variants = variants;
  }

  /**
   * What runs a kernel now, compiled where it is not yet, and the workgroups of each of its entry points.
   * @throws LabError `kernel/cpu-only`
   */
  forRun(kernel: AnyForm, source: unknown, shape: unknown): Program & { readonly workgroups: readonly Workgroups[] } {
    const inUse = this.#variants.inUse(kernel);
    const variant = inUse?.takes(source, shape) ? inUse : null;
    const key = programKey(kernel, variant, source);
    let program = this.#compiled.get(key);
    if (!program) {
      const { layout, descriptors } = this.#describe(kernel, variant, source);
      program = { pipelines: descriptors.map((own) => this.#device.createComputePipeline(own)), layout };
      this.#compiled.set(key, program);
    }
    const main = variant
      ? foldWorkgroups(variant.workgroups(source, shape))
      : foldDispatch(kernel.invocations(source, shape));
    return { ...program, workgroups: [main, foldDispatch(kernel.rest?.(source, shape) ?? 0)] };
  }

  /**
   * Compiles the form in use ahead of its first run.
   * @param guarded runs what may raise WebGPU's errors under error scopes
   */
  async prepare(kernel: AnyForm, source: unknown, guarded: (work: () => void) => void): Promise<void> {
    const variant = this.#variants.inUse(kernel);
    const key = programKey(kernel, variant, source);
    if (this.#compiled.has(key)) return;
    let described: Described | undefined;
    guarded(() => {
      described = this.#describe(kernel, variant, source);
    });
    if (!described) return;
    const { layout, descriptors } = described;
    try {
      const pipelines = await Promise.all(descriptors.map((own) => this.#device.createComputePipelineAsync(own)));
      this.#compiled.set(key, { pipelines, layout });
    } catch {
      // The first run compiles again, under an error scope that says why it cannot.
    }
  }

  #describe(kernel: AnyForm, variant: AnyVariant | null, source: unknown): Described {
    const device = this.#device;
    const constants = kernel.constants(source);
    const storage = kernel.bindings.map(({ access }, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: access === "read" ? ("read-only-storage" as const) : ("storage" as const) },
    }));
    const label = formName(kernel, variant);
    const layout = device.createBindGroupLayout({
      label,
      entries: [
        ...storage,
        { binding: storage.length, visibility: GPUShaderStage.COMPUTE, buffer: { type: "uniform" } },
      ],
    });
    const module = device.createShaderModule({ label, code: variant?.wgsl ?? shaderOf(kernel) });
    const descriptors = entryPoints(kernel).map((entryPoint) => ({
      label,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint, constants },
    }));
    return { layout, descriptors };
  }
}

type Workgroups = readonly [x: number, y: number];

function formName({ name }: AnyForm, variant: AnyVariant | null): string {
  return variant ? `${name}.${variant.name}` : name;
}

/** What makes two programs the same: the kernel's form and its constants. */
function programKey(kernel: AnyForm, variant: AnyVariant | null, source: unknown): string {
  return `${formName(kernel, variant)} ${JSON.stringify(kernel.constants(source))}`;
}

/** Entry points of a kernel's shader, in the order in which they run. */
function entryPoints({ rest }: AnyForm): readonly string[] {
  return rest ? ["main", "rest"] : ["main"];
}

/** @throws LabError `kernel/cpu-only` where there is none */
export function shaderOf({ name, wgsl }: { readonly name: string; readonly wgsl: string | null }): string {
  if (wgsl !== null) return wgsl;
  throw new LabError({
    code: "kernel/cpu-only",
    doing: `running ${name} on WebGPU`,
    found: "a kernel without a shader, since WGSL lacks what it needs",
    allowed: "kernels with a shader",
    advice: "run it on the CPU",
  });
}
