"""Time the real tool's data-free quantization, disk to disk, in a process that has imported it already.

    tool_rounds.py KIT

Each line of stdin is {"model", "out", "scheme", "ignore"}; `out` must not exist. Each line of stdout is
{"seconds", "syncedSeconds", "error"}: until the tool returns, and until its files are on the disk. Two torch threads.
"""

import contextlib
import json
import os
import sys
import time
from pathlib import Path

THREADS = 2


def main() -> None:
    sys.path[:0] = [sys.argv[1], str(Path(__file__).parents[1] / "conformance")]
    answers = sys.stdout
    # The tools print to stdout; only answers may go there.
    with contextlib.redirect_stdout(sys.stderr):
        import reference  # hides GPUs before torch is imported

        import llmcompressor  # noqa: F401  (importing it installs log handlers)
        import references
        import torch
        from loguru import logger

        logger.remove()
        torch.set_num_threads(THREADS)
        for line in sys.stdin:
            started, error = time.perf_counter(), None
            try:
                references.make(reference, json.loads(line))
            except (Exception, SystemExit) as caught:
                error = f"{type(caught).__name__}: {caught}"
            seconds = time.perf_counter() - started
            sync(Path(json.loads(line)["out"]))
            synced = time.perf_counter() - started
            answer = {"seconds": seconds, "syncedSeconds": synced, "error": error}
            print(json.dumps(answer), file=answers, flush=True)


def sync(folder: Path) -> None:
    """Wait until every file of a folder is on the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


if __name__ == "__main__":
    main()
