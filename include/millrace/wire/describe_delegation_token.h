// DescribeDelegationToken (key 41): the delegation tokens of owners.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct DescribeDelegationTokenRequest {
    static constexpr Api api{
        .key = 41, .name = "DescribeDelegationToken", .versions = {1, 3}, .flexible_since = 2};

    struct Owner {
        String principal_type;
        String principal_name;

        static void fields(auto& self, auto& v) {
            v("principal_type", self.principal_type);
            v("principal_name", self.principal_name);
        }
    };

    Nullable<List<Owner>> owners = List<Owner>{};

    static void fields(auto& self, auto& v) { v("owners", self.owners); }
};

struct DescribeDelegationTokenResponse {
    static constexpr Api api = DescribeDelegationTokenRequest::api;

    struct Renewer {
        String principal_type;
        String principal_name;

        static void fields(auto& self, auto& v) {
            v("principal_type", self.principal_type);
            v("principal_name", self.principal_name);
        }
    };

    struct Token {
        String principal_type;
        String principal_name;
        String token_requester_principal_type;
        String token_requester_principal_name;
        int64_t issue_timestamp = 0;
        int64_t expiry_timestamp = 0;
        int64_t max_timestamp = 0;
        String token_id;
        Bytes hmac;
        List<Renewer> renewers;

        static void fields(auto& self, auto& v) {
            v("principal_type", self.principal_type);
            v("principal_name", self.principal_name);
            v("token_requester_principal_type", self.token_requester_principal_type, since(3));
            v("token_requester_principal_name", self.token_requester_principal_name, since(3));
            v("issue_timestamp", self.issue_timestamp);
            v("expiry_timestamp", self.expiry_timestamp);
            v("max_timestamp", self.max_timestamp);
            v("token_id", self.token_id);
            v("hmac", self.hmac);
            v("renewers", self.renewers);
        }
    };

    Error error_code = Error::none;
    List<Token> tokens;
    int32_t throttle_time_ms = 0;

    static void fields(auto& self, auto& v) {
        v("error_code", self.error_code);
        v("tokens", self.tokens);
        v("throttle_time_ms", self.throttle_time_ms);
    }
};

}  // namespace millrace::wire
