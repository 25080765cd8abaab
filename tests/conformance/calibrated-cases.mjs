// Methods that learn from a text: every row is one export that is held against the same recipe of LLM Compressor. Neither
// could be equal byte for byte, since both depend on the order of sums: `Calibrations` says what is compared instead.

/**
 * @typedef {object} CalibratedCase
 * @property {string} name
 * @property {string} model name in MODELS of cases.mjs
 * @property {string} kitRecipe a calibrated recipe of the kit's reference.py
 * @property {string} scheme `--scheme` of the lab
 * @property {string | null} method `--method`
 * @property {string | null} prune `--prune`
 * @property {string | null} plainPrune `--prune` of what a calibrated pruning must beat; null where that is plain rounding
 * @property {boolean} isSmoothed whether norms are changed: weights alone then say nothing, and scales come from changed ones
 * @property {boolean} isMaskExact whether the pruning is N:M
 * @property {number} leastGain share of the reference's gain over plain rounding or magnitude that must be reached
 * @property {number} scatter how far the real tool's mean KLD is from its own when only its sums change, as a share
 * @property {"gpu" | "wasm"} device
 * @property {number} windows of the bundled calibration text, from the first on
 * @property {number} evaluated windows of bundled scripture that divergences are taken on
 * @property {boolean} ci whether continuous integration runs it
 */

/**
 * The tool against itself, bf16 against float32 forward passes: section 0.15 of spec/quantization.md. AWQ chooses among 20
 * points of a grid, and two that are nearly equally good may change places.
 */
const SCATTER = { most: 0.0075, awq: 0.017 };
const LEAST_GAIN = { most: 0.95, awq: 0.85 };

/** What the lab is told for each recipe of the kit: `--scheme` and `--method`. */
const ROUNDINGS = {
  "gptq-w4a16": ["W4A16", "gptq"],
  "gptq-w4a16-actorder-none": ["W4A16", "gptq:actorder=none"],
  "gptq-w8a8": ["W8A8", "gptq"],
  "awq-w4a16": ["W4A16", "awq"],
  "awq-w4a16_asym": ["W4A16_ASYM", "awq"],
  "smoothquant-w8a8": ["W8A8", "smoothquant"],
  "smoothquant0.8-gptq-w8a8": ["W8A8", "smoothquant:strength=0.8+gptq"],
};

/** The same for prunings: `--prune`. */
const PRUNINGS = {
  "sparsegpt-2of4": "sparsegpt:2:4",
  "sparsegpt-50": "sparsegpt:0.5",
  "wanda-2of4": "wanda:2:4",
  "wanda-50": "wanda:0.5",
};

const BUNDLED = ["quantlab-4m", "quantlab-4m-loud"];
const RECIPES = [...Object.keys(ROUNDINGS), ...Object.keys(PRUNINGS)];

/** @returns {CalibratedCase} */
function calibrated({ model, kitRecipe, device, windows, evaluated, ci }) {
  const [scheme, method] = ROUNDINGS[kitRecipe] ?? ["none", null];
  const prune = PRUNINGS[kitRecipe] ?? null;
  const kind = method?.startsWith("awq") ? "awq" : "most";
  return {
    name: `calibrated ${model} ${kitRecipe} ${windows} windows ${device}`,
    ...{ model, kitRecipe, scheme, method, prune, device, windows, evaluated, ci },
    plainPrune: prune === null ? null : prune.replace(/^[a-z]+/, "magnitude"),
    isSmoothed: /^(awq|smoothquant)/.test(method ?? ""),
    isMaskExact: /:[0-9]+:[0-9]+$/.test(prune ?? ""),
    leastGain: LEAST_GAIN[kind],
    scatter: SCATTER[kind],
  };
}

const rows = (models, kitRecipes, settings) =>
  models.flatMap((model) => kitRecipes.map((kitRecipe) => calibrated({ model, kitRecipe, ...settings })));

const FULL = { device: "wasm", windows: 64, evaluated: 64, ci: false };
/**
 * Calibrated on a quarter of the text, but measured on all of it: on 16 windows of scripture the tool differs from itself by
 * ± 9 % of SparseGPT's gain, which is more than what is asked for.
 */
const SHORT = { device: "wasm", windows: 16, evaluated: 64, ci: true };

/** @type {readonly CalibratedCase[]} */
export const CALIBRATED_CASES = [
  ...rows(BUNDLED, RECIPES, FULL),
  ...rows(["quantlab-4m"], ["gptq-w4a16", "sparsegpt-2of4", "wanda-2of4"], SHORT),
  // Smoothing has something to smooth where there are loud channels.
  ...rows(["quantlab-4m-loud"], ["awq-w4a16", "smoothquant-w8a8"], SHORT),
  // Graphics on a CPU is slow.
  ...rows(["quantlab-4m"], ["gptq-w4a16", "sparsegpt-2of4", "wanda-2of4"], { ...SHORT, device: "gpu", ci: false }),
  ...rows(["quantlab-4m-loud"], ["awq-w4a16", "smoothquant-w8a8"], { ...SHORT, device: "gpu", ci: false }),
];

/** The recipe of a row as the lab spells it. */
export const recipeOf = ({ prune, method, scheme }) => [prune, method, scheme].filter(Boolean).join(" | ");
