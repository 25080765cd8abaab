import type { TextChoice } from "../../engine/worker-api.ts";
import { listWords } from "./list-words.ts";
import { shortName } from "./safe-name.ts";

/** What a measurement is asked to run on. */
export interface AskedText {
  readonly source: TextChoice["source"];
  /** How many windows, of all texts together. */
  readonly windows: number;
  /** Tokens in a window; null for what is usual with such a text. */
  readonly context: number | null;
}

/** Whether two are the same text cut alike; the number of windows aside. */
export function isSameText(one: AskedText, other: AskedText): boolean {
  return one.context === other.context && sourceKey(one) === sourceKey(other) && fileOf(one) === fileOf(other);
}

function sourceKey({ source }: AskedText): string {
  switch (source.kind) {
    case "bundled":
      return source.names.join(" ");
    case "pasted":
      return `pasted\n${source.text}`;
    case "file":
      return "file";
  }
}

function fileOf({ source }: AskedText): File | null {
  return source.kind === "file" ? source.file : null;
}

/** A text's name in a sentence. */
export function textName({ source }: AskedText): string {
  switch (source.kind) {
    case "bundled":
      return listWords(source.names);
    case "pasted":
      return "the pasted text";
    case "file":
      return shortName(source.file.name);
  }
}
