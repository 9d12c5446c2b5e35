// Broker keys that are accepted and have no effect, each with the reason; in the order of their names.
#include "config_keys.h"

namespace millrace {

using namespace config_rows;

namespace {

constexpr std::string_view no_transactions = "Transactions are not part of this version.";
constexpr std::string_view one_directory = "There is one data directory.";
constexpr std::string_view one_leader = "There is one replica: leadership does not move.";
constexpr std::string_view no_pools = "No thread pools: one shard per core (millrace.shards).";
constexpr std::string_view own_controller = "One node is its own controller: nothing to register with.";
constexpr std::string_view no_authentication = "There is no authentication to delay or renew.";
constexpr std::string_view own_timings = "The metadata log has its own timings.";
constexpr std::string_view no_tokens = "Delegation tokens are not part of this version.";
constexpr std::string_view no_purgatory =
    "Waiting requests are dropped when they are answered: nothing to purge.";
constexpr std::string_view listeners_open_ready = "Every listener opens when the node is ready.";
constexpr std::string_view no_tiers = "There is no tiered storage.";
constexpr std::string_view classic_groups = "Groups speak the classic protocol.";
constexpr std::string_view coordinator_on_shards =
    "The coordinator runs on the shards: no threads, no linger.";
constexpr std::string_view own_sizes = "The metadata log has its own timings and sizes.";
constexpr std::string_view metrics_by_http = "Metrics are served by HTTP (millrace.admin.listen).";
constexpr std::string_view own_pieces = "The cleaner reads and writes in pieces of its own size.";
constexpr std::string_view cleaner_on_shards = "Every shard has a cleaner of its own: no threads.";
constexpr std::string_view failure_stays =
    "A shard whose disk has failed answers errors until the broker is started again.";
constexpr std::string_view no_checkpoints = "No checkpoint files are written.";
constexpr std::string_view starts_itself = "Background work starts by itself.";
constexpr std::string_view limited_by_count = "Connections are limited by max.connections.";
constexpr std::string_view one_replica = "There is one replica: nothing to fetch.";
constexpr std::string_view offsets_in_memory =
    "Offsets live in memory of their shard, and are read in one go.";
constexpr std::string_view own_limits = "Every queue has a limit of its own.";
constexpr std::string_view no_quotas = "Quotas are not part of this version.";
constexpr std::string_view quick_start = "Start-up takes no longer than reading the tails of the logs.";
constexpr std::string_view kernel_buffers = "The kernel sizes socket buffers by itself.";
constexpr std::string_view reserved_ahead = "Space is always reserved ahead of what is written.";
constexpr std::string_view deleted_at_once = "Removed files go at once, in the background.";
constexpr std::string_view with_retention =
    "Silent producers are looked for together with old segments (log.retention.check.interval.ms).";
constexpr std::string_view long_backlog =
    "As many connections may wait to be accepted as the kernel allows (net.core.somaxconn), up to 4,096.";
constexpr std::string_view all_stable = "Every version that is served is stable.";

constexpr KeyRow rows[] = {
    {"add.partitions.to.txn.retry.backoff.max.ms", int32, "100", at_least(0), fixed, no_transactions},
    {"add.partitions.to.txn.retry.backoff.ms", int32, "20", at_least(1), fixed, no_transactions},
    {"alter.log.dirs.replication.quota.window.num", int32, "11", at_least(1), fixed, one_directory},
    {"alter.log.dirs.replication.quota.window.size.seconds", int32, "1", at_least(1), fixed, one_directory},
    {"auto.leader.rebalance.enable", boolean, "true", any, fixed, one_leader},
    {"background.threads", int32, "10", at_least(1), dynamic, no_pools},
    {"broker.heartbeat.interval.ms", int32, "2000", any, fixed, own_controller},
    {"broker.session.timeout.ms", int32, "9000", any, fixed, own_controller},
    {"connection.failed.authentication.delay.ms", int32, "100", at_least(0), fixed, no_authentication},
    {"connections.max.reauth.ms", int64, "0", any, fixed, no_authentication},
    {"controlled.shutdown.enable", boolean, "true", any, fixed, one_leader},
    {"controller.performance.always.log.threshold.ms", int64, "2000", at_least(0), hidden, own_timings},
    {"controller.performance.sample.period.ms", int64, "60000", at_least(100), hidden, own_timings},
    {"controller.quorum.append.linger.ms", int32, "25", at_least(0), fixed, own_timings},
    {"controller.quorum.auto.join.enable", boolean, "false", any, fixed, own_timings},
    {"controller.quorum.election.backoff.max.ms", int32, "1000", at_least(0), fixed, own_timings},
    {"controller.quorum.election.timeout.ms", int32, "1000", at_least(0), fixed, own_timings},
    {"controller.quorum.fetch.max.bytes", int32, "1048576", at_least(1), fixed, own_timings},
    {"controller.quorum.fetch.snapshot.max.bytes", int32, "1048576", at_least(1), fixed, own_timings},
    {"controller.quorum.fetch.timeout.ms", int32, "2000", at_least(0), fixed, own_timings},
    {"controller.quorum.request.timeout.ms", int32, "2000", at_least(0), fixed, own_timings},
    {"controller.quorum.retry.backoff.ms", int32, "20", at_least(0), fixed, own_timings},
    {"controller.quota.window.num", int32, "11", at_least(1), fixed, own_timings},
    {"controller.quota.window.size.seconds", int32, "1", at_least(1), fixed, own_timings},
    {"controller.socket.timeout.ms", int32, "30000", any, fixed, own_timings},
    {"cordoned.log.dirs", list, "", any, dynamic, one_directory},
    {"delegation.token.expiry.check.interval.ms", int64, "3600000", at_least(1), fixed, no_tokens},
    {"delegation.token.expiry.time.ms", int64, "86400000", at_least(1), fixed, no_tokens},
    {"delegation.token.max.lifetime.ms", int64, "604800000", at_least(1), fixed, no_tokens},
    {"delete.records.purgatory.purge.interval.requests", int32, "1", any, fixed, no_purgatory},
    {"early.start.listeners", list, none, any, fixed, listeners_open_ready},
    {"fetch.purgatory.purge.interval.requests", int32, "1000", any, fixed, no_purgatory},
    {"follower.fetch.last.tiered.offset.enable", boolean, "false", any, dynamic, no_tiers},
    {"group.consumer.assignment.interval.ms", int32, "1000", at_least(0), dynamic, classic_groups},
    {"group.consumer.assignors", list, "uniform,range", any, fixed, classic_groups},
    {"group.consumer.heartbeat.interval.ms", int32, "5000", at_least(1), fixed, classic_groups},
    {"group.consumer.max.assignment.interval.ms", int32, "15000", at_least(0), fixed, classic_groups},
    {"group.consumer.max.heartbeat.interval.ms", int32, "15000", at_least(1), fixed, classic_groups},
    {"group.consumer.max.session.timeout.ms", int32, "60000", at_least(1), fixed, classic_groups},
    {"group.consumer.max.size", int32, "2147483647", at_least(1), fixed, classic_groups},
    {"group.consumer.migration.policy", string, "bidirectional",
     one_of_ignoring_case("DISABLED DOWNGRADE UPGRADE BIDIRECTIONAL"), fixed, classic_groups},
    {"group.consumer.min.assignment.interval.ms", int32, "0", at_least(0), fixed, classic_groups},
    {"group.consumer.min.heartbeat.interval.ms", int32, "5000", at_least(1), fixed, classic_groups},
    {"group.consumer.min.session.timeout.ms", int32, "45000", at_least(1), fixed, classic_groups},
    {"group.consumer.regex.refresh.interval.ms", int32, "600000", at_least(10000), hidden, classic_groups},
    {"group.consumer.session.timeout.ms", int32, "45000", at_least(1), fixed, classic_groups},
    {"group.coordinator.append.linger.ms", int32, "-1", at_least(-1), fixed, coordinator_on_shards},
    {"group.coordinator.background.threads", int32, "2", at_least(1), fixed, coordinator_on_shards},
    {"group.coordinator.cached.buffer.max.bytes", int32, "1048588", at_least(524288), dynamic,
     coordinator_on_shards},
    {"group.coordinator.rebalance.protocols", list, "classic,consumer,streams",
     one_of("consumer classic share streams"), fixed, classic_groups},
    {"group.coordinator.threads", int32, "4", at_least(1), fixed, coordinator_on_shards},
    {"group.share.assignment.interval.ms", int32, "1000", at_least(0), dynamic, classic_groups},
    {"group.share.assignors", list, "simple", any, fixed, classic_groups},
    {"group.share.delivery.count.limit", int32, "5", between(2, 10), fixed, classic_groups},
    {"group.share.heartbeat.interval.ms", int32, "5000", at_least(1), fixed, classic_groups},
    {"group.share.initialize.retry.interval.ms", int32, "30000", at_least(1), hidden, classic_groups},
    {"group.share.max.assignment.interval.ms", int32, "15000", at_least(0), fixed, classic_groups},
    {"group.share.max.delivery.count.limit", int32, "10", between(5, 25), fixed, classic_groups},
    {"group.share.max.heartbeat.interval.ms", int32, "15000", at_least(1), fixed, classic_groups},
    {"group.share.max.partition.max.record.locks", int32, "4000", between(2000, 10000), fixed,
     classic_groups},
    {"group.share.max.record.lock.duration.ms", int32, "60000", between(30000, 3600000), fixed,
     classic_groups},
    {"group.share.max.session.timeout.ms", int32, "60000", at_least(1), fixed, classic_groups},
    {"group.share.max.share.sessions", int32, "2000", at_least(1), fixed, classic_groups},
    {"group.share.max.size", int32, "200", between(1, 1000), fixed, classic_groups},
    {"group.share.min.assignment.interval.ms", int32, "0", at_least(0), fixed, classic_groups},
    {"group.share.min.delivery.count.limit", int32, "2", between(2, 5), fixed, classic_groups},
    {"group.share.min.heartbeat.interval.ms", int32, "5000", at_least(1), fixed, classic_groups},
    {"group.share.min.partition.max.record.locks", int32, "100", between(100, 2000), fixed, classic_groups},
    {"group.share.min.record.lock.duration.ms", int32, "15000", between(1000, 30000), fixed, classic_groups},
    {"group.share.min.session.timeout.ms", int32, "45000", at_least(1), fixed, classic_groups},
    {"group.share.partition.max.record.locks", int32, "2000", between(100, 10000), fixed, classic_groups},
    {"group.share.persister.class.name", string,
     "org.apache.kafka.server.share.persister.DefaultStatePersister", any, hidden, classic_groups},
    {"group.share.record.lock.duration.ms", int32, "30000", between(1000, 3600000), fixed, classic_groups},
    {"group.share.session.timeout.ms", int32, "45000", at_least(1), fixed, classic_groups},
    {"group.streams.assignment.interval.ms", int32, "1000", at_least(0), dynamic, classic_groups},
    {"group.streams.heartbeat.interval.ms", int32, "5000", at_least(1), fixed, classic_groups},
    {"group.streams.initial.rebalance.delay.ms", int32, "3000", at_least(0), fixed, classic_groups},
    {"group.streams.max.assignment.interval.ms", int32, "15000", at_least(0), fixed, classic_groups},
    {"group.streams.max.heartbeat.interval.ms", int32, "15000", at_least(1), fixed, classic_groups},
    {"group.streams.max.session.timeout.ms", int32, "60000", at_least(1), fixed, classic_groups},
    {"group.streams.max.size", int32, "2147483647", at_least(1), fixed, classic_groups},
    {"group.streams.max.standby.replicas", int32, "2", at_least(0), fixed, classic_groups},
    {"group.streams.min.assignment.interval.ms", int32, "0", at_least(0), fixed, classic_groups},
    {"group.streams.min.heartbeat.interval.ms", int32, "5000", at_least(1), fixed, classic_groups},
    {"group.streams.min.session.timeout.ms", int32, "45000", at_least(1), fixed, classic_groups},
    {"group.streams.num.standby.replicas", int32, "0", at_least(0), fixed, classic_groups},
    {"group.streams.session.timeout.ms", int32, "45000", at_least(1), fixed, classic_groups},
    {"initial.broker.registration.timeout.ms", int32, "60000", any, fixed, own_controller},
    {"internal.metadata.delete.delay.millis", int64, "60000", any, hidden, own_sizes},
    {"internal.metadata.log.segment.bytes", int32, none, any, hidden, own_sizes},
    {"internal.metadata.max.batch.size.in.bytes", int32, "8388608", any, hidden, own_sizes},
    {"kafka.metrics.polling.interval.secs", int32, "10", at_least(1), fixed, metrics_by_http},
    {"kafka.metrics.reporters", list, "", any, fixed, metrics_by_http},
    {"leader.imbalance.check.interval.seconds", int64, "300", at_least(1), fixed, one_leader},
    {"log.cleaner.io.buffer.size", int32, "524288", at_least(0), dynamic, own_pieces},
    {"log.cleaner.threads", int32, "1", at_least(0), dynamic, cleaner_on_shards},
    {"log.dir.failure.timeout.ms", int64, "30000", at_least(1), fixed, failure_stays},
    {"log.flush.offset.checkpoint.interval.ms", int32, "60000", at_least(0), fixed, no_checkpoints},
    {"log.flush.start.offset.checkpoint.interval.ms", int32, "60000", at_least(0), fixed, no_checkpoints},
    {"log.initial.task.delay.ms", int64, "30000", at_least(0), hidden, starts_itself},
    {"log.preallocate", boolean, "false", any, dynamic, reserved_ahead},
    {"log.segment.delete.delay.ms", int64, "60000", at_least(0), dynamic, deleted_at_once},
    {"max.connection.creation.rate", int32, "2147483647", at_least(0), dynamic, limited_by_count},
    {"max.connections.per.ip.overrides", string, "", any, dynamic, limited_by_count},
    {"metadata.log.dir", string, none, any, fixed, own_sizes},
    {"metadata.log.max.record.bytes.between.snapshots", int64, "20971520", at_least(1), fixed, own_sizes},
    {"metadata.log.max.snapshot.interval.ms", int64, "3600000", at_least(0), fixed, own_sizes},
    {"metadata.log.segment.bytes", int32, "1073741824", at_least(8388608), fixed, own_sizes},
    {"metadata.log.segment.ms", int64, "604800000", any, fixed, own_sizes},
    {"metadata.max.idle.interval.ms", int32, "500", at_least(0), fixed, own_sizes},
    {"metadata.max.retention.bytes", int64, "104857600", any, fixed, own_sizes},
    {"metadata.max.retention.ms", int64, "604800000", any, fixed, own_sizes},
    {"metric.reporters", list, "org.apache.kafka.common.metrics.JmxReporter", any, dynamic, metrics_by_http},
    {"metrics.num.samples", int32, "2", at_least(1), fixed, metrics_by_http},
    {"metrics.recording.level", string, "INFO", any, fixed, metrics_by_http},
    {"metrics.sample.window.ms", int64, "30000", at_least(1), fixed, metrics_by_http},
    {"num.io.threads", int32, "8", at_least(1), dynamic, no_pools},
    {"num.network.threads", int32, "3", at_least(1), dynamic, no_pools},
    {"num.recovery.threads.per.data.dir", int32, "2", at_least(1), dynamic, no_pools},
    {"num.replica.alter.log.dirs.threads", int32, none, any, fixed, one_replica},
    {"num.replica.fetchers", int32, "1", at_least(1), dynamic, one_replica},
    {"offsets.commit.timeout.ms", int32, "5000", at_least(1), fixed, offsets_in_memory},
    {"offsets.load.buffer.size", int32, "5242880", at_least(1), fixed, offsets_in_memory},
    {"offsets.topic.compression.codec", int32, "0", any, fixed, offsets_in_memory},
    {"producer.id.expiration.check.interval.ms", int32, "600000", at_least(1), hidden, with_retention},
    {"producer.purgatory.purge.interval.requests", int32, "1000", any, fixed, no_purgatory},
    {"queued.max.request.bytes", int64, "-1", any, fixed, own_limits},
    {"queued.max.requests", int32, "500", at_least(1), fixed, own_limits},
    {"quota.window.num", int32, "11", at_least(1), fixed, no_quotas},
    {"quota.window.size.seconds", int32, "1", at_least(1), fixed, no_quotas},
    {"remote.fetch.max.wait.ms", int32, "500", at_least(1), dynamic, no_tiers},
    {"remote.list.offsets.request.timeout.ms", int64, "30000", at_least(1), dynamic, no_tiers},
    {"remote.log.index.file.cache.total.size.bytes", int64, "1073741824", at_least(1), dynamic, no_tiers},
    {"remote.log.index.file.cache.ttl.ms", int64, "900000", at_least(-1), hidden, no_tiers},
    {"remote.log.manager.copier.thread.pool.size", int32, "10", at_least(1), dynamic, no_tiers},
    {"remote.log.manager.copy.max.bytes.per.second", int64, "9223372036854775807", at_least(1), dynamic,
     no_tiers},
    {"remote.log.manager.copy.quota.window.num", int32, "11", at_least(1), fixed, no_tiers},
    {"remote.log.manager.copy.quota.window.size.seconds", int32, "1", at_least(1), fixed, no_tiers},
    {"remote.log.manager.expiration.thread.pool.size", int32, "10", at_least(1), dynamic, no_tiers},
    {"remote.log.manager.fetch.max.bytes.per.second", int64, "9223372036854775807", at_least(1), dynamic,
     no_tiers},
    {"remote.log.manager.fetch.quota.window.num", int32, "11", at_least(1), fixed, no_tiers},
    {"remote.log.manager.fetch.quota.window.size.seconds", int32, "1", at_least(1), fixed, no_tiers},
    {"remote.log.manager.follower.thread.pool.size", int32, "2", at_least(1), dynamic, no_tiers},
    {"remote.log.manager.task.interval.ms", int64, "30000", at_least(1), fixed, no_tiers},
    {"remote.log.manager.task.retry.backoff.max.ms", int64, "30000", at_least(1), hidden, no_tiers},
    {"remote.log.manager.task.retry.backoff.ms", int64, "500", at_least(1), hidden, no_tiers},
    {"remote.log.manager.task.retry.jitter", float64, "0.2", between(0, 0.5), hidden, no_tiers},
    {"remote.log.manager.thread.pool.size", int32, "2", at_least(1), fixed, no_tiers},
    {"remote.log.metadata.custom.metadata.max.bytes", int32, "128", at_least(0), fixed, no_tiers},
    {"remote.log.metadata.manager.class.name", string,
     "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager", non_empty,
     fixed, no_tiers},
    {"remote.log.metadata.manager.class.path", string, none, any, fixed, no_tiers},
    {"remote.log.metadata.manager.impl.prefix", string, "rlmm.config.", non_empty, fixed, no_tiers},
    {"remote.log.metadata.manager.listener.name", string, none, non_empty, fixed, no_tiers},
    {"remote.log.reader.max.pending.tasks", int32, "100", at_least(1), fixed, no_tiers},
    {"remote.log.reader.threads", int32, "10", at_least(1), dynamic, no_tiers},
    {"remote.log.storage.manager.class.name", string, none, non_empty, fixed, no_tiers},
    {"remote.log.storage.manager.class.path", string, none, any, fixed, no_tiers},
    {"remote.log.storage.manager.impl.prefix", string, "rsm.config.", non_empty, fixed, no_tiers},
    {"replica.fetch.backoff.ms", int32, "1000", at_least(0), fixed, one_replica},
    {"replica.fetch.max.bytes", int32, "1048576", at_least(0), fixed, one_replica},
    {"replica.fetch.min.bytes", int32, "1", any, fixed, one_replica},
    {"replica.fetch.response.max.bytes", int32, "10485760", at_least(0), fixed, one_replica},
    {"replica.fetch.wait.max.ms", int32, "500", any, fixed, one_replica},
    {"replica.high.watermark.checkpoint.interval.ms", int64, "5000", any, fixed, one_replica},
    {"replica.lag.time.max.ms", int64, "30000", any, fixed, one_replica},
    {"replica.socket.receive.buffer.bytes", int32, "65536", any, fixed, one_replica},
    {"replica.socket.timeout.ms", int32, "30000", any, fixed, one_replica},
    {"replication.quota.window.num", int32, "11", at_least(1), fixed, one_replica},
    {"replication.quota.window.size.seconds", int32, "1", at_least(1), fixed, one_replica},
    {"request.timeout.ms", int32, "30000", any, fixed, one_replica},
    {"server.max.startup.time.ms", int64, "9223372036854775807", at_least(0), hidden, quick_start},
    {"share.coordinator.append.linger.ms", int32, "-1", at_least(-1), fixed, classic_groups},
    {"share.coordinator.cached.buffer.max.bytes", int32, "1048588", at_least(524288), dynamic,
     classic_groups},
    {"share.coordinator.cold.partition.snapshot.interval.ms", int32, "300000", at_least(1), hidden,
     classic_groups},
    {"share.coordinator.load.buffer.size", int32, "5242880", at_least(1), fixed, classic_groups},
    {"share.coordinator.snapshot.update.records.per.snapshot", int32, "500", between(0, 500), fixed,
     classic_groups},
    {"share.coordinator.state.topic.compression.codec", int32, "0", any, fixed, classic_groups},
    {"share.coordinator.state.topic.min.isr", int16, "2", at_least(1), fixed, classic_groups},
    {"share.coordinator.state.topic.num.partitions", int32, "50", at_least(1), fixed, classic_groups},
    {"share.coordinator.state.topic.prune.interval.ms", int32, "300000", at_least(1), hidden, classic_groups},
    {"share.coordinator.state.topic.replication.factor", int16, "3", at_least(1), fixed, classic_groups},
    {"share.coordinator.state.topic.segment.bytes", int32, "104857600", at_least(1), fixed, classic_groups},
    {"share.coordinator.threads", int32, "1", at_least(1), fixed, classic_groups},
    {"share.coordinator.write.timeout.ms", int32, "5000", at_least(1), fixed, classic_groups},
    {"share.fetch.purgatory.purge.interval.requests", int32, "1000", any, fixed, classic_groups},
    {"socket.connection.setup.timeout.max.ms", int64, "30000", any, fixed, kernel_buffers},
    {"socket.connection.setup.timeout.ms", int64, "10000", any, fixed, kernel_buffers},
    {"socket.listen.backlog.size", int32, "50", at_least(1), fixed, long_backlog},
    {"socket.receive.buffer.bytes", int32, "102400", any, fixed, kernel_buffers},
    {"socket.send.buffer.bytes", int32, "102400", any, fixed, kernel_buffers},
    {"telemetry.max.bytes", int32, "1048576", at_least(1), fixed, metrics_by_http},
    {"transaction.abort.timed.out.transaction.cleanup.interval.ms", int32, "10000", at_least(1), fixed,
     no_transactions},
    {"transaction.max.timeout.ms", int32, "900000", at_least(1), fixed, no_transactions},
    {"transaction.partition.verification.enable", boolean, "true", any, dynamic, no_transactions},
    {"transaction.remove.expired.transaction.cleanup.interval.ms", int32, "3600000", at_least(1), fixed,
     no_transactions},
    {"transaction.state.log.load.buffer.size", int32, "5242880", at_least(1), fixed, no_transactions},
    {"transaction.state.log.min.isr", int32, "2", at_least(1), fixed, no_transactions},
    {"transaction.state.log.num.partitions", int32, "50", at_least(1), fixed, no_transactions},
    {"transaction.state.log.replication.factor", int16, "3", at_least(1), fixed, no_transactions},
    {"transaction.state.log.segment.bytes", int32, "104857600", at_least(1), fixed, no_transactions},
    {"transaction.two.phase.commit.enable", boolean, "false", any, fixed, no_transactions},
    {"transactional.id.expiration.ms", int32, "604800000", at_least(1), fixed, no_transactions},
    {"unclean.leader.election.enable", boolean, "false", any, dynamic, one_leader},
    {"unclean.leader.election.interval.ms", int64, "300000", at_least(1), hidden, one_leader},
    {"unstable.api.versions.enable", boolean, "false", any, hidden, all_stable},
    {"unstable.feature.versions.enable", boolean, "false", any, hidden, all_stable},
};

}  // namespace

std::span<const KeyRow> ignored_broker_rows() { return rows; }

}  // namespace millrace
