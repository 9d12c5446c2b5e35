"""Bad input, and much input: each gets its error or a closed connection with one warning, and nobody else notices."""
import multiprocessing
import os
import pathlib
import random
import socket
import struct
import sys
import time
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from frames import CLOSED, Connection, batch, crc32c, header, produce, read, string, uvarint  # noqa: E402

BOOTSTRAP, PID = os.environ["BOOTSTRAP"], os.environ["BROKER_PID"]
PRODUCED = {"topics": [{"name": "string", "partitions": [{"index": "i32", "error": "i16", "offset": "i64", "append_time": "i64", "start": "i64",
                                                        "records": [{"index": "i32", "message": "string"}], "message": "string"}]}], "throttle": "i32"}
METADATA = {"brokers": [{"id": "i32", "host": "string", "port": "i32", "rack": "string"}], "controller": "i32", "topics": [
    {"error": "i16", "name": "string", "internal": "bool", "partitions": [{"error": "i16", "index": "i32", "leader": "i32", "replicas": ["i32"], "isr": ["i32"]}]}]}
ALL_TOPICS = header(3, 1) + struct.pack(">i", -1)
MB = 1e6


def claim(holds, text, detail=""):
    print(("ok" if holds else "not ok") + f" bad input: {text}" + ("" if holds else f": {detail}"), flush=True)


def note(text):
    print(f"note: {text}", flush=True)


def memory(field="VmRSS"):
    for line in open(f"/proc/{PID}/status"):
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    return 0


class Bystander:
    """A producer in a process of its own that wants every record acknowledged by all, in order, all the time."""

    def __init__(self):
        self.ours, theirs = multiprocessing.Pipe()
        with Connection(BOOTSTRAP) as connection:
            connection.ask(header(3, 1) + struct.pack(">i", 1) + string("bystander"))
        self.process = multiprocessing.Process(target=stand_by, args=(theirs,), daemon=True)
        self.process.start()

    def report(self, last=False):
        """What happened since the last report: records, milliseconds of the slowest, the broker's largest memory, trouble."""
        self.ours.send(last)
        return self.ours.recv()


def stand_by(pipe):
    connection = Connection(BOOTSTRAP, timeout=60)
    sent, last, trouble = 0, False, None
    while not last:
        slowest, peak, since = 0.0, 0, sent
        while not pipe.poll():
            began = time.monotonic()
            try:
                if not trouble:
                    answer = read(connection.ask(produce("bystander", batch([b"%d" % sent]))), PRODUCED)
                    placed = answer["topics"][0]["partitions"][0]
                    trouble = placed if placed["error"] or placed["offset"] != sent else None
                    sent += 1
            except Exception as error:
                trouble = repr(error)
            slowest = max(slowest, time.monotonic() - began)
            peak = max(peak, memory())
            time.sleep(0.002)
        last = pipe.recv()
        pipe.send((sent - since, slowest * 1000, peak, trouble))


def closed_with_one_line(text, raw, log=""):
    """Sends these bytes as they are: the connection must be closed, with one warning."""
    with Connection(BOOTSTRAP) as connection:
        try:
            connection.socket.sendall(raw)
        except (BrokenPipeError, ConnectionResetError):
            pass  # Closed before it had everything.
        claim(connection.receive() == CLOSED, f"{text}: closed")
        print(f"log peer={connection.peer} {log}", flush=True)


def framed(body):
    return struct.pack(">i", len(body)) + body


def sizes():
    closed_with_one_line("a frame above socket.request.max.bytes", struct.pack(">i", 104857601) + b"x" * 1000)
    closed_with_one_line("a frame of 2 GiB", struct.pack(">i", 2**31 - 1))
    closed_with_one_line("a frame of no bytes", struct.pack(">i", 0))
    closed_with_one_line("a frame of -1 bytes", struct.pack(">i", -1))
    closed_with_one_line("a frame of -2^31 bytes", struct.pack(">i", -2**31))
    for size in range(1, 10):
        closed_with_one_line(f"a frame of {size} bytes, not even a header", framed(header(3, 1)[:size]))


def requests():
    closed_with_one_line("an unknown API", framed(header(999, 0)), "")
    closed_with_one_line("an unknown version", framed(header(3, 99)))
    closed_with_one_line("a negative count", framed(header(3, 1) + struct.pack(">i", -2)))
    closed_with_one_line("an absurd count", framed(header(3, 1) + struct.pack(">i", 2**31 - 1)))
    closed_with_one_line("an absurd compact count", framed(header(3, 12, True) + uvarint(2**32 - 1)))
    closed_with_one_line("a length that never ends", framed(header(3, 12, True) + b"\xff" * 20))
    closed_with_one_line("a string beyond the frame", framed(header(3, 1) + struct.pack(">ih", 1, 30000) + b"x"))
    closed_with_one_line("a body that is cut off", framed(produce("bystander", batch([b"x"]))[:-20]))
    closed_with_one_line("absurd counts within", framed(header(0, 8) + string(None) + struct.pack(">hii", 1, 1000, 1) + string("bystander") + struct.pack(">i", 10**9)))
    many = struct.pack(">i", 2_000_000) + b"\0\0" * 1_000_000
    closed_with_one_line("two million topics in half as many bytes", framed(header(3, 1) + many))


def tongues():
    hello = bytes.fromhex("16030100c8010000c40303") + os.urandom(190)
    closed_with_one_line("a TLS hello", hello, "")
    closed_with_one_line("an HTTP request", b"GET / HTTP/1.1\r\nHost: kafka\r\n\r\n", "")
    closed_with_one_line("an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "")
    closed_with_one_line("an SSH greeting", b"SSH-2.0-OpenSSH_9.2\r\n", "")
    chance = random.Random(1)
    held = 0
    for _ in range(200):
        noise = bytes([chance.randrange(8, 256)]) + chance.randbytes(chance.randrange(3, 3000))
        with Connection(BOOTSTRAP) as connection:
            try:
                connection.socket.sendall(noise)
            except OSError:
                pass
            held += connection.receive() == CLOSED
            print(f"log peer={connection.peer} ")
    claim(held == 200, "200 pieces of noise: each closed", held)
    for i in range(100):  # Well framed, with a header of some API, and noise for a body.
        key, version = chance.choice([(0, 8), (1, 11), (1, 16), (3, 12), (11, 5), (19, 7), (32, 4), (8, 8)])
        body = header(key, version) + b"\xff" + chance.randbytes(chance.randrange(0, 300))
        with Connection(BOOTSTRAP) as connection:
            connection.send(body)
            connection.socket.settimeout(5)
            try:
                answer = connection.receive()
            except TimeoutError:
                answer = "nothing"
            held += answer != "nothing"
            if answer == CLOSED:
                print(f"log peer={connection.peer} ")
    claim(held == 300, "100 bodies of noise: each answered or closed", held - 200)


def batches():
    with Connection(BOOTSTRAP, timeout=30) as connection:
        connection.ask(header(3, 1) + struct.pack(">i", 1) + string("bad"))

        def error_of(records):
            return read(connection.ask(produce("bad", records)), PRODUCED)["topics"][0]["partitions"][0]["error"]

        claim(error_of(batch([b"x"], crc=1)) == 2, "a wrong CRC is CORRUPT_MESSAGE")
        claim(error_of(batch([b"x" * 1_100_000])) == 10, "a batch above message.max.bytes is MESSAGE_TOO_LARGE")
        claim(error_of(batch([b"x" * 20_000_000])) == 10, "one of 20 MB too")
        claim(error_of(batch([b"x"], count=2**31 - 1)) == 87, "a batch of two thousand million records in 70 bytes is INVALID_RECORD")
        before = memory()
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(900)) + packer.flush()
        body = struct.pack(">hiqqqhii", 1, 0, 0, 0, -1, -1, -1, 1) + bomb
        bomb_batch = struct.pack(">qiibI", 0, 9 + len(body), -1, 2, crc32c(body)) + body
        began = time.monotonic()
        error = error_of(bomb_batch)
        claim(error in (10, 87), f"{len(bomb) / MB:.1f} MB that unpack to 944 MB are refused", error)
        claim(memory("VmHWM") - before < 400 * MB, "and never unpacked whole", f"{(memory('VmHWM') - before) / MB:.0f} MB")
        note(f"a decompression bomb took {time.monotonic() - began:.2f} s, memory {before / MB:.0f} MB before, {memory('VmHWM') / MB:.0f} MB at most")
        claim(error_of(batch([b"good"])) == 0, "and the same connection goes on working")



def slow_and_gone():
    with Connection(BOOTSTRAP) as connection:
        for byte in framed(ALL_TOPICS):
            connection.socket.sendall(bytes([byte]))
            time.sleep(0.002)
        claim(connection.receive() != CLOSED, "a request that comes byte by byte is answered")
    before = memory()
    greedy = [Connection(BOOTSTRAP) for _ in range(40)]
    for connection in greedy:
        connection.socket.sendall(struct.pack(">i", 104857600) + header(0, 8) + b"x" * 1000)
    time.sleep(0.5)
    grown = memory() - before
    claim(grown < 100 * MB, "40 frames of 100 MiB that are announced and never sent take no memory", f"{grown / MB:.0f} MB")
    for connection in greedy:
        connection.socket.close()
    for _ in range(200):
        connection = Connection(BOOTSTRAP)
        connection.socket.sendall(framed(ALL_TOPICS) + framed(ALL_TOPICS)[:9])
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.socket.close()
    with Connection(BOOTSTRAP) as connection:
        claim(connection.ask(ALL_TOPICS) != CLOSED, "200 connections that vanish in the middle of a frame are no trouble")


def never_reads():
    """Asks without end and takes no answer: the broker stops reading, and keeps little."""
    with Connection(BOOTSTRAP) as connection:
        before = memory()
        connection.socket.settimeout(1)
        many, sent = framed(ALL_TOPICS) * 1000, 0
        try:
            while sent < 500 * MB:
                sent += connection.socket.send(many)
        except TimeoutError:
            pass
        grown = memory() - before
        claim(sent < 100 * MB and grown < 100 * MB, "who takes no answers is not read from", f"{sent / MB:.0f} MB sent, {grown / MB:.0f} MB grown")


def ten_thousand_connections():
    before, began = memory(), time.monotonic()
    idle = [Connection(BOOTSTRAP, timeout=30) for _ in range(10_000)]
    opened = time.monotonic() - began
    began = time.monotonic()
    answered = sum(connection.ask(ALL_TOPICS) != CLOSED for connection in idle)
    asked = time.monotonic() - began
    claim(answered == 10_000, "10,000 connections at once are all answered", answered)
    grown = memory() - before
    claim(grown < 200 * MB, "and take less than 20 KB each", f"{grown / MB:.0f} MB")
    note(f"10,000 connections: opened in {opened:.2f} s, each asked once in {asked:.2f} s, memory {before / MB:.0f} -> {memory() / MB:.0f} MB")
    for connection in idle:
        connection.socket.close()


def ten_thousand_partitions():
    topics = [f"wide-{i}" for i in range(10)]
    before, began = memory(), time.monotonic()
    with Connection(BOOTSTRAP, timeout=120) as connection:
        wanted = b"".join(string(name) + struct.pack(">ihii", 1000, 1, 0, 0) for name in topics)
        created = connection.ask(header(19, 4) + struct.pack(">i", len(topics)) + wanted + struct.pack(">ib", 120000, 0))
        errors = read(created, {"throttle": "i32", "topics": [{"name": "string", "error": "i16", "message": "string"}]})
        claim(all(t["error"] == 0 for t in errors["topics"]), "10,000 partitions are created at once", errors)
        note(f"10,000 partitions: created in {time.monotonic() - began:.2f} s, memory {before / MB:.0f} -> {memory() / MB:.0f} MB")
        began = time.monotonic()
        answer = read(connection.ask(ALL_TOPICS), METADATA)
        count = sum(len(t["partitions"]) for t in answer["topics"] if t["name"].startswith("wide-"))
        claim(count == 10_000 and all(p["leader"] == 1 for t in answer["topics"] for p in t["partitions"]), "and all in the metadata, led", count)
        note(f"metadata of 10,000 partitions: {time.monotonic() - began:.3f} s")
        began, one, bad = time.monotonic(), batch([b"x" * 100]), 0
        for name in topics:
            part = b"".join(struct.pack(">ii", p, len(one)) + one for p in range(1000))
            body = string(None) + struct.pack(">hii", -1, 60000, 1) + string(name) + struct.pack(">i", 1000) + part
            answer = read(connection.ask(header(0, 8) + body), PRODUCED)
            bad += sum(p["error"] != 0 or p["offset"] != 0 for p in answer["topics"][0]["partitions"])
        claim(bad == 0, "each takes a record", bad)
        note(f"a record to each of 10,000 partitions: {time.monotonic() - began:.2f} s, memory {memory() / MB:.0f} MB")
        began = time.monotonic()
        names = b"".join(string(name) for name in topics)
        deleted = connection.ask(header(20, 1) + struct.pack(">i", len(topics)) + names + struct.pack(">i", 120000))
        errors = read(deleted, {"throttle": "i32", "topics": [{"name": "string", "error": "i16"}]})
        claim(all(t["error"] == 0 for t in errors["topics"]), "and all are deleted", errors)
        note(f"deleted in {time.monotonic() - began:.2f} s, memory {memory() / MB:.0f} MB")


def main():
    print("may log connections pause until memory for requests is free", flush=True)  # As each shard's share is used up.
    bystander = Bystander()
    base = memory()
    note(f"memory {base / MB:.0f} MB at first")
    for part in (sizes, requests, tongues, batches, slow_and_gone, never_reads, ten_thousand_connections, ten_thousand_partitions):
        part()
        sent, slowest_ms, peak, trouble = bystander.report(last=part is ten_thousand_partitions)
        name = part.__name__.replace("_", " ")
        claim(trouble is None and sent > 0, f"{name}: a producer beside it saw no error and its offsets in order", trouble or "it sent nothing")
        claim(peak - base < 400 * MB, f"{name}: memory stays bounded", f"{peak / MB:.0f} MB")
        note(f"{name}: the producer sent {sent} records, the slowest took {slowest_ms:.0f} ms; memory at most {peak / MB:.0f} MB")


main()
