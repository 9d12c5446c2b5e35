// Frames: what a message looks like on a connection. int32 size, header, body.
//
// Parsing allocates nothing; what it returns points into the frame.
#pragma once
#include "millrace/wire.h"
#include "millrace/wire/api_table.h"

namespace millrace::wire {

// The size of a frame that begins with these four bytes, without them. Not checked against any limit.
inline int32_t frame_size(Bytes four) { return load_big<int32_t>(four.data()); }

struct Request {
    int16_t key = 0;
    int16_t version = 0;
    int32_t correlation_id = 0;
    Nullable<String> client_id;
    Bytes body;
    const ApiEntry* api = nullptr;  // Null for an unknown key; then client_id and body are empty.

    bool is_supported() const { return api && api->versions.has(version); }
};

// `frame` is without its size. Nothing when the header does not fit into it.
std::optional<Request> parse_request(Bytes frame);

struct Response {
    int32_t correlation_id;
    Bytes body;
};
// For clients; key and version are those of the request that this answers.
std::optional<Response> parse_response(Bytes frame, int16_t key, int16_t version);

// Headers, for frames whose body is written in other ways than below. The key must be in the API table.
void encode_request_header(Writer& out, const Request& request);
void encode_response_header(Writer& out, int16_t key, int16_t version, int32_t correlation_id);

// A whole frame with its size.
template <class T>
void encode_request(Writer& out, const T& message, int16_t version, int32_t correlation_id,
                    Nullable<String> client_id) {
    const Writer::Frame frame = out.begin_frame();
    encode_request_header(
        out,
        {.key = T::api.key, .version = version, .correlation_id = correlation_id, .client_id = client_id});
    encode(out, message, version);
    out.end_frame(frame);
}
template <class T>
void encode_response(Writer& out, const T& message, int16_t version, int32_t correlation_id) {
    const Writer::Frame frame = out.begin_frame();
    encode_response_header(out, T::api.key, version, correlation_id);
    encode(out, message, version);
    out.end_frame(frame);
}

}  // namespace millrace::wire
