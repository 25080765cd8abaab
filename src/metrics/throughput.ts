import type { Device, DeviceBuffer } from "../device/device.ts";
import { call, type KernelCall } from "../device/kernel.ts";
import { copy } from "../kernels/measure/copy.ts";

/** One kernel to time: the call, and what it reads, writes and handles. */
export interface TimedKernel {
  readonly kernel: string;
  readonly scheme: string | null;
  readonly call: KernelCall<DeviceBuffer>;
  /** Bytes read and written by one call. */
  readonly bytes: number;
  /** Weights handled by one call. */
  readonly elements: number;
}

/** Speeds of one kernel over the rounds. */
export interface KernelSpeed {
  readonly kernel: string;
  readonly scheme: string | null;
  readonly rounds: number;
  readonly bytesPerSecond: Spread;
  readonly elementsPerSecond: Spread;
  /** bytes per second of the kernel over those of a plain copy, formed inside each round. */
  readonly shareOfCopyRoof: Spread;
}

/** Median, smallest and largest of the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Rounds that count; one more is run first, since it compiles. */
const ROUNDS = 5;

/** Calls in one submit to a GPU: awaiting it costs about a millisecond, which a short kernel should not pay alone. */
const CALLS_PER_SUBMIT = 4;

/**
 * Times kernels and a copy, interleaved: every round runs each once, so that a machine that slows down slows all of them.
 * @param copyBuffers two buffers of at least `copyBytes` (a multiple of 16)
 * @param now monotonic milliseconds
 * @param beforeRound called before each timed stretch; throws to stop
 */
export async function timeKernels(
  device: Device,
  kernels: readonly TimedKernel[],
  copyBuffers: readonly [DeviceBuffer, DeviceBuffer],
  copyBytes: number,
  now: () => number,
  beforeRound: () => void,
): Promise<readonly KernelSpeed[]> {
  const roof: TimedKernel = {
    kernel: copy.name,
    scheme: null,
    call: call(copy, {}, { vectors: Math.floor(copyBytes / 16) }, copyBuffers),
    bytes: 2 * copyBytes,
    elements: copyBytes / 2,
  };
  const all = [roof, ...kernels];
  const isCpu = device.kind === "reference";
  const calls = isCpu ? 1 : CALLS_PER_SUBMIT;
  const seconds = all.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, timed] of all.entries()) {
      beforeRound();
      // Nothing on the CPU waits for anything: whoever else has to say something gets a turn here, outside of the timing.
      if (isCpu) await new Promise((resolve) => setTimeout(resolve));
      const started = now();
      device.run(new Array<KernelCall<DeviceBuffer>>(calls).fill(timed.call));
      await device.settle();
      if (round > 0) seconds[index]?.push((now() - started) / 1000 / calls);
    }
  }
  const rates = (index: number, amount: number) => (seconds[index] ?? []).map((time) => amount / Math.max(time, 1e-9));
  const roofRates = rates(0, roof.bytes);
  return all.map((timed, index) => {
    const bytes = rates(index, timed.bytes);
    return {
      kernel: timed.kernel,
      scheme: timed.scheme,
      rounds: ROUNDS,
      bytesPerSecond: spread(bytes),
      elementsPerSecond: spread(rates(index, timed.elements)),
      shareOfCopyRoof: spread(bytes.map((rate, round) => rate / (roofRates[round] ?? Number.NaN))),
    };
  });
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
  return { median, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}
