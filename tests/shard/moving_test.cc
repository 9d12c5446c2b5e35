// Moving a partition between the shards of a node: nobody notices, and whenever it ends, one truth is left.
#include "tests/broker/lab.h"

namespace millrace {

namespace {

Slot slot_of(Lab& lab, std::string_view topic, int32_t partition) {
    return lab.shard(0).metadata().topic(topic)->partitions[partition].slot;
}

// Of two.
ShardId other_shard(Lab& lab, Slot slot) {
    return ShardId{static_cast<uint16_t>(1 - lab.shard(0).home(slot).value)};
}

Task<> move(Lab& lab, Slot slot, ShardId to, std::optional<Result<>>& result) {
    auto moving = lab.shard(0).move_partition(slot, to);
    result = co_await moving;
}

// Moves it to the other shard of two; false when the node went meanwhile.
bool move_over(Lab& lab, std::string_view topic, int32_t partition) {
    const Slot slot = slot_of(lab, topic, partition);
    std::optional<Result<>> moved;
    lab.node.spawn(move(lab, slot, other_shard(lab, slot), moved));
    lab.world.run_until([&] { return moved || !lab.node.is_running(); }, 60'000 * lab_ms);
    if (!lab.node.is_running()) return false;
    REQUIRE(moved);
    CHECK(moved->ok());
    return moved->ok();
}

// All values of the partition, in their order: what is on disk and what is in memory come one by one.
std::vector<std::string> read_all(Lab& lab, std::string_view topic, int32_t partition, uint16_t shard = 0) {
    std::vector<std::string> values;
    while (true) {
        wire::FetchRequest::Partition asked{.partition = partition,
                                            .fetch_offset = static_cast<int64_t>(values.size()),
                                            .partition_max_bytes = 10 << 20};
        wire::FetchRequest::Topic part{.topic = topic, .partitions = {&asked, 1}};
        const wire::FetchRequest request{
            .max_wait_ms = 0, .min_bytes = 0, .max_bytes = 10 << 20, .topics = {&part, 1}, .rack_id = {}};
        const auto answer = lab.call<wire::FetchResponse>(request, 11, shard);
        REQUIRE(answer->responses.size() == 1);
        REQUIRE(answer->responses[0].partitions[0].error_code == Error::none);
        const auto more = values_of(answer->responses[0].partitions[0]);
        if (more.empty()) return values;
        values.insert(values.end(), more.begin(), more.end());
    }
}

bool is_home_of(Lab& lab, uint16_t shard, Slot slot) { return lab.shard(shard).hosted(slot) != nullptr; }

}  // namespace

TEST_CASE("a partition that is moved to and fro keeps its records and serves on, also after each end") {
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        Lab lab{1, 2};
        lab.create("t", 3);
        std::vector<std::string> values;
        for (int i = 0; i < 12; i++) {
            values.push_back("value " + std::to_string(i));
            CHECK(lab.write("t", 1, values.back()) == i);
            if (i % 2 == 1) REQUIRE(move_over(lab, "t", 1));
            if (i % 5 == 4) lab.restart(how);
            const Slot slot = slot_of(lab, "t", 1);
            for (uint16_t shard = 0; shard < 2; shard++) {
                CHECK(lab.shard(shard).home(slot) == lab.shard(0).home(slot));
                CHECK(is_home_of(lab, shard, slot) == (lab.shard(0).home(slot).value == shard));
                CHECK(read_all(lab, "t", 1, shard) == values);
            }
        }
        CHECK(lab.world.count_lines(Level::error) == 0);
    }
}

TEST_CASE("the homes survive a start, count no more with other shards, and what was moved is all there") {
    Lab lab{2, 2};
    lab.create("t", 4);
    for (int32_t i = 0; i < 4; i++) lab.write("t", i, "first");
    for (int32_t i = 0; i < 3; i++) REQUIRE(move_over(lab, "t", i));
    for (int32_t i = 0; i < 4; i++) lab.write("t", i, "second");
    std::vector<ShardId> homes;
    for (int32_t i = 0; i < 4; i++) homes.push_back(lab.shard(0).home(slot_of(lab, "t", i)));
    lab.restart(Crash::power_cut);
    for (int32_t i = 0; i < 4; i++) CHECK(lab.shard(1).home(slot_of(lab, "t", i)) == homes[i]);
    for (const uint16_t shards : {3, 2, 1, 2}) {
        lab.set_shards(shards);
        lab.restart(Crash::power_cut);
        for (int32_t i = 0; i < 4; i++) {
            CHECK(read_all(lab, "t", i) == std::vector<std::string>{"first", "second"});
            CHECK(lab.shard(0).home(slot_of(lab, "t", i)).value < shards);
        }
    }
    CHECK(lab.world.count_lines(Level::error) == 0);
}

TEST_CASE("when the file of the homes is damaged, every record is found all the same") {
    Lab lab{3, 2};
    lab.create("t", 4);
    for (int32_t i = 0; i < 4; i++) lab.write("t", i, "first");
    for (int32_t i = 0; i < 3; i++) REQUIRE(move_over(lab, "t", i));
    for (int32_t i = 0; i < 4; i++) lab.write("t", i, "second");
    lab.node.crash(Crash::power_cut);
    lab.node.disk().flip("data/homes", 9, 0x10);
    lab.node.restart();
    lab.world.run_until([&] { return lab.program().started.has_value(); }, 60'000 * lab_ms);
    for (int32_t i = 0; i < 4; i++)
        CHECK(read_all(lab, "t", i) == std::vector<std::string>{"first", "second"});
}

namespace {

Task<> remove_homes(Io& io) {
    const int32_t removed = co_await Once{io, Op::Kind::remove, {.path = "data/homes"}};
    CHECK(removed == 0);
}

}  // namespace

TEST_CASE(
    "when the file of the homes is deleted, or put back from an old copy, every record is found all the "
    "same") {
    for (const bool is_old : {false, true})
        for (const Crash how : {Crash::kill, Crash::power_cut}) {
            CAPTURE(is_old);
            Lab lab{4, 2};
            lab.create("t", 4);
            for (int32_t i = 0; i < 4; i++) lab.write("t", i, "first");
            REQUIRE(move_over(lab, "t", 3));
            const auto old = lab.node.disk().contents("data/homes");
            for (int32_t i = 0; i < 3; i++) REQUIRE(move_over(lab, "t", i));
            REQUIRE(move_over(lab, "t", 3));
            for (int32_t i = 0; i < 4; i++) lab.write("t", i, "second");
            lab.node.spawn(remove_homes(lab.node.io()));
            lab.world.run_for(100 * lab_ms);
            lab.node.disk().sync_all();
            lab.node.crash(how);
            if (is_old) lab.node.disk().put("data/homes", old);
            for (int start = 0; start < 3; start++) {
                CAPTURE(start);
                if (start > 0) lab.node.crash(how);
                lab.node.restart();
                REQUIRE(
                    lab.world.run_until([&] { return lab.program().started.has_value(); }, 60'000 * lab_ms));
                REQUIRE(lab.program().started->ok());
                CHECK(lab.world.count_lines(Level::error) == 1);  // The first start says it.
                for (int32_t i = 0; i < 4; i++)
                    CHECK(read_all(lab, "t", i) == std::vector<std::string>{"first", "second"});
            }
            REQUIRE(move_over(lab, "t", 0));  // And goes on.
            lab.write("t", 0, "third");
            CHECK(read_all(lab, "t", 0) == std::vector<std::string>{"first", "second", "third"});
        }
}

TEST_CASE(
    "a torn first block of a journal file after a move loses nothing, and no other journal is taken for it") {
    for (const size_t torn : {size_t{8}, size_t{512}, size_t{4096}}) {
        CAPTURE(torn);
        Lab lab{5, 2};
        lab.create("t", 4);
        for (int32_t i = 0; i < 4; i++) lab.write("t", i, "first");
        for (int32_t i = 0; i < 3; i++) REQUIRE(move_over(lab, "t", i));
        for (int32_t i = 0; i < 4; i++) lab.write("t", i, "second");
        lab.world.run_for(100 * lab_ms);  // The journal says what is durable.
        lab.node.crash(Crash::power_cut);
        for (const char* shard : {"0", "1"}) {
            const std::string directory = std::string{"data/journal/"} + shard;
            for (const std::string& name : lab.node.disk().names(directory))
                for (size_t at = 0; at < torn; at += 8)
                    lab.node.disk().flip(directory + "/" + name, at, 0x41);
        }
        lab.node.restart();
        REQUIRE(lab.world.run_until([&] { return lab.program().started.has_value(); }, 60'000 * lab_ms));
        REQUIRE(lab.program().started->ok());
        CHECK(lab.world.count_lines(Level::error) > 0);
        for (int32_t i = 0; i < 4; i++) {
            const auto found = read_all(lab, "t", i);
            CHECK(found == std::vector<std::string>{"first", "second"});
        }
    }
}

TEST_CASE("an end at any change of the disk during moves leaves exactly what was acknowledged") {
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        const uint64_t points = each_crash_point([&](uint64_t point) {
            CAPTURE(point);
            Lab lab{point, 2, Lab::small(), {}, {.journal_files = 2, .journal_file_bytes = 128 << 10}};
            lab.create("t", 2);
            std::vector<std::string> values;
            const auto write = [&](const std::string& text) {
                values.push_back(text + std::string(3'000, 'x'));
                return lab.write("t", 1, values.back());
            };
            write("a"), write("b");
            lab.node.crash_at_change(lab.node.disk().changes() + point, how);
            for (int i = 0; i < 3 && lab.node.is_running(); i++) {
                if (!move_over(lab, "t", 1)) break;
                // As the crash may come in it, the next write is one that is not waited for.
                const auto sent = lab.send_produce({.topic = "t", .partition = 1, .shard = 1},
                                                   one_record(std::to_string(i), 1'000));
                lab.world.run_until([&] { return sent->done || !lab.node.is_running(); }, 60'000 * lab_ms);
                if (sent->done) values.push_back(std::to_string(i));
            }
            const bool ended = !lab.node.is_running();
            if (!ended) return false;
            lab.node.restart();
            REQUIRE(lab.world.run_until([&] { return lab.program().started.has_value(); }, 60'000 * lab_ms));
            REQUIRE(lab.program().started->ok());
            std::vector<std::string> read = read_all(lab, "t", 1);
            CHECK(read.size() >= values.size());
            CHECK(read.size() <= values.size() + 1);
            read.resize(values.size());
            CHECK(read == values);
            CHECK(lab.world.count_lines(Level::error) == 0);
            CHECK(lab.write("t", 1, "more") >= static_cast<int64_t>(values.size()));
            REQUIRE(move_over(lab, "t", 1));
            lab.restart(Crash::power_cut);
            CHECK(read_all(lab, "t", 1).size() >= values.size() + 1);
            return true;
        });
        CHECK(points > 30);
    }
}

TEST_CASE("requests of every shard that are under way during moves are answered well and in their order") {
    for (uint64_t seed = 1; seed <= 10; seed++) {
        CAPTURE(seed);
        Lab lab{seed, 2};
        lab.create("t", 2);
        std::vector<std::unique_ptr<Exchange>> sent;
        std::optional<Result<>> moved = Result<>{};
        for (int i = 0; i < 300; i++) {
            const auto shard = static_cast<uint16_t>(i / 50 % 2);
            BatchOptions options{.producer_id = ProducerId{77 + shard}, .producer_epoch = 0};
            options.base_sequence = i / 100 * 50 + i % 50;
            sent.push_back(lab.send_produce({.topic = "t", .partition = 1, .shard = shard},
                                            one_record(std::to_string(i), 1'000, options)));
            if (i % 50 == 49 || i % 3 == 0) lab.world.run_for(lab.world.random() % 200'000);
            // A producer's requests on another connection come when those before are answered.
            if (i % 50 == 49) lab.wait(*sent.back());
            if (moved && i % 7 == 0) {
                CHECK(moved->ok());
                moved.reset();
                const Slot slot = slot_of(lab, "t", 1);
                lab.node.spawn(move(lab, slot, other_shard(lab, slot), moved));
            }
        }
        for (size_t i = 0; i < sent.size(); i++) {
            lab.wait(*sent[i]);
            const auto answer = Lab::decode<wire::ProduceResponse>(*sent[i]);
            CHECK(answer->responses[0].partition_responses[0].error_code == Error::none);
        }
        lab.world.run_until([&] { return moved.has_value(); }, 60'000 * lab_ms);
        CHECK(lab.shard(0).moves() >= 4);
        const auto values = read_all(lab, "t", 1);
        REQUIRE(values.size() == sent.size());
        for (size_t i = 0; i < values.size(); i++) CHECK(values[i] == std::to_string(i));
    }
}

TEST_CASE("a fetch that waits for news hears of them from the new home") {
    for (uint16_t shard = 0; shard < 2; shard++) {
        Lab lab{5, 2};
        lab.create("t", 2);
        lab.write("t", 1, "old");
        wire::FetchRequest::Partition asked{
            .partition = 1, .fetch_offset = 1, .partition_max_bytes = 1 << 20};
        wire::FetchRequest::Topic part{.topic = "t", .partitions = {&asked, 1}};
        const wire::FetchRequest request{
            .max_wait_ms = 30'000, .min_bytes = 1, .max_bytes = 1 << 20, .topics = {&part, 1}, .rack_id = {}};
        const auto fetch = lab.send(request, 11, shard);
        lab.world.run_for(10 * lab_ms);
        REQUIRE(move_over(lab, "t", 1));
        REQUIRE(move_over(lab, "t", 1));
        REQUIRE(move_over(lab, "t", 1));
        CHECK_FALSE(fetch->done);
        lab.write("t", 1, "new");
        lab.wait(*fetch, 1'000 * lab_ms);
        const auto answer = Lab::decode<wire::FetchResponse>(*fetch);
        CHECK(values_of(answer->responses[0].partitions[0]) == std::vector<std::string>{"new"});
    }
}

TEST_CASE("a topic that is deleted while a partition of it moves is gone, with its files") {
    for (uint64_t delay = 0; delay < 40; delay++) {
        CAPTURE(delay);
        Lab lab{delay, 2};
        lab.create("t", 2);
        lab.create("kept", 2);
        lab.write("t", 1, "x");
        const Slot slot = slot_of(lab, "t", 1);
        std::optional<Result<>> moved;
        lab.node.spawn(move(lab, slot, other_shard(lab, slot), moved));
        lab.world.run_for(delay * 100'000);
        lab.remove("t");
        lab.world.run_until([&] { return moved.has_value(); }, 60'000 * lab_ms);
        lab.world.run_for(1'000 * lab_ms);
        CHECK(lab.shard(0).hosted(slot) == nullptr);
        CHECK(lab.shard(1).hosted(slot) == nullptr);
        for (const std::string& name : lab.node.disk().names("data")) CHECK(!name.starts_with("t-"));
        CHECK(move_over(lab, "kept", 1));  // The next one is let in.
        lab.restart(Crash::power_cut);
        CHECK(lab.world.count_lines(Level::error) == 0);
        CHECK_FALSE(lab.world.has_line("the journal speaks of a partition that is no more"));
    }
}

TEST_CASE("what cannot be moved is refused") {
    Lab lab{7, 2};
    lab.create("t", 2);
    const auto refusal = [&](Slot slot, uint16_t to) {
        std::optional<Result<>> moved;
        lab.node.spawn(move(lab, slot, ShardId{to}, moved));
        lab.world.run_until([&] { return moved.has_value(); }, 60'000 * lab_ms);
        return moved->error();
    };
    CHECK(refusal(Slot{0}, 1) == Error::unknown_topic_or_partition);
    CHECK(refusal(Slot{4711}, 1) == Error::unknown_topic_or_partition);
    CHECK(refusal(slot_of(lab, "t", 0), 2) == Error::invalid_request);
    CHECK(refusal(slot_of(lab, "t", 0), lab.shard(0).home(slot_of(lab, "t", 0)).value) == Error::none);
    CHECK(lab.shard(0).moves() == 0);
}

}  // namespace millrace
