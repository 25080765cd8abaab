import { cancelledError, type ErrorCode, LabError, quote } from "../../base/errors.ts";
import type { TextAnswer, TextRequestMessage } from "./text-thread.d.mts";

/** A thread that runs patterns and templates of untrusted files. Lent by the host. */
export interface TextThread {
  post(message: TextRequestMessage): void;
  /** @param onFailure called when the thread ends by itself or cannot be started */
  listen(onAnswer: (answer: TextAnswer) => void, onFailure: (reason: string) => void): void;
  terminate(): void;
}

/** Starts a text thread. It says `ready` as its first answer. */
export type StartTextThread = () => TextThread;

/** What a request may cost. */
export interface TextLimits {
  /** The thread is ended when this passes. */
  readonly limitMs: number;
  /** Aborting it ends the thread, and the request with `run/cancelled`. */
  readonly signal?: AbortSignal | undefined;
}

/** A thread loads two packages; on a busy machine that takes a second. */
const START_LIMIT_MS = 15_000;

/** What fails where, in the words of the errors. */
interface Subject {
  readonly area: "tokenizer" | "template";
  readonly doing: string;
  readonly file: string;
  /** Rules of a time limit, and of all other failures but those below. */
  readonly slowRule: string;
  readonly rule: string;
}

const TOKENIZER: Subject = {
  area: "tokenizer",
  doing: "making tokens with tokenizer.json",
  file: "tokenizer.json",
  slowRule: "K01",
  rule: "K11",
};
const TEMPLATE: Subject = {
  area: "template",
  doing: "filling in the chat template",
  file: "chat template",
  slowRule: "K13",
  rule: "K13",
};
const SUBJECTS: Readonly<Record<TextRequestMessage["kind"], Subject>> = {
  tokenizer: TOKENIZER,
  encode: TOKENIZER,
  template: TEMPLATE,
  render: TEMPLATE,
};

/** One text thread, asked one thing at a time. Its first failure by time, death or cancelling ends it for good. */
export class TextThreadClient {
  readonly #thread: TextThread;
  readonly #ready: Promise<void>;
  #settle: { resolve(answer: TextAnswer): void; reject(reason: LabError): void } | null = null;
  #died: string | null = null;

  constructor(start: StartTextThread) {
    this.#thread = start();
    this.#thread.listen(
      (answer) => this.#settle?.resolve(answer),
      (reason) => this.#end(quote(reason)),
    );
    this.#ready = this.#answer(START_LIMIT_MS, undefined, () => notStarted("it did not answer")).then(
      () => undefined,
      (thrown: unknown) => {
        throw thrown instanceof LabError && thrown.code === "worker/text-thread-died"
          ? notStarted(thrown.found)
          : thrown;
      },
    );
    // Whoever asks first is told; a thread that nobody asks may fail unseen.
    this.#ready.catch(() => undefined);
  }

  /**
   * Asks the thread.
   * @throws LabError `tokenizer/too-slow` (K01), `tokenizer/bad-pattern` (K03), `tokenizer/grows` (K04), `tokenizer/failed`
   *   (K11), `template/too-slow`, `template/syntax`, `template/refused`, `template/failed` (K13), `run/cancelled`,
   *   `worker/text-thread-not-started`, `worker/text-thread-died`
   */
  async request(message: TextRequestMessage, { limitMs, signal }: TextLimits): Promise<unknown> {
    const subject = SUBJECTS[message.kind];
    await this.#ready;
    if (signal?.aborted) throw cancelledError("preparing text");
    if (this.#died !== null) throw died(this.#died);
    const answered = this.#answer(limitMs, signal, () => tooSlow(subject, `it ran for more than ${limitMs} ms`));
    this.#thread.post(message);
    const { value, failure } = await answered;
    if (failure) throw failureError(subject, failure);
    return value;
  }

  /** Ends the thread. Safe to call more than once. */
  close(): void {
    this.#end("it was ended");
  }

  #end(reason: string): void {
    this.#died ??= reason;
    this.#thread.terminate();
    this.#settle?.reject(died(this.#died));
  }

  /** The next answer, or the end of the thread. */
  #answer(limitMs: number, signal: AbortSignal | undefined, slow: () => LabError): Promise<TextAnswer> {
    const { promise, resolve, reject } = deferred<TextAnswer>();
    this.#settle = { resolve, reject };
    const stop = (error: LabError) => {
      this.#settle = null;
      this.#end(error.found);
      reject(error);
    };
    const timer = setTimeout(() => stop(slow()), limitMs);
    const cancel = () => stop(cancelledError("preparing text"));
    signal?.addEventListener("abort", cancel);
    return promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
      this.#settle = null;
    });
  }
}

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}

function failureError(subject: Subject, { kind, words }: NonNullable<TextAnswer["failure"]>): LabError {
  const found = quote(words);
  switch (kind) {
    case "too-slow":
      return tooSlow(subject, found);
    case "grows":
      return textError(subject, "tokenizer/grows", "K04", found, "normalizers that keep a text's size in bounds");
    case "refused":
      return textError(subject, "template/refused", "K13", `the template says: ${found}`, "messages that it takes");
    case "syntax": {
      const isTemplate = subject.area === "template";
      const code = isTemplate ? "template/syntax" : "tokenizer/bad-pattern";
      const allowed = isTemplate ? "Jinja as transformers reads it" : "patterns that this engine can run";
      return textError(subject, code, isTemplate ? "K13" : "K03", found, allowed);
    }
    default:
      return textError(subject, `${subject.area}/failed`, subject.rule, found, "files that give tokens");
  }
}

function tooSlow(subject: Subject, found: string): LabError {
  const allowed = "patterns and templates that end in time";
  return textError(subject, `${subject.area}/too-slow`, subject.slowRule, found, allowed);
}

function textError({ doing, file }: Subject, code: ErrorCode, rule: string, found: string, allowed: string): LabError {
  const advice = "take the tokenizer that belongs to the weights, or give the text as token ids";
  return new LabError({ code, doing, found, allowed, advice, fields: { rule, file } });
}

function died(reason: string): LabError {
  return new LabError({
    code: "worker/text-thread-died",
    doing: "making tokens",
    found: reason,
    allowed: "a thread that lives until its work is done",
    advice: "try again with a shorter text",
  });
}

function notStarted(reason: string): LabError {
  return new LabError({
    code: "worker/text-thread-not-started",
    doing: "starting a thread for text",
    found: reason,
    allowed: `a thread that answers within ${START_LIMIT_MS} ms`,
    advice: "reload the page, or close what keeps this machine busy",
  });
}
