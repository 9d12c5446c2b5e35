// Fetch: offsets and epochs, limits, waiting across shards, sessions, topic ids.
#include "lab.h"

namespace millrace {

namespace {

using Request = wire::FetchRequest;
using Response = wire::FetchResponse;

struct Asked {
    std::string_view topic;
    int32_t partition = 0;
    int64_t offset = 0;
    int32_t max_bytes = 1 << 20;
    int32_t epoch = -1, last_epoch = -1;
    Uuid topic_id = {};
};

// A fetch request that owns what it points to; one topic entry for each partition.
struct Fetch {
    explicit Fetch(std::vector<Asked> asked) : partitions(asked.size()), topics(asked.size()) {
        for (size_t i = 0; i < asked.size(); i++) {
            partitions[i] = {.partition = asked[i].partition,
                             .current_leader_epoch = asked[i].epoch,
                             .fetch_offset = asked[i].offset,
                             .last_fetched_epoch = asked[i].last_epoch,
                             .partition_max_bytes = asked[i].max_bytes};
            topics[i] = {
                .topic = asked[i].topic, .topic_id = asked[i].topic_id, .partitions = {&partitions[i], 1}};
        }
        request.topics = topics;
    }
    std::vector<Request::Partition> partitions;
    std::vector<Request::Topic> topics;
    Request request;
};

Answer<Response> fetch(Lab& lab, const Asked& asked, int16_t version = 12) {
    const Fetch fetch{{asked}};
    return lab.call<Response>(fetch.request, version);
}

Error fetch_error(Lab& lab, const Asked& asked, int16_t version = 12) {
    return fetch(lab, asked, version)->responses[0].partitions[0].error_code;
}

std::vector<std::string> fetch_values(Lab& lab, const Asked& asked) {
    return values_of(fetch(lab, asked)->responses[0].partitions[0]);
}

size_t bytes_in(const Response& response) {
    size_t bytes = 0;
    for (const auto& topic : response.responses)
        for (const auto& partition : topic.partitions)
            bytes += partition.records ? partition.records->size() : 0;
    return bytes;
}

}  // namespace

TEST_CASE("what was written is read from any offset, with the watermarks") {
    Lab lab;
    lab.create("t", 1);
    for (const char* value : {"a", "b", "c"}) lab.write("t", 0, value);
    CHECK(fetch_values(lab, {.topic = "t"}) == std::vector<std::string>{"a", "b", "c"});
    CHECK(fetch_values(lab, {.topic = "t", .offset = 2}) == std::vector<std::string>{"c"});
    const auto answer = fetch(lab, {.topic = "t", .offset = 3});
    const auto& at_end = answer->responses[0].partitions[0];
    CHECK(at_end.error_code == Error::none);
    CHECK(values_of(at_end).empty());
    CHECK(at_end.high_watermark == 3);
    CHECK(at_end.last_stable_offset == 3);
    CHECK(at_end.log_start_offset == 0);
}

TEST_CASE("an offset before the log's start or behind its end is out of range") {
    Lab lab;
    lab.create("t", 1);
    lab.write("t", 0, "a");
    CHECK(fetch_error(lab, {.topic = "t", .offset = 2}) == Error::offset_out_of_range);
    CHECK(fetch_error(lab, {.topic = "t", .offset = -1}) == Error::offset_out_of_range);
    const auto refused = fetch(lab, {.topic = "t", .offset = 2});  // Kafka tells no watermarks with an error.
    CHECK(refused->responses[0].partitions[0].high_watermark == -1);
    CHECK(refused->responses[0].partitions[0].log_start_offset == -1);
}

TEST_CASE("an unknown topic, partition or topic id is told in its place") {
    Lab lab;
    const Uuid id = lab.create("t", 1);
    CHECK(fetch_error(lab, {.topic = "none"}) == Error::unknown_topic_or_partition);
    CHECK(fetch_error(lab, {.topic = "t", .partition = 1}) == Error::unknown_topic_or_partition);
    Uuid other = id;
    other.bytes[9] ^= 1;
    CHECK(fetch_error(lab, {.topic = "", .topic_id = other}, 13) == Error::unknown_topic_id);
    CHECK(fetch_error(lab, {.topic = "", .topic_id = id}, 13) == Error::none);
}

TEST_CASE("a leader epoch of the past is fenced, one of the future unknown") {
    Lab lab;
    lab.create("t", 1);
    const int32_t epoch = lab.shard(0).metadata().topic("t")->partitions[0].leader_epoch.value;
    CHECK(fetch_error(lab, {.topic = "t", .epoch = epoch}) == Error::none);
    CHECK(fetch_error(lab, {.topic = "t", .epoch = epoch + 1}) == Error::unknown_leader_epoch);
    if (epoch > 0) CHECK(fetch_error(lab, {.topic = "t", .epoch = epoch - 1}) == Error::fenced_leader_epoch);
}

TEST_CASE("a fetcher that read further in an epoch than we have is told where they part") {
    Lab lab;
    lab.create("t", 1);
    lab.write("t", 0, "a");
    const int32_t epoch = lab.shard(0).metadata().topic("t")->partitions[0].leader_epoch.value;
    const auto answer = fetch(lab, {.topic = "t", .offset = 5, .last_epoch = epoch});
    const auto& told = answer->responses[0].partitions[0];
    CHECK(told.error_code == Error::none);
    CHECK(told.diverging_epoch.epoch == epoch);
    CHECK(told.diverging_epoch.end_offset == 1);
    CHECK(fetch_error(lab, {.topic = "t", .offset = 1, .last_epoch = epoch + 7}) ==
          Error::offset_out_of_range);
}

TEST_CASE("the first batch comes whole however small the limits, the next only if it fits") {
    Lab lab;
    lab.create("t", 1), lab.create("u", 1);
    lab.write("t", 0, std::string(5'000, 'x'));
    lab.write("t", 0, "second");
    lab.write("u", 0, "third");
    CHECK(fetch_values(lab, {.topic = "t", .max_bytes = 1}).size() == 1);
    Fetch both{{{.topic = "t", .max_bytes = 1}, {.topic = "u"}}};
    both.request.max_bytes = 1;
    const auto answer = lab.call<Response>(both.request, 12);
    CHECK(bytes_in(answer.message) > 5'000);
    Fetch wide{{{.topic = "t"}}};
    wide.request.max_bytes = 5'100;
    CHECK(values_of(lab.call<Response>(wide.request, 12)->responses[0].partitions[0]).size() == 1);
}

TEST_CASE("a fetch of partitions on several shards keeps the order it was asked in") {
    Lab lab{3, 3};
    lab.create("t", 6);
    for (int32_t i = 0; i < 6; i++) lab.write("t", i, "value " + std::to_string(i));
    Fetch all{{{.topic = "t", .partition = 5},
               {.topic = "t", .partition = 0},
               {.topic = "t", .partition = 3},
               {.topic = "t", .partition = 4}}};
    const auto answer = lab.call<Response>(all.request, 12, 1);
    REQUIRE(answer->responses.size() == 1);
    const auto& told = answer->responses[0].partitions;
    REQUIRE(told.size() == 4);
    for (size_t i = 0; i < 4; i++) {
        CHECK(told[i].partition_index == all.partitions[i].partition);
        CHECK(values_of(told[i]) ==
              std::vector<std::string>{"value " + std::to_string(told[i].partition_index)});
    }
}

TEST_CASE("a fetch with nothing to read waits for max.wait and then comes back empty") {
    Lab lab{4, 2};
    lab.create("t", 2);
    Fetch all{{{.topic = "t", .partition = 0}, {.topic = "t", .partition = 1}}};
    all.request.max_wait_ms = 500, all.request.min_bytes = 1;
    const uint64_t began = lab.world.now_ns();
    const auto answer = lab.call<Response>(all.request, 12);
    const uint64_t took = lab.world.now_ns() - began;
    CHECK(took >= 500 * lab_ms);
    CHECK(took < 520 * lab_ms);
    CHECK(bytes_in(answer.message) == 0);
}

TEST_CASE("a parked fetch ends as soon as one of its partitions, on any shard, has min.bytes") {
    for (int32_t partition = 0; partition < 4; partition++) {
        Lab lab{5, 3};
        lab.create("t", 4);
        Fetch all{{{.topic = "t", .partition = 0},
                   {.topic = "t", .partition = 1},
                   {.topic = "t", .partition = 2},
                   {.topic = "t", .partition = 3}}};
        all.request.max_wait_ms = 30'000, all.request.min_bytes = 1;
        const uint64_t began = lab.world.now_ns();
        auto parked = lab.send(all.request, 12, 1);
        lab.world.run_for(100 * lab_ms);
        CHECK_FALSE(parked->done);
        lab.write("t", partition, "news");
        lab.wait(*parked);
        CHECK(lab.world.now_ns() - began < 200 * lab_ms);
        const auto answer = Lab::decode<Response>(*parked);
        CHECK(values_of(answer->responses[0].partitions[partition]) == std::vector<std::string>{"news"});
    }
}

TEST_CASE("min.bytes is counted over all partitions, and a fetch with less goes on waiting") {
    Lab lab{6, 2};
    lab.create("t", 2);
    Fetch both{{{.topic = "t", .partition = 0}, {.topic = "t", .partition = 1}}};
    both.request.max_wait_ms = 30'000, both.request.min_bytes = 1'500;
    auto parked = lab.send(both.request, 12);
    lab.world.run_for(50 * lab_ms);
    lab.write("t", 0, std::string(1'000, 'x'));
    lab.world.run_for(50 * lab_ms);
    CHECK_FALSE(parked->done);
    lab.write("t", 1, std::string(1'000, 'x'));
    lab.wait(*parked, 1'000 * lab_ms);
    CHECK(bytes_in(Lab::decode<Response>(*parked).message) > 2'000);
}

TEST_CASE("a fetch with an error in it does not wait") {
    Lab lab;
    lab.create("t", 1);
    Fetch both{{{.topic = "t"}, {.topic = "none"}}};
    both.request.max_wait_ms = 30'000, both.request.min_bytes = 1;
    const uint64_t began = lab.world.now_ns();
    (void)lab.call<Response>(both.request, 12);
    CHECK(lab.world.now_ns() - began < 50 * lab_ms);
}

TEST_CASE("a session goes along with a connection that moves to another shard") {
    Lab lab{7, 2};
    lab.create("t", 1);
    Fetch first{{{.topic = "t"}}};
    first.request.session_epoch = 0;
    const int32_t session = lab.call<Response>(first.request, 12, 0)->session_id;
    ConnectionContext connection;
    connection.fetch_session = session;
    auto luggage = lab.program().brokers[0]->leave(connection);
    REQUIRE(luggage);
    CHECK(!lab.program().brokers[0]->leave(connection));
    lab.program().brokers[1]->arrive(std::move(luggage));
    const Request next{.session_id = session, .session_epoch = 1, .topics = {}, .forgotten_topics_data = {}};
    CHECK(lab.call<Response>(next, 12, 0)->error_code == Error::fetch_session_id_not_found);
    CHECK(lab.call<Response>(next, 12, 1)->error_code == Error::none);
}

TEST_CASE("a session tells everything once, then only what is new") {
    Lab lab{7, 2};
    const Uuid id = lab.create("t", 3);
    Fetch first{{{.topic = "", .partition = 0, .topic_id = id},
                 {.topic = "", .partition = 1, .topic_id = id},
                 {.topic = "", .partition = 2, .topic_id = id}}};
    first.request.session_epoch = 0;
    const auto opened = lab.call<Response>(first.request, 13);
    const int32_t session = opened->session_id;
    CHECK(session != 0);
    REQUIRE(opened->responses.size() == 1);
    CHECK(opened->responses[0].partitions.size() == 3);

    Request next{.session_id = session, .session_epoch = 1, .topics = {}, .forgotten_topics_data = {}};
    CHECK(lab.call<Response>(next, 13)->responses.empty());
    lab.write("t", 1, "news");
    next.session_epoch = 2;
    const auto news = lab.call<Response>(next, 13);
    REQUIRE(news->responses.size() == 1);
    REQUIRE(news->responses[0].partitions.size() == 1);
    CHECK(news->responses[0].partitions[0].partition_index == 1);
    CHECK(values_of(news->responses[0].partitions[0]) == std::vector<std::string>{"news"});

    Fetch moved{{{.topic = "", .partition = 1, .offset = 1, .topic_id = id}}};
    moved.request.session_id = session, moved.request.session_epoch = 3;
    CHECK(lab.call<Response>(moved.request, 13)->responses.empty());
    int32_t forgotten = 1;
    Request::ForgottenTopic gone{.topic = {}, .topic_id = id, .partitions = {&forgotten, 1}};
    Request without{
        .session_id = session, .session_epoch = 4, .topics = {}, .forgotten_topics_data = {&gone, 1}};
    lab.write("t", 1, "unheard");
    CHECK(lab.call<Response>(without, 13)->responses.empty());
}

TEST_CASE("a session's id and epoch must be right, and a closed one is gone") {
    Lab lab;
    const Uuid id = lab.create("t", 1);
    Fetch fetch{{{.topic = "", .topic_id = id}}};
    fetch.request.session_epoch = 0;
    const int32_t session = lab.call<Response>(fetch.request, 13)->session_id;
    Request next{.session_id = session, .session_epoch = 5, .topics = {}, .forgotten_topics_data = {}};
    CHECK(lab.call<Response>(next, 13)->error_code == Error::invalid_fetch_session_epoch);
    next.session_id = session ^ 1;
    CHECK(lab.call<Response>(next, 13)->error_code == Error::fetch_session_id_not_found);
    next.session_id = session, next.session_epoch = 1;
    CHECK(lab.call<Response>(next, 13)->error_code == Error::none);
    next.session_epoch = 2;
    CHECK(lab.call<Response>(next, 12)->error_code == Error::fetch_session_topic_id_error);
    next.session_epoch = -1;
    CHECK(lab.call<Response>(next, 13)->session_id == 0);
    next.session_epoch = 2;
    CHECK(lab.call<Response>(next, 13)->error_code == Error::fetch_session_id_not_found);
}

TEST_CASE("a topic that is deleted under a parked fetch ends it") {
    Lab lab{8, 2};
    lab.create("t", 2);
    Fetch both{{{.topic = "t", .partition = 0}, {.topic = "t", .partition = 1}}};
    both.request.max_wait_ms = 600'000, both.request.min_bytes = 1;
    auto parked = lab.send(both.request, 12);
    lab.world.run_for(50 * lab_ms);
    lab.remove("t");
    lab.wait(*parked, 5'000 * lab_ms);
    const auto answer = Lab::decode<Response>(*parked);
    for (const auto& told : answer->responses[0].partitions) CHECK(told.error_code != Error::none);
}

TEST_CASE("many small batches come back in order through any limit") {
    Lab lab{9, 2};
    lab.create("t", 1, {{"segment.bytes", "1048576"}});
    std::vector<std::string> sent, got;
    for (int i = 0; i < 300; i++) {
        sent.push_back(std::to_string(i) + std::string(static_cast<size_t>(i * 37 % 900), '.'));
        (void)lab.write("t", 0, sent.back());
    }
    for (int64_t offset = 0; offset < 300;) {
        const auto some = fetch_values(
            lab, {.topic = "t", .offset = offset, .max_bytes = 1 + static_cast<int32_t>(offset * 41)});
        REQUIRE(!some.empty());
        got.insert(got.end(), some.begin(), some.end());
        offset += static_cast<int64_t>(some.size());
    }
    CHECK(got == sent);
}

}  // namespace millrace
