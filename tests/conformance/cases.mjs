// What the lab is held to: every row is one export, and what is checked of it against the real tools.

/**
 * @typedef {object} Model
 * @property {string} name
 * @property {"lab" | "kit"} home where `path` begins: this repository, or the folder of the conformance kit
 * @property {string} path
 * @property {string | null} golden folder of the kit with what the real tool made of it under eager, one folder a preset
 * @property {number} tokenLimit token ids that the windows it is run on may use, at most its vocabulary
 * @property {boolean} hasFiniteLogits a corner model may overflow when it is run, as it does under the real tool too
 */

/** @type {readonly Model[]} */
export const MODELS = [
  {
    name: "quantlab-4m",
    home: "lab",
    path: "fixtures/models/quantlab-4m",
    golden: null,
    tokenLimit: 2048,
    hasFiniteLogits: true,
  },
  {
    name: "quantlab-4m-loud",
    home: "lab",
    path: "fixtures/models/quantlab-4m-loud",
    golden: null,
    tokenLimit: 2048,
    hasFiniteLogits: true,
  },
  {
    name: "corner-bf16",
    home: "kit",
    path: "golden/corner-bf16/model",
    golden: "golden/corner-bf16",
    tokenLimit: 64,
    hasFiniteLogits: false,
  },
];

/**
 * The checks of a case.
 * - `export`: exit 0, every kernel ran where it was asked to, and the bytes said are the bytes written
 * - `tensors`: `compare.py` against what the real tool writes by tensor names
 * - `recipe`: `compare.py` against what the real tool makes of the exported recipe.yaml
 * - `figures`: `lab compare` agrees with `layers.py`, layer by layer, and foretells the bytes of the export
 * - `loader`: `measure.py`, the real loader, runs it
 * @typedef {"export" | "tensors" | "recipe" | "figures" | "loader"} CheckName
 */

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} model name in MODELS
 * @property {string} scheme
 * @property {"eager" | "triton"} arithmetic
 * @property {"gpu" | "cpu"} device
 * @property {readonly CheckName[]} checks
 * @property {boolean} ci whether continuous integration runs it
 */

const SCHEMES = ["W4A16", "W8A16", "W8A8"];
const ARITHMETICS = /** @type {const} */ (["eager", "triton"]);
const DEVICES = /** @type {const} */ (["gpu", "cpu"]);

/** Both devices write the same bytes, as `tensors` proves of each: what only reads them is run on one. */
function checksOf(device, arithmetic) {
  if (device === "cpu") return ["export", "tensors", "figures"];
  const checks = ["export", "tensors", "figures", "recipe"];
  return arithmetic === "eager" ? [...checks, "loader"] : checks;
}

/** W8A16 stores the codes of W8A8 in the layout of W4A16; one bundled model less shows that in continuous integration. */
const isLeftOut = (model, scheme) => model === "quantlab-4m" && scheme === "W8A16";

/** @type {readonly Case[]} */
export const CASES = MODELS.flatMap(({ name: model }) =>
  SCHEMES.flatMap((scheme) =>
    ARITHMETICS.flatMap((arithmetic) =>
      DEVICES.map((device) => ({
        name: `${model} ${scheme} ${arithmetic} ${device}`,
        model,
        scheme,
        arithmetic,
        device,
        checks: checksOf(device, arithmetic),
        ci: !isLeftOut(model, scheme),
      })),
    ),
  ),
);
