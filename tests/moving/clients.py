"""A broker of two shards, and real clients that note whatever is not as it should be: idempotent producers with acks=all
(confluent-kafka, kafka-python), consumers of both. Used by the scripts beside it; import it first.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = pathlib.Path(os.environ.get("WORK", tempfile.gettempdir() + "/millrace-moving"))
BINARY = os.environ.get("MILLRACE", str(ROOT / "build/millrace"))

if "MILLRACE_MOVING_PYTHON" not in os.environ:
    WORK.mkdir(parents=True, exist_ok=True)
    python = subprocess.run([ROOT / "tests/clients/python/environment", WORK], check=True, capture_output=True,
                            text=True).stdout.strip()
    os.execve(python, [python, *sys.argv], {**os.environ, "MILLRACE_MOVING_PYTHON": "yes"})

from confluent_kafka import Consumer, Producer, TopicPartition
from kafka import KafkaConsumer, KafkaProducer
from kafka import TopicPartition as PythonTopicPartition

errors = []


def note(who, what):
    errors.append(f"{who}: {what}")
    print("not ok", who, what, flush=True)


class Broker:
    """Two shards on free ports; its log in a file."""

    def __init__(self, folder, *settings):
        self.log = pathlib.Path(folder) / "log"
        command = [BINARY, "serve", "--data", folder + "/data", "--listen", "127.0.0.1:0", "--shards", "2"]
        for setting in ("millrace.admin.listen=127.0.0.1:0", *settings):
            command += ["--set", setting]
        self.process = subprocess.Popen(command, stderr=self.log.open("w"), stdout=subprocess.DEVNULL)
        self.bootstrap, self.admin = self.address("kafka"), self.address("http")

    def address(self, proto):
        for _ in range(200):
            for line in self.log.read_text().splitlines():
                if "listening" in line and f"proto={proto}" in line:
                    return re.search(r"addr=(\S+)", line).group(1)
            time.sleep(0.1)
        sys.exit("the broker does not start:\n" + self.log.read_text())

    def make(self, topic, partitions, *words):
        subprocess.run([BINARY, "topic", "create", topic, "-b", self.bootstrap, "--partitions", str(partitions), *words], check=True,
                       stdout=subprocess.DEVNULL)

    def homes(self, topic):
        """The shard of each partition."""
        lines = urllib.request.urlopen(f"http://{self.admin}/partitions").read().decode().splitlines()
        rows = [line.split("\t") for line in lines]
        return {int(row[1]): int(row[3]) for row in rows if row[0] == topic}

    def move(self, topic, partition, shard):
        path = f"http://{self.admin}/partitions/{topic}/{partition}/shard/{shard}"
        urllib.request.urlopen(urllib.request.Request(path, method="POST")).read()

    def end(self):
        """Its complaints."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        return [line for line in self.log.read_text().splitlines() if " WARN " in line or " ERROR " in line]


class Writer(threading.Thread):
    """Sends NAME.PARTITION:NUMBER to each partition in turn until it is stopped; all must be acknowledged."""

    def __init__(self, broker, topic, partitions, name):
        super().__init__()
        self.broker, self.topic, self.partitions, self.name = broker, topic, partitions, name
        self.sent, self.acknowledged, self.stopped = [0] * partitions, 0, threading.Event()

    def next_one(self):
        partition = sum(self.sent) % self.partitions
        self.sent[partition] += 1
        return partition, f"{self.name}.{partition}:{self.sent[partition] - 1}".encode()

    def stop(self):
        self.stopped.set()
        self.join()
        if self.acknowledged != sum(self.sent):
            note(self.name, f"{self.acknowledged} acknowledged of {sum(self.sent)}")


class ConfluentWriter(Writer):
    def told(self, error, _):
        self.acknowledged += error is None
        if error:
            note(self.name, error)

    def run(self):
        producer = Producer({"bootstrap.servers": self.broker.bootstrap, "enable.idempotence": True, "acks": "all",
                             "linger.ms": 1, "error_cb": lambda error: note(self.name, error)})
        while not self.stopped.is_set():
            for _ in range(20):
                partition, value = self.next_one()
                producer.produce(self.topic, value, partition=partition, on_delivery=self.told)
            producer.poll(0.002)
            time.sleep(0.004)
        if left := producer.flush(30):
            note(self.name, f"{left} not delivered")


class PythonWriter(Writer):
    def run(self):
        producer = KafkaProducer(bootstrap_servers=self.broker.bootstrap, acks="all", enable_idempotence=True,
                                 linger_ms=1, retries=5)
        futures = []
        while not self.stopped.is_set():
            partition, value = self.next_one()
            futures.append(producer.send(self.topic, value, partition=partition))
            time.sleep(0.003)
        producer.flush(30)
        for future in futures:
            try:
                future.get(30)
                self.acknowledged += 1
            except Exception as error:
                note(self.name, repr(error))


class Reader(threading.Thread):
    """Reads all partitions from their start, and judges each record as it comes."""

    def __init__(self, broker, topic, partitions, name):
        super().__init__()
        self.broker, self.topic, self.partitions, self.name = broker, topic, partitions, name
        self.next_offset, self.next_number, self.finished = [0] * partitions, {}, threading.Event()

    def take(self, partition, offset, value):
        if offset != self.next_offset[partition]:
            note(self.name, f"{partition}: offset {offset} comes instead of {self.next_offset[partition]}")
        self.next_offset[partition] = offset + 1
        match = re.fullmatch(rb"(\w+\.\d+):(\d+)", value)
        if not match:
            return  # The load's.
        who, number = match[1].decode(), int(match[2])
        if number != self.next_number.get(who, 0):
            note(self.name, f"{who}: {number} comes instead of {self.next_number.get(who, 0)}")
        self.next_number[who] = number + 1

    def finish(self, writers):
        """Waits until there is nothing more, and holds it against what was sent."""
        self.finished.set()
        self.join()
        for writer in writers:
            for partition, count in enumerate(writer.sent):
                found = self.next_number.get(f"{writer.name}.{partition}", 0)
                if found != count:
                    note(self.name, f"{writer.name}.{partition}: {found} of {count} were read")

    def read_on(self, poll):
        """poll() -> how many came; ends once nothing comes for three seconds after finish."""
        quiet = 0
        while quiet < 30:
            quiet = 0 if poll() or not self.finished.is_set() else quiet + 1


class ConfluentReader(Reader):
    def run(self):
        consumer = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": self.name, "enable.auto.commit": False,
                             "auto.offset.reset": "earliest", "error_cb": lambda error: note(self.name, error)})
        consumer.assign([TopicPartition(self.topic, partition, 0) for partition in range(self.partitions)])

        def poll():
            messages = consumer.consume(5000, 0.1)
            for message in messages:
                if message.error():
                    note(self.name, message.error())
                else:
                    self.take(message.partition(), message.offset(), message.value())
            return len(messages)

        self.read_on(poll)
        consumer.close()


class PythonReader(Reader):
    def run(self):
        consumer = KafkaConsumer(bootstrap_servers=self.broker.bootstrap, group_id=None, auto_offset_reset="earliest")
        consumer.assign([PythonTopicPartition(self.topic, partition) for partition in range(self.partitions)])

        def poll():
            batches = consumer.poll(timeout_ms=100, max_records=1000)
            for place, records in batches.items():
                for record in records:
                    self.take(place.partition, record.offset, record.value)
            return len(batches)

        self.read_on(poll)
        consumer.close()
