// What a compute thread does: runs its share of the steps that the device hands out. Plain JavaScript, since Node starts a
// worker from a file as it is.

/**
 * An instance of the kernels' module on memory that may be shared.
 * @param {WebAssembly.Module} module
 * @param {WebAssembly.Memory} memory
 * @param {number} scratch address of this thread's own scratch memory
 */
export function instantiate(module, memory, scratch) {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  exports.useScratch(scratch);
  return exports;
}

/**
 * Takes chunks of each step until none is left, and waits before the next step until all threads are done with it.
 * @param {Record<string, Function>} exports
 * @param {readonly import("./compute-thread.mjs").Step[]} steps
 * @param {Int32Array} control two words a step: the next chunk, and how many threads are done
 * @param {number} threads how many do the same
 */
export function runSteps(exports, steps, control, threads) {
  for (const [index, { name, args, pieces, chunk }] of steps.entries()) {
    const run = exports[name];
    for (;;) {
      const begin = Atomics.add(control, 2 * index, 1) * chunk;
      if (begin >= pieces) break;
      run(...args, begin, Math.min(begin + chunk, pieces));
    }
    const done = 2 * index + 1;
    let arrived = Atomics.add(control, done, 1) + 1;
    if (arrived === threads) {
      Atomics.notify(control, done);
      continue;
    }
    if (index === steps.length - 1) return;
    while (arrived < threads) {
      Atomics.wait(control, done, arrived);
      arrived = Atomics.load(control, done);
    }
  }
}

/**
 * Serves the device on the other side of a port: first its module and memory, then batches of steps.
 * @param {{ postMessage(message: unknown): void; onmessage: unknown }} port
 */
export function serve(port) {
  let exports = null;
  let control = null;
  let threads = 1;
  port.onmessage = ({ data }) => {
    try {
      if (data.module) {
        exports = instantiate(data.module, data.memory, data.scratch);
        control = new Int32Array(data.memory.buffer, data.control.at, data.control.words);
        threads = data.threads;
      } else {
        runSteps(exports, data.steps, control, threads);
      }
      port.postMessage({ failure: null });
    } catch (thrown) {
      port.postMessage({ failure: String(thrown) });
    }
  };
}
