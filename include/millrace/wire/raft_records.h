// KRaft: control records of the metadata log and its snapshots, and the state file of a voter.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct LeaderChangeMessage {
    static constexpr Api api{.key = -1, .name = "LeaderChangeMessage", .versions = {0, 1}};

    struct Voter {
        int32_t voter_id = 0;
        Uuid voter_directory_id;

        static void fields(auto& self, auto& v) {
            v("voter_id", self.voter_id);
            v("voter_directory_id", self.voter_directory_id, since(1));
        }
    };

    int16_t version = 0;
    int32_t leader_id = 0;
    List<Voter> voters;
    List<Voter> granting_voters;

    static void fields(auto& self, auto& v) {
        v("version", self.version);
        v("leader_id", self.leader_id);
        v("voters", self.voters);
        v("granting_voters", self.granting_voters);
    }
};

struct SnapshotHeaderRecord {
    static constexpr Api api{.key = -1, .name = "SnapshotHeaderRecord", .versions = {0, 0}};

    int16_t version = 0;
    int64_t last_contained_log_timestamp = 0;

    static void fields(auto& self, auto& v) {
        v("version", self.version);
        v("last_contained_log_timestamp", self.last_contained_log_timestamp);
    }
};

struct SnapshotFooterRecord {
    static constexpr Api api{.key = -1, .name = "SnapshotFooterRecord", .versions = {0, 0}};

    int16_t version = 0;

    static void fields(auto& self, auto& v) { v("version", self.version); }
};

struct KRaftVersionRecord {
    static constexpr Api api{.key = -1, .name = "KRaftVersionRecord", .versions = {0, 0}};

    int16_t version = 0;
    int16_t kraft_version = 0;

    static void fields(auto& self, auto& v) {
        v("version", self.version);
        v("kraft_version", self.kraft_version);
    }
};

struct VotersRecord {
    static constexpr Api api{.key = -1, .name = "VotersRecord", .versions = {0, 0}};

    struct Endpoint {
        String name;
        String host;
        uint16_t port = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("host", self.host);
            v("port", self.port);
        }
    };

    struct KraftVersionFeature {
        int16_t min_supported_version = 0;
        int16_t max_supported_version = 0;

        static void fields(auto& self, auto& v) {
            v("min_supported_version", self.min_supported_version);
            v("max_supported_version", self.max_supported_version);
        }
    };

    struct Voter {
        int32_t voter_id = 0;
        Uuid voter_directory_id;
        List<Endpoint> endpoints;
        KraftVersionFeature kraft_version_feature;

        static void fields(auto& self, auto& v) {
            v("voter_id", self.voter_id);
            v("voter_directory_id", self.voter_directory_id);
            v("endpoints", self.endpoints);
            v("kraft_version_feature", self.kraft_version_feature);
        }
    };

    int16_t version = 0;
    List<Voter> voters;

    static void fields(auto& self, auto& v) {
        v("version", self.version);
        v("voters", self.voters);
    }
};

struct QuorumStateData {
    static constexpr Api api{.key = -1, .name = "QuorumStateData", .versions = {0, 1}};

    struct Voter {
        int32_t voter_id = 0;

        static void fields(auto& self, auto& v) { v("voter_id", self.voter_id); }
    };

    String cluster_id;
    int32_t leader_id = -1;
    int32_t leader_epoch = -1;
    int32_t voted_id = -1;
    Uuid voted_directory_id;
    int64_t applied_offset = 0;
    Nullable<List<Voter>> current_voters = List<Voter>{};

    static void fields(auto& self, auto& v) {
        v("cluster_id", self.cluster_id, until(0));
        v("leader_id", self.leader_id);
        v("leader_epoch", self.leader_epoch);
        v("voted_id", self.voted_id);
        v("voted_directory_id", self.voted_directory_id, since(1));
        v("applied_offset", self.applied_offset, until(0));
        v("current_voters", self.current_voters, until(0));
    }
};

}  // namespace millrace::wire
