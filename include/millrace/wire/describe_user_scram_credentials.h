// DescribeUserScramCredentials (key 50): which SCRAM credentials users have.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DescribeUserScramCredentialsRequest {
    static constexpr Api api{.key = 50, .name = "DescribeUserScramCredentials", .versions = {0, 0}};

    struct User {
        String name;

        static void fields(auto& self, auto& v) { v("name", self.name); }
    };

    Nullable<List<User>> users = List<User>{};

    static void fields(auto& self, auto& v) { v("users", self.users); }
};

struct DescribeUserScramCredentialsResponse {
    static constexpr Api api = DescribeUserScramCredentialsRequest::api;

    struct CredentialInfo {
        int8_t mechanism = 0;
        int32_t iterations = 0;

        static void fields(auto& self, auto& v) {
            v("mechanism", self.mechanism);
            v("iterations", self.iterations);
        }
    };

    struct Result {
        String user;
        Error error_code = Error::none;
        Nullable<String> error_message;
        List<CredentialInfo> credential_infos;

        static void fields(auto& self, auto& v) {
            v("user", self.user);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
            v("credential_infos", self.credential_infos);
        }
    };

    int32_t throttle_time_ms = 0;
    Error error_code = Error::none;
    Nullable<String> error_message;
    List<Result> results;

    static void fields(auto& self, auto& v) {
        v("throttle_time_ms", self.throttle_time_ms);
        v("error_code", self.error_code);
        v("error_message", self.error_message);
        v("results", self.results);
    }
};

}  // namespace millrace::wire
