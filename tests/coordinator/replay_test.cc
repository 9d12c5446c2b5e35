// Records: what Apache Kafka wrote is understood, and what we write leads back to the state that wrote it.
#include <fstream>

#include "lab.h"
#include "millrace/batch.h"
#include "millrace/wire/classic_group_records.h"
#include "millrace/wire/offset_records.h"

using namespace millrace;
using namespace millrace::test;

namespace {

std::string golden(int partition) {
    std::ifstream file(
        std::string(TEST_DATA "/coordinator/golden/consumer_offsets_") + std::to_string(partition) + ".log",
        std::ios::binary);
    REQUIRE(file);
    return {std::istreambuf_iterator<char>(file), {}};
}

// As the shard will: control batches are not handed over.
void load_golden(Lab& lab, int partition) {
    lab.end();
    lab.begin();
    const std::string bytes = golden(partition);
    BatchReader batches(as_bytes(bytes));
    while (const auto batch = batches.next()) {
        if (batch->is_control()) continue;
        Decompressor decompressor;
        auto records = RecordReader::open(*batch, decompressor);
        REQUIRE(records);
        while (const auto record = records->next())
            lab.coordinator->replay(record->key.value(), record->value);
        REQUIRE(records->error() == Error::none);
    }
    lab.coordinator->loaded(lab.time);
}

}  // namespace

TEST_CASE("a classic group that Apache Kafka recorded is there with its offsets") {
    Lab lab;
    load_golden(lab, 1);
    CHECK(lab.state("grp-classic") == "Empty");
    CHECK(lab.describe("grp-classic").protocol_type == "consumer");
    CHECK(lab.offset("grp-classic", "txn", 0) == 7);
    CHECK(lab.offset("grp-classic", "t1", 0) == 25);
    CHECK(lab.fetch("grp-classic", "t1", 0).committed_leader_epoch == 0);
    CHECK(lab.coordinator->stats().records_skipped == 0);
    const auto member = settle(lab, {{.group = "grp-classic"}});
    CHECK(member[0].generation == 3);  // Kafka's last was 2.
}

TEST_CASE("offsets of a transaction and of a group of another kind are there, foreign records are skipped") {
    Lab lab;
    load_golden(lab, 2);
    CHECK(lab.offset("g1", "t1", 0) == 3);
    CHECK(lab.fetch("g1", "t1", 0).metadata == "meta");
    load_golden(lab, 0);
    CHECK(lab.offset("grp-consumer", "t1", 0) == 25);
    CHECK(lab.coordinator->stats().records_skipped == 9);
}

TEST_CASE("the records of a group in each step are those that Apache Kafka writes") {
    Lab lab;
    lab.time.wall_ms = 1'795'368'872'966;
    const auto members =
        settle(lab, {{.protocols = {{"range", "meta"}}, .session_ms = 45'000, .rebalance_ms = 300'000}});
    REQUIRE(lab.log.committed.size() == 1);
    const auto& record = lab.log.committed[0];
    CHECK(record.key == std::string("\0\2\0\1g", 5));
    Arena memory;
    const auto parsed = wire::parse_numbered(as_bytes(*record.value));
    REQUIRE(parsed);
    CHECK(parsed->number == 3);
    const auto value = wire::decode<wire::GroupMetadataValue>(parsed->body, 3, memory);
    REQUIRE(value);
    CHECK(value->protocol_type == "consumer");
    CHECK(value->generation == 1);
    CHECK(value->protocol == "range");
    CHECK(value->leader == members[0].id);
    CHECK(value->current_state_timestamp > 0);
    REQUIRE(value->members.size() == 1);
    CHECK(value->members[0].rebalance_timeout == 300'000);
    CHECK(value->members[0].session_timeout == 45'000);
    CHECK(as_text(value->members[0].subscription) == "meta");
    CHECK(as_text(value->members[0].assignment) == members[0].assignment);
    lab.leave({{.member = members[0].id}});
    // Byte for byte as in Kafka's file but for the time: consumer, generation 2, no protocol, no leader,
    // nobody.
    const std::string& empty = *lab.log.committed[1].value;
    CHECK(empty.substr(0, 20) == std::string("\0\3\0\10consumer\0\0\0\2\377\377\377\377", 20));
    CHECK(empty.substr(28) == std::string("\0\0\0\0", 4));
}

TEST_CASE("an offset's record is byte for byte Apache Kafka's") {
    Lab lab;
    lab.time.wall_ms = 0x1a20452ec9c;
    Uuid id;
    for (size_t i = 0; i < 16; i++) id.bytes[i] = static_cast<uint8_t>(i + 1);
    lab.commit_now({.group = "grp-classic",
                    .topic = "txn",
                    .offset = 7,
                    .leader_epoch = 0,
                    .topic_id = id,
                    .version = 10});
    const auto& record = lab.log.committed[0];
    CHECK(record.key == std::string("\0\1\0\13grp-classic\0\3txn\0\0\0\0", 24));
    std::string expected("\0\4\0\0\0\0\0\0\0\7\0\0\0\0\1\0\0\1\242\4R\354\234\1\0\20", 26);
    expected += as_text(id.bytes);
    CHECK(*record.value == expected);
}

TEST_CASE("a restart leads to the same state") {
    Lab lab;
    settle(lab, {{.group = "a", .client = "x"}, {.group = "a", .instance = "i1"}});
    const auto b = settle(lab, {{.group = "b"}});
    lab.leave({{.member = b[0].id}}, 5, "b");
    for (int i = 0; i < 5; i++)
        lab.commit_now({.group = "c", .partition = i % 3, .offset = i, .metadata = "n"});
    lab.delete_offset("c", "t", 1);
    const std::string before = lab.durable_text();
    lab.restart();
    CHECK(lab.durable_text() == before);
}

TEST_CASE("records that make no sense are counted and skipped") {
    Lab lab;
    lab.end();
    lab.begin();
    const std::vector<FakeLog::Owned> bad{
        {"", "x"},
        {"\1", "x"},
        {std::string("\0\2", 2), "x"},                              // A key without a body.
        {std::string("\0\2\0\1g", 5), ""},                          // A value without a version.
        {std::string("\0\2\0\1g", 5), std::string("\0\11", 2)},     // A version to come.
        {std::string("\0\2\0\1g", 5), std::string("\0\3\0\1", 4)},  // Cut off.
        {std::string("\0\1\0\1g\0\1t\0\0\0\0", 12), std::string("\0\4", 2)},
        {std::string("\0\143\0\1g", 5), "x"},  // A type that nobody knows.
    };
    for (const auto& record : bad) Lab::replay(*lab.coordinator, record);
    CHECK(lab.coordinator->stats().records_skipped == bad.size());
    lab.coordinator->loaded(lab.time);
    CHECK(lab.coordinator->list({}, lab.reading).groups.empty());
}

TEST_CASE("a recorded group that lists a member twice is loaded without the second") {
    Lab lab;
    lab.end();
    lab.begin();
    std::vector<wire::GroupMetadataValue::Member> members{{.member_id = "m", .session_timeout = 10'000},
                                                          {.member_id = "m", .session_timeout = 10'000}};
    wire::Writer key, value;
    wire::encode_record_key(key, wire::GroupMetadataKey{.group = "g"});
    wire::encode_record_value(value,
                              wire::GroupMetadataValue{.protocol_type = "consumer",
                                                       .generation = 1,
                                                       .protocol = "range",
                                                       .leader = "not a member",
                                                       .members = members},
                              3);
    lab.coordinator->replay(key.view(), value.view());
    lab.coordinator->loaded(lab.time);
    CHECK(lab.describe().members.size() == 1);
    CHECK(lab.heartbeat("m", 1) == Error::none);
}

TEST_CASE("an offset tombstone takes a group away that was nothing but offsets") {
    Lab lab;
    lab.commit_now({.offset = 1});
    lab.delete_offset("g", "t", 0);
    CHECK(lab.state() == "Dead");
    lab.restart();
    CHECK(lab.state() == "Dead");
}
