import { DEFAULT_SCHEMES, PRESETS } from "../schemes/presets.ts";
import { DEFAULT_IGNORE } from "../schemes/targets.ts";
import { DEFAULT_GENERATED } from "./options.ts";

/** Names of the presets that leave activations alone, or of those that round them. */
const presetNames = (roundsActivations: boolean) =>
  PRESETS.filter(({ inputActivations }) => (inputActivations !== null) === roundsActivations)
    .map(({ name }) => name)
    .join(" ");

/** What `lab --help` prints. */
export const HELP = `lab inspect  [MODEL] [--tensors] [--json]
lab inspect  --kept | --forget [--json]
lab compare  [MODEL] [--scheme S]… [options] [--throughput] [--gpu NAME --context N --sequences N] [--json]
lab measure  [MODEL] [--schemes A,B,…] [options] [--text F | --tokens F] [--windows N] [--context N] [--seed N]
             [--weights on|off] [--activations on|off] [--kv K] [--served] [--calibration F]
             [--against DIR]… [--per-position DIR] [--words FILE] [--json]
lab diagnose [MODEL] [--schemes A,B,…] [options of measure] [--only L,…] [--at W:P] [--generate N] [--items F]
             [--statistics F] [--save-statistics F] [--strengths A,…] [--samples N,…] [--share S] [--json]
lab quantize [MODEL] --scheme S [options] --out DIR [--json]

MODEL  a Hugging Face folder; inspect also takes a .safetensors file, an index or a config.json. None: the bundled model.

options
  --tensors             list every tensor, not only the bytes by role
  --kept, --forget      list what is kept of earlier measurements on this machine, or let go of it
  --scheme S            what the weights become, see below; compare takes several (default ${DEFAULT_SCHEMES.join(", ")})
  --schemes A,B,…       the same for several, separated by commas
  --prune P             what becomes zero before that: magnitude:N:M (N of every M neighbours), magnitude:SHARE,
                        magnitude:rows:SHARE, magnitude:columns:SHARE; wanda and sparsegpt go by a calibration text:
                        wanda:N:M, wanda:SHARE, sparsegpt:N:M, sparsegpt:SHARE; alone with --scheme none. Parts that are
                        removed, for a smaller model: wanda:channels:SHARE, wanda:heads:SHARE, wanda:layers:SHARE
  --method M            how weights become codes, for every --scheme that does not say it: rtn (to nearest), gptq,
                        smoothquant, awq, or joined by "+", the rounding last; see below
  --ignore P            leave a module alone: its exact name, or re: and a pattern matched at the start; adds to
                        ${DEFAULT_IGNORE.join(", ")}
  --no-default-ignore   drop that default list
  --arithmetic RULE     eager (default): as torch on a CPU, verified byte for byte; triton: as the kernel on CUDA
  --device WHERE        auto (default: gpu or wasm, what a probe finds quicker), gpu (WebGPU) or wasm (WebAssembly) or exit 3,
                        cpu (WebAssembly, else the oracles), reference (the oracles)
  --text F              run the models on this text: .txt, or .jsonl with "text" or "messages" (default: the bundled texts)
  --tokens F            … or on these windows of token ids, as they are: {"windows": [[id, …], …]}
  --windows N           windows at most; --context N tokens each; --seed N draws them from all of the text (default: the first)
  --against DIR         also measure another checkpoint of the same architecture
  --weights on|off      whether weights are rounded (default on), --activations on|off: what goes into layers, where the scheme
                        says so (default on)
  --kv K                round keys and values too: int8:tensor, int8:attn_head (as compressed-tensors; ranges of all the
                        calibration text, or with :minmax behind it moving averages), int8:token-head (as vLLM); alone with
                        --scheme none
  --calibration F       where static scales come from, methods other than rtn, and prunings by wanda and sparsegpt: .txt, .jsonl,
                        or windows of token ids in .json (default: the bundled calibration text)
  --served              also measure schemes with int8 activations per token as vLLM rounds them
  --words FILE          write what is known of every scored position, a line of JSON each
  --only L,…            looks of diagnose (default the first six): depth (error layer by layer), activations (loud channels),
                        layers and kinds (which of them heals when it is put back), generation (tokens until greedy text
                        differs), tasks (multiple choice); sweeps, which take their time: strength (of SmoothQuant), samples
                        (how many a method needs), salient (what a few input channels are worth)
  --strengths A,…       strengths to sweep, from 0 to 1 (default 0, 0.1, … 1); --samples N,… numbers of calibration windows
                        (default 8, 16, 32, … and all, 512 at most); --share S of the input channels to keep (default 0.01)
  --at W:P              heal position P of window W alone, both from 0, or with the name of a bundled text the positions of
                        that (default: every scored position)
  --generate N          tokens that a prompt goes on by (default ${DEFAULT_GENERATED}); prompts are the first halves of the windows
  --items F             multiple-choice items: lines of {"context", "choices", "answer"} (default: bundled ones)
  --statistics F        take activation statistics from a file that --save-statistics wrote of the same weights; a file that
                        ends in .gguf is an importance matrix of llama.cpp, in either
  --per-position DIR    write the KL divergence of every scored position, in nats: a file of little-endian float64 for each
  --quiet               no progress

schemes, in any letter case
  weights alone         ${presetNames(false)}
  and activations       ${presetNames(true)}
  custom                int<2…8>[:tensor|:channel|:group=N][:asym], groups of 128 unless said: int4:group=32:asym
                        (int8 alone is the preset INT8); :observer=memoryless_mse or another of LLM Compressor's names
                        searches the range of each group
  mixed                 "W8A16@re:.*down_proj@re:.*o_proj; W4A16": the first whose @target matches a module takes it,
                        a scheme without a target all that is left
  pruned                "magnitude:2:4 | W4A16" is --scheme W4A16 --prune magnitude:2:4
  with a method         "gptq | W4A16" is --scheme W4A16 --method gptq; a pruning stands before it: "wanda:2:4 | gptq | W4A16"

methods, in any letter case; what comes first among values is the default
  rtn                   each weight to the nearest code
  gptq                  column by column, those to come make up for the error: gptq[:actorder=static|none][:damp=0.01]
  smoothquant           factors of loud channels move into the weights:
                        smoothquant[:strength=0.5][:rule=tool|paper][:layers=3-5/0.8,7/0.6] (--schemes would part that list)
  awq                   … by a search for the least error: awq[:duo=yes|no|both][:grid=20][:clip]

exit  0 done · 1 refused or failed · 2 usage · 3 device · 4 input or output · 130 interrupted`;
