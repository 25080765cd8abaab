import { DEFAULT_VARIANT, type VariantChoice, type VariantTable } from "../device.ts";
import type { AnyKernel, Kernel, KernelVariant } from "../kernel.ts";
import type { OpenAdapter } from "./open-adapter.ts";

/** The variants that one device can compile, and which of them run. */
export class Variants implements VariantTable {
  readonly adapterKey: string;
  readonly isSoftware: boolean;
  readonly #features: GPUSupportedFeatures;
  readonly #choices = new Map<string, VariantChoice>();

  constructor({ device, key, isSoftware }: OpenAdapter) {
    this.adapterKey = key;
    this.isSoftware = isSoftware;
    this.#features = device.features;
  }

  runnable({ variants = [] }: AnyKernel): readonly string[] {
    const canCompile = variants.filter(({ features }) => features.every((feature) => this.#features.has(feature)));
    return canCompile.map(({ name }) => name);
  }

  use(kernel: AnyKernel, choice: VariantChoice): void {
    if (choice.variant !== DEFAULT_VARIANT && !this.runnable(kernel).includes(choice.variant)) {
      throw new Error(`${kernel.name} has no form ${choice.variant} that runs here`);
    }
    this.#choices.set(kernel.name, choice);
  }

  choiceOf({ name }: AnyKernel): VariantChoice {
    return this.#choices.get(name) ?? { variant: DEFAULT_VARIANT, why: null };
  }

  reset(why: string): boolean {
    const others = [...this.#choices].filter(([, { variant }]) => variant !== DEFAULT_VARIANT);
    for (const [name] of others) this.#choices.set(name, { variant: DEFAULT_VARIANT, why });
    return others.length > 0;
  }

  /** The variant that runs now, or null: the default. */
  inUse(kernel: Kernel<unknown, unknown>): KernelVariant<unknown, unknown> | null {
    const choice = this.#choices.get(kernel.name);
    return kernel.variants?.find(({ name }) => name === choice?.variant) ?? null;
  }
}
