import * as Comlink from "comlink";
import { afterEach, describe, expect, test } from "vitest";
import { cancelledError, type LabError } from "../../base/errors.ts";
import type { ModelSummary } from "../../engine/result.ts";
import type { Outcome, WorkerApi, WorkerEvent } from "../../engine/worker-api.ts";
import { WorkerBridge, type WorkerLike } from "./worker-bridge.ts";

const DEVICE = { kind: "reference", adapter: "test", exact: true, reason: "a test" } as const;
const MODEL = { kind: "bundled", name: "quantlab-4m" } as const;
const SUMMARY = { name: "quantlab-4m" } as ModelSummary;
const LIMITS = { handshakeMs: 120, silenceMs: 120, watchMs: 20, cancelMs: 100, quietMs: 250 };

type Behaviour = Partial<{ [name in keyof WorkerApi]: (...parameters: never[]) => unknown }>;

/** A worker made of a message channel: the same wire, no thread. */
class FakeWorker extends EventTarget implements WorkerLike {
  readonly #channel = new MessageChannel();
  isTerminated = false;
  events: MessagePort | undefined;
  #pulse: ReturnType<typeof setInterval> | undefined;

  constructor(behaviour: Behaviour, isSilent = false) {
    super();
    if (isSilent) return;
    this.#channel.port1.onmessage = (event) => {
      if (!this.isTerminated) this.dispatchEvent(new MessageEvent("message", { data: event.data }));
    };
    const api = {
      start: async (events: MessagePort) => {
        this.events = events;
        this.#pulse = setInterval(() => events.postMessage({ type: "alive" }), 20);
        return { ok: true, value: { device: DEVICE } };
      },
      open: async (): Promise<Outcome<ModelSummary>> => ({ ok: true, value: SUMMARY }),
      cancel: async () => undefined,
      ...behaviour,
    };
    Comlink.expose(Object.assign(Object.create(null), api), this.#channel.port2 as unknown as Comlink.Endpoint);
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    this.#channel.port1.postMessage(message, transfer);
  }

  hang(): void {
    clearInterval(this.#pulse);
  }

  terminate(): void {
    this.isTerminated = true;
    clearInterval(this.#pulse);
    this.#channel.port1.close();
    this.#channel.port2.close();
  }
}

const bridges: WorkerBridge[] = [];
afterEach(() => {
  for (const bridge of bridges.splice(0)) bridge.close();
});

function bridgeTo(...workers: FakeWorker[]): {
  bridge: WorkerBridge;
  events: WorkerEvent[];
  lost: LabError[];
} {
  const events: WorkerEvent[] = [];
  const lost: LabError[] = [];
  const queue = [...workers];
  const bridge = new WorkerBridge({
    createWorker: () => {
      const next = queue.shift();
      if (next === undefined) throw new Error("no worker left");
      return next;
    },
    onEvent: (event) => events.push(event),
    onLost: (error) => lost.push(error),
    limits: LIMITS,
  });
  bridges.push(bridge);
  return { bridge, events, lost };
}

const never = (): Promise<never> => new Promise(() => undefined);
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "it succeeded",
    (error: LabError) => error.code,
  );

describe("the worker bridge", () => {
  test("says where kernels run and hands answers through", async () => {
    const { bridge } = bridgeTo(new FakeWorker({}));
    expect(await bridge.start()).toEqual(DEVICE);
    expect(await bridge.call("opening", (api) => api.open(MODEL))).toEqual(SUMMARY);
  });

  test("rebuilds a typed error with its code and fields", async () => {
    const error = {
      code: "safetensors/header-too-long",
      doing: "reading the header",
      found: "9 bytes",
      allowed: "8",
      advice: "download it again",
      message: "",
      fields: { file: "model.safetensors" },
    };
    const { bridge } = bridgeTo(new FakeWorker({ open: async () => ({ ok: false, error }) }));
    await expect(bridge.call("opening", (api) => api.open(MODEL))).rejects.toMatchObject({
      code: "safetensors/header-too-long",
      fields: { file: "model.safetensors" },
    });
  });

  test("answers a cancel within 100 ms although the worker never does, then replaces that worker", async () => {
    const stuck = new FakeWorker({ open: never });
    const { bridge } = bridgeTo(stuck, new FakeWorker({}));
    await bridge.start();
    const call = codeOf(bridge.call("opening", (api) => api.open(MODEL)));
    await new Promise((resolve) => setTimeout(resolve, 30));
    const asked = performance.now();
    bridge.cancel();
    expect(await call).toBe("run/cancelled");
    expect(performance.now() - asked).toBeLessThan(150);
    expect(await bridge.call("opening again", (api) => api.open(MODEL))).toEqual(SUMMARY);
    expect(stuck.isTerminated).toBe(true);
    expect(bridge.generation).toBe(2);
  });

  test("asks what is no job while one runs, and a cancel leaves that alone", async () => {
    let answer: (outcome: Outcome<readonly string[]>) => void = () => {};
    const { bridge } = bridgeTo(
      new FakeWorker({ open: never, pieces: () => new Promise((resolve) => (answer = resolve)) }),
      new FakeWorker({}),
    );
    await bridge.start();
    const job = codeOf(bridge.call("opening", (api) => api.open(MODEL)));
    const asked = bridge.ask("reading tokens", (api) => api.pieces([7]));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(bridge.isBusy).toBe(true);
    bridge.cancel();
    expect(await job).toBe("run/cancelled");
    answer({ ok: true, value: [" heaven"] });
    expect(await asked).toEqual([" heaven"]);
  });

  test("what was asked of a worker that is lost fails with it", async () => {
    const dead = new FakeWorker({ pieces: never });
    const { bridge } = bridgeTo(dead, new FakeWorker({}));
    await bridge.start();
    const asked = codeOf(bridge.ask("reading tokens", (api) => api.pieces([7])));
    dead.dispatchEvent(new Event("error"));
    expect(await asked).toBe("worker/failed");
  });

  test("keeps a worker that stops when it is asked", async () => {
    let stop: () => void = () => undefined;
    const worker = new FakeWorker({
      open: () =>
        new Promise((resolve) => {
          stop = () => resolve({ ok: false, error: cancelledError("opening").toData() });
        }),
      cancel: async () => stop(),
    });
    const { bridge } = bridgeTo(worker);
    await bridge.start();
    const call = codeOf(bridge.call("opening", (api) => api.open(MODEL)));
    await new Promise((resolve) => setTimeout(resolve, 30));
    bridge.cancel();
    expect(await call).toBe("run/cancelled");
    await new Promise((resolve) => setTimeout(resolve, LIMITS.quietMs + 50));
    expect(worker.isTerminated).toBe(false);
    expect(bridge.generation).toBe(1);
  });

  test("a job that was still queued at a cancel never starts", async () => {
    let opened = 0;
    const worker = new FakeWorker({
      open: async () => {
        opened++;
        await new Promise((resolve) => setTimeout(resolve, 60));
        return { ok: true, value: SUMMARY };
      },
    });
    const { bridge } = bridgeTo(worker);
    await bridge.start();
    const first = codeOf(bridge.call("first", (api) => api.open(MODEL)));
    const second = codeOf(bridge.call("second", (api) => api.open(MODEL)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    bridge.cancel();
    expect(await second).toBe("run/cancelled");
    await first;
    expect(opened).toBe(1);
  });

  test("notices a worker that hangs, rejects the call and starts another", async () => {
    const hanging = new FakeWorker({ open: never });
    const { bridge, lost } = bridgeTo(hanging, new FakeWorker({}));
    await bridge.start();
    const call = codeOf(bridge.call("opening", (api) => api.open(MODEL)));
    hanging.hang();
    expect(await call).toBe("worker/unresponsive");
    expect(lost.map((error) => error.code)).toEqual(["worker/unresponsive"]);
    expect(hanging.isTerminated).toBe(true);
    expect(await bridge.call("opening again", (api) => api.open(MODEL))).toEqual(SUMMARY);
  });

  test("notices a script that is missing: an error event without a message", async () => {
    const missing = new FakeWorker({}, true);
    const { bridge } = bridgeTo(missing, new FakeWorker({}));
    const start = codeOf(bridge.start());
    missing.dispatchEvent(new Event("error"));
    expect(await start).toBe("worker/failed");
    expect(await bridge.start()).toEqual(DEVICE);
  });

  test("gives up on a worker that never greets", async () => {
    const { bridge } = bridgeTo(new FakeWorker({}, true), new FakeWorker({}));
    expect(await codeOf(bridge.start())).toBe("worker/failed");
  });

  test("restarts by itself once, not for ever", async () => {
    const { bridge, lost } = bridgeTo(new FakeWorker({}, true), new FakeWorker({}, true), new FakeWorker({}));
    expect(await codeOf(bridge.start())).toBe("worker/failed");
    expect(await codeOf(bridge.start())).toBe("worker/failed");
    expect(lost).toHaveLength(2);
    expect(bridge.generation).toBe(2);
    expect(await bridge.start()).toEqual(DEVICE);
  });

  test("an answer that is no outcome is a typed error", async () => {
    const { bridge } = bridgeTo(new FakeWorker({ open: async () => "surprise" }));
    expect(await codeOf(bridge.call("opening", (api) => api.open(MODEL)))).toBe("worker/bad-answer");
  });

  test("an answer that cannot be cloned is a typed error", async () => {
    const { bridge } = bridgeTo(new FakeWorker({ open: async () => ({ ok: true, value: () => undefined }) }));
    expect(await codeOf(bridge.call("opening", (api) => api.open(MODEL)))).toBe("worker/bad-answer");
  });

  test("hands events through while a job runs, and none after it was cancelled", async () => {
    const worker = new FakeWorker({ open: never });
    const { bridge, events } = bridgeTo(worker, new FakeWorker({}));
    await bridge.start();
    const call = codeOf(bridge.call("opening", (api) => api.open(MODEL)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const progress = { phase: "reading", doneBytes: 1, totalBytes: 2, item: null, doneItems: 0, totalItems: 1 };
    worker.events?.postMessage({ type: "progress", progress });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(events).toEqual([{ type: "progress", progress }]);
    bridge.cancel();
    await call;
    worker.events?.postMessage({ type: "progress", progress });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(events).toHaveLength(1);
  });
});
