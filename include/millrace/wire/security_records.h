// The metadata log: credentials, tokens, access rules and quotas.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct AccessControlEntryRecord {
    static constexpr Api api{.key = 18, .name = "AccessControlEntryRecord", .versions = {0, 0}};

    Uuid id;
    int8_t resource_type = 0;
    String resource_name;
    int8_t pattern_type = 0;
    String principal;
    String host;
    int8_t operation = 0;
    int8_t permission_type = 0;

    static void fields(auto& self, auto& v) {
        v("id", self.id);
        v("resource_type", self.resource_type);
        v("resource_name", self.resource_name);
        v("pattern_type", self.pattern_type);
        v("principal", self.principal);
        v("host", self.host);
        v("operation", self.operation);
        v("permission_type", self.permission_type);
    }
};

struct RemoveAccessControlEntryRecord {
    static constexpr Api api{.key = 19, .name = "RemoveAccessControlEntryRecord", .versions = {0, 0}};

    Uuid id;

    static void fields(auto& self, auto& v) { v("id", self.id); }
};

struct UserScramCredentialRecord {
    static constexpr Api api{.key = 11, .name = "UserScramCredentialRecord", .versions = {0, 0}};

    String name;
    int8_t mechanism = 0;
    Bytes salt;
    Bytes stored_key;
    Bytes server_key;
    int32_t iterations = 0;

    static void fields(auto& self, auto& v) {
        v("name", self.name);
        v("mechanism", self.mechanism);
        v("salt", self.salt);
        v("stored_key", self.stored_key);
        v("server_key", self.server_key);
        v("iterations", self.iterations);
    }
};

struct RemoveUserScramCredentialRecord {
    static constexpr Api api{.key = 22, .name = "RemoveUserScramCredentialRecord", .versions = {0, 0}};

    String name;
    int8_t mechanism = 0;

    static void fields(auto& self, auto& v) {
        v("name", self.name);
        v("mechanism", self.mechanism);
    }
};

struct DelegationTokenRecord {
    static constexpr Api api{.key = 10, .name = "DelegationTokenRecord", .versions = {0, 0}};

    String owner;
    String requester;
    List<String> renewers;
    int64_t issue_timestamp = 0;
    int64_t max_timestamp = 0;
    int64_t expiration_timestamp = 0;
    String token_id;

    static void fields(auto& self, auto& v) {
        v("owner", self.owner);
        v("requester", self.requester);
        v("renewers", self.renewers);
        v("issue_timestamp", self.issue_timestamp);
        v("max_timestamp", self.max_timestamp);
        v("expiration_timestamp", self.expiration_timestamp);
        v("token_id", self.token_id);
    }
};

struct RemoveDelegationTokenRecord {
    static constexpr Api api{.key = 26, .name = "RemoveDelegationTokenRecord", .versions = {0, 0}};

    String token_id;

    static void fields(auto& self, auto& v) { v("token_id", self.token_id); }
};

struct ClientQuotaRecord {
    static constexpr Api api{.key = 14, .name = "ClientQuotaRecord", .versions = {0, 0}};

    struct Entity {
        String entity_type;
        Nullable<String> entity_name = "";

        static void fields(auto& self, auto& v) {
            v("entity_type", self.entity_type);
            v("entity_name", self.entity_name);
        }
    };

    List<Entity> entity;
    String key;
    double value = 0;
    bool remove = false;

    static void fields(auto& self, auto& v) {
        v("entity", self.entity);
        v("key", self.key);
        v("value", self.value);
        v("remove", self.remove);
    }
};

}  // namespace millrace::wire
