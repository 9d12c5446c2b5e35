// Topic keys; in the order of their names.
#include "config_keys.h"

namespace millrace {

using namespace config_rows;

namespace {

constexpr std::string_view one_replica = "Accepted without effect: there is one replica.";
constexpr std::string_view no_tiers = "Accepted without effect: tiered storage is not part of this version.";
constexpr std::string_view deleted_at_once =
    "Accepted without effect: removed files go at once, in the background.";
constexpr std::string_view reserved_ahead =
    "Accepted without effect: space is always reserved ahead of what is written.";

constexpr KeyRow rows[] = {
    {"cleanup.policy", list, "delete", one_of("compact delete"), dynamic,
     "delete, compact or both: what happens to old records; empty keeps them for ever. compact keeps the "
     "newest record of each key."},
    {"compression.gzip.level", int32, "-1", gzip_level, dynamic, "Level where compression.type is gzip."},
    {"compression.lz4.level", int32, "9", between(1, 17), dynamic, "Level where compression.type is lz4."},
    {"compression.type", string, "producer", one_of("uncompressed zstd lz4 snappy gzip producer"), dynamic,
     "Codec in which batches are stored; producer keeps what the producer chose."},
    {"compression.zstd.level", int32, "3", between(-131072, 22), dynamic,
     "Level where compression.type is zstd."},
    {"delete.retention.ms", int64, "86400000", at_least(0), dynamic,
     "How long a tombstone stays once it could be cleaned away."},
    {"durability", string, "flush", one_of("flush memory"), dynamic,
     "What is acknowledged and seen by consumers: what the device has flushed, or what is in memory; memory "
     "is journalled within 10 ms, and a crash loses what was not."},
    {"file.delete.delay.ms", int64, "60000", at_least(0), dynamic, deleted_at_once},
    {"flush.messages", int64, "9223372036854775807", at_least(1), dynamic,
     "With durability=memory: a produce after which so many records are not flushed waits until fewer are."},
    {"flush.ms", int64, "9223372036854775807", at_least(0), dynamic,
     "With durability=memory: records are flushed after so long at the latest."},
    {"follower.replication.throttled.replicas", list, "", throttled_replicas, dynamic, one_replica},
    {"index.interval.bytes", int32, "4096", at_least(0), dynamic,
     "Bytes of log per entry of the offset index."},
    {"internal.segment.bytes", int32, none, any, hidden,
     "Size at which a new segment file is begun, below the limit of segment.bytes: for tests."},
    {"leader.replication.throttled.replicas", list, "", throttled_replicas, dynamic, one_replica},
    {"local.retention.bytes", int64, "-2", at_least(-2), dynamic, no_tiers},
    {"local.retention.ms", int64, "-2", at_least(-2), dynamic, no_tiers},
    {"max.compaction.lag.ms", int64, "9223372036854775807", at_least(1), dynamic,
     "Age of a record at which it is cleaned, however little is dirty; bounds segment.ms, too."},
    {"max.message.bytes", int32, "1048588", at_least(0), dynamic,
     "Largest batch that is accepted, its 12 bytes of overhead included."},
    {"message.timestamp.after.max.ms", int64, "3600000", at_least(0), dynamic,
     "Records stamped further in the future are refused."},
    {"message.timestamp.before.max.ms", int64, "9223372036854775807", at_least(0), dynamic,
     "Records stamped further in the past are refused."},
    {"message.timestamp.type", string, "CreateTime", one_of("CreateTime LogAppendTime"), dynamic,
     "Who stamps records: the producer (CreateTime) or the broker (LogAppendTime)."},
    {"min.cleanable.dirty.ratio", float64, "0.5", between(0, 1), dynamic,
     "Share of a partition's bytes that must be dirty before it is cleaned."},
    {"min.compaction.lag.ms", int64, "0", at_least(0), dynamic, "Age below which a record is not cleaned."},
    {"min.insync.replicas", int32, "1", at_least(1), dynamic,
     "Replicas that must have a record before acks=all is answered."},
    {"preallocate", boolean, "false", any, dynamic, reserved_ahead},
    {"remote.log.copy.disable", boolean, "false", any, dynamic, no_tiers},
    {"remote.log.delete.on.disable", boolean, "false", any, dynamic, no_tiers},
    {"remote.storage.enable", boolean, "false", any, dynamic,
     "Tiered storage, which is not part of this version."},
    {"retention.bytes", int64, "-1", any, dynamic,
     "Size of a partition above which its oldest segments may go; -1 is no limit."},
    {"retention.ms", int64, "604800000", at_least(-1), dynamic,
     "Age at which a segment may go, by its newest record; -1 is no limit."},
    {"segment.bytes", int32, "1073741824", at_least(1048576), dynamic,
     "Size at which a new segment file is begun."},
    {"segment.index.bytes", int32, "10485760", at_least(4), dynamic, "Largest offset index of a segment."},
    {"segment.jitter.ms", int64, "0", at_least(0), dynamic,
     "Up to so much less than segment.ms, at random, so that not all roll at once."},
    {"segment.ms", int64, "604800000", at_least(1), dynamic, "Age at which a new segment file is begun."},
    {"unclean.leader.election.enable", boolean, "false", any, dynamic, one_replica},
};

}  // namespace

std::span<const KeyRow> topic_rows() { return rows; }

}  // namespace millrace
