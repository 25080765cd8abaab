"""Run tools of the kit, and masks.py of this folder, on many folders in one process.

Reads one JSON document from stdin: {"kit": FOLDER, "jobs": [JOB]}, and prints one JSON line a job, with its "id",
"error" (null or text), "seconds", and by its "kind"
- `compare` ("reference", "candidate", "acrossEntryPoints"): "passed", "failed", "findings" of what failed
- `layers` ("original", "compressed"): "rows"
- `measure` ("original", "compressed", "tokens"): "report"
- `divergences` ("original", "compressed": folders, "tokens", "positions": files to write, "roundsActivations", "isWide"):
  "reports" and, where it is asked for, "wide": the same with the models in float64
- `calibrated` ("original", "reference", "candidate", "calibration"): "report" of calibrated.py
- `masks` ("original", "candidate", "pruning", "ignore"): "matrices", "findings"
Figures that are not finite are null.
"""

import contextlib
import io
import json
import sys
import time
from pathlib import Path


def compared(job: dict) -> dict:
    """The checks of compare.py, counted."""
    import compare

    checks = compare.compare(Path(job["reference"]), Path(job["candidate"]), job["acrossEntryPoints"])
    failed = [check for check in checks if not check.passed]
    findings = [f"{check.name}: {check.finding}" for check in failed]
    return {"passed": len(checks) - len(failed), "failed": len(failed), "findings": findings}


def printed(tool, *args: str) -> dict:
    """The document that a tool of the kit prints with `--json`."""
    sys.argv = [tool.__file__, *args, "--json"]
    with contextlib.redirect_stdout(io.StringIO()) as output:
        tool.main()
    return json.loads(output.getvalue(), parse_constant=lambda _: None)


def layers(job: dict) -> dict:
    import layers as tool

    return {"rows": printed(tool, job["original"], job["compressed"])}


def measure(job: dict) -> dict:
    import measure as tool

    return {"report": printed(tool, job["original"], job["compressed"], job["tokens"])}


def divergences(job: dict) -> dict:
    """What measure.py says of several folders, with its own functions; the original is run once for all of them."""
    import torch

    reports = reported(job, torch.float32, job["positions"])
    wide = reported(job, torch.float64, None) if job["isWide"] else None
    return {"reports": reports, "wide": wide}


def reported(job: dict, dtype, positions: list[str] | None) -> list[dict]:
    """The reports of one dtype, and the divergence of every position in a file each."""
    import models
    import numpy as np

    import measure as tool

    windows = models.read_windows(Path(job["tokens"]))
    original = models.load(Path(job["original"]), dtype)
    rounds = job["roundsActivations"]
    candidates = [models.load(Path(folder), dtype, quantize_activations=rounds) for folder in job["compressed"]]
    parts = [[] for _ in candidates]
    for window in windows:
        base = models.logits(original, window)
        for candidate, scores in zip(candidates, parts, strict=True):
            scores.append(tool.score(base, models.logits(candidate, window), window))
    reports = []
    for at, (candidate, scores) in enumerate(zip(candidates, parts, strict=True)):
        joined = {key: np.concatenate([part[key] for part in scores]) for key in scores[0]}
        if positions:
            joined["kld"].astype("<f8").tofile(positions[at])
        rounding = {"activationQuantization": models.activation_quantization(candidate)}
        reports.append(rounding | tool.statistics(joined))
    return reports


def calibrated(job: dict) -> dict:
    import calibrated as tool

    folders = (job["original"], job["reference"], job["candidate"])
    return {"report": printed(tool, *folders, "--calibration", job["calibration"])}


def masks(job: dict) -> dict:
    import masks as rules

    return rules.judged(job)


RUNS = {"compare": compared, "layers": layers, "measure": measure, "divergences": divergences, "masks": masks}
RUNS |= {"calibrated": calibrated}


def main() -> None:
    order = json.load(sys.stdin)
    # After this folder, whose names are others.
    sys.path.append(order["kit"])
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        import torch

        torch.set_num_threads(1)
        for job in order["jobs"]:
            started, answer = time.perf_counter(), {"error": None}
            try:
                answer |= RUNS[job["kind"]](job)
            except Exception as caught:  # one unreadable folder leaves the others standing
                answer["error"] = f"{type(caught).__name__}: {caught}"
            seconds = time.perf_counter() - started
            print(json.dumps(answer | {"id": job["id"], "seconds": seconds}), file=answers, flush=True)


if __name__ == "__main__":
    main()
