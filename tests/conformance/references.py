"""Make several reference checkpoints in one process, with the kit's own functions: most of a single run is imports.

Reads one JSON document from stdin: {"kit": FOLDER, "arithmetic": "eager" | "triton", "jobs": [{"model", "out", and
"preset" with "ignore", or "recipe": FILE}]}. Prints one JSON line a job: {"out", "error": null or text, "seconds"}.
One arithmetic a process: the kit installs its Triton rule for the whole process.
"""

import contextlib
import json
import random
import sys
import time
from pathlib import Path


def make(reference, job: dict) -> None:
    """Write the checkpoint of one job."""
    model, out = Path(job["model"]), Path(job["out"])
    if "preset" in job:
        reference.run_data_free(model, out, job["preset"], job["ignore"])
    else:
        reference.run_oneshot(model, out, job["recipe"], None)


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
