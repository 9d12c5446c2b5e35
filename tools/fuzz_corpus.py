#!/usr/bin/env python3
"""Writes a seed corpus for tests/fuzz/decode_fuzz.cc from the golden messages.

Usage: tools/fuzz_corpus.py DIRECTORY
"""
import json
import pathlib
import sys

FRAME_FOLLOWS = b"\xff\xff"
SEED_SIZE_MAX = 4096


def golden():
    directory = pathlib.Path(__file__).parent.parent / "tests" / "wire" / "golden"
    for path in sorted(directory.glob("*.jsonl")):
        if path.name == "record-batches.jsonl":
            continue
        with open(path) as lines:
            yield from map(json.loads, lines)


def seeds(messages):
    place = {name: i for i, name in enumerate(sorted({m["message"] for m in messages}))}
    for m in messages:
        choice = place[m["message"]].to_bytes(2, "big")
        yield choice + bytes([m["version"]]) + bytes.fromhex(m["body"])
        if m["type"] == "request":
            yield FRAME_FOLLOWS + bytes.fromhex(m["frame"])[4:]


def main():
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    count = 0
    for seed in seeds(list(golden())):
        if len(seed) <= SEED_SIZE_MAX:
            (target / f"golden-{count:05}").write_bytes(seed)
            count += 1
    print(f"{count} seeds in {target}")


if __name__ == "__main__":
    main()
