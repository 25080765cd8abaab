/** A pass of a kernel, ready to run: `chunk` pieces at a time. */
export interface Step {
  readonly name: string;
  readonly args: readonly number[];
  readonly pieces: number;
  readonly chunk: number;
}

/** What a compute thread is told first. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of its own scratch memory. */
  readonly scratch: number;
  readonly control: { readonly at: number; readonly words: number };
  readonly threads: number;
}

/** What it answers to every message. */
export interface ThreadAnswer {
  readonly failure: string | null;
}

export type KernelExports = Readonly<Record<string, (...args: number[]) => void>>;

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory, scratch: number): KernelExports;
export function runSteps(exports: KernelExports, steps: readonly Step[], control: Int32Array, threads: number): void;
export function serve(port: { postMessage(message: unknown): void; onmessage: unknown }): void;
