import type { Engine, JobHooks } from "../engine/api.ts";
import type { MeasureResult } from "../engine/measure-result.ts";
import { createDiskOutput, type DiskModel, openDiskFile, openDiskModel } from "../engine/node-host.ts";
import { EVALUATION_TEXTS, type TextSource } from "../engine/text-api.ts";
import type { Command } from "./options.ts";

/** Windows of a measurement that asks for no number: enough for an interval, few enough for a model of some hundred million weights. */
const DEFAULT_WINDOWS = 16;

/** What the KL divergences of a row are written to, by its place and name: names may hold what no file may. */
const positionsFile = (scheme: string, index: number) =>
  `${index + 1}-${scheme.replaceAll(/[^A-Za-z0-9=.-]+/g, "_").slice(0, 80)}.kld.f64`;

/**
 * Runs `lab measure` on the open model.
 * @throws LabError as `Engine.prepareText` and `Engine.measure`, and `export/…` for `--per-position`
 */
export async function measureCommand(
  command: Command,
  engine: Engine,
  model: DiskModel,
  hooks: JobHooks,
): Promise<MeasureResult> {
  const { file, windows, context, seed } = command.text;
  const opened = file && (await openDiskFile(file.path, file.kind === "tokens" ? "tokens.json" : null));
  const others: DiskModel[] = [];
  // Made before the work, so that a folder that cannot be written to is known at once.
  const output = command.perPosition === null ? null : await createDiskOutput(command.perPosition, model);
  try {
    const source: TextSource = opened
      ? { kind: "file", file: opened.source }
      : { kind: "bundled", names: EVALUATION_TEXTS };
    const text = await engine.prepareText(
      {
        source,
        ...(windows !== null ? { windows } : file?.kind === "tokens" ? {} : { windows: DEFAULT_WINDOWS }),
        ...(context !== null && { context }),
        ...(seed !== null && { seed }),
      },
      hooks,
    );
    for (const path of command.against) others.push(await openDiskModel(path));
    const positions: { readonly scheme: string; readonly kld: Float64Array<ArrayBuffer> }[] = [];
    const result = await engine.measure(
      { schemes: command.schemes, arithmetic: command.arithmetic, ignore: command.ignore, text },
      { ...hooks, onPositions: (scheme, kld) => positions.push({ scheme, kld }) },
      others.map(({ folder }) => folder),
    );
    if (output) {
      for (const [index, { scheme, kld }] of positions.entries()) {
        const target = await output.create(positionsFile(scheme, index), kld.byteLength);
        await target.write(0, new Uint8Array(kld.buffer));
        await target.close();
      }
      await output.commit();
    }
    return result;
  } catch (thrown) {
    await output?.discard();
    throw thrown;
  } finally {
    await opened?.close();
    for (const other of others) await other.close();
  }
}
