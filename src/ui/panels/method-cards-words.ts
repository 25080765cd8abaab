import type { MethodFamily } from "../../engine/method-words.ts";

/** What is known of a method without running it. */
export interface MethodCard {
  readonly family: MethodFamily;
  /** What it does, in two sentences. */
  readonly does: string;
  /** What it costs here, by its nature. */
  readonly time: string;
  readonly memory: string;
  /** When it wins, as its paper has it. */
  readonly wins: string;
  /** Where that stands. */
  readonly source: string;
}

/** The methods, plain rounding first. */
export const METHOD_CARDS: readonly MethodCard[] = [
  {
    family: "plain",
    does: "Each weight takes the nearest code, for itself; pruning by magnitude drops the smallest. It reads no text.",
    time: "One pass over the weights.",
    memory: "A tile of weights at a time.",
    wins: "It is what every method is held against. On Llama-2 7B in groups of 128, AWQ takes perplexity from 6.66 to 6.24 at 3 bits and from 5.73 to 5.60 at 4, where the original has 5.47: the more bits, the less is left to win.",
    source: "Lin et al., AWQ, arXiv 2306.00978, table 4",
  },
  {
    family: "gptq",
    does: "It rounds column by column and changes the columns still to come so that they undo the error of each on the outputs. Which change undoes what it learns from the inputs of each layer over a calibration text: their Hessian.",
    time: "Two runs of each layer over the text, to gather and to go on; for each input a factorization that grows with the cube of its channels, and a loop over the columns.",
    memory: "For each input a matrix of channels × channels in float64, and the running text.",
    wins: "Weights alone at 3 and 4 bits: 175 billion parameters in about four GPU hours with little loss, where rounding to nearest breaks down at 3 bits.",
    source: "Frantar et al., GPTQ, arXiv 2210.17323, abstract and section 4",
  },
  {
    family: "awq",
    does: "It scales channels with loud inputs up before rounding, so that they lose less, and divides the same out of the layer before. Of a grid of factors it takes those that leave the smallest error behind the block.",
    time: "Most of all on long texts: for every place that it scales, each point of the grid runs the block over the text again.",
    memory: "A few numbers a channel, and the running text once for each point of the grid in a batch.",
    wins: "Weights alone at 3 and 4 bits, of instruction-tuned and multimodal models too: nothing is fitted to the text but the factors, so that little can be overfitted.",
    source: "Lin et al., AWQ, arXiv 2306.00978, abstract and section 3",
  },
  {
    family: "smoothquant",
    does: "It divides loud activations and multiplies the weights that read them by the same factor, channel by channel. The model computes the same; its activations become easier to round, its weights harder.",
    time: "Two runs of each layer over the text: one to note the range of each channel, one to go on.",
    memory: "A few numbers a channel, and the running text.",
    wins: "Weights and activations at 8 bits, where few channels are far louder than the rest: up to 530 billion parameters with negligible loss. Where activations are not rounded it has nothing to win.",
    source: "Xiao et al., SmoothQuant, arXiv 2211.10438, abstract",
  },
  {
    family: "sparsegpt",
    does: "It prunes the weights whose loss hurts the outputs least and changes the columns still to come to make up for them. It uses the Hessian as GPTQ does, and can round in the same pass.",
    time: "As GPTQ: a factorization for each input and a loop over the columns.",
    memory: "As GPTQ: a matrix of channels × channels for each input.",
    wins: "Half of the weights or more in one shot: models of 175 billion parameters reach 60 % with a negligible increase in perplexity; 2:4 and 4:8 patterns too.",
    source: "Frantar and Alistarh, SparseGPT, arXiv 2301.00774, abstract",
  },
  {
    family: "wanda",
    does: "It prunes in each row the weights with the smallest product of magnitude and norm of their input. The weights that stay are not changed.",
    time: "Two runs of each layer over the text: one for the norm of each channel, one to go on; and a ranking of each row.",
    memory: "One number a channel, and the running text.",
    wins: "Far ahead of pruning by magnitude on LLaMA and LLaMA-2, and on a par with methods that change the weights that stay, at a fraction of their cost.",
    source: "Sun et al., A Simple and Effective Pruning Approach, arXiv 2306.11695, abstract",
  },
];
