// libFuzzer target: frames, and the bodies of every message in every version.
//
// The first two bytes choose: 65,535 means that a frame follows as a client would send it, any other number
// is the place of a message in the order of names, followed by one byte of version and the body. Seeds:
// tools/fuzz_corpus.py. To run: meson setup build-fuzz -Dfuzz=true && ninja -C build-fuzz decode_fuzz.
#include <cstdio>

#include "millrace/wire/frame.h"
#include "tests/wire/golden.h"

namespace millrace::wire::test {
namespace {

constexpr uint16_t frame_follows = 0xffff;
constexpr size_t memory_per_byte = 40;

// What was decoded and encoded is understood again, and becomes the same bytes again.
void check_body(const MessageUses& uses, int16_t version, Bytes body) {
    Arena memory;
    Writer first, second;
    const bool accepted = uses.recode(body, version, memory, first);
    ASSERT(memory.used() <= memory_per_byte * body.size() + 64);
    if (!accepted) return;
    const std::vector<uint8_t> once = first.copy();
    ASSERT(uses.recode(once, version, memory, second));
    ASSERT(second.copy() == once);
    ASSERT(!uses.text(body, version).empty());
}

void check_frame(Bytes frame) {
    const auto request = parse_request(frame);
    if (!request || !request->api) return;
    Writer header;
    encode_request_header(header, *request);
    ASSERT(parse_request(header.view())->client_id == request->client_id);
    if (!request->is_supported()) return;
    const auto found = all_messages().find(std::string(request->api->name) + "Request");
    ASSERT(found != all_messages().end());
    check_body(found->second, request->version, request->body);
}

void check_input(Bytes input) {
    if (input.size() < 3) return;
    const auto choice = load_big<uint16_t>(input.data());
    if (choice == frame_follows) return check_frame(input.subspan(2));
    const auto& messages = all_messages();
    const auto message = std::next(messages.begin(), choice % static_cast<ptrdiff_t>(messages.size()));
    check_body(message->second, input[2], input.subspan(3));
}

}  // namespace
}  // namespace millrace::wire::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    millrace::wire::test::check_input({data, size});
    return 0;
}
