"""The clients of tests/crash/run: four producers and a committing consumer, then the reckoning.

Each producer writes unique rising numbers to its own topic. What the broker acknowledged, what the consumer saw and
what it committed is kept here; at the end everything is read and compared.
"""
import subprocess
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP = sys.argv[1]
PARTITIONS = 4
PATIENCE_S = 60
# The same broker comes back at once: look for it often.
CLIENT = {"bootstrap.servers": BOOTSTRAP, "reconnect.backoff.ms": 5, "reconnect.backoff.max.ms": 50,
          "topic.metadata.refresh.interval.ms": 1000, "socket.timeout.ms": 10000, "log_level": 0}


def claim(holds, text, detail=""):
    print(("ok" if holds else "not ok") + f" crash: {text}" + ("" if holds else f": {detail}"), flush=True)


def value_of(number):
    """The number, and bytes that make the sizes differ: small batches and batches above 64 KiB."""
    return b"%d " % number + b"." * (number * 7919 % (200 if number // 5000 % 2 else 2000))


class Writer(threading.Thread):
    """One producer: numbers from 0 on, in turn to the partitions of its topic."""

    def __init__(self, topic, **settings):
        super().__init__(daemon=True)
        self.topic = topic
        self.producer = Producer({**CLIENT, "message.timeout.ms": 300000, "retries": 1000000, "retry.backoff.ms": 10,
                                  "retry.backoff.max.ms": 100, "linger.ms": 2, "queue.buffering.max.messages": 5000,
                                  **settings})
        self.stopping = threading.Event()
        self.sent, self.acknowledged, self.errors = 0, {}, []

    def run(self):
        while not self.stopping.is_set():
            for _ in range(self.sent // 500 % 4 * 20 + 2):
                self.send()
            self.producer.poll(0.004)
        self.producer.flush(PATIENCE_S)

    def send(self):
        try:
            self.producer.produce(self.topic, value_of(self.sent), partition=self.sent % PARTITIONS,
                                  on_delivery=self.delivered(self.sent))
            self.sent += 1
        except BufferError:
            self.producer.poll(0.02)
        except KafkaException as error:
            self.errors.append(str(error))
            self.stopping.set()

    def delivered(self, number):
        def note(error, message):
            if error is None:
                self.acknowledged[number] = (message.partition(), message.offset())
            else:
                self.errors.append(f"{number}: {error}")
        return note


class KcatWriter(threading.Thread):
    """kcat, idempotent: ends well only if all lines were acknowledged."""

    def __init__(self, topic):
        super().__init__(daemon=True)
        self.topic, self.stopping, self.sent = topic, threading.Event(), 0
        self.process = subprocess.Popen(
            ["kcat", "-P", "-E", "-b", BOOTSTRAP, "-t", topic, "-X", "enable.idempotence=true", "-X", "linger.ms=2",
             "-X", "message.timeout.ms=300000", "-X", "retry.backoff.ms=10", "-X", "reconnect.backoff.ms=5",
             "-X", "reconnect.backoff.max.ms=50"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def run(self):
        while not self.stopping.is_set():
            self.process.stdin.write(b"".join(b"%d\n" % n for n in range(self.sent, self.sent + 20)))
            self.process.stdin.flush()
            self.sent += 20
            time.sleep(0.02)
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)


class Reader(threading.Thread):
    """A group of one: reads a topic and commits; remembers what it saw and what the broker said was committed."""

    def __init__(self, topic):
        super().__init__(daemon=True)
        self.topic, self.stopping = topic, threading.Event()
        self.seen, self.committed, self.commits, self.errors = {}, {}, 0, []
        self.settings = {**CLIENT, "group.id": "crash-readers", "auto.offset.reset": "error",
                         "enable.auto.commit": False, "session.timeout.ms": 6000, "heartbeat.interval.ms": 200,
                         "fetch.wait.max.ms": 50}

    def run(self):
        consumer = Consumer(self.settings)
        consumer.subscribe([self.topic], on_assign=self.take)
        while not self.stopping.is_set():
            for message in consumer.consume(500, 0.1):
                self.note(message)
            self.commit(consumer)
        consumer.close()

    def take(self, consumer, partitions):
        """Begins where the group stood, at the least where the broker said it stands."""
        for _ in range(100):
            try:
                found = consumer.committed(partitions, timeout=5)
                break
            except KafkaException:
                time.sleep(0.05)
        else:
            self.errors.append("the committed offsets cannot be had")
            return
        self.check(found)
        for place in found:
            place.offset = max(place.offset, 0)
        consumer.assign(found)

    def check(self, found):
        for place in found:
            at_least = self.committed.get(place.partition, -1001)
            if place.error or place.offset < at_least:
                self.errors.append(f"{place.partition}: {at_least} was committed, now it is {place.offset}")

    def note(self, message):
        error = message.error()
        if error is None:
            place = (message.partition(), message.offset())
            if self.seen.setdefault(place, message.value()) != message.value():
                self.errors.append(f"{place} had another record before")
        elif error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            self.errors.append(str(error))

    def commit(self, consumer):
        places = [p for p in consumer.position(consumer.assignment()) if p.offset >= 0]
        if not places:
            return
        try:
            done = consumer.commit(offsets=places, asynchronous=False)
        except KafkaException:
            return
        for place in done:
            if place.error is None:
                self.committed[place.partition] = place.offset
                self.commits += 1

    def look_again(self):
        """What the broker says now is committed."""
        consumer = Consumer(self.settings)
        self.check(consumer.committed([TopicPartition(self.topic, p) for p in range(PARTITIONS)], timeout=PATIENCE_S))
        consumer.close()


def read_all(topic):
    """{partition: [(offset, value)]} of everything in the topic."""
    consumer = Consumer({**CLIENT, "group.id": "crash-reckoning", "enable.auto.commit": False,
                         "auto.offset.reset": "error"})
    ends = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=PATIENCE_S)[1]
            for p in range(PARTITIONS)}
    consumer.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
    records = {p: [] for p in range(PARTITIONS)}
    left = {p for p in ends if ends[p] > 0}
    deadline = time.monotonic() + PATIENCE_S
    while left and time.monotonic() < deadline:
        for message in consumer.consume(1000, 0.2):
            if message.error() is None:
                records[message.partition()].append((message.offset(), message.value()))
                if message.offset() + 1 >= ends[message.partition()]:
                    left.discard(message.partition())
    consumer.close()
    return records if not left else None


def number_in(value):
    return int(value.split()[0])


def check_records(topic, records):
    """What must hold of every topic; returns its numbers by partition."""
    if not records:
        claim(False, f"{topic}: everything can be read again")
        return {}
    gaps = [(p, i) for p, some in records.items() for i, (offset, _) in enumerate(some) if offset != i]
    claim(not gaps, f"{topic}: offsets have no gap", gaps[:3])
    return {p: [number_in(value) for _, value in some] for p, some in records.items()}


def check_order(topic, numbers, duplicates_allowed):
    repeated = sum(len(some) - len(set(some)) for some in numbers.values())
    firsts = [list(dict.fromkeys(some)) for some in numbers.values()]
    claim(all(some == sorted(some) for some in firsts), f"{topic}: the producer's order is kept")
    if not duplicates_allowed:
        claim(repeated == 0, f"{topic}: nothing is there twice", f"{repeated} records")


def check_writer(writer, duplicates_allowed):
    records = read_all(writer.topic)
    numbers = check_records(writer.topic, records)
    found = {(p, offset): number for p, some in (records or {}).items()
             for (offset, _), number in zip(some, numbers[p])}
    lost = [n for n, (p, offset) in writer.acknowledged.items() if offset >= 0 and found.get((p, offset)) != n]
    anywhere = {n for some in numbers.values() for n in some}
    lost += [n for n, (_, offset) in writer.acknowledged.items() if offset < 0 and n not in anywhere]
    claim(not lost, f"{writer.topic}: {len(writer.acknowledged)} records were acknowledged, none is lost",
          f"{len(lost)} are, such as {lost[:5]}")
    claim(not writer.errors and len(writer.acknowledged) == writer.sent, f"{writer.topic}: nothing was given up",
          f"{writer.sent - len(writer.acknowledged)} records, {writer.errors[:3]}")
    damaged = [n for p, some in (records or {}).items() for _, value in some
               if value != value_of(n := number_in(value))]
    claim(not damaged, f"{writer.topic}: every record is as it was sent", damaged[:5])
    check_order(writer.topic, numbers, duplicates_allowed)
    return {place: value_of(n) for place, n in found.items()}


def check_kcat(writer):
    numbers = check_records(writer.topic, read_all(writer.topic))
    claim(writer.process.returncode == 0, f"{writer.topic}: kcat has sent all its lines", writer.process.returncode)
    there = sorted(n for some in numbers.values() for n in some)
    claim(there == list(range(writer.sent)), f"{writer.topic}: {writer.sent} lines are there, each once",
          f"{len(there)}, {len(set(there))} different")
    check_order(writer.topic, numbers, duplicates_allowed=False)


def check_reader(reader, found):
    reader.look_again()
    claim(not reader.errors, f"a group's committed offsets are never lost ({reader.commits} commits)", reader.errors[:5])
    changed = [place for place, value in reader.seen.items() if found.get(place) != value]
    claim(reader.seen and not changed, f"what the group read ({len(reader.seen)} records) is still there", changed[:5])


def main():
    admin = AdminClient(CLIENT)
    topics = ["c-idempotent", "c-all", "c-leader", "c-kcat"]
    created = admin.create_topics([NewTopic(t, PARTITIONS, config={"segment.bytes": "1048576"}) for t in topics])
    for future in created.values():
        future.result(PATIENCE_S)
    in_order = {"max.in.flight": 1}
    writers = [Writer("c-idempotent", **{"enable.idempotence": True, "acks": "all"}),
               Writer("c-all", acks="all", **in_order), Writer("c-leader", acks=1, **in_order)]
    kcat, reader = KcatWriter("c-kcat"), Reader("c-idempotent")
    workers = [*writers, kcat, reader]
    for worker in workers:
        worker.start()
    print("working", flush=True)
    sys.stdin.readline()
    for worker in workers:
        worker.stopping.set()
    for worker in workers:
        worker.join(2 * PATIENCE_S)
    claim(not any(worker.is_alive() for worker in workers), "all clients go on after the last start")
    found = check_writer(writers[0], duplicates_allowed=False)
    for writer in writers[1:]:
        check_writer(writer, duplicates_allowed=True)
    check_kcat(kcat)
    check_reader(reader, found)


if __name__ == "__main__":
    main()
