// What the lab is held to: every row is one export, and what is checked of it against the real tools.

/**
 * @typedef {object} Model
 * @property {string} name
 * @property {"lab" | "kit" | "cache"} home where `path` begins: this repository, the folder of the conformance kit, or the
 *   cache, in which it is made where it is missing
 * @property {string} path
 * @property {string | null} golden folder of the kit with what the real tool made of it under eager, one folder a preset
 * @property {number} tokenLimit token ids that the windows it is run on may use, at most its vocabulary
 * @property {boolean} hasBundledTokens whether the ids of fixtures/text are its tokenizer's
 * @property {boolean} hasFiniteLogits a corner model may overflow when it is run, as it does under the real tool too
 */

/** @returns {Model} */
const bundled = (name) => ({
  name,
  home: "lab",
  path: `fixtures/models/${name}`,
  golden: null,
  tokenLimit: 2048,
  hasBundledTokens: true,
  hasFiniteLogits: true,
});

/** @returns {Model} */
const corner = (name) => ({
  name,
  home: "kit",
  path: `golden/${name}/model`,
  golden: `golden/${name}`,
  tokenLimit: 64,
  hasBundledTokens: false,
  hasFiniteLogits: false,
});

/** @type {readonly Model[]} */
export const MODELS = [
  ...["quantlab-4m", "quantlab-4m-loud"].map(bundled),
  ...["corner-bf16", "corner-f16", "corner-f32"].map(corner),
  {
    ...{ name: "smollm2", home: "cache", path: "smollm2", golden: null },
    ...{ tokenLimit: 2048, hasBundledTokens: false, hasFiniteLogits: true },
  },
];

/**
 * The checks of a case.
 * - `export`: exit 0, every kernel ran where it was asked to, and the bytes said are the bytes written
 * - `refusal`: before that, without the case's ignore list: exit 1, as many matrices refused as `refused` says; the export
 *   then ignores the entries that the refusal advises
 * - `tensors`: `compare.py` against what the real tool writes by tensor names; of a pruned model, where the recipe prunes
 * - `recipe`: `compare.py` against what the real tool makes of the exported recipe.yaml
 * - `masks`: just the weights are zero that the pruning's rule says, in float64, and nothing else changed
 * - `figures`: `lab compare` agrees with `layers.py`, layer by layer, and foretells the bytes of the export
 * - `loader`: `measure.py`, the real loader, runs it
 * - `shards`: the shards keep their names, and the index says where each tensor is
 * - `twin`: every file equals that of the same case on the other device
 * @typedef {"export" | "refusal" | "tensors" | "recipe" | "masks" | "figures" | "loader" | "shards" | "twin"} CheckName
 */

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} model name in MODELS
 * @property {string} scheme a recipe in the lab's canonical spelling
 * @property {"eager" | "triton"} arithmetic
 * @property {"gpu" | "cpu"} device
 * @property {number} refused matrices that the scheme cannot take, 0 as a rule
 * @property {readonly CheckName[]} checks
 * @property {boolean} ci whether continuous integration runs it
 */

const BUNDLED = ["quantlab-4m", "quantlab-4m-loud"];
const CORNERS = ["corner-bf16", "corner-f16", "corner-f32"];

const WEIGHTS_ONLY = ["W2A16", "W3A16", "W4A16", "W5A16", "W6A16", "W7A16", "W8A16"];
const WITH_ACTIVATIONS = ["W2A8", "W3A8", "W4A8", "W5A8", "W6A8", "W7A8", "W2A4", "W3A4", "W4A4"];
const PRESETS = [...WEIGHTS_ONLY, "W4A16_ASYM", "W8A8", "INT8", ...WITH_ACTIVATIONS];
/** Those whose quotients the Triton kernel rounds in ways of its own; the others are the same code with other constants. */
const TRITON_PRESETS = ["W4A16", "W4A16_ASYM", "W8A16", "W8A8"];

/** Every width with a zero point, and every granularity. */
const CUSTOM = [
  "int4:group=32",
  "int4:group=64",
  "int5:group=16",
  "int2:group=32:asym",
  "int3:group=64:asym",
  "int4:group=32:asym",
  "int6:group=32:asym",
  "int8:group=64:asym",
  "int3:channel",
  "int8:channel",
  "int5:channel:asym",
  "int7:channel:asym",
  "int4:tensor",
  "int6:tensor",
  "int8:tensor:asym",
];

/** Activations too, dynamic ones: every strategy and width, with zero points and without. */
const CUSTOM_ACTIVATIONS = [
  "int8:channel/int8:tensor",
  "int4:group=32/int4:group=32",
  "int4:group=32:asym/int8:token:asym",
  "int6:tensor:asym/int8:group=16",
];

/** A group that no module belongs to. `oneshot` drops it from its config, `model_free_ptq` keeps it, as the lab does. */
const UNMATCHED = "W2A16@re:.*absent; W8A16";

const MIXED = [
  "W8A16@re:.*down_proj; W4A16",
  "W8A8@re:.*down_proj; int4:group=32:asym",
  "int8:channel@model.layers.0.self_attn.o_proj; W4A16_ASYM",
  "W4A16@re:.*self_attn.*",
  "W2A16@re:.*q_proj@re:.*k_proj; int6:group=64@re:.*mlp.*; int3:channel:asym",
  UNMATCHED,
];

const MASKS = [
  "magnitude:2:4 | none",
  "magnitude:1:4 | none",
  "magnitude:7:8 | none",
  "magnitude:16:32 | none",
  "magnitude:0.5 | none",
  "magnitude:0.123456 | none",
  "magnitude:rows:0.25 | none",
  "magnitude:rows:0.9 | none",
  "magnitude:columns:0.25 | none",
  "magnitude:columns:0.6 | none",
];

/** Each needs its pruning with `none`, for the same model and device. */
const PRUNED = [
  "magnitude:2:4 | W4A16",
  "magnitude:0.5 | W8A8",
  "magnitude:rows:0.25 | int4:tensor:asym",
  "magnitude:columns:0.25 | int3:group=64:asym",
  "magnitude:2:4 | W8A16@re:.*down_proj; W4A16",
  "magnitude:1:4 | W4A16@re:.*self_attn.*",
];

/** All cases: every row stands for each of its models with each of its schemes, arithmetics and devices. */
const GRIDS = [
  { models: [...CORNERS, ...BUNDLED], schemes: PRESETS },
  { models: [...CORNERS, ...BUNDLED], schemes: TRITON_PRESETS, arithmetics: ["triton"] },
  { models: CORNERS, schemes: ["int4:group=32:asym", "int3:channel", "int8:tensor:asym"], arithmetics: ["triton"] },
  { models: [...CORNERS, "quantlab-4m"], schemes: [...CUSTOM, ...MIXED] },
  { models: ["corner-bf16", "quantlab-4m"], schemes: CUSTOM_ACTIVATIONS },
  { models: ["quantlab-4m-loud"], schemes: [...CUSTOM.slice(0, 6), ...MIXED.slice(0, 3)], devices: ["gpu"] },
  { models: [...CORNERS, "quantlab-4m"], schemes: [...MASKS, ...PRUNED] },
  { models: ["quantlab-4m-loud"], schemes: ["magnitude:2:4 | none", "magnitude:2:4 | W4A16"], devices: ["gpu"] },
  { models: ["corner-bf16"], schemes: ["int4:group=96"], refused: 6 },
  { models: ["smollm2"], schemes: ["W8A8", "int4:group=64"], devices: ["gpu"] },
  { models: ["smollm2"], schemes: ["W4A16"], devices: ["gpu"], refused: 180 },
];

/** What continuous integration runs of them: each kernel in each type, and each width, on the GPU; less on the CPU. */
const IN_CI = [
  { models: CORNERS, schemes: [...WEIGHTS_ONLY, "W4A16_ASYM", "W8A8", "W4A8", "W4A4"], devices: ["gpu"] },
  { models: CORNERS, schemes: ["W3A16", "W4A16_ASYM", "W8A8"] },
  { models: CORNERS, schemes: TRITON_PRESETS, arithmetics: ["triton"], devices: ["gpu"] },
  { models: ["corner-bf16"], schemes: ["W4A16_ASYM"], arithmetics: ["triton"] },
  { models: CORNERS, schemes: CUSTOM, devices: ["gpu"] },
  { models: ["corner-bf16"], schemes: MIXED, devices: ["gpu"] },
  { models: CORNERS, schemes: MASKS.filter((scheme) => /:(2:4|0\.5|rows:0\.25|columns:0\.25) /.test(scheme)) },
  { models: ["corner-bf16"], schemes: PRUNED.slice(0, 4), devices: ["gpu"] },
  { models: ["corner-bf16"], schemes: ["int4:group=96"], devices: ["gpu"] },
  { models: ["quantlab-4m"], schemes: ["W4A16", "W8A8"] },
  { models: ["quantlab-4m"], schemes: ["W4A16_ASYM", "W4A4", "int4:group=64", MIXED[0]], devices: ["gpu"] },
  { models: ["quantlab-4m"], schemes: ["W4A16"], arithmetics: ["triton"], devices: ["gpu"] },
  { models: ["quantlab-4m"], schemes: ["magnitude:2:4 | none", "magnitude:2:4 | W4A16"], devices: ["gpu"] },
  { models: ["quantlab-4m-loud"], schemes: ["W4A16", "W8A8"], devices: ["gpu"] },
];

/** The pruning of a recipe, or null, and what follows it. */
export function splitScheme(scheme) {
  const [pruning, rest] = scheme.startsWith("magnitude:") ? scheme.split(" | ") : [null, scheme];
  return { pruning, rest };
}

function checksOf({ model, scheme, arithmetic, device, refused }) {
  const isQuantized = splitScheme(scheme).rest !== "none";
  const checks = [refused > 0 ? "refusal" : [], "export", isQuantized ? "tensors" : "masks", "figures"].flat();
  if (model === "quantlab-4m-loud") checks.push("shards");
  // Both devices write the same bytes: what only reads them is run on one.
  if (device === "cpu") return [...checks, "twin"];
  if (!isQuantized) return checks;
  // A preset's recipe is the same text for every corner model.
  const isKnown = PRESETS.includes(scheme) && ["corner-f16", "corner-f32"].includes(model);
  if (!isKnown && refused === 0 && scheme !== UNMATCHED) checks.push("recipe");
  if (arithmetic === "eager" && [...BUNDLED, "corner-bf16"].includes(model)) checks.push("loader");
  return checks;
}

function cellsOf({ models, schemes, arithmetics = ["eager"], devices = ["gpu", "cpu"], refused = 0 }) {
  return models.flatMap((model) =>
    arithmetics.flatMap((arithmetic) =>
      devices.flatMap((device) => schemes.map((scheme) => ({ model, scheme, arithmetic, device, refused }))),
    ),
  );
}

const nameOf = ({ model, scheme, arithmetic, device }) => `${model} ${scheme} ${arithmetic} ${device}`;

const ciNames = new Set(IN_CI.flatMap(cellsOf).map(nameOf));

/** @type {readonly Case[]} */
export const CASES = GRIDS.flatMap(cellsOf).map((cell) => ({
  name: nameOf(cell),
  ...cell,
  checks: checksOf(cell),
  ci: ciNames.has(nameOf(cell)),
}));

/** Why the table above is no good, or null. @param {readonly string[]} presets all that the lab has */
export function tableError(presets) {
  const names = new Set(CASES.map(({ name }) => name));
  const lost = [...ciNames].filter((name) => !names.has(name));
  if (lost.length > 0) return `no such case: ${lost.join(", ")}`;
  if (names.size < CASES.length) return "two cases have one name";
  const missing = presets.filter((preset) => !CASES.some(({ scheme }) => scheme === preset));
  return missing.length > 0 ? `no case for ${missing.join(", ")}` : null;
}
