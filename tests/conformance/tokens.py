"""Token windows of a text by a model's own tokenizer, as transformers reads it.

Reads one JSON document from stdin: {"model": FOLDER, "text": FILE, "windows": N, "context": N, "out": FILE}, and writes
TOKENS.json. Windows follow on each other; nothing is put in front of them.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    from transformers import AutoTokenizer

    order = json.load(sys.stdin)
    count, context = order["windows"], order["context"]
    tokenizer = AutoTokenizer.from_pretrained(order["model"])
    # More than enough of it: no token is longer than twenty characters on average.
    text = Path(order["text"]).read_text(encoding="utf-8")[: 20 * count * context]
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    windows = [ids[at * context : (at + 1) * context] for at in range(count)]
    if any(len(window) < context for window in windows):
        raise SystemExit(f"{order['text']} has {len(ids)} tokens, too few")
    Path(order["out"]).write_text(json.dumps({"windows": windows}))


if __name__ == "__main__":
    main()
