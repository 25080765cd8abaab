"""The kit's random models of every architecture, made anew with other sizes and another seed.

Reads one JSON document from stdin: {"kit": FOLDER, "out": FOLDER}, and prints one JSON line a family: {"family", "folder",
"noise"}. Logits are those of the kit. Statistics are computed again in float64: of these models transformers' own in
float32 are up to 1.3e-5 off (OPT, channels that a ReLU leaves nearly nothing of), more than the lab is allowed. "noise" is by
how much at most, as a share: of the value, of a minimum or maximum of the channel's largest.
What the sizes are for: three query heads a key head, widths that few tiles divide, a vocabulary of an odd size, as GPT-2
has, windows of an odd length, and layers enough that windowed and full attention take turns.
"""

import contextlib
import json
import sys
from pathlib import Path

SEED = 2000
WINDOWS, POSITIONS, VOCABULARY = 3, 41, 203
HIDDEN, INTERMEDIATE, LAYERS, HEADS = 144, 208, 3, 6
# By the names of config.json; a family takes those that the kit says of it.
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "n_embd": HIDDEN,
    "word_embed_proj_dim": HIDDEN,
    "intermediate_size": INTERMEDIATE,
    "ffn_dim": INTERMEDIATE,
    "num_hidden_layers": LAYERS,
    "n_layer": LAYERS,
    "num_attention_heads": HEADS,
    "n_head": HEADS,
    "num_key_value_heads": 2,
    "head_dim": 20,
    "query_pre_attn_scalar": 24,
    "sliding_window": 9,
    "num_local_experts": 5,
    "max_position_embeddings": 96,
    "n_positions": 96,
}
# Gemma 3 attends to everything in every sixth layer only, and rotates otherwise there.
MORE_LAYERS = {"gemma3": 6}


def resized(family: str, config: dict) -> dict:
    """A config with the sizes above, where it has such."""
    sizes = SIZES | {"num_hidden_layers": MORE_LAYERS.get(family, LAYERS)}
    return config | {key: value for key, value in sizes.items() if key in config}


def exact_statistics(kit, folder: Path) -> dict:
    """Channel statistics of a family in float64; where transformers' code asks for float32 in between, it keeps it."""
    import torch
    from transformers import AutoModelForCausalLM

    # Of Mixtral: grouped products are made for narrower types only.
    plain = {"attn_implementation": "eager", "experts_implementation": "eager"}
    model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float64, **plain).eval()
    windows = json.loads((folder / "tokens.json").read_text())["windows"]
    with torch.no_grad(), kit.recorded_inputs(model) as inputs:
        for window in windows:
            model(input_ids=torch.tensor([window]))
    return kit.channel_statistics(inputs)


def noise_of(found: dict, exact: dict) -> float:
    """The largest deviation of some statistics."""
    if found.keys() != exact.keys():
        raise ValueError("statistics of other modules")
    shares = []
    for name, values in exact.items():
        module, _, key = name.rpartition(".")
        scale = exact[f"{module}.absmax"] if key in ("min", "max") else values
        shares.append(((found[name] - values).abs() / scale.abs().clamp_min(1e-300)).max().item())
    return max(shares)


def main() -> None:
    order = json.load(sys.stdin)
    out = Path(order["out"])
    sys.path.append(order["kit"])
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        import architectures as kit
        import torch
        from safetensors.torch import load_file, save_file

        seeded = torch.manual_seed
        torch.manual_seed = lambda seed: seeded(SEED + seed)
        kit.VOCAB, kit.WINDOWS, kit.POSITIONS = VOCABULARY, WINDOWS, POSITIONS
        kit.ARCHITECTURES = {
            family: (dtype, resized(family, config)) for family, (dtype, config) in kit.ARCHITECTURES.items()
        }
        kit.main(out, [])
        for family in kit.ARCHITECTURES:
            folder = out / family
            file = folder / "statistics.safetensors"
            exact = exact_statistics(kit, folder)
            answer = {"family": family, "folder": str(folder), "noise": noise_of(load_file(file), exact)}
            save_file(exact, file)
            print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
