import type { Engine, JobHooks } from "../engine/api.ts";
import type { MeasuredTokens, MeasureResult } from "../engine/measure-result.ts";
import { createDiskOutput, type DiskModel, openDiskModel, writeDiskFile } from "../engine/node-host.ts";
import { wordIds, wordLines } from "../engine/word-lines.ts";
import type { Command } from "./options.ts";
import { prepareCalibration, prepareMeasuredText } from "./texts.ts";

/** What the KL divergences of a row are written to, by its place and name: names may hold what no file may. */
const positionsFile = (scheme: string, index: number) =>
  `${index + 1}-${scheme.replaceAll(/[^A-Za-z0-9=.-]+/g, "_").slice(0, 80)}.kld.f64`;

/**
 * Runs `lab measure` on the open model.
 * @throws LabError as `Engine.prepareText` and `Engine.measure`, and `export/…` for `--per-position` and `--words`
 */
export async function measureCommand(
  command: Command,
  engine: Engine,
  model: DiskModel,
  hooks: JobHooks,
): Promise<MeasureResult> {
  const others: DiskModel[] = [];
  // Made before the work, so that a folder that cannot be written to is known at once.
  const output = command.perPosition === null ? null : await createDiskOutput(command.perPosition, model);
  try {
    const calibration = await prepareCalibration(command, engine, hooks);
    const text = await prepareMeasuredText(command, engine, calibration, hooks);
    for (const path of command.against) others.push(await openDiskModel(path));
    const { schemes, arithmetic, ignore, roundings, served } = command;
    let tokens: MeasuredTokens | null = null;
    const result = await engine.measure(
      { schemes, arithmetic, ignore, text, roundings, served, calibration },
      {
        ...hooks,
        onTokens: (soFar) => {
          tokens = soFar;
        },
      },
      others.map(({ folder }) => folder),
    );
    if (tokens) await writeTokens(tokens, command, engine, text.windows, output);
    return result;
  } catch (thrown) {
    await output?.discard();
    throw thrown;
  } finally {
    for (const other of others) await other.close();
  }
}

async function writeTokens(
  tokens: MeasuredTokens,
  command: Command,
  engine: Engine,
  windows: readonly (readonly number[])[],
  output: Awaited<ReturnType<typeof createDiskOutput>> | null,
): Promise<void> {
  if (output) {
    for (const [index, { scheme, scores }] of tokens.rows.entries()) {
      const target = await output.create(positionsFile(scheme, index), scores.kld.byteLength);
      await target.write(0, new Uint8Array(scores.kld.slice().buffer));
      await target.close();
    }
    await output.commit();
  }
  if (command.words !== null) {
    const pieces = await engine.pieces(wordIds(tokens, windows));
    await writeDiskFile(command.words, wordLines(tokens, windows, pieces));
  }
}
