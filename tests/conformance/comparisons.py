"""Run the kit's compare.py and layers.py on many folders in one process.

Reads one JSON document from stdin: {"kit": FOLDER, "jobs": [{"id", "kind": "compare", "reference", "candidate",
"acrossEntryPoints"} or {"id", "kind": "layers", "original", "compressed"}]}. Prints one JSON line a job, with its id,
"error" (null or text), "seconds", and of `compare` "passed", "failed", "findings" (of what failed), of `layers` "rows".
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


def layers(job: dict) -> dict:
    """What `layers.py ORIGINAL COMPRESSED --json` prints."""
    import layers as tool

    sys.argv = ["layers.py", job["original"], job["compressed"], "--json"]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        tool.main()
    return {"rows": json.loads(printed.getvalue(), parse_constant=lambda _: None)}


def main() -> None:
    order = json.load(sys.stdin)
    sys.path.insert(0, order["kit"])
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        for job in order["jobs"]:
            started, answer = time.perf_counter(), {"error": None}
            try:
                answer |= {"compare": compared, "layers": layers}[job["kind"]](job)
            except Exception as caught:  # one unreadable folder leaves the others standing
                answer["error"] = f"{type(caught).__name__}: {caught}"
            seconds = time.perf_counter() - started
            print(json.dumps(answer | {"id": job["id"], "seconds": seconds}), file=answers, flush=True)


if __name__ == "__main__":
    main()
