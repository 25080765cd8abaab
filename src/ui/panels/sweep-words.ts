import { relativeInterval, relativeTo, type SweepKind } from "../../engine/sweep-words.ts";
import type { SweepSalientData } from "../charts/sweep-salient.ts";
import type { SweepSamplesData } from "../charts/sweep-samples.ts";
import type { SweepStrength, SweepStrengthData } from "../charts/sweep-strength.ts";

/** What a sweep is called, the question that it answers, how it does that, and what its button says. */
export interface SweepTexts {
  readonly name: string;
  readonly question: string;
  readonly about: string;
  readonly verb: string;
  readonly empty: string;
}

export const SWEEP_TEXTS: Readonly<Record<SweepKind, SweepTexts>> = {
  strengths: {
    name: "SmoothQuant's strength",
    question: "how much of the activations' range should move into the weights?",
    about:
      "SmoothQuant divides each input channel by a factor and multiplies the weights that read it. The strength is the exponent of the activations' range in that factor: at 0 the weights alone decide, at 1 the activations alone. Whiskers are 95 % intervals over whole windows of each figure by itself; what cannot be told apart goes by paired differences.",
    verb: "Sweep the strength",
    empty: "Where is the bottom of the U? Dimmed: W8A8 on quantlab-4m-loud.",
  },
  samples: {
    name: "Calibration samples",
    question: "how many windows of calibration text are enough?",
    about:
      "The method runs on ever more windows of the calibration text; each time the result is measured on the text that it has not seen. Where the curve is flat, more samples buy nothing. Enough: the fewest whose difference from the most the windows cannot tell from 0.",
    verb: "Sweep the samples",
    empty: "Where does it flatten? Dimmed: gptq | W4A16 on quantlab-4m-loud.",
  },
  salient: {
    name: "Salient channels",
    question: "which input channels are worth keeping?",
    about:
      "Some input channels of every matrix keep the original's weights, the rest is rounded plainly, whatever the method. They are chosen by the mean magnitude of what goes into them, by the size of their weights, or by chance. AWQ's authors saw that the activations tell.",
    verb: "Keep channels",
    empty: "Do the activations tell which channels matter? Dimmed: W3A16 on quantlab-4m-loud.",
  },
};

// What the engine says of quantlab-4m-loud over four windows of the bundled texts; stands there, dimmed, before it is asked.

const NO_CAPTION = { strong: "", plain: "" };

/** Mean KLD, its interval, errors of weights and activations, without smoothing first. */
const STRENGTHS: readonly (readonly [number | null, number, number, number, number, number])[] = [
  [null, 0.0202, 0.01498, 0.02739, 5.991e-5, 2.843e-4],
  [0, 0.001146, 9.095e-4, 0.001383, 5.792e-5, 8.216e-5],
  [0.2, 0.001126, 8.87e-4, 0.001365, 5.809e-5, 7.196e-5],
  [0.4, 0.001167, 9.449e-4, 0.00139, 5.963e-5, 6.397e-5],
  [0.6, 0.00113, 9.64e-4, 0.001293, 6.034e-5, 5.813e-5],
  [0.8, 0.001069, 8.784e-4, 0.001282, 6.16e-5, 5.43e-5],
  [1, 0.001095, 9.09e-4, 0.00128, 6.455e-5, 5.245e-5],
];

const [PLAIN] = STRENGTHS;

function exampleStrength([strength, kld, low, high, weights, activations]: (typeof STRENGTHS)[number]): SweepStrength {
  const interval = { low, high };
  const [, plainKld, , , plainWeights, plainActivations] = PLAIN ?? [null, 0, 0, 0, 0, 0];
  return {
    ...{ strength, kld, interval, weights, activations },
    relative: {
      kld: relativeTo(kld, plainKld),
      interval: relativeInterval(interval, plainKld),
      weights: relativeTo(weights, plainWeights),
      activations: relativeTo(activations, plainActivations),
    },
  };
}

const [noSmoothing, ...smoothed] = STRENGTHS.map(exampleStrength);

/** W8A8. */
export const EXAMPLE_STRENGTHS: SweepStrengthData | null =
  noSmoothing === undefined
    ? null
    : {
        ...{ plain: noSmoothing, points: smoothed, best: 0.8, ties: [0, 0.2, 0.4, 0.6, 1] },
        ...{ family: "int8", shape: "square", isHollow: true, caption: NO_CAPTION },
      };

/** Mean KLD, its interval, held-out error, and error on the samples over plain rounding's. */
const SAMPLES: readonly (readonly [number, number, number, number, number, number])[] = [
  [2, 0.06408, 0.02914, 0.09085, 0.01169, 0.2208],
  [4, 0.05157, 0.02063, 0.07639, 0.009439, 0.2984],
  [8, 0.04568, 0.0131, 0.07012, 0.007986, 0.3278],
  [16, 0.03993, 0.009089, 0.07342, 0.006744, 0.3638],
];
const ROUNDED = { kld: 0.03956, interval: { low: 0.02843, high: 0.05069 }, outputError: 0.00752 };

/** GPTQ of W4A16. */
export const EXAMPLE_SAMPLES: SweepSamplesData = {
  plain: ROUNDED,
  points: SAMPLES.map(([samples, kld, low, high, outputError, onSamples]) => ({
    ...{ samples, kld, interval: { low, high }, excess: null, outputError, methodMs: 0 },
    relative: {
      kld: relativeTo(kld, ROUNDED.kld),
      interval: relativeInterval({ low, high }, ROUNDED.kld),
      outputError: relativeTo(outputError, ROUNDED.outputError),
      onSamples,
    },
  })),
  ...{ enough: 8, enoughWord: "≈ 16", family: "int4", shape: "diamond", isHollow: false, caption: NO_CAPTION },
};

/** Mean KLD, its interval, and the one of the difference from none beside none. */
const CHOICES: readonly (readonly [string, number, number, number, number | null, number | null])[] = [
  ["none", 0.1743, 0.1052, 0.2448, null, null],
  ["loudest inputs", 0.1619, 0.08539, 0.2439, 0.151, 0.1728],
  ["largest weights", 0.1724, 0.1044, 0.2401, 0.1698, 0.1757],
  ["at random", 0.174, 0.1014, 0.2508, 0.17, 0.1797],
];

/** A hundredth of the channels of W3A16. */
export const EXAMPLE_SALIENT: SweepSalientData = {
  choices: CHOICES.map(([name, kld, low, high, from, to], at) => ({
    ...{ name, isPlain: at === 0, kld, interval: { low, high }, gain: null, outcome: "" },
    beside: from === null || to === null ? null : { low: from, high: to },
  })),
  ...{ family: "int3", caption: NO_CAPTION },
};
