"""What the real safetensors reader makes of many files.

Reads one JSON document from stdin: {"file": PATH}, a file of files, each after its length as a little-endian u32. Prints
one JSON line a file: {"tensors": [[name, dtype, shape as digits, bytes, CRC-32 of the bytes], ...] ordered by name} or
{"refused": text}, and at the end {"version": the reader's}.
"""

import json
import struct
import sys
import zlib
from pathlib import Path

import safetensors


def verdict(file: bytes) -> dict:
    try:
        tensors = safetensors.deserialize(file)
    except safetensors.SafetensorError as error:
        return {"refused": str(error)}
    rows = [
        [name, info["dtype"], [str(size) for size in info["shape"]], len(info["data"]), zlib.crc32(info["data"])]
        for name, info in tensors
    ]
    # As JavaScript orders text: by UTF-16 units.
    return {"tensors": sorted(rows, key=lambda row: row[0].encode("utf-16-be"))}


def main() -> None:
    packed = Path(json.load(sys.stdin)["file"]).read_bytes()
    at = 0
    while at < len(packed):
        (size,) = struct.unpack_from("<I", packed, at)
        at += 4 + size
        print(json.dumps(verdict(packed[at - size : at])))
    print(json.dumps({"version": safetensors.__version__}))


if __name__ == "__main__":
    main()
