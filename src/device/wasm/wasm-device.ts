import { LabError, quote } from "../../base/errors.ts";
import type { Device, DeviceBuffer } from "../device.ts";
import type { Kernel, KernelCall } from "../kernel.ts";
import {
  instantiate,
  type KernelExports,
  runSteps,
  type Step,
  type ThreadAnswer,
  type ThreadStart,
} from "./compute-thread.mjs";
import { Heap } from "./heap.ts";

/** The kernels as a WebAssembly module, for memory that threads share and for memory of one thread. */
export interface WasmKernels {
  readonly shared: Uint8Array<ArrayBuffer>;
  readonly single: Uint8Array<ArrayBuffer>;
}

/** A worker that runs `serve` of `compute-thread.mjs`. */
export interface ComputeThread {
  post(message: unknown): void;
  /** @param onFailure called when the thread ends by itself or cannot be started */
  listen(onAnswer: (answer: ThreadAnswer) => void, onFailure: (reason: string) => void): void;
  terminate(): void;
}

/** What a host lends to the device. */
export interface WasmHost {
  readonly kernels: WasmKernels;
  /** How many threads compute, 1 or more; where memory cannot be shared it is the calling one alone. */
  readonly threads: number;
  readonly startThread: () => ComputeThread;
}

const PAGE = 65_536;

/** Largest memory; `scripts/assembly.mjs` compiles the same number in. */
const MAX_PAGES = 32_768;
const FIRST_PAGES = 16;

/** Constants of the kernels lie below; then the words that steps are handed out by, then uniforms, then scratch memory. */
const CONTROL_AT = PAGE;
const MAX_STEPS = 512;
const UNIFORMS_AT = CONTROL_AT + MAX_STEPS * 8;
const UNIFORMS_BYTES = 16_384;
const SCRATCH_AT = 2 * PAGE;
const SCRATCH_BYTES = 16_384;
const MAX_THREADS = 8;
const HEAP_AT = SCRATCH_AT + MAX_THREADS * SCRATCH_BYTES;

/** Bytes behind each buffer, so that a kernel may load a whole vector where its last element is. */
const SLACK = 16;

/** Chunks of a step for each thread: enough for the quicker one to take over from the other. */
const CHUNKS_PER_THREAD = 4;

class MemoryRange implements DeviceBuffer {
  readonly address: number;
  readonly sizeBytes: number;
  /** What is under way or waits and reads or writes it. */
  uses = 0;
  readonly #free: (range: MemoryRange) => void;
  #isFreed = false;

  constructor(address: number, sizeBytes: number, free: (range: MemoryRange) => void) {
    this.address = address;
    this.sizeBytes = sizeBytes;
    this.#free = free;
  }

  destroy(): void {
    if (!this.#isFreed) this.#free(this);
    this.#isFreed = true;
  }
}

/**
 * A device of WebAssembly with SIMD: `threads` workers on one memory where the host can share memory, else the calling
 * thread.
 * @throws LabError `device/no-wasm` where the host refuses WebAssembly
 */
export async function createWasmDevice(host: WasmHost | null): Promise<Device> {
  if (!host) throw noWasm("none, since this host starts none", undefined);
  const isShared = typeof SharedArrayBuffer !== "undefined" && typeof Atomics !== "undefined";
  const threads = isShared ? Math.min(Math.max(host.threads, 1), MAX_THREADS) : 1;
  try {
    const module = await WebAssembly.compile(isShared ? host.kernels.shared : host.kernels.single);
    const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MAX_PAGES, shared: isShared });
    const team = isShared ? new ThreadTeam(host, module, memory, threads) : new LoneThread(module, memory);
    await team.ready;
    return new WasmDevice(memory, team, threads);
  } catch (cause) {
    throw noWasm(quote(cause instanceof Error ? cause.message : String(cause)), cause);
  }
}

function noWasm(found: string, cause: unknown): LabError {
  return new LabError({
    code: "device/no-wasm",
    doing: "starting WebAssembly",
    found,
    allowed: "WebAssembly with SIMD",
    advice: "serve the page with its own headers, or use a newer browser",
    cause,
  });
}

/** Who runs steps. */
interface Team {
  readonly ready: Promise<void>;
  /** Runs steps whose control words and uniforms are in place. */
  run(steps: readonly Step[]): Promise<void>;
  terminate(): void;
}

/** The calling thread. */
class LoneThread implements Team {
  readonly ready = Promise.resolve();
  readonly #exports: KernelExports;
  readonly #memory: WebAssembly.Memory;

  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory) {
    this.#exports = instantiate(module, memory, SCRATCH_AT);
    this.#memory = memory;
  }

  async run(steps: readonly Step[]): Promise<void> {
    runSteps(this.#exports, steps, controlOf(this.#memory), 1);
  }

  terminate(): void {}
}

/** Workers that do the same steps side by side. */
class ThreadTeam implements Team {
  readonly ready: Promise<void>;
  readonly #threads: readonly ComputeThread[];
  #waiting = 0;
  #failure: string | null = null;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(host: WasmHost, module: WebAssembly.Module, memory: WebAssembly.Memory, count: number) {
    this.#threads = Array.from({ length: count }, () => host.startThread());
    this.ready = this.#ask((thread, index) => {
      thread.listen(
        ({ failure }) => this.#heard(failure),
        (reason) => this.#heard(reason),
      );
      const scratch = SCRATCH_AT + index * SCRATCH_BYTES;
      const control = { at: CONTROL_AT, words: 2 * MAX_STEPS };
      thread.post({ module, memory, scratch, control, threads: count } satisfies ThreadStart);
    });
  }

  run(steps: readonly Step[]): Promise<void> {
    return this.#ask((thread) => thread.post({ steps }));
  }

  #ask(post: (thread: ComputeThread, index: number) => void): Promise<void> {
    if (this.#failure !== null) return Promise.reject(new Error(this.#failure));
    this.#waiting = this.#threads.length;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      for (const [index, thread] of this.#threads.entries()) post(thread, index);
    });
  }

  #heard(failure: string | null): void {
    // A thread that failed in a step leaves the others waiting for it: none of them is asked again.
    if (failure !== null) {
      this.#failure = failure;
      this.#reject(new Error(failure));
      return;
    }
    this.#waiting--;
    if (this.#waiting === 0) this.#resolve();
  }

  terminate(): void {
    this.#failure ??= "the device was destroyed";
    for (const thread of this.#threads) thread.terminate();
  }
}

class WasmDevice implements Device {
  readonly kind = "wasm";
  readonly adapter: string;
  readonly maxBufferBytes = 2 ** 30;
  readonly tileBytes = 16 * 2 ** 20;
  readonly productsPerRun = 2 ** 31;
  readonly variants = null;
  readonly #memory: WebAssembly.Memory;
  readonly #team: Team;
  readonly #threads: number;
  readonly #heap = new Heap();
  /** The last thing that waits, where that is a batch which has not begun. */
  #waiting: Batch | null = null;
  /** Everything so far; null while nothing is under way. */
  #tail: Promise<void> | null = null;

  constructor(memory: WebAssembly.Memory, team: Team, threads: number) {
    this.#memory = memory;
    this.#team = team;
    this.#threads = threads;
    this.adapter = `WebAssembly SIMD, ${threads} thread${threads === 1 ? "" : "s"}`;
    this.#heap.add(HEAP_AT, memory.buffer.byteLength - HEAP_AT);
  }

  createBuffer(sizeBytes: number): DeviceBuffer {
    const size = Heap.sizeOf(sizeBytes + SLACK);
    const address = this.#heap.take(size) ?? this.#grown(size);
    new Uint8Array(this.#memory.buffer, address, size).fill(0);
    return new MemoryRange(address, size, (range) => void this.#after(() => this.#heap.add(range.address, size)));
  }

  /** An address in memory that was not there before. */
  #grown(size: number): number {
    const end = this.#memory.buffer.byteLength;
    try {
      this.#memory.grow(Math.ceil(size / PAGE));
    } catch (cause) {
      throw new LabError({
        code: "device/out-of-memory",
        doing: "taking memory for WebAssembly",
        found: `no room for ${size} bytes beside ${end}`,
        allowed: `${MAX_PAGES * PAGE} bytes in all, as far as the machine has them`,
        advice: "close other pages",
        cause,
      });
    }
    this.#heap.add(end, this.#memory.buffer.byteLength - end);
    return this.#heap.take(size) ?? this.#grown(size);
  }

  write(buffer: DeviceBuffer, bytes: Uint8Array): void {
    const range = buffer as MemoryRange;
    const put = (from: Uint8Array) => {
      const target = new Uint8Array(this.#memory.buffer, range.address, Math.ceil(from.byteLength / 4) * 4);
      target.set(from);
      target.fill(0, from.byteLength);
    };
    if (range.uses === 0) {
      put(bytes);
      return;
    }
    // What is under way may still read the buffer, and the caller may reuse the bytes.
    const copy = bytes.slice();
    this.#waiting = null;
    range.uses++;
    void this.#after(() => {
      put(copy);
      range.uses--;
    });
  }

  async prepare(): Promise<void> {}

  run(calls: readonly KernelCall<DeviceBuffer>[]): void {
    for (let first = 0; first < calls.length; ) {
      const batch = this.#waiting ?? new Batch(this.#threads);
      const isNew = batch !== this.#waiting;
      while (first < calls.length && batch.add(calls[first] as KernelCall<DeviceBuffer>)) first++;
      if (isNew) this.#start(batch);
      // Full: what is left goes into another.
      if (first < calls.length) this.#waiting = null;
    }
  }

  /** Runs a batch after all that is under way. Until then more calls may join it: a turn of the threads costs time. */
  #start(batch: Batch): void {
    const isIdle = this.#tail === null;
    void this.#after(async () => {
      if (this.#waiting === batch) this.#waiting = null;
      const { buffer } = this.#memory;
      new Int32Array(buffer, CONTROL_AT, 2 * batch.steps.length).fill(0);
      new Uint32Array(buffer, UNIFORMS_AT, batch.uniforms.length).set(batch.uniforms);
      await this.#team.run(batch.steps);
      batch.release();
    });
    this.#waiting = isIdle ? null : batch;
  }

  /** Does something after all that is under way; not at all where that failed. */
  #after(work: () => Promise<void> | void): Promise<void> {
    if (!this.#tail) {
      const done = work();
      if (!done) return Promise.resolve();
      return this.#follow(done);
    }
    return this.#follow(this.#tail.then(work));
  }

  #follow(work: Promise<void>): Promise<void> {
    const tail = work.then(() => {
      if (this.#tail === tail) this.#tail = null;
    });
    // A failure stays in the tail until somebody reads or settles.
    tail.catch(() => {});
    this.#tail = tail;
    return tail;
  }

  async read(buffer: DeviceBuffer, sizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const copy = new Uint8Array(sizeBytes);
    // What is run from now on comes after it.
    this.#waiting = null;
    await checked(this.#after(() => copy.set(new Uint8Array(this.#memory.buffer, addressOf(buffer), sizeBytes))));
    return copy;
  }

  async settle(): Promise<void> {
    this.#waiting = null;
    if (this.#tail) await checked(this.#tail);
  }

  destroy(): void {
    this.#team.terminate();
  }
}

/** The same, a failure as the lab's own. */
async function checked(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (cause) {
    throw new LabError({
      code: "kernel/failed",
      doing: "computing in WebAssembly",
      found: quote(cause instanceof Error ? cause.message : String(cause)),
      allowed: "no failure",
      advice: "try again, and report what was computed",
      cause,
    });
  }
}

/** Steps with their uniforms, as many as there is room for. */
class Batch {
  readonly steps: Step[] = [];
  readonly uniforms: number[] = [];
  readonly #buffers: MemoryRange[] = [];
  readonly #threads: number;

  constructor(threads: number) {
    this.#threads = threads;
  }

  /** Adds a call, or says that there is no room for it. */
  add({ kernel, source, shape, buffers }: KernelCall<DeviceBuffer>): boolean {
    const known = kernel as unknown as Kernel<unknown, unknown>;
    const words = known.uniforms(shape);
    const passes = known.wasm(source, shape);
    if (passes.length > MAX_STEPS) throw tooLong(known.name, passes.length);
    const isFull =
      this.steps.length + passes.length > MAX_STEPS || (this.uniforms.length + words.length) * 4 > UNIFORMS_BYTES;
    if (isFull && this.steps.length > 0) return false;
    const at = UNIFORMS_AT + this.uniforms.length * 4;
    this.uniforms.push(...words);
    const constants = Object.values(known.constants(source));
    const addresses = buffers.map(addressOf);
    for (const buffer of buffers as readonly MemoryRange[]) {
      buffer.uses++;
      this.#buffers.push(buffer);
    }
    for (const { name, extra = [], pieces } of passes) {
      if (pieces === 0) continue;
      const chunk = Math.ceil(pieces / (this.#threads === 1 ? 1 : this.#threads * CHUNKS_PER_THREAD));
      this.steps.push({ name, args: [at, ...constants, ...extra, ...addresses], pieces, chunk });
    }
    return true;
  }

  /** It is done: its buffers are free to be written to. */
  release(): void {
    for (const buffer of this.#buffers) buffer.uses--;
  }
}

function tooLong(kernel: string, steps: number): LabError {
  return new LabError({
    code: "kernel/too-long",
    doing: `running ${kernel} in WebAssembly`,
    found: `${steps} steps`,
    allowed: `at most ${MAX_STEPS} in one call`,
    advice: "take a smaller matrix",
  });
}

function addressOf(buffer: DeviceBuffer): number {
  return (buffer as MemoryRange).address;
}

function controlOf(memory: WebAssembly.Memory): Int32Array {
  return new Int32Array(memory.buffer, CONTROL_AT, 2 * MAX_STEPS);
}
