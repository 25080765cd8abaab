"""Make several reference checkpoints in one process, with the kit's own functions: most of a single run is imports.

Reads one JSON document from stdin: {"kit": FOLDER, "arithmetic": "eager" | "triton", "jobs": [{"model", "out", and
"scheme" or "kitRecipe" with "ignore", or "recipe": FILE; the latter two run on "calibration": TOKENS.json where it is
given}]}. A scheme is a preset's name, `int4:group=32:asym`, one with activations as `int8:channel/int8:tensor`, or groups
of these as `W8A16@re:.*down_proj; W4A16`; a kit recipe is a calibrated one by its name in the kit's reference.py. Prints
one JSON line a job: {"out", "error": null or text, "seconds"}.
One arithmetic a process: the kit installs its Triton rule for the whole process.
"""

import contextlib
import json
import random
import sys
import time
from pathlib import Path


def args_of(name: str, *, default: str, dynamic: bool):
    """QuantizationArgs of `int<bits>[:tensor|:channel|:token|:group=N][:asym]`."""
    from compressed_tensors.quantization import QuantizationArgs

    head, *parts = name.split(":")
    granularity = next((part for part in parts if part != "asym"), default)
    strategy, _, size = granularity.partition("=")
    return QuantizationArgs(
        num_bits=int(head.removeprefix("int")),
        type="int",
        symmetric="asym" not in parts,
        strategy=strategy,
        group_size=int(size) if size else None,
        dynamic=dynamic,
    )


def scheme_of(name: str, targets: list[str]):
    from compressed_tensors.quantization import QuantizationScheme, is_preset_scheme, preset_name_to_scheme

    if is_preset_scheme(name):
        return preset_name_to_scheme(name, targets)
    weights, _, activations = name.partition("/")
    return QuantizationScheme(
        targets=targets,
        weights=args_of(weights, default="group=128", dynamic=False),
        input_activations=args_of(activations, default="token", dynamic=True) if activations else None,
    )


def run_groups(model: Path, out: Path, scheme: str, ignore: list[str]) -> None:
    """`model_free_ptq` with the config groups that a scheme's text says, in their order."""
    from compressed_tensors.quantization import QuantizationConfig
    from llmcompressor import model_free_ptq

    groups = {}
    for part in scheme.split(";"):
        name, *targets = part.strip().split("@")
        groups[f"config_group_{len(groups)}"] = scheme_of(name, targets or ["Linear"])
    config = QuantizationConfig(config_groups=groups, ignore=ignore)
    model_free_ptq(model_stub=str(model), save_directory=str(out), config=config, device="cpu")


def make(reference, job: dict) -> None:
    """Write the checkpoint of one job."""
    model, out = Path(job["model"]), Path(job["out"])
    windows = json.loads(Path(job["calibration"]).read_text())["windows"] if "calibration" in job else None
    if "recipe" in job:
        reference.run_oneshot(model, out, job["recipe"], windows)
    elif "kitRecipe" in job:
        modifiers = reference.calibrated_recipes(job["ignore"])[job["kitRecipe"]]()
        reference.run_oneshot(model, out, modifiers, windows)
    elif job["scheme"] in reference.data_free_presets():
        reference.run_data_free(model, out, job["scheme"], job["ignore"])
    else:
        run_groups(model, out, job["scheme"], job["ignore"])


def main() -> None:
    order = json.load(sys.stdin)
    sys.path.insert(0, order["kit"])
    answers = sys.stdout
    # The tools print to stdout; only answers may go there.
    with contextlib.redirect_stdout(sys.stderr):
        import reference  # hides GPUs before torch is imported

        import llmcompressor  # noqa: F401  (importing it installs log handlers)
        import torch
        from loguru import logger

        logger.remove()
        logger.add(sys.stderr, level="WARNING")
        torch.set_num_threads(1)
        if order["arithmetic"] == "triton":
            reference.quantize_as_on_cuda()
        for job in order["jobs"]:
            started, error = time.perf_counter(), None
            torch.manual_seed(0)
            random.seed(0)
            try:
                make(reference, job)
            except (Exception, SystemExit) as caught:  # one failed job leaves the others standing
                error = f"{type(caught).__name__}: {caught}"
            answer = {"out": job["out"], "error": error, "seconds": time.perf_counter() - started}
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
