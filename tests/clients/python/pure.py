"""kafka-python: produce, consume, groups, the classroom lab, admin."""
import os
import threading
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.errors import TopicAlreadyExistsError, TransactionalIdAuthorizationFailedError, UnknownTopicOrPartitionError

BOOTSTRAP = os.environ["BOOTSTRAP"]
COMMON = {"bootstrap_servers": BOOTSTRAP, "api_version_auto_timeout_ms": 30000}  # It gives up after 2 s on a busy machine.


def claim(holds, text, detail=""):
    print(("ok" if holds else "not ok") + f" kafka-python: {text}" + ("" if holds else f": {detail}"), flush=True)


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


class Member(threading.Thread):
    """A consumer of a group in a thread of its own; what it owns and has read can be looked at."""

    def __init__(self, topic, group):
        super().__init__(daemon=True)
        self.consumer = KafkaConsumer(topic, **COMMON, group_id=group, auto_offset_reset="earliest",
                                      heartbeat_interval_ms=300, session_timeout_ms=10000, max_poll_interval_ms=20000)
        self.owned, self.read, self.leaving = set(), [], threading.Event()
        self.start()

    def run(self):
        while not self.leaving.is_set():
            for records in self.consumer.poll(timeout_ms=200).values():
                self.read += [(r.partition, r.offset, r.key, r.value) for r in records]
            self.owned = {tp.partition for tp in self.consumer.assignment()}
        self.consumer.close()

    def leave(self):
        self.leaving.set()
        self.join(30)


def basics(admin):
    admin.create_topics([NewTopic("py-basic", num_partitions=3, replication_factor=1)])
    producer = KafkaProducer(**COMMON, acks="all", compression_type="gzip")
    futures = [producer.send("py-basic", key=b"k%d" % (i % 10), value=b"v%d" % i, headers=[("n", b"%d" % i)]) for i in range(1000)]
    offsets = [(f.get(30).partition, f.get(30).offset) for f in futures]
    claim(len(set(offsets)) == 1000, "1,000 records get 1,000 different places")
    consumer = KafkaConsumer("py-basic", **COMMON, auto_offset_reset="earliest")
    records = []

    def read():
        for some in consumer.poll(timeout_ms=500).values():
            records.extend(some)
        return len(records)

    wait_for(lambda: read() >= 1000)
    read()  # Nothing may follow.
    claim(sorted(r.value for r in records) == sorted(b"v%d" % i for i in range(1000)), "all come back", len(records))
    claim(all(r.headers == [("n", r.value[1:])] for r in records), "with their headers")
    part = TopicPartition("py-basic", 0)
    middle = [r for r in records if r.partition == 0][5]
    by_time = consumer.offsets_for_times({part: middle.timestamp})[part]
    claim(by_time is not None and by_time.offset <= middle.offset, "an offset is found by its time")
    claim(consumer.beginning_offsets([part])[part] == 0, "the beginning is 0")
    claim(sum(consumer.end_offsets([TopicPartition("py-basic", p) for p in range(3)]).values()) == 1000, "the ends add up to 1,000")
    consumer.close()
    producer.close()


def own_offsets():
    """A consumer that keeps its offsets by itself, and one that seeks."""
    consumer = KafkaConsumer(**COMMON, group_id="py-manual", enable_auto_commit=False, consumer_timeout_ms=30000)
    part = TopicPartition("py-basic", 1)
    consumer.assign([part])
    consumer.seek(part, 10)
    first = next(consumer)
    claim(first.offset == 10, "a seek leads to that offset", first.offset)
    from kafka.structs import OffsetAndMetadata
    consumer.commit({part: OffsetAndMetadata(11, "mine", -1)})
    claim(consumer.committed(part) == 11, "a commit without a group's members is kept")
    consumer.close()


def classroom(admin):
    """Two partitions, two consumers, a third that waits, a second group that reads everything again."""
    admin.create_topics([NewTopic("py-lab", num_partitions=2, replication_factor=1)])
    producer = KafkaProducer(**COMMON)

    def publish(first, last):
        for i in range(first, last):
            producer.send("py-lab", key=b"student-%d" % (i % 8), value=b"%d" % i)
        producer.flush()

    publish(0, 100)
    one = Member("py-lab", "lab")
    claim(wait_for(lambda: one.owned == {0, 1} and len(one.read) == 100), "one member reads both partitions", (one.owned, len(one.read)))
    two = Member("py-lab", "lab")
    claim(wait_for(lambda: len(one.owned) == 1 and len(two.owned) == 1 and one.owned != two.owned), "the second one takes over a partition", (one.owned, two.owned))
    publish(100, 200)
    claim(wait_for(lambda: len({r[3] for r in one.read + two.read}) == 200), "together they read what comes", len(one.read + two.read))
    three = Member("py-lab", "lab")
    claim(wait_for(lambda: [m["members"] for m in [describe(admin, "lab")]][0] == 3), "a third one is a member")
    time.sleep(1)
    claim(sorted(len(m.owned) for m in (one, two, three)) == [0, 1, 1], "and waits: it owns nothing", [m.owned for m in (one, two, three)])
    two.leave()
    claim(wait_for(lambda: len(one.owned) + len(three.owned) == 2 and not one.owned & three.owned), "when one leaves, the waiting one takes its place", (one.owned, three.owned))
    publish(200, 300)
    claim(wait_for(lambda: len({r[3] for r in one.read + two.read + three.read}) == 300), "and nothing is missed")
    other = Member("py-lab", "lab-2")
    claim(wait_for(lambda: len(other.read) == 300), "another group reads everything again", len(other.read))
    ordered = all(a < b for partition in (0, 1) for a, b in zip(*[[r[1] for r in other.read if r[0] == partition][i:] for i in (0, 1)]))
    claim(ordered, "in the order of each partition")
    keys = {}
    for partition, _, key, _ in other.read:
        keys.setdefault(key, set()).add(partition)
    claim(all(len(p) == 1 for p in keys.values()) and len(keys) == 8, "a key stays in its partition")
    for member in (one, three, other):
        member.leave()
    claim(wait_for(lambda: describe(admin, "lab")["state"] == "Empty"), "the group is empty in the end")
    producer.close()


def transactions():
    """There are none yet: a producer that wants them fails at once, and for good."""
    began = time.monotonic()
    print("log transactional.id=py-transactional", flush=True)
    producer = KafkaProducer(**COMMON, transactional_id="py-transactional")
    try:
        producer.init_transactions()
        claim(False, "a transactional producer is refused")
    except TransactionalIdAuthorizationFailedError:
        took = time.monotonic() - began
        claim(took < 20, "a transactional producer is refused at once", took)
    producer.close(timeout=1)


def describe(admin, group):
    found = admin.describe_consumer_groups([group])[0]
    return {"state": found.state, "members": len(found.members)}


def administration(admin):
    try:
        admin.create_topics([NewTopic("py-basic", num_partitions=1, replication_factor=1)])
        claim(False, "a topic is created once")
    except TopicAlreadyExistsError:
        claim(True, "a topic is created once")
    admin.create_partitions({"py-basic": NewPartitions(total_count=5)})
    claim(wait_for(lambda: len(admin.describe_topics(["py-basic"])[0]["partitions"]) == 5), "partitions are added")
    resource = ConfigResource(ConfigResourceType.TOPIC, "py-basic")
    answer = admin.describe_configs([resource])[0].resources[0]
    names = {entry[0]: entry[1] for entry in answer[4]}
    claim(names.get("retention.ms") == "604800000" and len(names) >= 30, "settings are described", len(names))
    claim({"lab", "lab-2", "py-manual"} <= {g[0] for g in admin.list_consumer_groups()}, "groups are listed")
    offsets = admin.list_consumer_group_offsets("lab")
    claim(sum(o.offset for o in offsets.values()) == 300, "committed offsets are listed", offsets)
    admin.delete_consumer_groups(["py-manual"])
    claim("py-manual" not in {g[0] for g in admin.list_consumer_groups()}, "a group is deleted")
    admin.delete_topics(["py-lab"])
    claim(wait_for(lambda: "py-lab" not in admin.list_topics()), "a topic is deleted")
    try:
        admin.delete_topics(["py-lab"])
        claim(False, "and then unknown")
    except UnknownTopicOrPartitionError:
        claim(True, "and then unknown")


def main():
    admin = KafkaAdminClient(**COMMON)
    basics(admin)
    own_offsets()
    classroom(admin)
    administration(admin)
    transactions()
    admin.close()


main()
