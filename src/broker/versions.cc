// ApiVersions: what this broker serves (KIP-35, KIP-511).
#include "handlers.h"

namespace millrace {
namespace {

using Response = wire::ApiVersionsResponse;

// [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?
bool is_software_name(std::string_view text) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    if (text.empty() || !is_plain(text.front()) || !is_plain(text.back())) return false;
    return std::all_of(text.begin(), text.end(), [&](char c) { return is_plain(c) || c == '-' || c == '.'; });
}

Response::ApiVersion version_range(int16_t key) {
    const wire::Versions versions = wire::find_api(key)->advertised;
    return {.api_key = key, .min_version = versions.first, .max_version = versions.last};
}

}  // namespace

Response unsupported_api_versions(Arena& out) {
    Response response{.error_code = Error::unsupported_version};
    response.api_keys = out.make<Response::ApiVersion>(1);
    response.api_keys[0] = version_range(Response::api.key);
    return response;
}

Task<Response> handle_api_versions(Call& call, const wire::ApiVersionsRequest& request) {
    if (call.version() >= 3) {
        if (!is_software_name(request.client_software_name) ||
            !is_software_name(request.client_software_version))
            co_return Response{.error_code = Error::invalid_request};
        call.connection.software_name = request.client_software_name;
        call.connection.software_version = request.client_software_version;
    }
    const auto keys = served_api_keys();
    Response response;
    response.api_keys = call.arena.make<Response::ApiVersion>(keys.size());
    std::transform(keys.begin(), keys.end(), response.api_keys.begin(), version_range);
    co_return response;
}

}  // namespace millrace
