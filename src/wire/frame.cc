// Headers of requests and responses.
#include "millrace/wire/frame.h"

#include "millrace/wire/codec.h"
#include "millrace/wire/headers.h"

namespace millrace::wire {

std::optional<Request> parse_request(Bytes frame) {
    Request request;
    if (frame.size() < 8) return {};
    request.key = load_big<int16_t>(frame.data());
    request.version = load_big<int16_t>(frame.data() + 2);
    request.correlation_id = load_big<int32_t>(frame.data() + 4);
    request.api = find_api(request.key);
    if (!request.api) return request;

    Arena unused;
    const int16_t header_version = request_header_version(*request.api, request.version);
    Decoder decoder{frame, header_version, RequestHeader::api.flexible(header_version), unused};
    RequestHeader header;
    decoder.get(header);
    if (!decoder.ok()) return {};
    ASSERT(header.request_api_key == request.key);
    request.client_id = header.client_id;
    request.body = decoder.rest();
    return request;
}

std::optional<Response> parse_response(Bytes frame, int16_t key, int16_t version) {
    const ApiEntry* api = find_api(key);
    ASSERT(api);
    Arena unused;
    const int16_t header_version = response_header_version(*api, version);
    Decoder decoder{frame, header_version, ResponseHeader::api.flexible(header_version), unused};
    ResponseHeader header;
    decoder.get(header);
    if (!decoder.ok()) return {};
    return Response{header.correlation_id, decoder.rest()};
}

void encode_request_header(Writer& out, const Request& request) {
    const ApiEntry* api = find_api(request.key);
    ASSERT(api);
    const RequestHeader header{.request_api_key = request.key,
                               .request_api_version = request.version,
                               .correlation_id = request.correlation_id,
                               .client_id = request.client_id};
    encode(out, header, request_header_version(*api, request.version));
}

void encode_response_header(Writer& out, int16_t key, int16_t version, int32_t correlation_id) {
    const ApiEntry* api = find_api(key);
    ASSERT(api);
    encode(out, ResponseHeader{correlation_id}, response_header_version(*api, version));
}

}  // namespace millrace::wire
