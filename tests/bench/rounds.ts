/** Something to time. */
export interface TimedCase {
  readonly name: string;
  run(): Promise<void>;
}

/** Milliseconds of each case in each round. */
export type Rounds = Readonly<Record<string, readonly number[]>>;

/**
 * Times cases, interleaved: every round runs each once, the order moved on by one, so that a machine that slows down slows all
 * of them and ratios can be formed inside a round. One more round is run first, since it compiles.
 */
export async function timeRounds(cases: readonly TimedCase[], rounds: number): Promise<Rounds> {
  const times: Record<string, number[]> = Object.fromEntries(cases.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const place of cases.keys()) {
      const item = cases[(place + round) % cases.length] as TimedCase;
      const started = performance.now();
      await item.run();
      if (round > 0) times[item.name]?.push(performance.now() - started);
    }
  }
  return times;
}
