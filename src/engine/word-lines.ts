import type { MeasuredTokens } from "./measure-result.ts";

/** Every token id that the lines of some positions name, each once. */
export function wordIds({ rows }: MeasuredTokens, windows: readonly (readonly number[])[]): readonly number[] {
  const ids = new Set(windows.flat());
  for (const { scores } of rows) {
    for (const id of scores.topBase) ids.add(id);
    for (const id of scores.top) ids.add(id);
  }
  return [...ids].sort((a, b) => a - b);
}

/**
 * A line of JSON for each scheme and scored position: `scheme`, `window`, `position` (of the token that the models have read
 * last), `token` and `text` of the one that came next, `kld` in nats, `nll` and `nllBase` in nats, `deltaP`, and the most
 * likely token of both as {token, text, p}. What is not finite is null.
 * @param pieces texts of `wordIds`, in their order
 */
export function wordLines(
  measured: MeasuredTokens,
  windows: readonly (readonly number[])[],
  pieces: readonly string[],
): string {
  const texts = new Map(wordIds(measured, windows).map((id, index) => [id, pieces[index] ?? `#${id}`]));
  const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null);
  const top = (token = 0, p: number | undefined) => ({ token, text: texts.get(token), p: finite(p) });
  const lines: string[] = [];
  for (const { scheme, scores } of measured.rows) {
    for (const [index, window] of measured.windows.entries()) {
      const position = measured.places[index] ?? 0;
      const token = windows[window]?.[position + 1] ?? 0;
      lines.push(
        JSON.stringify({
          ...{ scheme, window, position, token, text: texts.get(token) },
          kld: finite(scores.kld[index]),
          nllBase: finite(scores.nllBase[index]),
          nll: finite(scores.nll[index]),
          deltaP: finite(scores.deltaP[index]),
          before: top(scores.topBase[index], scores.pTopBase[index]),
          after: top(scores.top[index], scores.pTop[index]),
          flipped: scores.sameTop[index] !== 1 && finite(scores.kld[index]) !== null,
        }),
      );
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}
