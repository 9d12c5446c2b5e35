"""confluent-kafka (librdkafka): idempotent producing, groups with cooperative rebalancing and static members, admin."""
import os
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic

BOOTSTRAP = os.environ["BOOTSTRAP"]


def claim(holds, text, detail=""):
    print(("ok" if holds else "not ok") + f" confluent-kafka: {text}" + ("" if holds else f": {detail}"), flush=True)


def consumer(group, **more):
    return Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": group, "auto.offset.reset": "earliest",
                     "session.timeout.ms": 10000, "heartbeat.interval.ms": 300, **more})


def poll_until(members, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for member in members:
            message = member.poll(0.05)
            if message is not None and message.error() is None:
                member_reads.setdefault(id(member), []).append((message.partition(), message.offset(), message.value()))
        if condition():
            return True
    return False


member_reads = {}


def reads(*members):
    return [r for m in members for r in member_reads.get(id(m), [])]


def produce_idempotent():
    delivered = []
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "enable.idempotence": True, "compression.type": "lz4", "linger.ms": 5})
    for i in range(5000):
        producer.produce("cf-topic", key=f"k{i % 50}", value=str(i), callback=lambda error, message: delivered.append(error))
        producer.poll(0)
    producer.flush(60)
    claim(len(delivered) == 5000 and not any(delivered), "an idempotent producer delivers 5,000 records")


def cooperative_group():
    settings = {"partition.assignment.strategy": "cooperative-sticky"}
    one, two = consumer("cf-coop", **settings), consumer("cf-coop", **settings)
    one.subscribe(["cf-topic"])
    claim(poll_until([one], lambda: len(one.assignment()) == 4 and len(reads(one)) == 5000), "one member reads all four partitions", (one.assignment(), len(reads(one))))
    kept = {p.partition for p in one.assignment()}
    two.subscribe(["cf-topic"])
    claim(poll_until([one, two], lambda: len(one.assignment()) == 2 and len(two.assignment()) == 2), "the second one takes half", (one.assignment(), two.assignment()))
    claim({p.partition for p in one.assignment()} < kept, "the first one keeps what it does not give")
    claim(len({r[:2] for r in reads(one, two)}) == 5000, "every record was read")
    two.close()
    claim(poll_until([one], lambda: len(one.assignment()) == 4), "and gets it back when the second one leaves")
    try:
        one.commit(asynchronous=False)
    except KafkaException as error:  # All was committed already, by the timer.
        claim(error.args[0].name() == "_NO_OFFSET", "a commit succeeds", error)
    one.close()
    again = consumer("cf-coop")
    committed = again.committed([TopicPartition("cf-topic", p) for p in range(4)], timeout=10)
    claim(sum(p.offset for p in committed) == 5000, "offsets are committed", committed)
    again.close()


def static_members():
    one = consumer("cf-static", **{"group.instance.id": "a"})
    one.subscribe(["cf-topic"])
    claim(poll_until([one], lambda: len(one.assignment()) == 4), "a static member gets the partitions")
    one.close()  # Does not leave the group.
    back = consumer("cf-static", **{"group.instance.id": "a"})
    back.subscribe(["cf-topic"])
    began = time.monotonic()
    claim(poll_until([back], lambda: len(back.assignment()) == 4), f"and has them back {time.monotonic() - began:.1f} s after it returns")
    back.close()


def transactions():
    """There are none yet: a producer that wants them fails at once, and for good."""
    print("log transactional.id=cf-transactional", flush=True)
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "transactional.id": "cf-transactional"})
    try:
        producer.init_transactions(20)
        claim(False, "a transactional producer is refused")
    except KafkaException as error:
        claim(error.args[0].fatal(), "a transactional producer is refused at once, by a fatal error", error)


def administration(admin):
    resource = ConfigResource(ConfigResource.Type.TOPIC, "cf-topic")
    changed = ConfigResource(ConfigResource.Type.TOPIC, "cf-topic",
                             incremental_configs=[ConfigEntry("retention.ms", "3600000", incremental_operation=AlterConfigOpType.SET)])
    admin.incremental_alter_configs([changed])[changed].result(30)
    described = admin.describe_configs([resource])[resource].result(30)
    claim(described["retention.ms"].value == "3600000", "a setting is changed", described["retention.ms"].value)
    try:
        bad = ConfigResource(ConfigResource.Type.TOPIC, "cf-topic",
                             incremental_configs=[ConfigEntry("retention.ms", "soon", incremental_operation=AlterConfigOpType.SET)])
        admin.incremental_alter_configs([bad])[bad].result(30)
        claim(False, "a bad value is refused")
    except KafkaException as error:
        claim(error.args[0].name() == "INVALID_CONFIG", "a bad value is refused", error)
    deleted = admin.delete_records([TopicPartition("cf-topic", 0, 100)])
    low = list(deleted.values())[0].result(30).low_watermark
    claim(low == 100, "records are deleted up to an offset", low)
    groups = admin.list_consumer_groups().result(30)
    claim({"cf-coop", "cf-static"} <= {g.group_id for g in groups.valid}, "groups are listed")
    described = admin.describe_consumer_groups(["cf-coop"])["cf-coop"].result(30)
    claim(described.state.name == "EMPTY", "a group is described", described.state)
    cluster = admin.describe_cluster().result(30)
    claim(len(cluster.nodes) == 1 and len(cluster.cluster_id) == 22, "the cluster is described")
    admin.delete_topics(["cf-topic"])["cf-topic"].result(30)
    claim("cf-topic" not in admin.list_topics(timeout=10).topics, "a topic is deleted")


def main():
    admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
    admin.create_topics([NewTopic("cf-topic", num_partitions=4, replication_factor=1)])["cf-topic"].result(30)
    produce_idempotent()
    cooperative_group()
    static_members()
    administration(admin)
    transactions()


main()
