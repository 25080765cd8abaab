import type { Device } from "../../src/device/device.ts";

/** What is counted as no kernel: what the device waits for, as bytes that are read. */
export const NO_KERNEL = "no kernel";

/**
 * Milliseconds that each kernel takes in some work, by name, and those in which none ran. Calls are handed over one by one,
 * so that all of it takes somewhat longer than it does otherwise; what is uploaded right before a call counts to it.
 */
export async function kernelTimes(
  device: Device,
  work: () => Promise<void>,
): Promise<Readonly<Record<string, number>>> {
  const times: Record<string, number> = { [NO_KERNEL]: 0 };
  const run = device.run.bind(device);
  const ends: Promise<void>[] = [];
  const started = performance.now();
  let last = started;
  device.run = (calls) => {
    for (const one of calls) {
      const { name } = one.kernel;
      const given = performance.now();
      run([one]);
      const end = device.settle().then(() => {
        const now = performance.now();
        times[name] = (times[name] ?? 0) + now - Math.max(last, given);
        last = now;
      });
      // A failure counts where all of them are waited for.
      end.catch(() => {});
      ends.push(end);
    }
  };
  try {
    await work();
    await Promise.all(ends);
  } finally {
    device.run = run;
  }
  const busy = Object.values(times).reduce((sum, own) => sum + own, 0);
  times[NO_KERNEL] = performance.now() - started - busy;
  return times;
}
