// UpdateFeatures (key 57): finalises the levels of features.
#pragma once
#include "millrace/wire.h"

namespace millrace::wire {

struct UpdateFeaturesRequest {
    static constexpr Api api{.key = 57, .name = "UpdateFeatures", .versions = {0, 2}};

    struct FeatureUpdate {
        String feature;
        int16_t max_version_level = 0;
        bool allow_downgrade = false;
        int8_t upgrade_type = 1;

        static void fields(auto& self, auto& v) {
            v("feature", self.feature);
            v("max_version_level", self.max_version_level);
            v("allow_downgrade", self.allow_downgrade, until(0));
            v("upgrade_type", self.upgrade_type, since(1));
        }
    };

    int32_t timeout_ms = 60000;
    List<FeatureUpdate> feature_updates;
    bool validate_only = false;

    static void fields(auto& self, auto& v) {
        v("timeout_ms", self.timeout_ms);
        v("feature_updates", self.feature_updates);
        v("validate_only", self.validate_only, since(1));
    }
};

struct UpdateFeaturesResponse {
    static constexpr Api api = UpdateFeaturesRequest::api;

    struct Result {
        String feature;
        Error error_code = Error::none;
        Nullable<String> error_message;

        static void fields(auto& self, auto& v) {
            v("feature", self.feature);
            v("error_code", self.error_code);
            v("error_message", self.error_message);
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
        v("results", self.results, until(1));
    }
};

}  // namespace millrace::wire
