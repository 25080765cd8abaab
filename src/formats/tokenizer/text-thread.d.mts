/** What a text thread is asked, one request at a time. */
export type TextRequestMessage =
  | { readonly kind: "tokenizer"; readonly text: string }
  | { readonly kind: "encode"; readonly texts: readonly string[]; readonly addsSpecial: boolean }
  | { readonly kind: "template"; readonly text: string }
  | {
      readonly kind: "render";
      readonly conversations: readonly (readonly unknown[])[];
      readonly variables: Readonly<Record<string, unknown>>;
    };

/** What it answers: first of all `ready`. */
export interface TextAnswer {
  readonly value?: unknown;
  readonly failure?: { readonly kind: "syntax" | "grows" | "too-slow" | "refused" | "failed"; readonly words: string };
}

interface TokenizerOfLibrary {
  encode(text: string, options?: { readonly add_special_tokens?: boolean }): { readonly ids: readonly number[] };
}

export function makeTokenizer(text: string): TokenizerOfLibrary;
export function encodeTexts(
  tokenizer: TokenizerOfLibrary,
  texts: readonly string[],
  addsSpecial: boolean,
): readonly Uint32Array[];
export function serve(port: { postMessage(message: unknown): void; onmessage: unknown }): void;
