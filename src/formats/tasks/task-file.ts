import { type ErrorCode, LabError, quote } from "../../base/errors.ts";
import { isJsonArray, isJsonNumber, isJsonObject, type JsonValue, parseJson } from "../../base/json.ts";
import type { ByteSource } from "../byte-source.ts";

/** One question with several answers, as a task file has it. */
export interface TaskItem {
  /** Comes before each choice, as it is. */
  readonly context: string;
  readonly choices: readonly string[];
  /** Which of them is right, from 0. */
  readonly answer: number;
}

/** Ten choices each of some thousand tokens: a day of measuring on any machine that runs this lab. */
export const MAX_ITEMS = 2000;

export const MIN_CHOICES = 2;

/** MMLU-Pro's questions have ten. */
export const MAX_CHOICES = 10;

/** Characters of a context: some 4,000 tokens, more than few-shot contexts of the usual suites take. */
export const MAX_CONTEXT = 16_384;

/** Characters of a choice. */
export const MAX_CHOICE = 4096;

/** Every item as long as it may be would be ten times this; none of a known suite comes near. */
const MAX_BYTES = 32_000_000;

/** One line: every character of it escaped. */
const LINE_LIMITS = { maxBytes: 6 * (MAX_CONTEXT + MAX_CHOICES * MAX_CHOICE) + 1024, maxValues: 64 };

const KEYS = ["context", "choices", "answer"];

/**
 * The items of a task file: JSON lines `{"context": "…", "choices": ["…", …], "answer": 0}`, strict UTF-8 and JSON, no other
 * keys. Blank lines are passed over.
 * @throws LabError `tasks/too-large`, `tasks/empty`, `tasks/too-many-items`, `tasks/bad-line` (field `line`, from 1), `source/…`
 */
export async function readTaskFile(source: ByteSource): Promise<readonly TaskItem[]> {
  const { name, sizeBytes } = source;
  if (sizeBytes > MAX_BYTES) {
    throw taskError("tasks/too-large", name, `${sizeBytes} bytes`, `at most ${MAX_BYTES} bytes`, "give a part of it");
  }
  const bytes = await source.read(0, sizeBytes);
  const items: TaskItem[] = [];
  let line = 0;
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed === -1 ? bytes.length : feed;
    line++;
    const own = bytes.subarray(start, end);
    if (own.some((byte) => byte > 0x20)) items.push(readItem(own, name, line));
    if (items.length > MAX_ITEMS) {
      throw taskError("tasks/too-many-items", name, `more than ${MAX_ITEMS} items`, "fewer", "give a part of it");
    }
    start = end + 1;
  }
  if (items.length === 0) throw taskError("tasks/empty", name, "no item", "an item on each line", "give another file");
  return items;
}

function readItem(bytes: Uint8Array, name: string, line: number): TaskItem {
  const bad = (found: string, cause?: unknown) =>
    taskError(
      "tasks/bad-line",
      name,
      `line ${line}: ${found}`,
      '{"context": "…", "choices": ["…", "…"], "answer": 0} on each line',
      "mend that line",
      { line },
      cause,
    );
  let value: JsonValue;
  try {
    value = parseJson(bytes, name, LINE_LIMITS);
  } catch (thrown) {
    throw thrown instanceof LabError ? bad(thrown.found, thrown) : thrown;
  }
  if (!isJsonObject(value)) throw bad("JSON that is not an object");
  const strange = [...value.keys()].find((key) => !KEYS.includes(key));
  if (strange !== undefined) throw bad(`the key "${quote(strange)}"`);
  const [context, choices, answer] = KEYS.map((key) => value.get(key));
  if (typeof context !== "string" || context.trim() === "") throw bad("no context");
  if (context.length > MAX_CONTEXT) throw bad(`a context of ${context.length} characters, more than ${MAX_CONTEXT}`);
  if (!isJsonArray(choices) || choices.length < MIN_CHOICES || choices.length > MAX_CHOICES) {
    throw bad(`no list of ${MIN_CHOICES} to ${MAX_CHOICES} choices`);
  }
  const texts = choices.map((choice) => {
    if (typeof choice !== "string" || choice.trim() === "") throw bad("a choice that is no text, or empty");
    if (choice.length > MAX_CHOICE) throw bad(`a choice of ${choice.length} characters, more than ${MAX_CHOICE}`);
    return choice;
  });
  if (new Set(texts).size < texts.length) throw bad("a choice that stands there twice");
  const place = isJsonNumber(answer) ? answer.asUnsignedInteger() : undefined;
  if (place === undefined || place >= BigInt(texts.length)) {
    throw bad(`an answer that is no whole number from 0 to ${texts.length - 1}`);
  }
  return { context, choices: texts, answer: Number(place) };
}

function taskError(
  code: ErrorCode,
  name: string,
  found: string,
  allowed: string,
  advice: string,
  fields: Readonly<Record<string, number>> = {},
  cause?: unknown,
): LabError {
  const file = quote(name);
  const doing = `reading the task file ${file}`;
  return new LabError({ code, doing, found, allowed, advice, fields: { file, ...fields }, cause });
}
