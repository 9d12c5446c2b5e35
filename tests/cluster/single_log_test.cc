// The metadata log of one voter: what is committed when, and what a failed append leaves.
#include "cluster_fixture.h"
#include "millrace/wire.h"
#include "millrace/wire/topic_records.h"

namespace millrace {
namespace {

MetadataRecords one_topic(uint8_t number) {
    MetadataRecords records;
    wire::Writer writer;
    const std::string name = "topic-" + std::to_string(number);
    wire::encode_metadata_record(writer, wire::TopicRecord{.name = name, .topic_id = Uuid{{number}}}, 0);
    records.add(writer.copy());
    return records;
}

TEST_CASE("what one life proposed, the next one replays") {
    MemoryLog log;
    uint64_t fingerprint = 0;
    {
        Life life{log};
        for (uint8_t i = 1; i <= 10; i++) {
            const auto committed = run(life.records.propose(one_topic(i)));
            REQUIRE(committed.ok());
            CHECK(*committed == Offset{i - 1});
        }
        fingerprint = life.state.fingerprint();
    }
    Life again{log};
    CHECK(again.state.fingerprint() == fingerprint);
    CHECK(*run(again.records.propose(one_topic(11))) == Offset{10});
}

TEST_CASE("nothing is committed before it is flushed") {
    MemoryLog log;
    Life life{log};
    log.at_once = false;
    std::optional<Result<Offset>> committed;
    keep(life.records.propose(one_topic(1)), committed).detach();
    CHECK_FALSE(committed);
    CHECK(life.state.topics().empty());
    log.flush();
    REQUIRE(committed);
    CHECK(committed->ok());
    CHECK(life.state.topics().size() == 1);
}

TEST_CASE("a refused append changes nothing and the log lives on") {
    MemoryLog log;
    Life life{log};
    log.next = MemoryLog::Next::refuse;
    CHECK(run(life.records.propose(one_topic(1))).error() == Error::record_list_too_large);
    CHECK(life.state.topics().empty());
    CHECK(*run(life.records.propose(one_topic(2))) == Offset{0});
}

TEST_CASE("after a failed device nothing is tried again in this life") {
    MemoryLog log;
    Life life{log};
    log.next = MemoryLog::Next::die_without;
    CHECK(run(life.records.propose(one_topic(1))).error() == Error::kafka_storage_error);
    const int appends = log.appends;
    CHECK(run(life.records.propose(one_topic(2))).error() == Error::kafka_storage_error);
    CHECK(log.appends == appends);
    CHECK(life.state.topics().empty());
}

TEST_CASE("replay stops at damage and at a log that cannot be read") {
    MemoryLog log;
    {
        Life life{log};
        REQUIRE(run(life.records.propose(one_topic(1))).ok());
        REQUIRE(run(life.records.propose(one_topic(2))).ok());
    }
    StillIo io;
    MetadataState state{"c"};
    Applier applier{state};
    log.batches[1].back() ^= 1;
    SingleMetadataLog damaged{io, log, applier};
    CHECK(run(damaged.replay()).error() == Error::corrupt_message);
    log.read_error = Error::kafka_storage_error;
    SingleMetadataLog unreadable{io, log, applier};
    CHECK(run(unreadable.replay()).error() == Error::kafka_storage_error);
}

}  // namespace
}  // namespace millrace
