// ApiVersions (key 18): which APIs and versions a broker serves; the response always has header version 0.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct ApiVersionsRequest {
    static constexpr Api api{.key = 18, .name = "ApiVersions", .versions = {0, 4}, .flexible_since = 3};

    String client_software_name;
    String client_software_version;

    static void fields(auto& self, auto& v) {
        v("client_software_name", self.client_software_name, since(3));
        v("client_software_version", self.client_software_version, since(3));
    }
};

struct ApiVersionsResponse {
    static constexpr Api api = ApiVersionsRequest::api;

    struct ApiVersion {
        int16_t api_key = 0;
        int16_t min_version = 0;
        int16_t max_version = 0;

        static void fields(auto& self, auto& v) {
            v("api_key", self.api_key);
            v("min_version", self.min_version);
            v("max_version", self.max_version);
        }
    };

    struct SupportedFeature {
        String name;
        int16_t min_version = 0;
        int16_t max_version = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("min_version", self.min_version);
            v("max_version", self.max_version);
        }
    };

    struct FinalizedFeature {
        String name;
        int16_t max_version_level = 0;
        int16_t min_version_level = 0;

        static void fields(auto& self, auto& v) {
            v("name", self.name);
            v("max_version_level", self.max_version_level);
            v("min_version_level", self.min_version_level);
        }
    };

    Error error_code = Error::none;
    List<ApiVersion> api_keys;
    int32_t throttle_time_ms = 0;
    List<SupportedFeature> supported_features;
    int64_t finalized_features_epoch = -1;
    List<FinalizedFeature> finalized_features;
    bool zk_migration_ready = false;

    static void fields(auto& self, auto& v) {
        v("error_code", self.error_code);
        v("api_keys", self.api_keys);
        v("throttle_time_ms", self.throttle_time_ms, since(1));
        v("supported_features", self.supported_features, tag(0, since(3)));
        v("finalized_features_epoch", self.finalized_features_epoch, tag(1, since(3), -1));
        v("finalized_features", self.finalized_features, tag(2, since(3)));
        v("zk_migration_ready", self.zk_migration_ready, tag(3, since(3)));
    }
};

}  // namespace millrace::wire
