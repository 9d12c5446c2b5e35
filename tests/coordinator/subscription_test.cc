// The topics in a consumer's metadata, whatever bytes it sends.
#include "subscription.h"

#include <doctest/doctest.h>

#include "millrace/wire/consumer_protocol.h"

using namespace millrace;

namespace {

std::vector<uint8_t> metadata(int16_t version, std::vector<std::string_view> topics) {
    wire::Writer out;
    out.fixed(version);
    wire::encode(out, wire::ConsumerProtocolSubscription{.topics = topics}, std::min<int16_t>(version, 3));
    return out.copy();
}

}  // namespace

TEST_CASE("topics are found in every version, also in those to come") {
    for (int16_t version : {0, 1, 2, 3, 9}) {
        std::set<std::string, std::less<>> topics;
        CHECK(coordinator::add_subscribed_topics(metadata(version, {"a", "b"}), topics));
        CHECK(topics == std::set<std::string, std::less<>>{"a", "b"});
    }
}

TEST_CASE("metadata cut off anywhere in its topics is refused") {
    const auto whole = metadata(0, {"alpha", "beta"});
    const size_t end_of_topics = 2 + 4 + 2 + 5 + 2 + 4;
    for (size_t size = 0; size < end_of_topics; size++) {
        std::set<std::string, std::less<>> topics;
        CHECK_FALSE(coordinator::add_subscribed_topics(Bytes(whole).first(size), topics));
    }
}

TEST_CASE("negative counts, sizes and versions are refused") {
    std::set<std::string, std::less<>> topics;
    const std::vector<uint8_t> count{0, 0, 0xff, 0xff, 0xff, 0xff};
    const std::vector<uint8_t> size{0, 0, 0, 0, 0, 1, 0xff, 0xff};
    const std::vector<uint8_t> version{0xff, 0xff, 0, 0, 0, 0};
    for (const auto& bytes : {count, size, version})
        CHECK_FALSE(coordinator::add_subscribed_topics(bytes, topics));
}
