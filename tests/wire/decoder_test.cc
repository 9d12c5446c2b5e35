// Bytes that may be anything: the decoder never reads outside, never trusts a count, never takes much memory.
#include <doctest/doctest.h>

#include "millrace/wire/codec.h"
#include "millrace/wire/create_topics.h"
#include "millrace/wire/describe_topic_partitions.h"
#include "millrace/wire/fetch.h"
#include "millrace/wire/metadata.h"
#include "millrace/wire/offset_fetch.h"
#include "millrace/wire/produce.h"
#include "tests/wire/golden.h"

namespace millrace::wire::test {
namespace {

// The promise: memory taken is at most this many times the bytes received (and a little for alignment).
constexpr size_t memory_per_byte = 40;
bool is_modest(const Arena& memory, size_t received) {
    return memory.used() <= memory_per_byte * received + 64;
}

template <class T> std::optional<T> decode_hex(std::string_view hex, int16_t version, Arena& memory) {
    static std::vector<uint8_t> body;
    body = from_hex(hex);
    return decode<T>(body, version, memory);
}
template <class T> bool accepts(std::string_view hex, int16_t version) {
    Arena memory;
    return decode_hex<T>(hex, version, memory).has_value();
}

template <class Change> void for_each_golden(Change change) {
    for (Which which : {Which::protocol, Which::internal}) {
        for (const Golden& g : golden(which)) change(g, all_messages().at(g.message));
    }
}

}  // namespace

TEST_CASE("a message that ends too early is refused, wherever it ends") {
    Arena memory;
    Writer out;
    for_each_golden([&](const Golden& g, const MessageUses& uses) {
        for (size_t size = 0; size < g.body.size(); size++) {
            // A copy of its own, so that a sanitizer sees a read beyond it.
            const std::vector<uint8_t> part(g.body.begin(), g.body.begin() + static_cast<ptrdiff_t>(size));
            memory.reset();
            const bool accepted = uses.recode(part, g.version, memory, out);
            if (accepted || !is_modest(memory, size)) FAIL_CHECK(g.title() << " cut at " << size);
        }
    });
}

TEST_CASE("what follows a message is ignored, as Kafka ignores it") {
    Arena memory;
    for_each_golden([&](const Golden& g, const MessageUses& uses) {
        std::vector<uint8_t> longer = g.body;
        longer.push_back(0xff);
        Writer out, without;
        CHECK_MESSAGE(uses.recode(longer, g.version, memory, out), g.title());
        CHECK_MESSAGE(uses.recode(g.body, g.version, memory, without), g.title());
        CHECK_MESSAGE(out.copy() == without.copy(), g.title());
    });
}

TEST_CASE("librdkafka's question for all topics is understood") {
    Arena memory;  // It reserves four bytes for the count, needs one, and sends the other three behind all.
    const auto request = decode_hex<MetadataRequest>("00000000010000", 13, memory);
    REQUIRE(request);
    CHECK(!request->topics);
    CHECK(!request->allow_auto_topic_creation);
}

TEST_CASE("a message with any byte changed takes no more memory than its size allows") {
    Arena memory;
    Writer out;
    for_each_golden([&](const Golden& g, const MessageUses& uses) {
        std::vector<uint8_t> changed = g.body;
        for (size_t i = 0; i < std::min<size_t>(changed.size(), 600); i++) {
            for (uint8_t value : {0x00, 0x7f, 0x80, 0xff}) {
                const uint8_t original = std::exchange(changed[i], value);
                memory.reset();
                out.clear();
                uses.recode(changed, g.version, memory, out);
                if (!is_modest(memory, changed.size())) FAIL_CHECK(g.title() << " changed at " << i);
                changed[i] = original;
            }
        }
    });
}

TEST_CASE("an absurd count is refused before memory is taken for it") {
    Arena memory;
    // Metadata v0: a count of 2^31 - 1 topics, and then nothing.
    CHECK(!decode_hex<MetadataRequest>("7fffffff", 0, memory));
    CHECK(!decode_hex<MetadataRequest>("ffffffff0f", 9, memory));
    // Fetch v12: as many topics as there are bytes left, each of which would take at least three.
    std::string many = "ffffffff000000000000000000000000000000000000000000";
    many += "e807" + std::string(2 * 1000, '0');
    CHECK(!decode_hex<FetchRequest>(many, 12, memory));
    CHECK(memory.used() == 0);
}

TEST_CASE("the largest count that fits takes memory in proportion") {
    Arena memory;
    // Metadata v9: names of no bytes with no tags, two bytes each; then three booleans and tags.
    const size_t count = 4000;
    std::string body = "a11f";
    for (size_t i = 0; i < count; i++) body += "0100";
    body += "00000000";
    const auto request = decode_hex<MetadataRequest>(body, 9, memory);
    REQUIRE(request);
    CHECK(request->topics->size() == count);
    CHECK(is_modest(memory, body.size() / 2));
}

TEST_CASE("negative counts and lengths other than -1 are malformed") {
    CHECK(accepts<MetadataRequest>("ffffffff", 1));
    CHECK(!accepts<MetadataRequest>("fffffffe", 1));
    CHECK(!accepts<MetadataRequest>("80000000", 1));
    CHECK(accepts<MetadataRequest>("000000010000", 1));   // One topic with an empty name.
    CHECK(!accepts<MetadataRequest>("00000001fffe", 1));  // One of length -2.
    CHECK(
        !accepts<ProduceRequest>("fffe000100000001"
                                 "00000000",
                                 3));
}

TEST_CASE("null is malformed where the version does not have it") {
    CHECK(!accepts<MetadataRequest>("ffffffff", 0));      // Topics, null since 1.
    CHECK(!accepts<MetadataRequest>("00000001ffff", 1));  // A name, null since 10.
    CHECK(
        !accepts<MetadataRequest>("020000"
                                  "010000",
                                  9));
    CHECK(
        !accepts<CreateTopicsRequest>("ffffffff"
                                      "00000000"
                                      "00",
                                      2));  // Topics, never null.
}

TEST_CASE("a string longer than 32,767 bytes is refused") {
    const auto request = [](size_t size, std::string_view length) {
        std::string body = "02" + std::string(length);  // One topic.
        for (size_t i = 0; i < size; i++) body += "61";
        return body + "00" + "00000000";
    };
    CHECK(accepts<MetadataRequest>(request(32767, "808002"), 9));
    CHECK(!accepts<MetadataRequest>(request(32768, "818002"), 9));
}

TEST_CASE("a uvarint of more than 32 bits is malformed") {
    CHECK(!accepts<MetadataRequest>("ffffffff1f", 9));
    CHECK(
        !accepts<MetadataRequest>("8080808080"
                                  "01",
                                  9));
}

TEST_CASE("unknown tags are skipped; descending, duplicate and overlong ones are malformed") {
    const std::string_view fields =
        "01"
        "000000";  // Metadata v9: no topics, three booleans.
    const auto with_tags = [&](const char* tags) {
        return accepts<MetadataRequest>(std::string(fields) + tags, 9);
    };
    CHECK(with_tags("00"));
    CHECK(
        with_tags("01"
                  "0502cafe"));
    CHECK(
        with_tags("02"
                  "0500"
                  "0601ff"));
    CHECK(
        !with_tags("02"
                   "0600"
                   "0500"));
    CHECK(
        !with_tags("02"
                   "0500"
                   "0500"));
    CHECK(
        !with_tags("01"
                   "0503cafe"));
    CHECK(
        !with_tags("02"
                   "0502cafe"));
    CHECK(!with_tags("ffffffff0f"));
}

TEST_CASE("a known tag must fill its size exactly") {
    // Fetch v12 with the cluster id "ab" in tag 0.
    const std::string fields =
        "ffffffff"
        "00000000"
        "00000000"
        "00000000"
        "00"
        "00000000"
        "00000000"
        "01"
        "01"
        "01";
    CHECK(accepts<FetchRequest>(fields + "01"
                                         "0003"
                                         "036162",
                                12));
    CHECK(!accepts<FetchRequest>(fields + "01"
                                          "0002"
                                          "036162",
                                 12));
    CHECK(!accepts<FetchRequest>(fields + "01"
                                          "0004"
                                          "036162"
                                          "00",
                                 12));
}

TEST_CASE("a nullable struct says by one byte whether it is there") {
    Arena memory;
    const auto absent = decode_hex<DescribeTopicPartitionsRequest>(
        "01"
        "00000001"
        "ff"
        "00",
        0, memory);
    REQUIRE(absent);
    CHECK(!absent->cursor);
    const auto present = decode_hex<DescribeTopicPartitionsRequest>(
        "01"
        "00000001"
        "01"
        "0274"
        "00000007"
        "00"
        "00",
        0, memory);
    REQUIRE(present);
    CHECK(present->cursor->topic_name == "t");
    CHECK(present->cursor->partition_index == 7);
}

TEST_CASE("any byte but zero is true") {
    Arena memory;
    const auto request = decode_hex<MetadataRequest>(
        "ffffffff"
        "02",
        4, memory);
    REQUIRE(request);
    CHECK(request->allow_auto_topic_creation);
}

TEST_CASE("a version that the message lacks is refused") {
    CHECK(
        !accepts<ProduceRequest>("ffff000100000001"
                                 "00000000",
                                 2));
    CHECK(
        !accepts<ProduceRequest>("ffff000100000001"
                                 "00000000",
                                 14));
    CHECK(
        accepts<ProduceRequest>("ffff000100000001"
                                "00000000",
                                3));
}

TEST_CASE("decoded strings and records are views of the frame") {
    const std::vector<uint8_t> body = from_hex(
        "ffff"
        "0001"
        "00000001"
        "00000001"
        "000174"
        "00000001"
        "00000000"
        "00000003"
        "010203");
    Arena memory;
    const auto request = decode<ProduceRequest>(body, 3, memory);
    REQUIRE(request);
    const auto& topic = request->topic_data[0];
    CHECK(topic.name == "t");
    CHECK(topic.name.data() == reinterpret_cast<const char*>(body.data()) + 14);
    CHECK(topic.partition_data[0].records->whole().data() == body.data() + body.size() - 3);
}

}  // namespace millrace::wire::test
