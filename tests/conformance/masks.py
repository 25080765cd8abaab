"""Whether a pruned checkpoint has zeros just where the rule of its pruning says, and else the bits of the original.

Magnitudes and norms are float64, which holds every bf16, f16 and f32 exactly. Unstructured masks are those of LLM
Compressor's own `unstructured_pruning`; it has no function for the others.
"""

import re
from pathlib import Path

import numpy as np
from checkpoint import Tensor, read_tensors

WORDS = {"BF16": np.uint16, "F16": np.uint16, "F32": np.uint32}

# The lab sums squares in float32, in an order of its own: lines whose norms are this near may go one for another.
NORM_TOLERANCE = 1e-6


def words(tensor: Tensor) -> np.ndarray:
    return np.frombuffer(tensor.data, WORDS[tensor.dtype]).reshape(tensor.shape)


def values(tensor: Tensor) -> np.ndarray:
    """The weights in float64."""
    raw = words(tensor)
    if tensor.dtype == "BF16":
        return (raw.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return raw.view(np.float16 if tensor.dtype == "F16" else np.float32).astype(np.float64)


def pattern_mask(magnitudes: np.ndarray, n: int, m: int) -> np.ndarray:
    """Of every `m` neighbours the `n` smallest, of equals the later: a stable sort of each group read backwards."""
    groups = magnitudes.reshape(-1, m)[:, ::-1]
    doomed = np.argsort(groups, axis=1, kind="stable")[:, :n]
    mask = np.zeros(groups.shape, bool)
    np.put_along_axis(mask, doomed, True, axis=1)
    return mask[:, ::-1].reshape(magnitudes.shape)


def unstructured_mask(magnitudes: np.ndarray, share: float) -> np.ndarray:
    import torch
    from llmcompressor.modifiers.pruning.utils.pytorch import PruningMaskCreatorArgs, PruningMaskFactory

    scores = torch.from_numpy(magnitudes)
    kept = PruningMaskFactory.create_mask_creator("unstructured")(
        PruningMaskCreatorArgs(parameter=torch.nn.Parameter(scores), sparsity=share, scores=scores)
    )
    return ~kept.numpy()


def wrong_lines(original: np.ndarray, pruned: np.ndarray, magnitudes: np.ndarray, share: float) -> str | None:
    """What is wrong with whole rows that went; `original` and `pruned` are bits."""
    count = int(share * len(original))
    changed = (original != pruned).any(axis=1)
    if pruned[changed].any():
        return "a row that changed is not all +0"
    empty = ~original.any(axis=1)
    if not changed.sum() <= count <= (changed | empty).sum():
        return f"{changed.sum()} lines went, {empty.sum()} were empty, {count} should go"
    norms = np.sqrt(np.square(magnitudes).sum(axis=1))
    # An empty line may be among those that went; where they are too many for that, some of them stayed.
    has_empty_left = (changed | empty).sum() > count
    smallest_left = 0 if has_empty_left else norms[~changed & ~empty].min(initial=np.inf)
    largest_gone = norms[changed].max(initial=0)
    if largest_gone > smallest_left * (1 + NORM_TOLERANCE):
        return f"a line of norm {largest_gone} went, one of {smallest_left} stayed"
    return None


def wrong_matrix(original: Tensor, pruned: Tensor, structure: list[str]) -> str | None:
    before, after, magnitudes = words(original), words(pruned), np.abs(values(original))
    if structure[0] in ("rows", "columns"):
        turn = (lambda matrix: matrix) if structure[0] == "rows" else np.transpose
        return wrong_lines(turn(before), turn(after), turn(magnitudes), float(structure[1]))
    if len(structure) == 2:
        mask = pattern_mask(magnitudes, int(structure[0]), int(structure[1]))
    else:
        mask = unstructured_mask(magnitudes, float(structure[0]))
    expected = np.where(mask, before.dtype.type(0), before)
    differing = int((expected != after).sum())
    return f"{differing} of {expected.size} weights differ" if differing else None


def judged(job: dict) -> dict:
    """{"matrices": how many were pruned, "findings": [text]}. The pruning is `magnitude:2:4`, `magnitude:rows:0.25` …"""
    _, *structure = job["pruning"].split(":")
    original, pruned = read_tensors(Path(job["original"])), read_tensors(Path(job["candidate"]))
    findings, matrices = [], 0
    for name in sorted(original.keys() | pruned.keys()):
        one, other = original.get(name), pruned.get(name)
        if one is None or other is None or (one.dtype, one.shape) != (other.dtype, other.shape):
            findings.append(f"{name} is missing, too many or of another type or shape")
        elif is_pruned(name, one, job["ignore"]):
            matrices += 1
            wrong = wrong_matrix(one, other, structure)
            findings += [f"{name}: {wrong}"] if wrong else []
        elif one.data != other.data:
            findings.append(f"{name} changed")
    return {"matrices": matrices, "findings": findings}


def is_pruned(name: str, tensor: Tensor, ignore: list[str]) -> bool:
    """Every matrix that `model_free_ptq` would quantize."""
    module, _, parameter = name.rpartition(".")
    ignored = any(re.match(entry[3:], module) if entry.startswith("re:") else entry == module for entry in ignore)
    return parameter == "weight" and len(tensor.shape) == 2 and not module.endswith("norm") and not ignored
