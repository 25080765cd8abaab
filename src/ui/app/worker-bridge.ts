import * as Comlink from "comlink";
import { cancelledError, LabError } from "../../base/errors.ts";
import type { DeviceChoice } from "../../engine/api.ts";
import type { DeviceSummary, Outcome, WorkerApi, WorkerEvent } from "../../engine/worker-api.ts";

/** The part of a `Worker` that the bridge uses. */
export interface WorkerLike extends Comlink.Endpoint {
  terminate(): void;
}

/** What the bridge needs from its page. */
export interface BridgeOptions {
  /** Starts a worker; may throw. */
  readonly createWorker: () => WorkerLike;
  /** Where kernels run in a worker that starts; the quicker device unless said. */
  readonly device?: () => DeviceChoice;
  /** Called for each event of the running job but its signs of life; not after that job has settled here. */
  readonly onEvent?: (event: WorkerEvent) => void;
  /** Called when a worker was lost, before its replacement starts. */
  readonly onLost?: (error: LabError) => void;
  readonly limits?: Partial<BridgeLimits>;
}

/** How long the bridge waits, in milliseconds. */
export interface BridgeLimits {
  /** For the first answer of a new worker. A worker whose script is missing never answers at all. */
  readonly handshakeMs: number;
  /** Without a sign of life before the worker is ended. */
  readonly silenceMs: number;
  /** Between two looks at the clock. */
  readonly watchMs: number;
  /** From a cancel until the page stops waiting for the worker: 100 ms, less the frames that show it. */
  readonly cancelMs: number;
  /** From a cancel until a worker that has not gone quiet is ended. */
  readonly quietMs: number;
}

const LIMITS: BridgeLimits = { handshakeMs: 5_000, silenceMs: 5_000, watchMs: 1_000, cancelMs: 70, quietMs: 1_000 };

/** A worker that dies again before it finished a single call is not started a third time by itself. */
const AUTOMATIC_RESTARTS = 1;

/** One living worker and everything that must be dropped with it. */
interface Session {
  readonly worker: WorkerLike;
  /** Kept here until the session ends: comlink may lose calls whose proxy was collected. */
  readonly api: Comlink.Remote<WorkerApi>;
  readonly events: MessagePort;
  /** Rejects when the worker is gone. comlink's own promises then never settle. */
  readonly gone: PromiseWithEnd;
  device: Promise<DeviceSummary>;
  lastSign: number;
  watch: ReturnType<typeof setInterval> | undefined;
}

interface PromiseWithEnd {
  readonly promise: Promise<never>;
  readonly end: (error: LabError) => void;
}

/**
 * The page's side of the engine worker. Every call settles: with the worker's answer, with the typed error the worker sent,
 * or with one of its own: `worker/failed`, `worker/unresponsive`, `run/cancelled`.
 */
export class WorkerBridge {
  readonly #options: BridgeOptions;
  readonly #limits: BridgeLimits;
  #session: Session | null = null;
  #restartsLeft = AUTOMATIC_RESTARTS;
  #running: { readonly cancel: () => void; readonly settled: Promise<unknown> } | null = null;
  /** Settles when the worker has gone quiet after the last job, or was ended. */
  #quiet: Promise<unknown> = Promise.resolve();
  #closed = false;
  #generation = 0;
  /** Counts cancels, so that a job still queued at a cancel never starts. */
  #cancels = 0;
  /** The running job has been sent; what an earlier one still says is not passed on. */
  #isListening = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
  }

  /** Starts the worker if none lives, and says where its kernels run. Also the way back after a second failure. */
  async start(): Promise<DeviceSummary> {
    this.#session ??= this.#open();
    return await this.#session.device;
  }

  /**
   * Runs one job in the worker. Jobs queue: a job waits until the one before has gone quiet.
   * @param doing what the call does, for messages
   * @throws LabError always, and nothing else
   */
  async call<T>(doing: string, invoke: (api: Comlink.Remote<WorkerApi>) => Promise<Outcome<T>>): Promise<T> {
    const cancels = this.#cancels;
    while (this.#running !== null) await this.#running.settled.catch(() => undefined);
    if (cancels !== this.#cancels) throw cancelledError(doing);
    let cancel: () => void = () => undefined;
    const cancelled = new Promise<never>((_, reject) => {
      cancel = () => reject(cancelledError(doing));
    });
    cancelled.catch(() => undefined);
    const settled = this.#race(doing, invoke, cancelled);
    const running = { cancel: () => this.#stop(cancel), settled };
    this.#running = running;
    try {
      return await settled;
    } finally {
      this.#isListening = false;
      if (this.#running === running) this.#running = null;
    }
  }

  /**
   * Asks something small that is no job: it waits for none, and a cancel leaves it alone.
   * @throws LabError always, and nothing else
   */
  async ask<T>(doing: string, invoke: (api: Comlink.Remote<WorkerApi>) => Promise<Outcome<T>>): Promise<T> {
    this.#session ??= this.#open();
    const session = this.#session;
    await Promise.race([session.device, session.gone.promise]);
    const answer = Promise.resolve(invoke(session.api)).catch((thrown) => unclonable(thrown, doing));
    return openOutcome(await Promise.race([answer, session.gone.promise]), doing);
  }

  /** Whether a job runs. */
  get isBusy(): boolean {
    return this.#running !== null;
  }

  /** Counts workers. A new number means that the checkpoint has to be opened again. */
  get generation(): number {
    return this.#generation;
  }

  /** Ends the running job and those that wait. Each rejects with `run/cancelled` within 100 ms, whatever the worker does. */
  cancel(): void {
    this.#cancels++;
    this.#running?.cancel();
  }

  /** Ends the worker for good. */
  close(): void {
    this.#closed = true;
    const session = this.#session;
    if (session !== null) this.#end(session, cancelledError("closing the lab"));
  }

  async #race<T>(
    doing: string,
    invoke: (api: Comlink.Remote<WorkerApi>) => Promise<Outcome<T>>,
    cancelled: Promise<never>,
  ): Promise<T> {
    await Promise.race([this.#quiet, cancelled]);
    this.#session ??= this.#open();
    const session = this.#session;
    await Promise.race([session.device, session.gone.promise, cancelled]);
    this.#isListening = true;
    const answer = Promise.resolve(invoke(session.api));
    this.#quiet = Promise.race([answer, session.gone.promise]).catch(() => undefined);
    const outcome = await Promise.race([
      answer.catch((thrown) => unclonable(thrown, doing)),
      session.gone.promise,
      cancelled,
    ]);
    this.#restartsLeft = AUTOMATIC_RESTARTS;
    return openOutcome(outcome, doing);
  }

  /** Asks the worker to stop, then stops waiting, then stops the worker. */
  #stop(settleHere: () => void): void {
    const session = this.#session;
    setTimeout(settleHere, this.#limits.cancelMs);
    if (session === null) return;
    Promise.resolve(session.api.cancel()).catch(() => undefined);
    const quiet = this.#quiet;
    const patience = setTimeout(() => {
      if (this.#session !== session) return;
      this.#end(session, cancelledError("ending a worker that did not stop"));
      this.#replace();
    }, this.#limits.quietMs);
    void quiet.finally(() => clearTimeout(patience));
  }

  #open(): Session {
    this.#generation++;
    const gone = promiseWithEnd();
    let worker: WorkerLike;
    try {
      worker = this.#options.createWorker();
    } catch (thrown) {
      throw workerFailed("the browser refused to start it", thrown);
    }
    const channel = new MessageChannel();
    const session: Session = {
      worker,
      api: Comlink.wrap<WorkerApi>(worker),
      events: channel.port1,
      gone,
      device: gone.promise,
      lastSign: performance.now(),
      watch: undefined,
    };
    const fail = (event: Event): void => {
      const message =
        "message" in event && typeof event.message === "string" && event.message !== "" ? event.message : null;
      const found =
        event.type === "messageerror"
          ? "it sent something that could not be read"
          : (message ?? "it ended without saying why; its script may be missing or blocked");
      this.#lose(session, workerFailed(found));
    };
    worker.addEventListener("error", fail as EventListener);
    worker.addEventListener("messageerror", fail as EventListener);
    channel.port1.onmessage = (event: MessageEvent<WorkerEvent>) => {
      session.lastSign = performance.now();
      if (this.#session === session && event.data.type !== "alive" && this.#isListening) {
        this.#options.onEvent?.(event.data);
      }
    };
    session.device = this.#greet(session, channel.port2);
    session.device.catch(() => undefined);
    return session;
  }

  async #greet(session: Session, port: MessagePort): Promise<DeviceSummary> {
    const timer = setTimeout(() => {
      this.#lose(
        session,
        workerFailed(`it did not answer within ${this.#limits.handshakeMs / 1000} seconds of its start`),
      );
    }, this.#limits.handshakeMs);
    try {
      const answer = Promise.resolve(
        session.api.start(Comlink.transfer(port, [port]), this.#options.device?.() ?? "auto"),
      );
      const outcome = await Promise.race([answer, session.gone.promise]);
      const { device } = openOutcome(outcome, "starting the engine");
      session.lastSign = performance.now();
      session.watch = this.#watch(session);
      return device;
    } catch (thrown) {
      if (this.#session === session) this.#lose(session, asWorkerError(thrown));
      throw asWorkerError(thrown);
    } finally {
      clearTimeout(timer);
    }
  }

  #watch(session: Session): ReturnType<typeof setInterval> {
    const { watchMs, silenceMs } = this.#limits;
    let lastLook = performance.now();
    return setInterval(() => {
      const now = performance.now();
      // A late look means that this page slept, in a hidden tab or a closed laptop: then silence proves nothing.
      if (now - lastLook > 2 * watchMs + silenceMs / 2) session.lastSign = now;
      lastLook = now;
      if (now - session.lastSign > silenceMs) this.#lose(session, unresponsive(silenceMs));
    }, watchMs);
  }

  /** The worker is lost: tells everyone who waits, and starts another, once. */
  #lose(session: Session, error: LabError): void {
    if (this.#session !== session) return;
    this.#end(session, error);
    this.#options.onLost?.(error);
    if (this.#restartsLeft > 0) {
      this.#restartsLeft--;
      this.#replace();
    }
  }

  #replace(): void {
    if (this.#closed) return;
    try {
      this.#session = this.#open();
    } catch {
      // The next call tries again and reports what it meets.
    }
  }

  /** Drops worker, proxy and port together. The proxy is not released: on a dead worker that would wait for ever. */
  #end(session: Session, error: LabError): void {
    clearInterval(session.watch);
    session.worker.terminate();
    session.events.close();
    if (this.#session === session) this.#session = null;
    session.gone.end(error);
  }
}

function promiseWithEnd(): PromiseWithEnd {
  let end: (error: LabError) => void = () => undefined;
  const promise = new Promise<never>((_, reject) => {
    end = reject;
  });
  promise.catch(() => undefined);
  return { promise, end };
}

/** The value of an outcome, or its error as a `LabError` again. */
function openOutcome<T>(outcome: Outcome<T>, doing: string): T {
  if (typeof outcome === "object" && outcome !== null && outcome.ok === true) return outcome.value;
  if (typeof outcome === "object" && outcome !== null && outcome.ok === false) throw LabError.fromData(outcome.error);
  throw unclonable(undefined, doing);
}

function unclonable(thrown: unknown, doing: string): never {
  throw new LabError({
    code: "worker/bad-answer",
    doing,
    found: "the engine's answer could not cross to the page",
    allowed: "plain data",
    advice: "this is a defect of the lab: please report it with these words",
    cause: thrown,
  });
}

function asWorkerError(thrown: unknown): LabError {
  return thrown instanceof LabError ? thrown : workerFailed("it failed while starting", thrown);
}

function workerFailed(found: string, cause?: unknown): LabError {
  return new LabError({
    code: "worker/failed",
    doing: "running the engine's worker",
    found,
    allowed: "a worker that starts and stays alive",
    advice: "what is on screen stands; compare again, and reload the page if it happens twice",
    ...(cause === undefined ? {} : { cause }),
  });
}

function unresponsive(silenceMs: number): LabError {
  return new LabError({
    code: "worker/unresponsive",
    doing: "running the engine's worker",
    found: `it gave no sign of life for ${silenceMs / 1000} seconds and was ended`,
    allowed: "a sign of life each second",
    advice: "what is on screen stands; compare again, with a smaller model if it happens twice",
  });
}
