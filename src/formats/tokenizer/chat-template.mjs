// Renders a chat template of a checkpoint: Jinja text that is as untrusted as the rest of it. It may loop for ever, or
// build what fills memory; steps, ranges and the text are counted.
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";

/** Statements and expressions of one rendering. A template of 20 kB takes some 200 a message. */
const MAX_STEPS = 300_000;

/** Numbers of one `range`: the library makes all of them at once. */
const MAX_RANGE = 100_000;

/** Characters of one rendering. */
const MAX_TEXT = 16_000_000;

/**
 * Templates that ask for today's date would make other tokens every day, and no measurement could be repeated: they get the
 * date that Llama 3.1's template falls back to.
 */
const DATE = new Map([
  ["%d", "26"],
  ["%b", "Jul"],
  ["%B", "July"],
  ["%m", "07"],
  ["%Y", "2024"],
  ["%y", "24"],
  ["%A", "Friday"],
  ["%a", "Fri"],
  ["%H", "00"],
  ["%M", "00"],
  ["%S", "00"],
  ["%%", "%"],
]);

/** Thrown by a template that would take too long; its `kind` becomes the second half of an error code. */
export class TemplateTooSlow extends Error {
  kind = "too-slow";
}

/** Thrown where the template itself refuses the messages. */
class TemplateRefused extends Error {
  kind = "refused";
}

/** The library's text value, which it keeps to itself. */
const StringValue = new Environment().set("text", "").constructor;

/** Statements, whose value is no text of theirs. */
const SILENT = new Set(["Set", "Macro", "Comment"]);

function printed(value, { type }) {
  switch (value.type) {
    case "UndefinedValue":
      return "";
    case "NullValue":
      return SILENT.has(type) ? "" : "None";
    case "BooleanValue":
      return value.value ? "True" : "False";
    default:
      return value.toString();
  }
}

class BoundedInterpreter extends Interpreter {
  steps = 0;

  #step() {
    this.steps++;
    if (this.steps > MAX_STEPS) throw new TemplateTooSlow(`more than ${MAX_STEPS} steps`);
  }

  /** Once a turn of a loop, also of one around nothing. Prints as Python does, where the library prints as JavaScript. */
  evaluateBlock(statements, environment) {
    this.#step();
    let text = "";
    for (const statement of statements) {
      text += printed(this.evaluate(statement, environment), statement);
      if (text.length > MAX_TEXT) throw new TemplateTooSlow(`more than ${MAX_TEXT} characters`);
    }
    return new StringValue(text);
  }

  evaluate(statement, environment) {
    this.#step();
    const value = super.evaluate(statement, environment);
    const size = typeof value?.value === "string" || Array.isArray(value?.value) ? value.value.length : 0;
    if (size > MAX_TEXT) throw new TemplateTooSlow(`more than ${MAX_TEXT} characters or items`);
    return value;
  }
}

function boundedRange(start, stop, step = 1) {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= MAX_RANGE)) throw new TemplateTooSlow(`a range of ${length} numbers`);
  return Array.from({ length }, (_, place) => from + place * step);
}

/** Statements of a template, parsed as transformers does (`_compile_jinja_template`). */
export function parseTemplate(template) {
  return parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
}

/**
 * The text of a conversation.
 * @param program of `parseTemplate`
 * @param {Record<string, unknown>} variables `messages`, `add_generation_prompt`, names of special tokens
 */
export function renderTemplate(program, variables) {
  const environment = new Environment();
  const globals = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    range: boundedRange,
    raise_exception: (words) => {
      throw new TemplateRefused(String(words));
    },
    strftime_now: (format) => String(format).replace(/%[a-zA-Z%]/g, (code) => DATE.get(code) ?? code),
    ...variables,
  };
  for (const [name, value] of Object.entries(globals)) environment.set(name, value);
  return new BoundedInterpreter(environment).run(program).value;
}
