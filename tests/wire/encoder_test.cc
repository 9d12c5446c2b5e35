// What encoding does beyond the golden bytes: pieces that are not copied, values that a version lacks, text.
#include <doctest/doctest.h>

#include "millrace/wire/codec.h"
#include "millrace/wire/consumer_group_records.h"
#include "millrace/wire/create_topics.h"
#include "millrace/wire/fetch.h"
#include "millrace/wire/frame.h"
#include "millrace/wire/metadata.h"
#include "millrace/wire/offset_records.h"
#include "millrace/wire/topic_records.h"
#include "tests/wire/golden.h"

namespace millrace::wire::test {
namespace {

struct FetchReply {
    explicit FetchReply(Records records) {
        partition[0].records = records;
        topic[0].partitions = partition;
        response.responses = topic;
    }
    FetchResponse::Partition partition[1];
    FetchResponse::Topic topic[1];
    FetchResponse response;
};

}  // namespace

TEST_CASE("large records are pieces of a send, small ones are copied") {
    const std::vector<uint8_t> first(3000, 1), second(Writer::splice_size_min, 2), small(20, 3);
    const Bytes ranges[] = {first, second, small};
    FetchReply reply{Records{ranges}};
    Writer out;
    encode_response(out, reply.response, 11, 7);

    std::vector<Bytes> pieces;
    out.append_pieces(pieces);
    REQUIRE(pieces.size() == 4);
    CHECK(pieces[1].data() == first.data());
    CHECK(pieces[2].data() == second.data());
    CHECK(out.is_spliced());

    const std::vector<uint8_t> sent = out.copy();
    CHECK(sent.size() == out.size());
    CHECK(frame_size(sent) == static_cast<int32_t>(sent.size()) - 4);
    const auto response = parse_response(Bytes(sent).subspan(4), FetchRequest::api.key, 11);
    REQUIRE(response);
    Arena memory;
    const auto decoded = decode<FetchResponse>(response->body, 11, memory);
    REQUIRE(decoded);
    const Bytes records = decoded->responses[0].partitions[0].records->whole();
    CHECK(records.size() == 3000 + Writer::splice_size_min + 20);
    CHECK(records.back() == 3);
}

TEST_CASE("a cleared writer keeps its buffer and forgets its pieces") {
    const std::vector<uint8_t> large(5000, 1);
    Writer out;
    out.raw(large);
    const uint8_t* const buffer = out.view().data();
    out.splice(large);
    CHECK(out.size() == 10000);
    out.clear();
    CHECK(out.size() == 0);
    CHECK(!out.is_spliced());
    out.raw(large);
    CHECK(out.view().data() == buffer);
}

TEST_CASE("several frames follow one another in one writer") {
    Writer out;
    for (int32_t id : {1, 2}) encode_request(out, MetadataRequest{}, 12, id, "me");
    const int32_t size = frame_size(out.view());
    const Bytes second = out.view().subspan(4 + static_cast<size_t>(size));
    CHECK(frame_size(second) == size);
    CHECK(parse_request(second.subspan(4))->correlation_id == 2);
}

TEST_CASE("a tagged field longer than 127 bytes has a size of two bytes") {
    for (size_t size : {0, 1, 125, 126, 127, 128, 20000}) {
        const std::string id(size, 'c');
        FetchRequest request{.cluster_id = id};
        Writer out;
        encode(out, request, 12);
        Arena memory;
        const auto decoded = decode<FetchRequest>(out.view(), 12, memory);
        REQUIRE(decoded);
        CHECK(decoded->cluster_id == id);
    }
}

TEST_CASE("a field that the version lacks is left out, and a null that it lacks is empty") {
    const MetadataRequest all_topics{.topics = std::nullopt, .allow_auto_topic_creation = false};
    Writer out;
    encode(out, all_topics, 0);
    CHECK(to_hex(out.view()) == "00000000");
    out.clear();
    encode(out, all_topics, 1);
    CHECK(to_hex(out.view()) == "ffffffff");
}

TEST_CASE("a string is cut at Kafka's limit") {
    const std::string long_text(40000, 'x');
    CreateTopicsResponse::Topic topics[] = {{.name = "t", .error_message = long_text}};
    Writer out;
    encode(out, CreateTopicsResponse{.topics = topics}, 7);
    Arena memory;
    const auto decoded = decode<CreateTopicsResponse>(out.view(), 7, memory);
    REQUIRE(decoded);
    CHECK(decoded->topics[0].error_message->size() == 32767);
}

TEST_CASE("a null differs from an empty struct where empty is the default") {
    ConsumerGroupMemberMetadataValue value;
    Writer out;
    encode(out, value, 0);
    CHECK(out.view().back() == 0);  // No tags.
    value.classic_member_metadata.reset();
    out.clear();
    encode(out, value, 0);
    Arena memory;
    const auto decoded = decode<ConsumerGroupMemberMetadataValue>(out.view(), 0, memory);
    REQUIRE(decoded);
    CHECK(!decoded->classic_member_metadata);
}

TEST_CASE("internal records carry their type and version in front") {
    Writer out;
    encode_record_key(out, OffsetCommitKey{.group = "g", .topic = "t", .partition = 3});
    const auto key = parse_numbered(out.view());
    REQUIRE(key);
    CHECK(key->number == 1);
    Arena memory;
    CHECK(decode<OffsetCommitKey>(key->body, 0, memory)->partition == 3);

    out.clear();
    encode_metadata_record(out, TopicRecord{.name = "t"}, 0);
    const auto record = parse_metadata_record(out.view());
    REQUIRE(record);
    CHECK(record->type == TopicRecord::api.key);
    CHECK(record->version == 0);
    CHECK(decode<TopicRecord>(record->body, 0, memory)->name == "t");

    CHECK(!parse_numbered(from_hex("00")));
    CHECK(!parse_metadata_record(from_hex("0202")));
    CHECK(!parse_metadata_record(from_hex("020200")));
}

TEST_CASE("a message is one line of text, without the bytes of records") {
    const std::vector<uint8_t> batch(100, 1);
    FetchReply reply{Records{batch}};
    reply.topic[0].topic = "clicks\n";
    reply.partition[0].error_code = Error::offset_out_of_range;
    const std::string text = to_text(reply.response, 11);
    CHECK(text.starts_with(
        "Fetch v11 {throttle_time_ms=0 error_code=NONE session_id=0 responses=[{topic=\"clicks?\""));
    CHECK(text.find("error_code=OFFSET_OUT_OF_RANGE") != std::string::npos);
    CHECK(text.find("records=<100 bytes>") != std::string::npos);
    CHECK(text.find('\n') == std::string::npos);
}

TEST_CASE("the text of a large message is cut") {
    std::vector<MetadataResponse::Broker> brokers(10000);
    const MetadataResponse response{.brokers = brokers};
    const std::string text = to_text(response, 12, 300);
    CHECK(text.size() < 400);
    CHECK(text.find("...") != std::string::npos);
}

TEST_CASE("every golden message has a text") {
    for (const Golden& g : golden(Which::protocol)) {
        const std::string text = all_messages().at(g.message).text(g.body, g.version);
        CHECK_MESSAGE(text.find(" v" + std::to_string(g.version) + " {") != std::string::npos, g.title());
    }
}

}  // namespace millrace::wire::test
