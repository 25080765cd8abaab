/** What weight-histogram divergence is, and what it is not. */
export const DIVERGENCE_WORDS =
  "Jensen–Shannon divergence between the histograms of the original and of what is loaded back, from 0 to 1 bit. It says how far the shape of the distribution moved, and nothing of what the model says.";
