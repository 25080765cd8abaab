/** A command as people find it. */
export interface CommandWords {
  /** Stable: links and macros may name it. */
  readonly id: string;
  readonly group: string;
  readonly words: string;
  /** `x`, `g l`, `Escape`, `mod+k`; null without one. */
  readonly key: string | null;
}

/** As many as a list shows; more letters find the rest. */
const MAX_SHOWN = 30;

/**
 * Commands that have all words of the query, in any order, whatever their letter case; the best first: a whole word before
 * the start of one, that before the middle of one. Without a query all but the long lists of names.
 */
export function findCommands(commands: readonly CommandWords[], query: string): readonly CommandWords[] {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return commands.filter(({ group }) => group !== "Matrices").slice(0, MAX_SHOWN);
  const ranked = commands.flatMap((command, index) => {
    const text = `${command.group} ${command.words}`.toLowerCase();
    const ranks = wanted.map((word) => rankOf(text, word));
    return ranks.some((rank) => rank === null)
      ? []
      : [{ command, index, rank: Math.max(...ranks.map((rank) => rank ?? 0)) }];
  });
  ranked.sort((a, b) => a.rank - b.rank || a.index - b.index);
  return ranked.slice(0, MAX_SHOWN).map(({ command }) => command);
}

/** 0 where it is a word of the text, 1 where it starts one, 2 where it lies inside one, null where it is not there. */
function rankOf(text: string, word: string): number | null {
  const words = text.split(/[^\p{L}\p{N}]+/u);
  if (words.includes(word)) return 0;
  if (words.some((each) => each.startsWith(word))) return 1;
  return text.includes(word) ? 2 : null;
}
