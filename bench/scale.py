#!/usr/bin/env python3
"""What size costs: many partitions, and starts over a big log.

    bench/scale.py partitions 10000 100000      created, resident, idle CPU, clean restart, restart after kill -9
    bench/scale.py log 10 [--fresh 2]           GB of log, of them written just before kill -9: time to ready again
    ... --kafka                                 Apache Kafka too, in the same run;  --folder DIR: where the data goes

Ready means: the first Metadata request is answered; and, in the second figure, the first record is acknowledged (acks=all).
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from brokers import MILLRACE, Kafka, Millrace, fetch_kafka  # noqa: E402

PER_TOPIC = 1000


def first_record_s(broker, topic):
    """From now until a record is acknowledged."""
    began = time.monotonic()
    while subprocess.run([str(MILLRACE), "produce", topic, "x", "--no-create", "-b", f"127.0.0.1:{broker.port}"],
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
        if time.monotonic() - began > broker.patience_s:
            sys.exit(f"{broker.name}: no record is acknowledged: see {broker.folder}/log")
    return time.monotonic() - began


def restart(broker, topic, name):
    """The stopped broker again: s to the first answered request, s to the first acknowledged record, CPU s up to there."""
    broker.start()
    return {f"{name}_restart_s": broker.start_ms / 1000, f"{name}_record_s": broker.start_ms / 1000 + first_record_s(broker, topic),
            f"{name}_cpu_s": broker.cpu_s()}


def partitions(broker, count):
    """Creates `count` partitions in topics of 1,000, and looks at what they cost."""
    began = time.monotonic()
    for first in range(0, count, PER_TOPIC):
        broker.make_topic(f"many-{first}", min(PER_TOPIC, count - first))
    last = f"many-{(count - 1) // PER_TOPIC * PER_TOPIC}"
    figures = {"created_s": time.monotonic() - began, "created_cpu_s": broker.cpu_s()}
    figures["first_record_s"] = first_record_s(broker, last)
    time.sleep(5)
    figures["resident_mb"] = broker.resident_mb()
    before, began = broker.cpu_s(), time.monotonic()
    time.sleep(15)
    figures["idle_percent"] = (broker.cpu_s() - before) / (time.monotonic() - began) * 100
    began = time.monotonic()
    broker.stop()
    figures["stop_s"] = time.monotonic() - began
    figures |= restart(broker, last, "clean")
    figures["restarted_mb"] = broker.resident_mb()
    time.sleep(1)
    broker.kill()
    return figures | restart(broker, last, "killed")


def fill(broker, size, pause_s):
    """`size` bytes of 64 KB batches over 4 partitions; returns what was written."""
    written = 0
    while written < size:
        run = subprocess.run([str(MILLRACE), "bench", "produce", "--topic", "big", "--partitions", "4", "--connections", "4",
                              "--batch-size", "64K", "--record-size", "1000", "--acks", "1", "-d", "2s", "--warm-up", "0s",
                              "-o", "json", "-b", f"127.0.0.1:{broker.port}"], capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"{broker.name}: {run.stderr}")
        written += json.loads(run.stdout)["bytes"]
    time.sleep(pause_s)
    return written


def big_log(broker, size, fresh):
    """A log of `size` bytes; a clean restart; `fresh` of them after it, then kill -9 in the middle of the load."""
    broker.make_topic("big", 4)
    time.sleep(1)
    old = fill(broker, size - fresh, 5)
    broker.stop()
    clean = restart(broker, "big", "clean")
    new = fill(broker, fresh, 0)
    broker.kill()
    killed = restart(broker, "big", "killed")
    return {"old_gb": old / 1e9, "fresh_gb": new / 1e9, **clean, **killed, "resident_mb": broker.resident_mb()}


def with_broker(kind, folder, work):
    folder = tempfile.mkdtemp(prefix=f"scale-{kind.name}.", dir=folder)
    broker = kind(folder)
    try:
        return work(broker)
    finally:
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=["partitions", "log"])
    options.add_argument("sizes", type=int, nargs="+")
    options.add_argument("--fresh", type=float, default=2, help="GB written after the clean restart (2)")
    options.add_argument("--kafka", action="store_true")
    options.add_argument("--folder")
    options = options.parse_args()
    if options.kafka:
        fetch_kafka()
    for size in options.sizes:
        for kind in (Millrace, Kafka) if options.kafka else (Millrace,):
            def work(broker):
                if options.what == "partitions":
                    return partitions(broker, size)
                return big_log(broker, size * 10**9, int(options.fresh * 1e9))
            figures = with_broker(kind, options.folder, work)
            print(f"{options.what} {size} {kind.name}: " + " ".join(f"{key}={value:.2f}" for key, value in figures.items()), flush=True)


if __name__ == "__main__":
    main()
