import { type ErrorCode, LabError, quote } from "../../base/errors.ts";
import type { ByteSource } from "../byte-source.ts";
import { readHeader, type SafetensorsHeader, type SafetensorsTensor } from "../safetensors/header.ts";
import { planSafetensors, type TensorToWrite } from "../safetensors/writer.ts";

/** What went into one linear layer, channel by channel: float64 [width], at least one channel. */
export interface ModuleStatistics {
  /** Rows looked at: tokens, at least 1. */
  readonly rows: number;
  /** Largest |x|. */
  readonly absMax: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** Mean of |x|. */
  readonly meanAbs: Float64Array;
  /** Mean of x². */
  readonly meanSquare: Float64Array;
  /** Mean of x. */
  readonly mean: Float64Array;
  /** Mean of x³. */
  readonly meanCube: Float64Array;
  /** Mean of x⁴. */
  readonly meanFourth: Float64Array;
}

/** Statistics of what went into every linear layer of a model on a text. */
export interface ActivationStatisticsFile {
  /** Name of the model, for people. Untrusted where it comes from a file. */
  readonly model: string;
  /** Fingerprint of its weights: SHA-256, 64 lower-case hexadecimal digits. */
  readonly modelSha256: string;
  /** Name of the text, for people. Untrusted too. */
  readonly text: string;
  /** SHA-256 of the text, written alike. */
  readonly textSha256: string;
  /** Tokens of the text that went through the model, at least 1. */
  readonly tokens: number;
  /** By module. Names are untrusted too. */
  readonly modules: ReadonlyMap<string, ModuleStatistics>;
}

type Statistic = Exclude<keyof ModuleStatistics, "rows">;

/** Last part of a tensor's name, what it holds, and whether that can be negative. */
const STATISTICS: readonly (readonly [suffix: string, statistic: Statistic, isSigned: boolean])[] = [
  ["absmax", "absMax", false],
  ["min", "min", true],
  ["max", "max", true],
  ["mean_abs", "meanAbs", false],
  ["mean_square", "meanSquare", false],
  ["mean", "mean", true],
  ["mean_cube", "meanCube", true],
  ["mean_fourth", "meanFourth", false],
];

/** Last part of the name of the tensor that holds a module's rows where they are not the tokens: experts. */
const ROWS = "rows";
const SUFFIXES: ReadonlySet<string> = new Set([...STATISTICS.map(([suffix]) => suffix), ROWS]);

const FORMAT = "quantlab-activation-statistics";
const SCHEMA_VERSION = "1";

/** Bytes of a float64, and of a whole number of 64 bits. */
const WORD_BYTES = 8;

/** A file is held in memory whole: without a limit its size could ask for all of it. Models of 70 billion weights take 0.4 GB. */
const MAX_FILE_BYTES = 2 ** 30;

/** A header has room for 2 million JSON values, and a module needs up to 63: no more could be read back. */
const MAX_MODULES = 30_000;

/**
 * Statistics as one safetensors file: tensors `<module>.absmax`, `min`, `max`, `mean_abs`, `mean_square`, `mean`, `mean_cube`
 * and `mean_fourth`, F64 [width]; `<module>.rows`, I64 [1], of modules whose rows are not the tokens. `__metadata__` has
 * `format`, `schema_version`, `model`, `model_sha256`, `text`, `text_sha256` and `tokens`.
 * @throws LabError `statistics/…` for what `decodeStatistics` would refuse, `export/…` and `json/lone-surrogate` for names that
 *   no such file can hold
 */
export function encodeStatistics(file: ActivationStatisticsFile): Uint8Array<ArrayBuffer> {
  const checked = new StatisticsCheck("writing statistics of activations");
  const { model, modelSha256, text, textSha256, tokens, modules } = file;
  checked.hash("model_sha256", modelSha256);
  checked.hash("text_sha256", textSha256);
  checked.count("tokens", tokens);
  checked.moduleCount(modules.size);
  const contents = [...modules].flatMap(([name, module]) => contentsOf(name, module, tokens, checked));
  const metadata = new Map([
    ["format", FORMAT],
    ["schema_version", SCHEMA_VERSION],
    ["model", model],
    ["model_sha256", modelSha256],
    ["text", text],
    ["text_sha256", textSha256],
    ["tokens", `${tokens}`],
  ]);
  const { header, tensors, sizeBytes } = planSafetensors(
    contents.map(({ tensor }) => tensor),
    metadata,
  );
  checked.fileSize(sizeBytes);
  const bytes = new Uint8Array(sizeBytes);
  bytes.set(header);
  for (const [index, { start }] of tensors.entries()) {
    const { values } = contents[index] ?? { values: new Float64Array() };
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start);
  }
  return bytes;
}

interface Content {
  readonly tensor: TensorToWrite;
  readonly values: Float64Array | BigInt64Array;
}

function contentsOf(name: string, module: ModuleStatistics, tokens: number, checked: StatisticsCheck): Content[] {
  const width = module.absMax.length;
  const contents: Content[] = STATISTICS.map(([suffix, statistic]) => {
    const values = module[statistic];
    const tensor = `${name}.${suffix}`;
    checked.width(tensor, values.length, width);
    checked.values(tensor, values);
    return { tensor: { name: tensor, dtype: "F64", shape: [width], sizeBytes: values.byteLength }, values };
  });
  checked.count(`${name}.${ROWS}`, module.rows);
  if (module.rows !== tokens) {
    const tensor = { name: `${name}.${ROWS}`, dtype: "I64", shape: [1], sizeBytes: WORD_BYTES } as const;
    contents.push({ tensor, values: BigInt64Array.of(BigInt(module.rows)) });
  }
  return contents;
}

/**
 * Reads what `encodeStatistics`, or another program in the same form, has written. Nothing is taken for granted: every module
 * has all statistics, equally long, finite, and not negative where they are of magnitudes or even powers.
 * @throws LabError `statistics/…`, `safetensors/…`; errors of the source
 */
export async function decodeStatistics(source: ByteSource): Promise<ActivationStatisticsFile> {
  const checked = new StatisticsCheck(`reading the statistics in ${quote(source.name)}`);
  checked.fileSize(source.sizeBytes);
  const header = await readHeader(source);
  const text = (key: string): string => checked.metadata(header, key);
  if (header.metadata.get("format") !== FORMAT) {
    const found = header.metadata.get("format");
    const words = found === undefined ? "no format in its metadata" : `the format "${quote(found)}"`;
    throw checked.error("not-statistics", words, `a safetensors file of the format ${FORMAT}`);
  }
  if (text("schema_version") !== SCHEMA_VERSION) {
    const found = `version "${quote(text("schema_version"))}"`;
    throw checked.error("unknown-version", found, `version ${SCHEMA_VERSION} of the format`);
  }
  const tokens = checked.count("tokens", /^[1-9]\d{0,15}$/.test(text("tokens")) ? Number(text("tokens")) : Number.NaN);
  const tensors = tensorsByModule(header, checked);
  checked.moduleCount(tensors.size);
  const modules = new Map<string, ModuleStatistics>();
  for (const [name, own] of tensors) modules.set(name, await readModule(source, name, own, tokens, checked));
  return {
    model: text("model"),
    modelSha256: checked.hash("model_sha256", text("model_sha256")),
    text: text("text"),
    textSha256: checked.hash("text_sha256", text("text_sha256")),
    tokens,
    modules,
  };
}

/** Tensors by module and last part of their names; modules in the order in which they begin in the file. */
function tensorsByModule(
  { tensors }: SafetensorsHeader,
  checked: StatisticsCheck,
): ReadonlyMap<string, ReadonlyMap<string, SafetensorsTensor>> {
  const modules = new Map<string, Map<string, SafetensorsTensor>>();
  for (const tensor of tensors) {
    const dot = tensor.name.lastIndexOf(".");
    const [module, suffix] = [tensor.name.slice(0, Math.max(dot, 0)), tensor.name.slice(dot + 1)];
    if (dot < 0 || !SUFFIXES.has(suffix)) {
      const allowed = `names that end in one of ${[...SUFFIXES].map((own) => `.${own}`).join(", ")}`;
      throw checked.error("unknown-tensor", "a tensor that is no statistic", allowed, tensor.name);
    }
    const own = modules.get(module) ?? new Map<string, SafetensorsTensor>();
    modules.set(module, own.set(suffix, tensor));
  }
  return modules;
}

async function readModule(
  source: ByteSource,
  module: string,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  tokens: number,
  checked: StatisticsCheck,
): Promise<ModuleStatistics> {
  const places = new Map<Statistic, SafetensorsTensor>();
  for (const [suffix, statistic] of STATISTICS) {
    const tensor = tensors.get(suffix);
    if (!tensor)
      throw checked.error("missing-tensor", "no such tensor", "all statistics of a module", `${module}.${suffix}`);
    checked.form(tensor, "F64", 1);
    places.set(statistic, tensor);
  }
  const width = places.get("absMax")?.shape[0] ?? 0;
  for (const { name, shape } of places.values()) checked.width(name, shape[0] ?? 0, width);
  const rows = tensors.get(ROWS);
  if (rows) checked.form(rows, "I64", 1);
  if (rows && rows.shape[0] !== 1) {
    throw checked.error("bad-tensor", `${rows.shape[0]} numbers`, "one number", rows.name);
  }
  const read = async (statistic: Statistic): Promise<Float64Array> => {
    const tensor = places.get(statistic) as SafetensorsTensor;
    const bytes = await source.read(tensor.start, tensor.end);
    const values = new Float64Array(bytes.buffer, bytes.byteOffset, width);
    checked.values(tensor.name, values);
    return values;
  };
  return {
    rows: rows ? checked.count(rows.name, await readCount(source, rows)) : tokens,
    absMax: await read("absMax"),
    min: await read("min"),
    max: await read("max"),
    meanAbs: await read("meanAbs"),
    meanSquare: await read("meanSquare"),
    mean: await read("mean"),
    meanCube: await read("meanCube"),
    meanFourth: await read("meanFourth"),
  };
}

async function readCount(source: ByteSource, { start, end }: SafetensorsTensor): Promise<number> {
  const bytes = await source.read(start, end);
  return Number(new DataView(bytes.buffer, bytes.byteOffset, WORD_BYTES).getBigInt64(0, true));
}

/** What a file must be like, whether it is read or written. */
class StatisticsCheck {
  readonly #doing: string;

  constructor(doing: string) {
    this.#doing = doing;
  }

  fileSize(sizeBytes: number): void {
    if (sizeBytes > MAX_FILE_BYTES) throw this.error("too-large", `${sizeBytes} bytes`, `at most ${MAX_FILE_BYTES}`);
  }

  moduleCount(count: number): void {
    if (count > MAX_MODULES) throw this.error("too-many-modules", `${count} modules`, `at most ${MAX_MODULES}`);
  }

  metadata({ metadata }: SafetensorsHeader, key: string): string {
    const value = metadata.get(key);
    if (value === undefined)
      throw this.error("bad-metadata", `no ${key} in its metadata`, "all of what the format names");
    return value;
  }

  hash(key: string, value: string): string {
    if (/^[0-9a-f]{64}$/.test(value)) return value;
    throw this.error("bad-metadata", `"${quote(value)}" as ${key}`, "64 hexadecimal digits");
  }

  /** A number of tokens or rows. */
  count(what: string, value: number): number {
    if (Number.isSafeInteger(value) && value >= 1) return value;
    throw this.error("bad-count", `${quote(what)} of ${value}`, "a whole number from 1 to 2^53 − 1");
  }

  form({ name, dtype, shape }: SafetensorsTensor, wanted: "F64" | "I64", dimensions: number): void {
    if (dtype === wanted && shape.length === dimensions) return;
    throw this.error("bad-tensor", `${dtype} [${quote(shape.join(", "))}]`, `${wanted} of one dimension`, name);
  }

  width(tensor: string, found: number, wanted: number): void {
    if (found === 0) throw this.error("bad-tensor", "no channel", "at least one", tensor);
    if (found !== wanted) {
      throw this.error("lengths-differ", `${found} channels, where absmax has ${wanted}`, "as many", tensor);
    }
  }

  values(tensor: string, values: Float64Array): void {
    const suffix = tensor.slice(tensor.lastIndexOf(".") + 1);
    const isSigned = STATISTICS.find(([own]) => own === suffix)?.[2] ?? false;
    const at = values.findIndex((value) => !Number.isFinite(value) || (value < 0 && !isSigned));
    if (at < 0) return;
    const allowed = isSigned ? "finite numbers" : "finite numbers that are not negative";
    throw this.error("bad-value", `${values[at]} of channel ${at}`, allowed, tensor);
  }

  /** @param tensor the name of the tensor at fault, raw */
  error(kind: string, found: string, allowed: string, tensor?: string): LabError {
    const place = tensor === undefined ? "" : `tensor "${quote(tensor)}": `;
    const code: ErrorCode = `statistics/${kind}`;
    return new LabError({
      code,
      doing: this.#doing,
      found: place + found,
      allowed,
      advice: "collect the statistics anew: run the model on the text once more",
      fields: tensor === undefined ? {} : { tensor: quote(tensor) },
    });
  }
}
