// AlterUserScramCredentials (key 51): sets and deletes SCRAM credentials.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct AlterUserScramCredentialsRequest {
    static constexpr Api api{.key = 51, .name = "AlterUserScramCredentials", .versions = {0, 0}};

    struct Deletion {
        String name;
        int8_t mechanism = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("mechanism", self.mechanism);
        }
    };

    struct Upsertion {
        String name;
        int8_t mechanism = 0;
        int32_t iterations = 0;
        Bytes salt;
        Bytes salted_password;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("mechanism", self.mechanism);
            v("iterations", self.iterations);
            v("salt", self.salt);
            v("salted_password", self.salted_password);
        }
    };

    List<Deletion> deletions;
    List<Upsertion> upsertions;

    static void fields(auto& self, auto& v) {
        v("deletions", self.deletions);
        v("upsertions", self.upsertions);
    }
};

struct AlterUserScramCredentialsResponse {
    static constexpr Api api = AlterUserScramCredentialsRequest::api;

    struct Result {
        String user;
        Error error_code = Error::none;
        Nullable<String> error_message;

        static void fields(auto& self, auto& v) {
            v("user", self.user);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
        }
    };

    int32_t throttle_time_ms = 0;
    List<Result> results;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("results", self.results);
    }
};

}  // namespace millrace::wire
