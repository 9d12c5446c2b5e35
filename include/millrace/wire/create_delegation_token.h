// CreateDelegationToken (key 38): issues a delegation token.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct CreateDelegationTokenRequest {
    static constexpr Api api{
        .key = 38, .name = "CreateDelegationToken", .versions = {1, 3}, .flexible_since = 2};

    struct Renewer {
        String principal_type;
        String principal_name;

        static void fields(auto& self, auto& v) {
            v("principal_type", self.principal_type);
            v("principal_name", self.principal_name);
        }
    };

    Nullable<String> owner_principal_type = "";
    Nullable<String> owner_principal_name = "";
    List<Renewer> renewers;
    int64_t max_lifetime_ms = 0;

    static void fields(auto& self, auto& v) {
        v("owner_principal_type", self.owner_principal_type, since(3));
        v("owner_principal_name", self.owner_principal_name, since(3));
        v("renewers", self.renewers);
        v("max_lifetime_ms", self.max_lifetime_ms);
    }
};

struct CreateDelegationTokenResponse {
    static constexpr Api api = CreateDelegationTokenRequest::api;

    Error error_code = Error::none;
    String principal_type;
    String principal_name;
    String token_requester_principal_type;
    String token_requester_principal_name;
    int64_t issue_timestamp_ms = 0;
    int64_t expiry_timestamp_ms = 0;
    int64_t max_timestamp_ms = 0;
    String token_id;
    Bytes hmac;
    int32_t throttle_time_ms = 0;

    static void fields(auto& self, auto& v) {
        v("error_code", self.error_code);
        v("principal_type", self.principal_type);
        v("principal_name", self.principal_name);
        v("token_requester_principal_type", self.token_requester_principal_type, since(3));
        v("token_requester_principal_name", self.token_requester_principal_name, since(3));
        v("issue_timestamp_ms", self.issue_timestamp_ms);
        v("expiry_timestamp_ms", self.expiry_timestamp_ms);
        v("max_timestamp_ms", self.max_timestamp_ms);
        v("token_id", self.token_id);
        v("hmac", self.hmac);
        v("throttle_time_ms", self.throttle_time_ms);
    }
};

}  // namespace millrace::wire
