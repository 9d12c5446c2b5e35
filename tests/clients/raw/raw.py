"""Single requests, byte by byte, and what Apache Kafka 4.3.1 answers to them (kafka-4.3.1.json).

    BOOTSTRAP=host:port raw.py             compares
    BOOTSTRAP=host:port raw.py --record F  writes the answers of that broker to F
"""
import json
import os
import pathlib
import struct
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import answers  # noqa: E402
from frames import CLOSED, Connection, array, batch, compact, header, produce, read, string, uvarint, varint  # noqa: E402

BOOTSTRAP = os.environ["BOOTSTRAP"]
NOBODY = bytes(range(1, 17))
OURS = ("durability",)  # A topic's setting that Kafka does not have.
RECORDS = sys.argv[1:2] == ["--record"]
seen = {}
variables = {}


def ask(name, frame, fields=None, flexible=False):
    """Sends one request on a connection of its own and keeps what came back."""
    with Connection(BOOTSTRAP) as connection:
        answer = connection.ask(frame)
        if answer == CLOSED and not RECORDS:
            print(f"log peer={connection.peer} ")
    if name in seen:
        sys.exit(f"two requests are called {name!r}")
    seen[name] = answer if answer == CLOSED or fields is None else read(answer, fields, flexible)
    if isinstance(seen[name], bytes):
        seen[name] = seen[name].hex()
    return seen[name]


def i(*values):
    return struct.pack(f">{len(values)}i", *values)


# ---- Topics --------------------------------------------------------------------------------------------

def topic(name, partitions=1, replication=1, configs=(), assignments=()):
    placed = [i(p) + array([i(b) for b in brokers]) + b"\0" for p, brokers in assignments]
    return compact(name) + struct.pack(">ih", partitions, replication) + array(placed) + array([compact(k) + compact(v) + b"\0" for k, v in configs]) + b"\0"


def create(name, *topics, validate=False):
    return ask(f"CreateTopics 7: {name}", header(19, 7, True) + array(topics) + i(30000) + bytes([validate]) + b"\0", answers.CREATE_TOPICS_7, True)


def topics():
    create("one", topic("r-one"))
    create("again", topic("r-one"))
    create("two and its collision", topic("r.two", 2))
    create("a collision", topic("r_two"))
    for name in ("", ".", "..", "bad name!", "a/b", "x" * 249, "x" * 250, "__consumer_offsets", "ümlaut"):
        create(f"the name {name[:12]!r} of {len(name)}", topic(name), validate=True)
    for key, value in (("retention.ms", "-2"), ("no.such.config", "1"), ("cleanup.policy", "foo"), ("min.insync.replicas", "0"),
                       ("compression.type", "zstd"), ("compression.type", "bogus"), ("segment.bytes", "13"), ("retention.ms", "soon"),
                       ("cleanup.policy", ""), ("cleanup.policy", "delete,compact"), ("max.message.bytes", "-1"), ("retention.ms", None),
                       ("preallocate", "maybe"), ("message.timestamp.type", "Never"), ("flush.ms", "9223372036854775808"),
                       ("min.cleanable.dirty.ratio", "1.5"), ("segment.ms", "0"), ("index.interval.bytes", "1.5"), ("retention.ms", " 5000 "),
                       ("compression.gzip.level", "10"), ("compression.gzip.level", "0"), ("segment.index.bytes", "3"), ("", "1")):
        create(f"{key}={value}", topic("r-config", configs=[(key, value)]), validate=True)
    create("a config twice", topic("r-config", configs=[("retention.ms", "1000"), ("retention.ms", "2000")]), validate=True)
    create("replication 3", topic("r-x", 1, 3), validate=True)
    create("replication 0", topic("r-x", 1, 0), validate=True)
    create("replication -2", topic("r-x", 1, -2), validate=True)
    create("partitions 0", topic("r-x", 0, 1), validate=True)
    create("partitions -2", topic("r-x", -2, 1), validate=True)
    create("defaults", topic("r-x", -1, -1), validate=True)
    create("a name twice", topic("r-twice"), topic("r-twice"))
    create("no topics")
    create("assigned", topic("r-placed", -1, -1, assignments=[(0, [1]), (1, [1])]))
    create("assigned and counted", topic("r-x", 2, -1, assignments=[(0, [1])]), validate=True)
    create("assigned with replication", topic("r-x", -1, 1, assignments=[(0, [1])]), validate=True)
    create("assigned with a gap", topic("r-x", -1, -1, assignments=[(0, [1]), (2, [1])]), validate=True)
    create("assigned from 1", topic("r-x", -1, -1, assignments=[(1, [1])]), validate=True)
    create("assigned to nobody", topic("r-x", -1, -1, assignments=[(0, [])]), validate=True)
    create("assigned to a stranger", topic("r-x", -1, -1, assignments=[(0, [77])]), validate=True)
    create("assigned twice to one", topic("r-x", -1, -1, assignments=[(0, [1, 1])]), validate=True)
    create("a partition assigned twice", topic("r-x", -1, -1, assignments=[(0, [1]), (0, [1])]), validate=True)
    create("good and bad together", topic("r-good"), topic("r bad"))
    create("compacted", topic("r-compact", configs=[("cleanup.policy", "compact")]))
    ask("CreateTopics 2: again", header(19, 2) + i(1) + string("r-one") + struct.pack(">ih", 1, 1) + i(0, 0) + i(30000) + b"\0", answers.CREATE_TOPICS_2)

    def grow(name, *items, validate=False):
        wanted = [compact(n) + i(count) + (b"\0" if placed is None else array([array([i(b) for b in p]) + b"\0" for p in placed])) + b"\0" for n, count, placed in items]
        ask(f"CreatePartitions 3: {name}", header(37, 3, True) + array(wanted) + i(30000) + bytes([validate]) + b"\0", answers.CREATE_PARTITIONS, True)

    grow("to 3", ("r.two", 3, None))
    grow("the same", ("r.two", 3, None))
    grow("fewer", ("r.two", 1, None))
    grow("-1", ("r.two", -1, None))
    grow("0", ("r.two", 0, None))
    grow("unknown topic", ("r-nowhere", 3, None))
    grow("twice", ("r.two", 5, None), ("r.two", 6, None))
    grow("too few assigned", ("r.two", 5, [[1]]))
    grow("assigned to a stranger", ("r.two", 4, [[77]]))
    grow("only to see", ("r.two", 9, None), validate=True)

    def delete(name, *items):
        ask(f"DeleteTopics 6: {name}", header(20, 6, True) + array([compact(n) + u + b"\0" for n, u in items]) + i(30000) + b"\0", answers.DELETE_TOPICS_6, True)

    delete("unknown name", ("r-nowhere", bytes(16)))
    delete("unknown id", (None, NOBODY))
    delete("name and id", ("r-one", NOBODY))
    delete("neither", (None, bytes(16)))
    delete("a name twice", ("r-placed", bytes(16)), ("r-placed", bytes(16)))
    delete("known and unknown", ("r-good", bytes(16)), ("r-nowhere", bytes(16)))
    ask("DeleteTopics 1: unknown", header(20, 1) + i(1) + string("r-nowhere") + i(30000), answers.DELETE_TOPICS_1)


# ---- Configs -------------------------------------------------------------------------------------------

def configs():
    def describe(name, kind, resource, keys=None, synonyms=True):
        if RECORDS:
            time.sleep(0.3)  # Kafka tells a change a little after it has confirmed it.
        wanted = b"\0" if keys is None else array([compact(k) for k in keys])
        return ask(f"DescribeConfigs 4: {name}", header(32, 4, True) + array([bytes([kind]) + compact(resource) + wanted + b"\0"]) + bytes([synonyms, 0]) + b"\0",
                   answers.DESCRIBE_CONFIGS_4, True)

    def alter(name, kind, resource, *changes, validate=False):
        items = [compact(k) + bytes([op]) + compact(v) + b"\0" for k, op, v in changes]
        ask(f"IncrementalAlterConfigs 1: {name}", header(44, 1, True) + array([bytes([kind]) + compact(resource) + array(items) + b"\0"]) + bytes([validate]) + b"\0",
            answers.ALTER_CONFIGS_1, True)

    describe("one key", 2, "r-one", ["retention.ms"])
    describe("a key that is not there", 2, "r-one", ["retention.ms", "no.such"])
    describe("no keys", 2, "r-one", [])
    describe("unknown topic", 2, "r-nowhere", ["retention.ms"])
    describe("bad name", 2, "a/b", ["retention.ms"])
    describe("empty name", 2, "", ["retention.ms"])
    describe("another broker", 4, "99", ["log.retention.ms"])
    describe("broker abc", 4, "abc", ["log.retention.ms"])
    describe("this broker", 4, "1", ["log.retention.hours", "num.partitions"], synonyms=False)
    describe("type 99", 99, "r-one", ["retention.ms"])
    for op, text in enumerate(("set", "delete", "append", "subtract")):
        alter(f"{text} an unknown key", 2, "r-one", ("no.such", op, "1"))
        alter(f"{text} a number", 2, "r-one", ("retention.ms", op, "77"))
        alter(f"{text} a list", 2, "r-one", ("cleanup.policy", op, "compact"))
        describe(f"after {text}", 2, "r-one", ["retention.ms", "cleanup.policy"])
    alter("a bad value", 2, "r-one", ("retention.ms", 0, "soon"))
    alter("set to null", 2, "r-one", ("retention.ms", 0, None))
    alter("a key twice", 2, "r-one", ("retention.ms", 0, "1"), ("retention.ms", 0, "2"))
    alter("operation 9", 2, "r-one", ("retention.ms", 9, "1"))
    alter("unknown topic", 2, "r-nowhere", ("retention.ms", 0, "1"))
    alter("bad name", 2, "a/b", ("retention.ms", 0, "1"))
    alter("type 99", 99, "r-one", ("retention.ms", 0, "1"))
    alter("nothing", 2, "r-one")
    alter("only to see", 2, "r-one", ("retention.ms", 0, "12345"), validate=True)
    alter("delete what is not set", 2, "r-one", ("segment.ms", 1, None))
    alter("a list with nonsense", 2, "r-one", ("cleanup.policy", 0, "delete,foo"))
    alter("broker abc", 4, "abc", ("log.retention.ms", 0, "1"))
    alter("an unknown key of the broker", 4, "1", ("num.io.threads.no", 0, "1"))
    alter("a read-only key of the broker", 4, "1", ("log.dirs", 0, "/tmp"))
    describe("after all", 2, "r-one", ["retention.ms", "cleanup.policy"])


# ---- Metadata ------------------------------------------------------------------------------------------

def metadata():
    def v12(name, *items, create=False, version=12):
        ask(f"Metadata {version}: {name}", header(3, version, True) + array([u + compact(n) + b"\0" for n, u in items]) + bytes([create, 0]) + b"\0",
            answers.METADATA_13 if version == 13 else answers.METADATA_12, True)

    v12("unknown topic", ("r-nowhere", bytes(16)))
    v12("unknown topic", ("r-nowhere", bytes(16)), version=13)
    v12("a bad name that may be created", ("a/b", bytes(16)), create=True)
    v12("unknown id", (None, NOBODY))
    v12("one topic", ("r-one", bytes(16)))
    v12("one topic twice", ("r-one", bytes(16)), ("r-one", bytes(16)))
    v12("neither name nor id", (None, bytes(16)))
    v12("no topics")
    v12("name and another's id", ("r-one", NOBODY))
    ask("Metadata 1: no topics", header(3, 1) + i(0), answers.METADATA_1)
    ask("Metadata 1: a bad name", header(3, 1) + i(1) + string("a!/b"), answers.METADATA_1)
    ask("Metadata 0: one topic", header(3, 0) + i(1) + string("r-one"), answers.METADATA_0)
    ask("Metadata 4: unknown, not to be created", header(3, 4) + i(1) + string("r-nowhere") + b"\0", {"throttle": "i32", "brokers": answers.METADATA_1["brokers"],
        "cluster_id": "string", "controller": "i32", "topics": answers.METADATA_1["topics"]})
    ask("DescribeCluster 2: brokers", header(60, 2, True) + b"\0\1\0\0", answers.DESCRIBE_CLUSTER_2, True)
    ask("DescribeCluster 2: endpoint type 9", header(60, 2, True) + b"\0\x09\0\0", answers.DESCRIBE_CLUSTER_2, True)
    ask("DescribeCluster 2: controllers", header(60, 2, True) + b"\0\2\0\0", answers.DESCRIBE_CLUSTER_2, True)


# ---- Records -------------------------------------------------------------------------------------------

def records():
    now = int(time.time() * 1000)

    def p(name, data, topic="r-one", partition=0, acks=-1, version=8):
        return ask(f"Produce {version}: {name}", produce(topic, data, partition, acks, version), answers.PRODUCE_3 if version == 3 else answers.PRODUCE_8)

    p("three records", batch([b"a", b"b", b"c"], timestamp=now))
    p("gzip", batch([b"a" * 100] * 5, codec=1, timestamp=now))
    p("acks=1", batch([b"x"], timestamp=now), acks=1)
    p("acks=2", batch([b"x"]), acks=2)
    p("unknown topic", batch([b"x"]), topic="r-nowhere")
    p("unknown partition", batch([b"x"]), partition=5)
    p("negative partition", batch([b"x"]), partition=-1)
    p("no bytes", b"")
    p("wrong crc", batch([b"x"], crc=1))
    p("magic 1", batch([b"x"], magic=1))
    p("magic 3", batch([b"x"], magic=3))
    p("base offset 5", batch([b"x"], base=5))
    p("count too large", batch([b"x"], count=2))
    p("no records", batch([]))
    p("control bit", batch([b"x"], attributes=0x20))
    p("a transaction's bit", batch([b"x"], attributes=0x10))
    p("producer without sequence", batch([b"x"], producer=(99, 0, -1)))
    p("two batches", batch([b"x"]) + batch([b"y"]))
    p("cut off", batch([b"x" * 50])[:-10])
    p("half a header", batch([b"x"])[:30])
    p("bytes behind", batch([b"x"]) + b"\0" * 5)
    p("codec 7", batch([b"x"], codec=7))
    p("broken gzip", batch([b"x"], codec=2))
    p("zstd", batch([b"x"], codec=4), version=3)
    p("too large", batch([b"x" * 1_100_000]))
    p("two days ahead", batch([b"x"], timestamp=now + 2 * 86400_000))
    p("from 1970", batch([b"x"], timestamp=1000))
    p("no time", batch([b"x"], timestamp=-1))
    p("no key, compacted", batch([b"x", b"y"], key=None), topic="r-compact")
    p("internal", batch([b"x"]), topic="__consumer_offsets")
    ask("Produce 13: unknown id", header(0, 13, True) + compact(None) + struct.pack(">hi", -1, 30000) + array([NOBODY + array([i(0) + compact(batch([b"x"])) + b"\0"]) + b"\0"]) + b"\0",
        answers.PRODUCE_13, True)

    def sequenced(name, epoch, sequence, count=1, producer=4000):
        p(name, batch([b"s"] * count, timestamp=now, producer=(producer, epoch, sequence)), topic="r-compact")

    sequenced("sequence 0", 0, 0, 3)
    sequenced("sequence 0 again", 0, 0, 3)
    sequenced("sequence 3", 0, 3)
    sequenced("a gap", 0, 9)
    sequenced("an old sequence", 0, 1)
    sequenced("a new epoch not from 0", 1, 4)
    sequenced("a new epoch", 1, 0)
    sequenced("an old epoch", 0, 4)
    sequenced("an unknown producer in the middle", 0, 17, producer=4001)

    def fetch(name, topic="r-one", partition=0, offset=0, epoch=-1, session=0, session_epoch=-1, forget=(), size=1 << 20, min_bytes=0, asks=True):
        parts = i(1) + string(topic) + i(1) + i(partition, epoch) + struct.pack(">qqi", offset, -1, size) if asks else i(0)
        body = i(-1, 100, min_bytes, 1 << 20) + b"\0" + i(session, session_epoch) + parts + i(0) + string("")
        answer = ask(f"Fetch 11: {name}", header(1, 11) + body, answers.FETCH_11)
        for t in answer["topics"] or []:
            for one in t["partitions"]:
                one["bytes"] = len(one["bytes"] or "") // 2
        return answer

    fetch("from 0")
    fetch("from 1")
    fetch("at the end", offset=9)
    fetch("behind the end", offset=1000)
    fetch("negative", offset=-5)
    fetch("unknown topic", topic="r-nowhere")
    fetch("unknown partition", partition=7)
    fetch("a later epoch", epoch=50)
    fetch("an unknown session", session=123456, session_epoch=1)
    fetch("epoch 0 without session", session=0, session_epoch=5)
    fetch("one byte", size=1)
    fetch("no partitions", asks=False)
    ask("Fetch 13: unknown id", header(1, 13, True) + i(-1, 100, 0, 1 << 20) + b"\0" + i(0, -1) + array([NOBODY + array([i(0, -1) + struct.pack(">qiqi", 0, -1, -1, 1 << 20) + b"\0"]) + b"\0"]) + array([])
        + compact("") + b"\0", answers.FETCH_13, True)

    def offsets(name, time_ms, topic="r-one", partition=0, epoch=-1):
        part = i(partition, epoch) + struct.pack(">q", time_ms) + b"\0"
        ask(f"ListOffsets 7: {name}", header(2, 7, True) + i(-1) + b"\0" + array([compact(topic) + array([part]) + b"\0"]) + b"\0", answers.LIST_OFFSETS_7, True)

    for text, wanted in (("latest", -1), ("earliest", -2), ("largest time", -3), ("earliest local", -4), ("tiered", -5), ("nonsense", -9), ("from 0", 0), ("to come", now + 10**9)):
        offsets(text, wanted)
    offsets("unknown topic", -1, topic="r-nowhere")
    offsets("unknown partition", -1, partition=9)
    offsets("a later epoch", -1, epoch=50)

    def epoch_end(name, topic, partition, current, epoch):
        ask(f"OffsetForLeaderEpoch 3: {name}", header(23, 3) + i(-1) + i(1) + string(topic) + i(1) + i(partition, current, epoch), answers.EPOCHS_3)

    epoch_end("epoch 0", "r-one", 0, -1, 0)
    epoch_end("a later epoch", "r-one", 0, -1, 9)
    epoch_end("a later current epoch", "r-one", 0, 9, 0)
    epoch_end("unknown topic", "r-nowhere", 0, -1, 0)

    def delete(name, topic, partition, offset):
        ask(f"DeleteRecords 2: {name}", header(21, 2, True) + array([compact(topic) + array([i(partition) + struct.pack(">q", offset) + b"\0"]) + b"\0"]) + i(30000) + b"\0", answers.DELETE_RECORDS_2, True)

    delete("to 2", "r-one", 0, 2)
    delete("to 1, which is gone", "r-one", 0, 1)
    delete("behind the end", "r-one", 0, 1000)
    delete("-2", "r-one", 0, -2)
    delete("unknown topic", "r-nowhere", 0, 1)
    delete("compacted", "r-compact", 0, 1)
    fetch("what was deleted", offset=0)
    offsets("earliest after deletion", -2)
    delete("all", "r-one", 0, -1)


# ---- Groups --------------------------------------------------------------------------------------------

def groups():
    def find(key):
        with Connection(BOOTSTRAP) as c:
            return read(c.ask(header(10, 3, True) + compact(key) + b"\0\0"), answers.COORDINATOR_3, True)

    while find("r-group")["error"] in (14, 15):
        time.sleep(0.2)
    time.sleep(1)
    ask("FindCoordinator 3: a group", header(10, 3, True) + compact("r-group") + b"\0\0", answers.COORDINATOR_3, True)
    ask("FindCoordinator 4: two groups", header(10, 4, True) + b"\0" + array([compact("r-group"), compact("other")]) + b"\0", answers.COORDINATOR_4, True)
    ask("FindCoordinator 4: none", header(10, 4, True) + b"\0" + array([]) + b"\0", answers.COORDINATOR_4, True)
    ask("FindCoordinator 4: type 9", header(10, 4, True) + b"\x09" + array([compact("r-group")]) + b"\0", answers.COORDINATOR_4, True)
    ask("FindCoordinator 3: type 9", header(10, 3, True) + compact("r-group") + b"\x09\0", answers.COORDINATOR_3, True)
    ask("FindCoordinator 3: empty", header(10, 3, True) + compact("") + b"\0\0", answers.COORDINATOR_3, True)

    def join(name, group="r-group", session=10000, member="", kind="consumer", protocols=(("range", b"\0\0"),), instance=None, version=5):
        items = b"".join(string(n) + i(len(m)) + m for n, m in protocols)
        answer = ask(f"JoinGroup {version}: {name}", header(11, version) + string(group) + i(session, 10000) + string(member) + string(instance) + string(kind)
                     + i(len(protocols)) + items, answers.JOIN_5)
        return answer

    join("empty group", group="")
    join("session too short", session=1)
    join("session too long", session=10**9)
    join("no protocols", protocols=())
    join("empty type", kind="")
    first = join("no member id")
    variables["test-" + first["member"].removeprefix("test-")] = "<member>"
    join("an unknown member", member="stranger")
    joined = join("with the member id", member=first["member"])
    member, generation = joined["member"], joined["generation"]
    variables[member] = "<member>"
    join("another type", kind="connect")
    join("no common protocol", member="", protocols=(("else", b""),), instance="inst")

    def sync(name, group="r-group", g=generation, m=member):
        ask(f"SyncGroup 3: {name}", header(14, 3) + string(group) + i(g) + string(m) + string(None) + i(1) + string(m) + i(2) + b"\1\2", answers.SYNC_3)

    def beat(name, group="r-group", g=generation, m=member):
        ask(f"Heartbeat 3: {name}", header(12, 3) + string(group) + i(g) + string(m) + string(None), answers.HEARTBEAT_3)

    def commit(name, group="r-group", g=generation, m=member, topic="r-one", partition=0, text=""):
        ask(f"OffsetCommit 7: {name}", header(8, 7) + string(group) + i(g) + string(m) + string(None) + i(1) + string(topic) + i(1) + i(partition)
            + struct.pack(">qi", 1, -1) + string(text), answers.COMMIT_7)

    commit("before the assignment")
    sync("another generation", g=generation + 1)
    sync("a stranger", m="stranger")
    sync("unknown group", group="r-none")
    sync("empty group", group="")
    sync("the leader")
    beat("a member")
    beat("another generation", g=generation + 1)
    beat("a stranger", m="stranger")
    beat("unknown group", group="r-none")
    beat("empty group", group="")
    commit("a member")
    commit("another generation", g=generation + 5)
    commit("a stranger", m="stranger")
    commit("nobody on a live group", g=-1, m="")
    commit("nobody on a new group", group="r-simple", g=-1, m="")
    commit("a generation of a new group", group="r-none", g=3, m="x")
    commit("empty group", group="", g=-1, m="")
    commit("unknown topic", topic="r-nowhere")
    commit("unknown partition", partition=99)
    commit("too much metadata", text="m" * 5000)

    def fetched(name, group="r-group", topics=True):
        ask(f"OffsetFetch 5: {name}", header(9, 5) + string(group) + (i(1) + string("r-one") + i(2) + i(0, 8) if topics else i(-1)), answers.FETCHED_5)

    fetched("one and none")
    fetched("all", topics=False)
    fetched("all of an unknown group", group="r-none", topics=False)
    fetched("unknown group", group="r-none")
    fetched("empty group", group="")

    def describe(name, group, version):
        flexible = version >= 5
        name_bytes = array([compact(group)]) if flexible else i(1) + string(group)
        ask(f"DescribeGroups {version}: {name}", header(15, version, flexible) + name_bytes + b"\0" + (b"\0" if flexible else b""),
            answers.DESCRIBE_GROUPS_6 if version == 6 else answers.DESCRIBE_GROUPS_5, flexible)

    for version in (5, 6):
        describe("one", "r-group", version)
        describe("unknown", "r-none", version)
        describe("empty", "", version)

    def listed(name, *states):
        ask(f"ListGroups 4: {name}", header(16, 4, True) + array([compact(s) for s in states]) + b"\0", answers.LIST_GROUPS_4, True)
        seen[f"ListGroups 4: {name}"]["groups"].sort(key=lambda g: g["group"])

    listed("all")
    listed("stable", "Stable")
    listed("stable, in small letters", "stable")
    listed("nonsense", "Sleeping")

    def delete_offsets(name, group, topic):
        ask(f"OffsetDelete 0: {name}", header(47, 0) + string(group) + i(1) + string(topic) + i(1) + i(0), answers.OFFSET_DELETE_0)

    delete_offsets("a live group", "r-group", "r-one")
    delete_offsets("unknown group", "r-none", "r-one")
    delete_offsets("empty group", "", "r-one")
    delete_offsets("unknown topic", "r-simple", "r-nowhere")
    delete_offsets("a quiet group", "r-simple", "r-one")

    def delete(name, *names):
        answer = ask(f"DeleteGroups 1: {name}", header(42, 1) + i(len(names)) + b"".join(string(n) for n in names), answers.DELETE_GROUPS_1)
        answer["results"].sort(key=lambda r: names.index(r["group"]))

    delete("a live group", "r-group")
    delete("unknown and empty", "r-none", "")

    def leave(name, group="r-group", m=member, instance=None):
        ask(f"LeaveGroup 3: {name}", header(13, 3) + string(group) + i(1) + string(m) + string(instance), answers.LEAVE_3)

    leave("a stranger", m="stranger")
    leave("an unknown instance", m="", instance="nobody")
    leave("unknown group", group="r-none")
    leave("a member")

    delete("what is empty now", "r-group", "r-simple")

    plain = header(22, 3, True) + compact(None) + i(60000) + struct.pack(">qh", -1, -1) + b"\0"
    while True:  # Kafka fetches its first block of ids.
        with Connection(BOOTSTRAP) as connection:
            if read(connection.ask(plain), answers.INIT_PRODUCER_3, True)["error"] != 14:
                break
        time.sleep(0.2)

    def init(name, transactional, timeout):
        answer = ask(f"InitProducerId 3: {name}", header(22, 3, True) + compact(transactional) + i(timeout) + struct.pack(">qh", -1, -1) + b"\0", answers.INIT_PRODUCER_3, True)
        answer["producer"] = "<id>" if answer["producer"] >= 0 else answer["producer"]

    init("plain", None, 60000)
    init("plain, timeout 0", None, 0)
    init("an empty transactional id", "", 60000)


# ---- What is refused whole -----------------------------------------------------------------------------

def versions():
    for version, flexible in ((0, False), (1, False), (2, False), (3, True), (4, True)):
        who = compact("raw") + compact("1") + b"\0" if flexible else b""
        with Connection(BOOTSTRAP) as connection:
            answer = connection.ask(header(18, version, flexible) + who)
        fields = {"error": "i16", "apis": [{"key": "i16", "min": "i16", "max": "i16"}], **({"throttle": "i32"} if version else {})}
        seen[f"ApiVersions {version}"] = {str(a["key"]): [a["min"], a["max"]] for a in read(answer, fields, flexible, header_tags=False)["apis"]}


def refused():
    ask("ApiVersions 99", header(18, 99) + bytes.fromhex("000261023100"))
    ask("ApiVersions 3 without a name", header(18, 3, True) + bytes.fromhex("010100"))
    ask("ApiVersions 3 with a bad name", header(18, 3, True) + compact("a b") + compact("1") + b"\0")
    for name, frame in (("Metadata 99", header(3, 99) + b"\0\0\0"), ("an unknown API", header(999, 0)), ("a negative API", header(-1, 0)),
                        ("Produce 2", header(0, 2) + bytes.fromhex("ffff000003e800000000")), ("Fetch 3", header(1, 3) + i(-1, 100, 1, 1 << 20, 0)),
                        ("Metadata 1 cut off", header(3, 1) + b"\0\0"), ("Metadata -1", header(3, -1)), ("half a header", b"\0\3\0\1"),
                        ("a count beyond the end", header(3, 1) + i(1000)), ("a negative count", header(3, 1) + i(-2)),
                        ("null where it may not be", header(3, 0) + i(-1)), ("a client id beyond the end", struct.pack(">hhih", 3, 1, 7, 500))):
        ask(f"refused: {name}", frame)
    ask("bytes behind a request", header(3, 1) + i(0) + b"more", answers.METADATA_1)


def normal(value, key=""):
    """Without what differs from run to run."""
    if isinstance(value, dict):
        if value.get("name") == "min.insync.replicas":  # With eligible leader replicas Kafka sets a default of the cluster.
            value = {**value, "source": "<default>"}
        return {k: normal(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [normal(v, key) for v in value if not (key == "configs" and v["name"] in OURS)]
    if key == "topic_id" and value not in ("0" * 32, NOBODY.hex()):
        return "<id>"
    if key == "port" and value == int(BOOTSTRAP.rsplit(":", 1)[1]):
        return "<port>"
    if key == "cluster_id":
        return "<cluster>"
    if key in ("append_time", "time") and value != -1:
        return "<time>"
    return variables.get(value, value) if isinstance(value, str) else value


def compare(expected, accepted):
    for name, kafka in expected.items():
        wanted = accepted.get(name, kafka)
        if name.startswith("ApiVersions ") and isinstance(kafka, dict):  # What is not served is not listed.
            wanted = {key: kafka[key] for key in seen[name] if key in kafka}
        held = seen.get(name) == wanted
        print(f"{'ok' if held else 'not ok'} raw: {name}" + ("" if held else f"\n    expected {json.dumps(wanted)}\n    seen     {json.dumps(seen.get(name))}"))
    for name in sorted(accepted.keys() - expected.keys()) + sorted(seen.keys() - expected.keys()):
        print(f"not ok raw: {name}: nothing is known about it")


def main():
    for part in (versions, topics, configs, metadata, records, groups, refused):
        part()
    for name in seen:
        seen[name] = normal(seen[name])
    if RECORDS:
        lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in seen.items())
        pathlib.Path(sys.argv[2]).write_text("{\n" + lines + "\n}\n")
        return
    compare(json.loads((HERE / "kafka-4.3.1.json").read_text()), json.loads((HERE / "millrace.json").read_text()))


main()
