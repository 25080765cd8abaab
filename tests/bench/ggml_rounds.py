"""Time llama.cpp's Q4_0 on one thread.

    ggml_rounds.py KIT COUNT

Each line of stdin asks for a run over COUNT float32; each line of stdout is {"seconds"}.
"""

import json
import sys
import time

import numpy as np


def main() -> None:
    kit, count = sys.argv[1], int(sys.argv[2])
    sys.path.insert(0, kit)
    import ggml_reference
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    kind, columns = GGMLQuantizationType.Q4_0, 1024
    block, size = GGML_QUANT_SIZES[kind]
    library = ggml_reference.library()
    random = np.random.default_rng()
    # A MiB of weights with tails, and then the same again, as the lab's side has them.
    part = random.standard_normal(2**20, np.float32) * np.where(random.random(2**20) < 0.002, 0.16, 0.02).astype(np.float32)
    weights = np.tile(part, -(-count // 2**20))[:count].reshape(-1, columns)
    codes = np.zeros(count // block * size, np.uint8)
    rows = count // columns
    library.ggml_quantize_init(int(kind))
    for _ in sys.stdin:
        started = time.perf_counter()
        written = library.ggml_quantize_chunk(
            int(kind), weights.ctypes.data, codes.ctypes.data, 0, rows, columns, None
        )
        seconds = time.perf_counter() - started
        error = None if written == codes.size and codes.any() else f"{written} bytes were written"
        print(json.dumps({"seconds": seconds, "error": error}), flush=True)


if __name__ == "__main__":
    main()
