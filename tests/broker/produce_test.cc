// Produce: what is refused and how, what is changed, what each `acks` waits for.
#include <set>

#include "lab.h"
#include "millrace/wire/init_producer_id.h"

namespace millrace {

TEST_CASE("acks=0 is answered by nothing, acks=1 and acks=all by the offset") {
    Lab lab;
    lab.create("t", 1);
    const auto batch = one_record("x", lab.node.io().wall_ms());
    auto silent = lab.send_produce({.topic = "t", .acks = 0}, batch);
    lab.wait(*silent);
    CHECK(silent->kind == Reply::Kind::none);
    CHECK(lab.produce({.topic = "t", .acks = 1}, batch).base_offset == 1);
    CHECK(lab.produce({.topic = "t", .acks = -1}, batch).base_offset == 2);
}

TEST_CASE("an acks that Kafka does not know is refused for each partition") {
    Lab lab;
    lab.create("t", 1);
    const auto told = lab.produce({.topic = "t", .acks = 2}, one_record("x", 1));
    CHECK(told.error_code == Error::invalid_required_acks);
    CHECK(told.base_offset == -1);
    CHECK(lab.list_offset("t", 0, -1).offset == 0);
}

TEST_CASE("with acks 0 a refusal closes the connection, since nothing else can tell") {
    Lab lab;
    auto sent = lab.send_produce({.topic = "none", .acks = 0}, one_record("x", 1));
    lab.wait(*sent);
    CHECK(sent->kind == Reply::Kind::close);
}

TEST_CASE("unknown topics, partitions and topic ids are named as Kafka names them") {
    Lab lab;
    const Uuid id = lab.create("t", 1);
    const auto batch = one_record("x", lab.node.io().wall_ms());
    CHECK(lab.produce({.topic = "none"}, batch).error_code == Error::unknown_topic_or_partition);
    CHECK(lab.produce({.topic = "t", .partition = 1}, batch).error_code == Error::unknown_topic_or_partition);
    CHECK(lab.produce({.topic = "t", .partition = -1}, batch).error_code ==
          Error::unknown_topic_or_partition);
    Uuid other = id;
    other.bytes[3] ^= 1;
    CHECK(lab.produce({.version = 13, .topic_id = other}, batch).error_code == Error::unknown_topic_id);
    CHECK(lab.produce({.version = 13, .topic_id = id}, batch).error_code == Error::none);
}

TEST_CASE("topics of the broker's own may not be written by clients") {
    Lab lab;
    lab.create("__consumer_offsets", 4);
    CHECK(lab.produce({.topic = "__consumer_offsets"}, one_record("x", 1)).error_code ==
          Error::invalid_topic_exception);
}

TEST_CASE("a batch above max.message.bytes is refused, one of exactly that size is not") {
    Lab lab;
    const auto batch = one_record(std::string(500, 'x'), lab.node.io().wall_ms());
    lab.create("fits", 1, {{"max.message.bytes", std::to_string(batch.size())}});
    lab.create("small", 1, {{"max.message.bytes", std::to_string(batch.size() - 1)}});
    CHECK(lab.produce({.topic = "fits"}, batch).error_code == Error::none);
    CHECK(lab.produce({.topic = "small"}, batch).error_code == Error::message_too_large);
}

TEST_CASE("a batch with a wrong checksum is refused and nothing is appended") {
    Lab lab;
    lab.create("t", 1);
    auto batch = one_record("payload", lab.node.io().wall_ms());
    batch.back() ^= 1;
    CHECK(lab.produce({.topic = "t"}, batch).error_code == Error::corrupt_message);
    CHECK(lab.produce({.topic = "t"}, Bytes{}).error_code != Error::none);
    CHECK(lab.list_offset("t", 0, -1).offset == 0);
}

TEST_CASE("a record without a key is refused by a compacted topic, by its number") {
    Lab lab;
    lab.create("c", 1, {{"cleanup.policy", "compact"}});
    auto sent = lab.send_produce({.topic = "c"}, one_record("x", lab.node.io().wall_ms()));
    lab.wait(*sent);
    const auto answer = Lab::decode<wire::ProduceResponse>(*sent);
    const auto& told = answer->responses[0].partition_responses[0];
    CHECK(told.error_code == Error::invalid_record);
    REQUIRE(told.record_errors.size() == 1);
    CHECK(told.record_errors[0].batch_index == 0);
}

TEST_CASE("a record too far in the future is refused") {
    Lab lab;
    lab.create("t", 1);
    const int64_t now = lab.node.io().wall_ms();
    CHECK(lab.produce({.topic = "t"}, one_record("x", now + 2 * 3'600'000)).error_code ==
          Error::invalid_timestamp);
    CHECK(lab.produce({.topic = "t"}, one_record("x", now + 1'000)).error_code == Error::none);
}

TEST_CASE("more replicas than there are make acks=all impossible, acks=1 not") {
    Lab lab;
    lab.create("t", 1, {{"min.insync.replicas", "2"}});
    const auto batch = one_record("x", lab.node.io().wall_ms());
    CHECK(lab.produce({.topic = "t", .acks = -1}, batch).error_code == Error::not_enough_replicas);
    CHECK(lab.produce({.topic = "t", .acks = 1}, batch).error_code == Error::none);
}

TEST_CASE("a transactional batch is refused: nobody can have begun a transaction") {
    Lab lab;
    lab.create("t", 1);
    const auto batch = one_record(
        "x", lab.node.io().wall_ms(),
        {.producer_id = ProducerId{9}, .producer_epoch = 0, .base_sequence = 0, .transactional = true});
    CHECK(lab.produce({.topic = "t"}, batch).error_code == Error::invalid_txn_state);
}

TEST_CASE("with log append time the broker's clock is in the answer and in the records") {
    Lab lab;
    lab.create("t", 1, {{"message.timestamp.type", "LogAppendTime"}});
    const int64_t before = lab.node.io().wall_ms();
    const auto told = lab.produce({.topic = "t"}, one_record("x", 5));
    CHECK(told.error_code == Error::none);
    CHECK(told.log_append_time_ms >= before);
    CHECK(lab.list_offset("t", 0, -3).timestamp == told.log_append_time_ms);
    lab.create("u", 1);
    CHECK(lab.produce({.topic = "u"}, one_record("x", before)).log_append_time_ms == -1);
}

TEST_CASE("a producer's repeated batch gets its first offset, a gap and an old epoch are refused") {
    Lab lab;
    lab.create("t", 1);
    const int64_t now = lab.node.io().wall_ms();
    const auto batch = [&](int32_t sequence, int16_t epoch) {
        return one_record("x", now,
                          {.producer_id = ProducerId{9}, .producer_epoch = epoch, .base_sequence = sequence});
    };
    CHECK(lab.produce({.topic = "t"}, batch(0, 1)).base_offset == 0);
    CHECK(lab.produce({.topic = "t"}, batch(1, 1)).base_offset == 1);
    CHECK(lab.produce({.topic = "t"}, batch(0, 1)).base_offset == 0);
    CHECK(lab.produce({.topic = "t"}, batch(3, 1)).error_code == Error::out_of_order_sequence_number);
    CHECK(lab.produce({.topic = "t"}, batch(2, 0)).error_code == Error::invalid_producer_epoch);
    CHECK(lab.produce({.topic = "t"}, batch(5, 2)).error_code == Error::out_of_order_sequence_number);
    CHECK(lab.produce({.topic = "t"}, batch(0, 2)).base_offset == 2);
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        lab.restart(how);
        CHECK(lab.produce({.topic = "t"}, batch(0, 2)).base_offset == 2);
        CHECK(lab.produce({.topic = "t"}, batch(2, 2)).error_code == Error::out_of_order_sequence_number);
    }
    CHECK(lab.list_offset("t", 0, -1).offset == 3);
}

TEST_CASE("a topic's compression.type is what is stored, whatever came") {
    Lab lab;
    lab.create("t", 1, {{"compression.type", "zstd"}});
    const std::string value(2'000, 'v');
    CHECK(lab.produce({.topic = "t"}, one_record(value, lab.node.io().wall_ms(), {.codec = Codec::gzip}))
              .error_code == Error::none);
    wire::FetchRequest::Partition asked{.partition = 0, .partition_max_bytes = 1 << 20};
    wire::FetchRequest::Topic topic{.topic = "t", .topic_id = {}, .partitions = {&asked, 1}};
    const auto answer = lab.call<wire::FetchResponse>(wire::FetchRequest{.topics = {&topic, 1}}, 12);
    const auto& found = answer->responses[0].partitions[0];
    REQUIRE(found.records);
    CHECK(BatchView::parse(found.records->whole())->codec() == Codec::zstd);
    CHECK(values_of(found) == std::vector<std::string>{value});
}

TEST_CASE("producer ids are never given twice, not across shards and not after a crash") {
    Lab lab{5, 3};
    std::set<int64_t> given;
    for (int life = 0; life < 3; life++) {
        for (uint16_t i = 0; i < 30; i++) {
            const auto answer = lab.call<wire::InitProducerIdResponse>(
                wire::InitProducerIdRequest{.transactional_id = {}}, 4, i % 3);
            CHECK(answer->error_code == Error::none);
            CHECK(answer->producer_epoch == 0);
            CHECK(given.insert(answer->producer_id).second);
        }
        lab.restart(life % 2 ? Crash::kill : Crash::power_cut);
    }
}

TEST_CASE("one request writes to partitions of all shards, each answered in its place") {
    Lab lab{6, 3};
    lab.create("t", 7);
    const auto batch = one_record("x", lab.node.io().wall_ms());
    std::vector<wire::ProduceRequest::Partition> partitions;
    for (int32_t i = 8; i >= 0; i--) partitions.push_back({.index = i, .records = wire::Records{batch}});
    wire::ProduceRequest::Topic topic{.name = "t", .topic_id = {}, .partition_data = partitions};
    const wire::ProduceRequest request{
        .transactional_id = {}, .acks = -1, .timeout_ms = 30'000, .topic_data = {&topic, 1}};
    const auto answer = lab.call<wire::ProduceResponse>(request, 9, 2);
    const auto& told = answer->responses[0].partition_responses;
    REQUIRE(told.size() == 9);
    for (int32_t i = 0; i < 9; i++) {
        CHECK(told[i].index == 8 - i);
        CHECK(told[i].error_code == (i < 2 ? Error::unknown_topic_or_partition : Error::none));
    }
}

TEST_CASE("what acks=all answered is there after a power cut, what acks=1 answered after a kill") {
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        Lab lab{7};
        lab.create("t", 2);
        const auto batch = one_record("x", lab.node.io().wall_ms());
        const int16_t acks = how == Crash::kill ? 1 : -1;
        for (int32_t i = 0; i < 20; i++)
            CHECK(lab.produce({.topic = "t", .partition = i % 2, .acks = acks}, batch).base_offset == i / 2);
        lab.restart(how);
        CHECK(lab.list_offset("t", 0, -1).offset == 10);
        CHECK(lab.list_offset("t", 1, -1).offset == 10);
    }
}

}  // namespace millrace
