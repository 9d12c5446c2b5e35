"""The clients of tools/power-cuts: they write through the cuts, and after each say what of the promises held.

Orders come on stdin, one per line: `mode NAME` (who writes), `cut TIME` (CLOCK_MONOTONIC of the cut), `check` (the broker is
ready again), `end`. A check is answered by one line of JSON: the counts, and the promises that were broken.
"""
import collections
import faulthandler
import json
import sys
import threading
import time
import traceback

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import TopicPartition as KafkaPythonPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError as KafkaPythonError

BOOTSTRAP = sys.argv[1]
LEADER_WINDOW_S = float(sys.argv[2])  # What acks=1 may lose: what was answered so short before the cut.
PARTITIONS = 4
PATIENCE_S = 120
PACE_S = 0.02  # A guest without KVM is slow: what matters is what is under way at the cut, not how much was before.
KEYS = 50
OVERTAKEN = (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET)
CLIENT = {"bootstrap.servers": BOOTSTRAP, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200,
          "topic.metadata.refresh.interval.ms": 2000, "socket.timeout.ms": 15000, "log_level": 0}
MODES = {"everybody": {"p-exact", "p-all", "p-leader", "p-trim", "p-keys"}, "leader": {"p-leader"}, "exact": {"p-exact"},
         "all": {"p-all", "p-trim"}, "keys": {"p-keys", "p-exact"}, "nobody": set()}


def value_of(number):
    """The number, and bytes that make sizes differ: single small records, and batches that go past the journal."""
    sizes = (60, 200, 1500, 10000)
    return b"%d " % number + b"." * (number * 7919 % sizes[number // 250 % 4])


def number_in(value):
    return int(value.split()[0])


class Writer(threading.Thread):
    """One producer: numbers from 0 on, in turn to the partitions of its topic (p-keys: to the keys)."""

    def __init__(self, topic, *, exact, key=None, **settings):
        super().__init__(daemon=True)
        self.topic, self.exact, self.key = topic, exact, key
        self.producer = Producer({**CLIENT, "message.timeout.ms": 600000, "retries": 1000000, "retry.backoff.ms": 20,
                                  "retry.backoff.max.ms": 200, "linger.ms": 2, "queue.buffering.max.messages": 1000,
                                  "batch.size": 200000, **settings})
        self.stopping, self.active = threading.Event(), threading.Event()
        self.sent, self.acknowledged, self.errors, self.last = 0, {}, [], {}
        self.floor = {p: 0 for p in range(PARTITIONS)}   # Log start that the broker has told; never goes back.
        self.proven = {p: 0 for p in range(PARTITIONS)}  # A check may begin here: before it, two checks have looked.
        self.reached = dict(self.proven)

    def run(self):
        while not self.stopping.is_set():
            if not self.active.wait(0.05):
                self.producer.poll(0)
                continue
            for _ in range(self.sent // 100 % 4 * 5 + 1):
                self.send()
            self.producer.poll(0)
            time.sleep(PACE_S)
        self.producer.flush(PATIENCE_S)

    def send(self):
        number = self.sent
        place = {"key": self.key(number)} if self.key else {"partition": number % PARTITIONS}
        try:
            self.producer.produce(self.topic, value_of(number), on_delivery=self.delivered(number), **place)
            self.sent += 1
        except BufferError:
            self.producer.poll(0.02)

    def delivered(self, number):
        def note(error, message):
            if error is None:
                self.acknowledged[number] = (message.partition(), message.offset(), time.monotonic())
            else:
                self.errors.append(f"{number}: {error}")
        return note


class Reader(threading.Thread):
    """A group of one on p-exact: reads, commits, remembers both."""

    def __init__(self):
        super().__init__(daemon=True)
        self.stopping, self.seen, self.committed, self.commits, self.errors = threading.Event(), {}, {}, 0, []
        self.settings = {**CLIENT, "group.id": "power-readers", "auto.offset.reset": "earliest", "enable.auto.commit": False,
                         "session.timeout.ms": 45000, "heartbeat.interval.ms": 1000, "fetch.wait.max.ms": 100}

    def run(self):
        consumer = Consumer(self.settings)
        consumer.subscribe(["p-exact"])
        while not self.stopping.is_set():
            places = {}
            for message in consumer.consume(500, 0.2):
                if message.error() is None:
                    self.seen[(message.partition(), message.offset())] = number_in(message.value())
                    places[message.partition()] = message.offset() + 1
            if places:
                self.commit(consumer, [TopicPartition("p-exact", p, offset) for p, offset in places.items()])
        consumer.close()

    def commit(self, consumer, places):
        try:
            for place in consumer.commit(offsets=places, asynchronous=False):
                if place.error is None:
                    self.committed[place.partition] = max(place.offset, self.committed.get(place.partition, 0))
                    self.commits += 1
        except KafkaException:
            pass


class Churn(threading.Thread):
    """Makes and deletes topics, and trims p-trim by DeleteRecords; remembers what was answered."""

    def __init__(self, trimmed):
        super().__init__(daemon=True)
        self.trimmer = None
        self.admin, self.trimmed, self.working = AdminClient(CLIENT), trimmed, threading.Lock()
        self.stopping, self.topics, self.made, self.deleted, self.trims = threading.Event(), {}, 0, 0, 0
        self.producer = Producer({**CLIENT, "acks": "all", "message.timeout.ms": 20000})

    def run(self):
        while not self.stopping.is_set():
            with self.working:
                self.make(f"churn-{self.made}")
                old = [name for name, (state, _) in self.topics.items() if state == "there"]
                if len(old) > 3:
                    self.delete(old[0])
                self.trim()
            time.sleep(0.2)

    def make(self, name):
        self.made += 1
        self.topics[name] = ("maybe", 0)
        try:
            self.admin.create_topics([NewTopic(name, 3)], request_timeout=10)[name].result(20)
        except KafkaException:
            return
        acknowledged = []
        for n in range(6):
            self.producer.produce(name, b"x", partition=0, on_delivery=lambda error, _: error or acknowledged.append(1))
        self.producer.flush(25)
        self.topics[name] = ("there", len(acknowledged))

    def delete(self, name):
        self.topics[name] = ("maybe", 0)
        try:
            self.admin.delete_topics([name], request_timeout=10)[name].result(20)
            self.topics[name] = ("gone", 0)
            self.deleted += 1
        except KafkaException:
            pass

    def trim(self):
        last = {p: offset for p, offset, _ in list(self.trimmed.acknowledged.values())[-200:]}
        asked = {KafkaPythonPartition("p-trim", p): offset - 300 for p, offset in last.items() if offset > 300}
        if not asked:
            return
        try:
            if self.trimmer is None:  # confluent-kafka 2.11 was seen to end by a segmentation fault with its own.
                self.trimmer = KafkaAdminClient(bootstrap_servers=BOOTSTRAP, request_timeout_ms=10000)
            for place, answer in self.trimmer.delete_records(asked, timeout_ms=10000).items():
                self.trimmed.floor[place.partition] = max(answer["low_watermark"], self.trimmed.floor[place.partition])
                self.trims += 1
        except KafkaPythonError:
            self.trimmer = None

    def check(self, broken):
        """What was made is there, what was deleted is not, whatever the cut."""
        there = self.admin.list_topics(timeout=PATIENCE_S).topics
        for name, (state, count) in self.topics.items():
            if state == "gone" and name in there:
                broken.append(f"{name} was deleted and is there again")
            if state == "there" and name not in there:
                broken.append(f"{name} was created and is not there")
            elif state == "there" and count:
                _, end = self.probe.get_watermark_offsets(TopicPartition(name, 0), timeout=PATIENCE_S)
                if end < count:
                    broken.append(f"{name} had {count} records and has {end}")
        self.topics = {name: was for name, was in self.topics.items() if was[0] == "there"}


class Checker:
    def __init__(self, writers, reader, churn):
        self.writers, self.reader, self.churn, self.cuts = writers, reader, churn, []
        self.consumer = Consumer({**CLIENT, "group.id": "power-check", "enable.auto.commit": False, "auto.offset.reset": "error"})
        churn.probe, self.group = self.consumer, Consumer(reader.settings)

    def read(self, topic, starts, broken):
        """{partition: [(offset, key, value)]} from `starts`, or from the log's start, to the end as it is now."""
        records, ends = {p: [] for p in starts}, {}
        floors = {}
        for p in starts:
            floors[p], ends[p] = self.consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=PATIENCE_S)
        begin = {p: max(starts[p], floors[p]) for p in starts}
        left = {p for p in starts if begin[p] < ends[p]}
        self.unread = False
        self.consumer.assign([TopicPartition(topic, p, begin[p]) for p in left])
        deadline = time.monotonic() + PATIENCE_S
        while left and time.monotonic() < deadline:
            for message in self.consumer.consume(2000, 0.2):
                p = message.partition()
                if message.error() is None:
                    records[p].append((message.offset(), message.key(), message.value()))
                    if message.offset() + 1 >= ends[p]:
                        left.discard(p)
                elif message.error().code() in OVERTAKEN:
                    self.begin_again(topic, p, records, begin, ends)
                    break
                else:
                    broken.append(f"{topic}-{p} cannot be read: {message.error()}")
        self.consumer.unassign()
        if left:
            self.unread = True
            broken.append(f"{topic}: partitions {sorted(left)} cannot be read to their ends {ends}, {floors}, "
                          f"{ {p: len(records[p]) for p in left} }")
        return records, begin, ends

    def begin_again(self, topic, partition, records, begin, ends):
        """Retention has overtaken the reading of a partition: it goes on at the log's start, the others where they are."""
        low, _ = self.consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=PATIENCE_S)
        begin[partition], records[partition] = max(low, begin[partition]), []
        places = {p: some[-1][0] + 1 if some else begin[p] for p, some in records.items()}
        self.consumer.assign([TopicPartition(topic, p, places[p]) for p in places if places[p] < ends[p]])

    def tolerated(self, writer, when):
        return writer.topic == "p-leader" and any(cut - LEADER_WINDOW_S < when <= cut + 1 for cut in self.cuts)

    def check(self, everything=False):
        broken, counts = [], collections.Counter()
        with self.churn.working:
            for writer in self.writers:
                if writer.key:
                    self.check_keys(writer, broken, counts, everything)
                else:
                    self.check_writer(writer, broken, counts, everything)
            self.check_group(broken)
            self.churn.check(broken)
        counts.update(commits=self.reader.commits, topics=self.churn.made, deleted=self.churn.deleted, trims=self.churn.trims)
        return {**counts, "broken": broken[:20]}

    def check_writer(self, writer, broken, counts, everything):
        acknowledged = dict(writer.acknowledged)
        seen = dict(self.reader.seen) if writer.topic == "p-exact" else {}
        floors = dict(writer.floor)
        starts = {p: 0 if everything else writer.proven[p] for p in range(PARTITIONS)}
        records, begin, ends = self.read(writer.topic, starts, broken)
        if self.unread:
            return
        found = {(p, offset): number_in(value) for p, some in records.items() for offset, _, value in some}
        name = writer.topic
        for p, some in records.items():
            if begin[p] < floors[p]:
                broken.append(f"{name}-{p}: the log started at {floors[p]}, now at {begin[p]}")
            if [offset for offset, _, _ in some] != list(range(begin[p], begin[p] + len(some))):
                broken.append(f"{name}-{p}: offsets have a gap")
            numbers = [number_in(value) for _, _, value in some]
            damaged = [n for n, (_, _, value) in zip(numbers, some) if value != value_of(n)]
            if damaged:
                broken.append(f"{name}-{p}: records are not as they were sent: {damaged[:3]}")
            if writer.exact and numbers != list(range(numbers[0], numbers[0] + PARTITIONS * len(numbers), PARTITIONS) if numbers else []):
                at = next(i for i, (a, b) in enumerate(zip(numbers, numbers[1:])) if b - a != PARTITIONS)
                broken.append(f"{name}-{p}: not each once in order: {numbers[at]} before {numbers[at + 1]} at {begin[p] + at}")
            firsts = list(dict.fromkeys(numbers))
            if firsts != sorted(firsts):
                broken.append(f"{name}-{p}: order is not kept")
        lost = []
        for n, (p, offset, when) in acknowledged.items():
            if begin[p] <= offset and found.get((p, offset)) != n:
                if self.tolerated(writer, when):
                    counts["lost_leader"] += 1
                    writer.acknowledged.pop(n, None)
                else:
                    lost.append((n, p, offset, round(min((cut - when for cut in self.cuts if cut > when), default=-1), 3)))
        if lost:
            counts["lost"] += len(lost)
            broken.append(f"{name}: {len(lost)} acknowledged records are lost, such as {lost[:3]}, ends {ends}")
        unseen = [place for place, n in seen.items() if begin[place[0]] <= place[1] and found.get(place) != n]
        if unseen:
            broken.append(f"{name}: {len(unseen)} records that a consumer has read are gone, such as {unseen[:3]}")
        if writer.errors:
            broken.append(f"{name}: given up: {writer.errors[:2]}")
        counts["acknowledged"] += len(acknowledged)
        counts["unasked"] += len(found) - len(set(found.values()) & acknowledged.keys())
        for p in range(PARTITIONS):
            writer.floor[p] = max(writer.floor[p], begin[p] if begin[p] > starts[p] else 0)
            writer.proven[p], writer.reached[p] = writer.reached[p], max(writer.proven[p], begin[p] + len(records[p]) - 1)

    def check_keys(self, writer, broken, counts, everything):
        """Of every key the last acknowledged value is there, or a later one; what is there is in order."""
        acknowledged = dict(writer.acknowledged)
        starts = {p: 0 if everything else writer.proven[p] for p in range(PARTITIONS)}
        last = {} if everything else dict(writer.last)
        records, _, ends = self.read(writer.topic, starts, broken)
        if self.unread:
            return
        for p, some in records.items():
            for (a, _, _), (b, _, _) in zip(some, some[1:]):
                if b <= a:
                    broken.append(f"p-keys-{p}: offset {b} after {a}")
            there = {}
            for _, key, value in some:
                number = number_in(value)
                if number <= there.get(key, -1):
                    broken.append(f"p-keys-{p}: {number} after {there[key]}")
                if value != value_of(number):
                    broken.append(f"p-keys-{p}: {number} is not as it was sent")
                there[key] = number
            last.update(there)
            writer.proven[p], writer.reached[p] = writer.reached[p], ends[p]
        short = {n for n in acknowledged if last.get(writer.key(n), -1) < n}
        if short:
            counts["lost"] += len(short)
            n = min(short)
            broken.append(f"p-keys: {len(short)} lost; of key {writer.key(n)} {n} was acknowledged, {last.get(writer.key(n))} is there")
        if writer.errors:
            broken.append(f"p-keys: given up: {writer.errors[:2]}")
        writer.last = last
        counts["acknowledged"] += len(acknowledged)
        counts["keyed"] += sum(len(some) for some in records.values())

    def check_group(self, broken):
        before = dict(self.reader.committed)
        for place in self.group.committed([TopicPartition("p-exact", p) for p in range(PARTITIONS)], timeout=PATIENCE_S):
            if place.partition in before and place.offset < before[place.partition]:
                broken.append(f"group: {before[place.partition]} was committed to {place.partition}, {place.offset} is there")


def make_topics(admin):
    """Segments roll by time, for Kafka's least size of one is more than a guest writes between two cuts."""
    often = {"segment.bytes": "1048576", "segment.ms": "1000"}
    kept = {**often, "retention.bytes": "2000000"}
    compact = {**often, "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "2000"}
    settings = {"p-exact": often, "p-leader": kept, "p-all": kept, "p-trim": often, "p-keys": compact}
    topics = [NewTopic(name, PARTITIONS, config=config) for name, config in settings.items()]
    for future in admin.create_topics(topics, request_timeout=PATIENCE_S).values():
        future.result(PATIENCE_S)


def main():
    faulthandler.enable()
    make_topics(AdminClient(CLIENT))
    one = {"max.in.flight": 1}
    writers = [Writer("p-exact", exact=True, **{"enable.idempotence": True}),
               Writer("p-trim", exact=True, **{"enable.idempotence": True}),
               Writer("p-all", exact=False, acks="all", **one), Writer("p-leader", exact=False, acks=1, **one),
               Writer("p-keys", exact=True, key=lambda n: b"key-%d" % (n % KEYS), **{"enable.idempotence": True})]
    reader, churn = Reader(), Churn(writers[1])
    checker = Checker(writers, reader, churn)
    for thread in (*writers, reader, churn):
        thread.start()
    print("working", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "mode":
            for writer in writers:
                (writer.active.set if writer.topic in MODES[words[1]] else writer.active.clear)()
        elif words[0] == "cut":
            checker.cuts.append(float(words[1]))
        elif words[0] == "check":
            try:
                report = checker.check()
            except Exception as error:  # Whatever it is, the run goes on and says so.
                report = {"broken": [f"the check came to no end: {error!r} {traceback.format_exc()[-400:]}"]}
            print(json.dumps(report), flush=True)
        elif words[0] == "end":
            break
    for thread in (*writers, reader, churn):
        thread.stopping.set()
    for thread in (*writers, reader, churn):
        thread.join(2 * PATIENCE_S)
    report = checker.check(everything=True)
    for writer in writers:
        if len(writer.acknowledged) + report.get("lost_leader", 0) < writer.sent and writer.topic != "p-leader":
            report["broken"].append(f"{writer.topic}: {writer.sent - len(writer.acknowledged)} records were given up")
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
