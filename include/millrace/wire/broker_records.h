// The metadata log: brokers and controllers.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct RegisterBrokerRecord {
    static constexpr Api api{.key = 0, .name = "RegisterBrokerRecord", .versions = {0, 4}};

    struct Endpoint {
        String name;
        String host;
        uint16_t port = 0;
        int16_t security_protocol = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("host", self.host);
            v("port", self.port);
            v("security_protocol", self.security_protocol);
        }
    };

    struct Feature {
        String name;
        int16_t min_supported_version = 0;
        int16_t max_supported_version = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("min_supported_version", self.min_supported_version);
            v("max_supported_version", self.max_supported_version);
        }
    };

    int32_t broker_id = 0;
    bool is_migrating_zk_broker = false;
    Uuid incarnation_id;
    int64_t broker_epoch = 0;
    List<Endpoint> end_points;
    List<Feature> features;
    Nullable<String> rack = "";
    bool fenced = true;
    bool in_controlled_shutdown = false;
    List<Uuid> log_dirs;
    Nullable<List<Uuid>> cordoned_log_dirs;

    static void fields(auto& self, auto& v) {
        v("broker_id", self.broker_id);
        v("is_migrating_zk_broker", self.is_migrating_zk_broker, since(2));
        v("incarnation_id", self.incarnation_id);
        v("broker_epoch", self.broker_epoch);
        v("end_points", self.end_points);
        v("features", self.features);
        v("rack", self.rack);
        v("fenced", self.fenced);
        v("in_controlled_shutdown", self.in_controlled_shutdown, since(1));
        v("log_dirs", self.log_dirs, tag(0, since(3)));
        v("cordoned_log_dirs", self.cordoned_log_dirs, tag(1, since(4)));
    }
};

struct UnregisterBrokerRecord {
    static constexpr Api api{.key = 1, .name = "UnregisterBrokerRecord", .versions = {0, 0}};

    int32_t broker_id = 0;
    int64_t broker_epoch = 0;

    static void fields(auto& self, auto& v) {
        v("broker_id", self.broker_id);
        v("broker_epoch", self.broker_epoch);
    }
};

struct FenceBrokerRecord {
    static constexpr Api api{.key = 7, .name = "FenceBrokerRecord", .versions = {0, 0}};

    int32_t id = 0;
    int64_t epoch = 0;

    static void fields(auto& self, auto& v) {
        v("id", self.id);
        v("epoch", self.epoch);
    }
};

struct UnfenceBrokerRecord {
    static constexpr Api api{.key = 8, .name = "UnfenceBrokerRecord", .versions = {0, 0}};

    int32_t id = 0;
    int64_t epoch = 0;

    static void fields(auto& self, auto& v) {
        v("id", self.id);
        v("epoch", self.epoch);
    }
};

struct BrokerRegistrationChangeRecord {
    static constexpr Api api{.key = 17, .name = "BrokerRegistrationChangeRecord", .versions = {0, 3}};

    int32_t broker_id = 0;
    int64_t broker_epoch = 0;
    int8_t fenced = 0;
    int8_t in_controlled_shutdown = 0;
    List<Uuid> log_dirs;
    Nullable<List<Uuid>> cordoned_log_dirs;

    static void fields(auto& self, auto& v) {
        v("broker_id", self.broker_id);
        v("broker_epoch", self.broker_epoch);
        v("fenced", self.fenced, tag(0, since(0)));
        v("in_controlled_shutdown", self.in_controlled_shutdown, tag(1, since(1)));
        v("log_dirs", self.log_dirs, tag(2, since(2)));
        v("cordoned_log_dirs", self.cordoned_log_dirs, tag(3, since(3)));
    }
};

struct RegisterControllerRecord {
    static constexpr Api api{.key = 27, .name = "RegisterControllerRecord", .versions = {0, 0}};

    struct Endpoint {
        String name;
        String host;
        uint16_t port = 0;
        int16_t security_protocol = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("host", self.host);
            v("port", self.port);
            v("security_protocol", self.security_protocol);
        }
    };

    struct Feature {
        String name;
        int16_t min_supported_version = 0;
        int16_t max_supported_version = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("min_supported_version", self.min_supported_version);
            v("max_supported_version", self.max_supported_version);
        }
    };

    int32_t controller_id = 0;
    Uuid incarnation_id;
    bool zk_migration_ready = false;
    List<Endpoint> end_points;
    List<Feature> features;

    static void fields(auto& self, auto& v) {
        v("controller_id", self.controller_id);
        v("incarnation_id", self.incarnation_id);
        v("zk_migration_ready", self.zk_migration_ready);
        v("end_points", self.end_points);
        v("features", self.features);
    }
};

}  // namespace millrace::wire
