// The metadata log: features, producer ids, and transactions of the log itself.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct FeatureLevelRecord {
    static constexpr Api api{.key = 12, .name = "FeatureLevelRecord", .versions = {0, 0}};

    String name;
    int16_t feature_level = 0;

    static void fields(auto& self, auto& v) {
        v("name", self.name);
        v("feature_level", self.feature_level);
    }
};

struct ProducerIdsRecord {
    static constexpr Api api{.key = 15, .name = "ProducerIdsRecord", .versions = {0, 0}};

    int32_t broker_id = 0;
    int64_t broker_epoch = -1;
    int64_t next_producer_id = 0;

    static void fields(auto& self, auto& v) {
        v("broker_id", self.broker_id);
        v("broker_epoch", self.broker_epoch);
        v("next_producer_id", self.next_producer_id);
    }
};

struct ZkMigrationStateRecord {
    static constexpr Api api{.key = 21, .name = "ZkMigrationStateRecord", .versions = {0, 0}};

    int8_t zk_migration_state = 0;

    static void fields(auto& self, auto& v) { v("zk_migration_state", self.zk_migration_state); }
};

struct NoOpRecord {
    static constexpr Api api{.key = 20, .name = "NoOpRecord", .versions = {0, 0}};

    static void fields(auto&, auto&) {}
};

struct BeginTransactionRecord {
    static constexpr Api api{.key = 23, .name = "BeginTransactionRecord", .versions = {0, 0}};

    Nullable<String> name;

    static void fields(auto& self, auto& v) { v("name", self.name, tag(0, since(0))); }
};

struct EndTransactionRecord {
    static constexpr Api api{.key = 24, .name = "EndTransactionRecord", .versions = {0, 0}};

    static void fields(auto&, auto&) {}
};

struct AbortTransactionRecord {
    static constexpr Api api{.key = 25, .name = "AbortTransactionRecord", .versions = {0, 0}};

    Nullable<String> reason;

    static void fields(auto& self, auto& v) { v("reason", self.reason, tag(0, since(0))); }
};

}  // namespace millrace::wire
