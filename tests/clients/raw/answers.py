"""How the answers are read: the fields of each API at the version asked, in the order of the wire."""
CONFIGS = {"name": "string", "value": "string", "read_only": "bool", "source": "i8", "sensitive": "bool"}
CREATE_TOPICS_7 = {"throttle": "i32", "topics": [{"name": "string", "topic_id": "uuid", "error": "i16", "message": "string",
                                                   "partitions": "i32", "replication": "i16", "configs": [CONFIGS]}]}
CREATE_TOPICS_2 = {"throttle": "i32", "topics": [{"name": "string", "error": "i16", "message": "string"}]}
CREATE_PARTITIONS = {"throttle": "i32", "topics": [{"name": "string", "error": "i16", "message": "string"}]}
DELETE_TOPICS_6 = {"throttle": "i32", "topics": [{"name": "string", "topic_id": "uuid", "error": "i16", "message": "string"}]}
DELETE_TOPICS_1 = {"throttle": "i32", "topics": [{"name": "string", "error": "i16"}]}
DELETE_RECORDS_2 = {"throttle": "i32", "topics": [{"name": "string", "partitions": [{"index": "i32", "low": "i64", "error": "i16"}]}]}
SYNONYM = {"name": "string", "value": "string", "source": "i8"}
DESCRIBE_CONFIGS_4 = {"throttle": "i32", "results": [{"error": "i16", "message": "string", "type": "i8", "name": "string", "configs": [
    {"name": "string", "value": "string", "read_only": "bool", "source": "i8", "sensitive": "bool", "synonyms": [SYNONYM], "kind": "i8", "documentation": "string"}]}]}
ALTER_CONFIGS_1 = {"throttle": "i32", "results": [{"error": "i16", "message": "string", "type": "i8", "name": "string"}]}
BROKER = {"id": "i32", "host": "string", "port": "i32"}
METADATA_PARTITION_1 = {"error": "i16", "index": "i32", "leader": "i32", "replicas": ["i32"], "isr": ["i32"]}
METADATA_1 = {"brokers": [{**BROKER, "rack": "string"}], "controller": "i32",
              "topics": [{"error": "i16", "name": "string", "internal": "bool", "partitions": [METADATA_PARTITION_1]}]}
METADATA_0 = {"brokers": [BROKER], "topics": [{"error": "i16", "name": "string", "partitions": [METADATA_PARTITION_1]}]}
METADATA_12 = {"throttle": "i32", "brokers": [{**BROKER, "rack": "string"}], "cluster_id": "string", "controller": "i32", "topics": [
    {"error": "i16", "name": "string", "topic_id": "uuid", "internal": "bool", "partitions": [
        {"error": "i16", "index": "i32", "leader": "i32", "leader_epoch": "i32", "replicas": ["i32"], "isr": ["i32"], "offline": ["i32"]}],
     "operations": "i32"}]}
METADATA_13 = {**METADATA_12, "error": "i16"}
DESCRIBE_CLUSTER_2 = {"throttle": "i32", "error": "i16", "message": "string", "endpoint_type": "i8", "cluster_id": "string", "controller": "i32",
                      "brokers": [{**BROKER, "rack": "string", "fenced": "bool"}], "operations": "i32"}
PRODUCE_8 = {"topics": [{"name": "string", "partitions": [{"index": "i32", "error": "i16", "offset": "i64", "append_time": "i64", "start": "i64",
                                                          "records": [{"index": "i32", "message": "string"}], "message": "string"}]}], "throttle": "i32"}
PRODUCE_3 = {"topics": [{"name": "string", "partitions": [{"index": "i32", "error": "i16", "offset": "i64", "append_time": "i64"}]}], "throttle": "i32"}
PRODUCE_13 = {"topics": [{"topic_id": "uuid", "partitions": PRODUCE_8["topics"][0]["partitions"]}], "throttle": "i32"}
ABORTED = {"producer": "i64", "first": "i64"}
FETCH_11 = {"throttle": "i32", "error": "i16", "session": "i32", "topics": [{"name": "string", "partitions": [
    {"index": "i32", "error": "i16", "high": "i64", "stable": "i64", "start": "i64", "aborted": [ABORTED], "preferred": "i32", "bytes": "bytes"}]}]}
FETCH_13 = {"throttle": "i32", "error": "i16", "session": "i32", "topics": [{"topic_id": "uuid", "partitions": FETCH_11["topics"][0]["partitions"]}]}
LIST_OFFSETS_7 = {"throttle": "i32", "topics": [{"name": "string", "partitions": [
    {"index": "i32", "error": "i16", "time": "i64", "offset": "i64", "leader_epoch": "i32"}]}]}
EPOCHS_3 = {"throttle": "i32", "topics": [{"name": "string", "partitions": [{"error": "i16", "index": "i32", "leader_epoch": "i32", "end": "i64"}]}]}
JOIN_5 = {"throttle": "i32", "error": "i16", "generation": "i32", "protocol": "string", "leader": "string", "member": "string",
          "members": [{"member": "string", "instance": "string", "metadata": "bytes"}]}
SYNC_3 = {"throttle": "i32", "error": "i16", "assignment": "bytes"}
HEARTBEAT_3 = {"throttle": "i32", "error": "i16"}
LEAVE_3 = {"throttle": "i32", "error": "i16", "members": [{"member": "string", "instance": "string", "error": "i16"}]}
COMMIT_7 = {"throttle": "i32", "topics": [{"name": "string", "partitions": [{"index": "i32", "error": "i16"}]}]}
FETCHED_5 = {"throttle": "i32", "topics": [{"name": "string", "partitions": [
    {"index": "i32", "offset": "i64", "leader_epoch": "i32", "metadata": "string", "error": "i16"}]}], "error": "i16"}
OFFSET_DELETE_0 = {"error": "i16", "throttle": "i32", "topics": [{"name": "string", "partitions": [{"index": "i32", "error": "i16"}]}]}
DELETE_GROUPS_1 = {"throttle": "i32", "results": [{"group": "string", "error": "i16"}]}
DESCRIBED = {"error": "i16", "group": "string", "state": "string", "protocol_type": "string", "protocol": "string",
             "members": [{"member": "string", "instance": "string", "client": "string", "host": "string", "metadata": "bytes", "assignment": "bytes"}],
             "operations": "i32"}
DESCRIBE_GROUPS_5 = {"throttle": "i32", "groups": [DESCRIBED]}
DESCRIBE_GROUPS_6 = {"throttle": "i32", "groups": [{"error": "i16", "message": "string", **{k: v for k, v in DESCRIBED.items() if k != "error"}}]}
LIST_GROUPS_4 = {"throttle": "i32", "error": "i16", "groups": [{"group": "string", "protocol_type": "string", "state": "string"}]}
COORDINATOR_3 = {"throttle": "i32", "error": "i16", "message": "string", "node": "i32", "host": "string", "port": "i32"}
COORDINATOR_4 = {"throttle": "i32", "coordinators": [{"key": "string", "node": "i32", "host": "string", "port": "i32", "error": "i16", "message": "string"}]}
INIT_PRODUCER_3 = {"throttle": "i32", "error": "i16", "producer": "i64", "epoch": "i16"}
