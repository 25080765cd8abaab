// What the lab's forward pass and its divergences are held to. A row is one `lab measure`, or one device for all families.

/**
 * @typedef {object} Measurement
 * @property {string} name
 * @property {string} model name in MODELS of cases.mjs
 * @property {"gpu" | "wasm" | "reference"} device
 * @property {readonly string[]} schemes measured together; empty where only `against` is measured
 * @property {string | null} prune
 * @property {string | null} method how all of them are rounded
 * @property {number} calibration windows of the bundled calibration text that scales and methods learn from
 * @property {"tool" | "export" | "model"} reference what `measure.py`, the real loader, runs: the real tool's checkpoint, or
 *   the lab's own export; "model": it runs nothing, `against` is the same function as the model
 * @property {readonly string[]} recipes schemes whose checkpoint the real tool makes of the lab's recipe.yaml, not by names
 * @property {Readonly<Record<string, string>>} toolRecipes by scheme, a recipe file that the real tool runs on the calibration text
 * @property {readonly string[]} options further options of the lab
 * @property {boolean} roundsActivations whether the real loader rounds what the config asks for besides weights
 * @property {Readonly<Record<string, number>>} refused matrices that a scheme cannot take; it is measured on the others
 * @property {string | null} against "copy", or a model
 * @property {number} klLimit nats at any position, of `against`
 * @property {string} text bundled text whose tokens are read
 * @property {number} windows from the first on
 * @property {number} context tokens of a window at most
 * @property {boolean} ci whether continuous integration runs it
 */

const SCHEMES = ["W4A16", "W4A16_ASYM", "W8A16", "W3A16"];
const BUNDLED = ["quantlab-4m", "quantlab-4m-loud"];

/** @returns {Measurement} */
function measurement(parts) {
  const row = {
    ...{ schemes: [], prune: null, method: null, calibration: 0, reference: "tool", recipes: [], toolRecipes: {} },
    ...{ options: [], refused: {} },
    ...{ roundsActivations: false, against: null, klLimit: 0 },
    ...{ text: "scripture", windows: 16, context: 256, ci: false, ...parts },
  };
  const what = row.against ? `against ${row.against}` : row.schemes.map((scheme) => recipeName(row, scheme)).join(",");
  const how = ["", ...row.options].join(" ");
  return {
    ...row,
    name: `measure ${row.model} ${what}${how} ${row.text} ${row.windows} × ${row.context} ${row.device}`,
  };
}

/** A scheme as the lab writes it together with the pruning and the method of its row. */
export const recipeName = ({ prune, method }, scheme) => [prune, method, scheme].filter(Boolean).join(" | ");

/** What the lab measures beside calibrated weights: the same without calibration; null where it has nothing to add. */
export const plainName = ({ prune, method }, scheme) => {
  if (method) return recipeName({ prune, method: null }, scheme);
  return /^(sparsegpt|wanda):/.test(prune ?? "")
    ? recipeName({ prune: prune.replace(/^[a-z]+/, "magnitude") }, scheme)
    : null;
};

/** As the kit's own figures are of. */
const CALIBRATION = 32;

/** What the real tool is given for a KV cache scheme. */
const kvRecipe = (strategy, observer) => `quant_stage:
  quant_modifiers:
    QuantizationModifier:
      targets: [Linear]
      scheme: W8A8
      ignore: [lm_head, "re:.*embed_tokens"]
      kv_cache_scheme: {num_bits: 8, type: int, symmetric: true, strategy: ${strategy}, dynamic: false, observer: ${observer}}
`;

/** The same for int8 weights with one calibrated scale for what goes into each layer. */
const staticRecipe = (observer) => `quant_stage:
  quant_modifiers:
    QuantizationModifier:
      ignore: [lm_head, "re:.*embed_tokens"]
      config_groups:
        group_0:
          targets: [Linear]
          weights: {num_bits: 8, type: int, symmetric: true, strategy: channel}
          input_activations: {num_bits: 8, type: int, symmetric: true, strategy: tensor, dynamic: false, observer: ${observer}}
`;

/** Activations, keys and values that are rounded, on one device. */
const rounded = (device, model, windows, ci) => {
  const base = { device, model, windows, ci, roundsActivations: true };
  const kv = (strategy, observer, name) =>
    measurement({
      ...{ ...base, schemes: ["W8A8"], options: ["--kv", name], calibration: CALIBRATION },
      toolRecipes: { W8A8: kvRecipe(strategy, observer) },
    });
  const fixed = (observer) => {
    const scheme = `int8:channel/int8:tensor:static=${observer}`;
    const toolRecipes = { [scheme]: staticRecipe(observer) };
    return measurement({ ...base, schemes: [scheme], calibration: CALIBRATION, toolRecipes });
  };
  return [
    measurement({ ...base, schemes: ["W8A8", "W4A8"] }),
    kv("tensor", "static_minmax", "int8:tensor"),
    ...(device === "wasm" ? [kv("attn_head", "static_minmax", "int8:attn_head")] : []),
    ...(ci
      ? [
          kv("tensor", "minmax", "int8:tensor:minmax"),
          fixed("static_minmax"),
          fixed("minmax"),
          measurement({
            ...base,
            schemes: ["W4A4", "int8:channel/int8:tensor", "int8:channel/int8:group=32", "int8:channel/int8:token:asym"],
          }),
          measurement({
            ...base,
            roundsActivations: false,
            schemes: ["W8A8", "W4A8"],
            options: ["--activations", "off"],
          }),
        ]
      : []),
  ];
};

const sameFunction = (model, against, klLimit) => (device) =>
  measurement({
    ...{ model, device, reference: "model", against, klLimit, windows: 2, ci: true },
    // Graphics on a CPU is slow, and the oracles are slower.
    context: { gpu: 96, wasm: 256, reference: 32 }[device],
  });

/** Weights that were calibrated: what the lab measures of them is what the real loader measures of its export. */
const calibrated = (device, ci) => {
  const base = { device, reference: "export", calibration: 16 };
  const bundled = { natural: BUNDLED[0], loud: BUNDLED[1] };
  return [
    measurement({ ...base, ci, model: bundled.natural, schemes: ["W4A16"], method: "gptq" }),
    measurement({ ...base, model: bundled.loud, schemes: ["W4A16"], method: "awq" }),
    measurement({
      ...base,
      ci,
      model: bundled.loud,
      schemes: ["W8A8"],
      method: "smoothquant",
      roundsActivations: true,
    }),
    measurement({ ...base, model: bundled.natural, schemes: ["none"], prune: "sparsegpt:2:4" }),
  ];
};

/** @type {readonly Measurement[]} */
export const MEASUREMENTS = [
  ...["wasm", "gpu"].flatMap((device) =>
    BUNDLED.flatMap((model) => {
      const ci = device === "wasm" && model === "quantlab-4m";
      return [
        measurement({ model, device, schemes: SCHEMES, ci }),
        measurement({ model, device, schemes: ["none"], prune: "magnitude:2:4", reference: "export", ci }),
      ];
    }),
  ),
  ...BUNDLED.map((model) => measurement({ model, device: "wasm", schemes: SCHEMES, text: "jargon", windows: 64 })),
  ...BUNDLED.flatMap((model) => rounded("wasm", model, 64, model === "quantlab-4m")),
  ...BUNDLED.flatMap((model) => rounded("gpu", model, 16, false)),
  ...calibrated("wasm", true),
  ...calibrated("gpu", false),
  ...["gpu", "wasm", "reference"].map(sameFunction("quantlab-4m", "copy", 0)),
  // Its weights were scaled up and down by factors that cancel; what float32 makes of that is far below any rounding.
  ...["gpu", "wasm"].map(sameFunction("quantlab-4m", "quantlab-4m-loud", 1e-9)),
  measurement({
    ...{ model: "smollm2", device: "wasm", schemes: ["W4A16", "int8:channel"], windows: 8 },
    ...{ recipes: ["int8:channel"], refused: { W4A16: 180 } },
  }),
];

/** Devices on which every family is run, made anew with other sizes than those of the golden folders. */
export const FAMILY_RUNS = ["wasm", "gpu", "reference"].map((device) => ({
  name: `families of other sizes ${device}`,
  device,
  ci: device === "wasm",
}));
