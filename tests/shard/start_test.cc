// A node's start and stop: what it must find again, with any number of shards, and what it must refuse.
#include "tests/broker/lab.h"

namespace millrace {

namespace {

void copy_files(SimDisk& from, SimDisk& to, const std::string& directory) {
    for (const std::string& name : from.names(directory)) {
        const std::string path = directory + "/" + name;
        if (!from.names(path).empty())
            copy_files(from, to, path);
        else
            to.put(path, from.contents(path));
    }
}

Task<> stop_node(Lab& lab, bool& done) {
    co_await lab.shard(0).begin_stop();
    co_await lab.shard(0).stop_node();
    done = true;
}

Task<> begin_stop(Lab& lab, bool& done) {
    co_await lab.shard(0).begin_stop();
    done = true;
}

void stop(Lab& lab) {
    bool done = false;
    lab.node.spawn(stop_node(lab, done));
    REQUIRE(lab.world.run_until([&] { return done; }, 60'000 * lab_ms));
}

void fill(Lab& lab) {
    lab.create("t", 7);
    for (int i = 0; i < 70; i++) lab.write("t", i % 7, "value " + std::to_string(i));
}

void check_filled(Lab& lab) {
    for (int32_t i = 0; i < 7; i++) {
        CHECK(lab.list_offset("t", i, -1).offset == 10);
        CHECK(lab.list_offset("t", i, -2).offset == 0);
    }
}

}  // namespace

TEST_CASE("a node with another number of shards has every record, and again with the first number") {
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        Lab two{1, 2};
        fill(two);
        two.node.crash(how);
        Lab three{2, 3, Lab::small(), [&](SimDisk& disk) { copy_files(two.node.disk(), disk, "data"); }};
        check_filled(three);
        for (int32_t i = 0; i < 7; i++) CHECK(three.write("t", i, "more") == 10);
        three.node.crash(how);
        Lab again{3, 2, Lab::small(), [&](SimDisk& disk) { copy_files(three.node.disk(), disk, "data"); }};
        for (int32_t i = 0; i < 7; i++) CHECK(again.list_offset("t", i, -1).offset == 11);
        again.node.crash(how);
        Lab one{4, 1, Lab::small(), [&](SimDisk& disk) { copy_files(again.node.disk(), disk, "data"); }};
        for (int32_t i = 0; i < 7; i++) CHECK(one.write("t", i, "more") == 11);
    }
}

TEST_CASE("the journals of shards that are no more go as a whole, whenever the power goes") {
    Lab two{15, 2, Lab::small(), {}, {.journal_file_bytes = 128 << 10}};
    two.create("t", 7);
    for (int i = 0; i < 70; i++) two.write("t", i % 7, std::string(10'000, 'x'));
    REQUIRE(two.node.disk().names("data/journal/1").size() > 1);
    two.node.crash(Crash::kill);
    for (uint64_t seed = 0; seed < 30; seed++) {
        CAPTURE(seed);
        Lab one{seed, 1, Lab::small(), [&](SimDisk& disk) { copy_files(two.node.disk(), disk, "data"); }};
        one.world.run_for(seed * 20'000);
        one.restart(Crash::power_cut);
        CHECK(one.world.count_lines(Level::error) == 0);
        CHECK(one.shard(0).storage().stats().damaged_entries == 0);
        check_filled(one);
        one.world.run_for(1'000 * lab_ms);
        CHECK(one.node.disk().names("data/journal") == std::vector<std::string>{"0"});
    }
}

TEST_CASE("topics, their settings, ids and deletions survive each end") {
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        Lab lab{5, 2};
        fill(lab);
        const Uuid kept = lab.create("kept", 3, {{"retention.ms", "12345"}});
        (void)lab.create("gone", 2);
        lab.write("gone", 0, "x");
        lab.remove("gone");
        const std::string cluster = lab.program().node.cluster_id();
        for (int life = 0; life < 3; life++) {
            lab.restart(how);
            CHECK(lab.program().node.cluster_id() == cluster);
            for (uint16_t i = 0; i < 2; i++) {
                const TopicInfo* topic = lab.shard(i).metadata().topic("kept");
                REQUIRE(topic);
                CHECK(topic->id == kept);
                CHECK(topic->configs.at("retention.ms") == "12345");
                CHECK_FALSE(lab.shard(i).metadata().topic("gone"));
            }
            check_filled(lab);
        }
        const Uuid anew = lab.create("gone", 2);
        CHECK(anew != kept);
        CHECK(lab.list_offset("gone", 0, -1).offset == 0);
    }
}

TEST_CASE("a node that was stopped starts clean and has everything") {
    Lab lab{6, 2};
    fill(lab);
    stop(lab);
    lab.restart(Crash::power_cut);
    CHECK(lab.shard(0).storage().was_clean());
    CHECK(lab.shard(1).storage().was_clean());
    check_filled(lab);
}

TEST_CASE("what asks for a change of the metadata while the node stops is answered, by every shard") {
    for (uint16_t shard = 0; shard < 2; shard++) {
        Lab lab{6, 2};
        fill(lab);
        bool began = false;
        lab.node.spawn(begin_stop(lab, began));
        REQUIRE(lab.world.run_until([&] { return began; }, 60'000 * lab_ms));
        wire::DeleteTopicsRequest::Topic asked{.name = "t", .topic_id = {}};
        const wire::DeleteTopicsRequest request{
            .topics = {&asked, 1}, .topic_names = {}, .timeout_ms = 30'000};
        const auto answer = lab.call<wire::DeleteTopicsResponse>(request, 6, shard);
        CHECK(answer->responses[0].error_code == Error::none);
        stop(lab);
    }
}

namespace {

// From here the disk is full: the journal cannot have another file, and the node knows it.
void fill_disk(Lab& lab) {
    lab.node.disk().options().capacity_bytes = lab.node.disk().used_bytes() + (64 << 10);
    const auto batch = one_record(std::string(60'000, 'x'), lab.node.io().wall_ms());
    while (lab.produce({.topic = "t", .timeout_ms = 500}, batch).error_code == Error::none) {}
}

}  // namespace

TEST_CASE("a produce that finds no room is answered at its timeout, and goes on when there is room before") {
    Lab lab{12, 1};
    lab.create("t", 1);
    fill_disk(lab);
    const int64_t end = lab.list_offset("t", 0, -1).offset;
    const uint64_t since_ns = lab.world.now_ns();
    const auto batch = one_record("x", lab.node.io().wall_ms());
    CHECK(lab.produce({.topic = "t", .timeout_ms = 700}, batch).error_code == Error::request_timed_out);
    const uint64_t waited_ns = lab.world.now_ns() - since_ns;
    CHECK(waited_ns >= 700 * lab_ms);
    CHECK(waited_ns < 720 * lab_ms);
    auto patient = lab.send_produce({.topic = "t"}, batch);
    lab.world.run_for(100 * lab_ms);
    CHECK_FALSE(patient->done);
    lab.node.disk().options().capacity_bytes = DiskOptions{}.capacity_bytes;
    lab.wait(*patient, 5'000 * lab_ms);
    const auto answer = Lab::decode<wire::ProduceResponse>(*patient);
    CHECK(answer->responses[0].partition_responses[0].error_code == Error::none);
    // What was appended and timed out for want of a commit is there, too.
    CHECK(answer->responses[0].partition_responses[0].base_offset >= end);
}

TEST_CASE("a node with a full disk and waiting producers stops at once, and answers them") {
    Lab lab{13, 2};
    lab.create("t", 1);
    lab.create("u", 1);
    fill_disk(lab);
    const auto batch = one_record("x", lab.node.io().wall_ms());
    std::vector<std::unique_ptr<Exchange>> waiting;
    for (uint16_t i = 0; i < 6; i++)
        waiting.push_back(lab.send_produce({.topic = "t", .shard = static_cast<uint16_t>(i % 2)}, batch));
    lab.world.run_for(10 * lab_ms);
    const uint64_t since_ns = lab.world.now_ns();
    stop(lab);
    CHECK(lab.world.now_ns() - since_ns < 3'000 * lab_ms);
    for (const auto& exchange : waiting) {
        REQUIRE(exchange->done);
        const auto answer = Lab::decode<wire::ProduceResponse>(*exchange);
        CHECK(answer->responses[0].partition_responses[0].error_code == Error::not_leader_or_follower);
    }
}

TEST_CASE(
    "a node that cannot open every partition for want of room does not start, and loses nothing by it") {
    int refused = 0, said = 0;
    for (uint64_t seed = 20; seed < 40; seed++) {
        CAPTURE(seed);
        Lab lab{seed, 2};
        fill(lab);
        lab.node.crash(seed % 2 ? Crash::kill : Crash::power_cut);
        DiskOptions& disk = lab.node.disk().options();
        const uint64_t room = (seed - 20) * 4'096;
        const uint64_t capacity = std::exchange(disk.capacity_bytes, lab.node.disk().used_bytes() + room);
        lab.node.restart();
        REQUIRE(lab.world.run_until([&] { return lab.program().started.has_value(); }, 60'000 * lab_ms));
        if (!lab.program().started->ok()) {
            refused++;
            CHECK(lab.program().started->error() == Error::kafka_storage_error);
            said += lab.world.has_line("no room to open every partition");
        }
        disk.capacity_bytes = capacity;
        lab.restart(Crash::kill);
        check_filled(lab);
    }
    CHECK(refused > 0);
    CHECK(said > 0);
}

TEST_CASE("each partition is on its slot's home and nowhere else, with the settings of its topic") {
    Lab lab{7, 3};
    lab.create("t", 9, {{"max.message.bytes", "4321"}});
    for (const PartitionInfo& partition : lab.shard(0).metadata().topic("t")->partitions)
        for (uint16_t i = 0; i < 3; i++) {
            Hosted* hosted = lab.shard(i).hosted(partition.slot);
            CHECK((hosted != nullptr) == (lab.shard(0).home(partition.slot) == ShardId{i}));
            if (hosted) CHECK(hosted->settings->config.max_message_bytes == 4'321);
        }
}

TEST_CASE("the data directory of another node is refused") {
    Lab lab{8, 1};
    lab.node.crash(Crash::kill);
    BrokerConfig other = Lab::small();
    other.node_id = 2;
    SimWorld world;
    SimNode& node = world.add_node({.shards = 1});
    copy_files(lab.node.disk(), node.disk(), "data");
    node.boot([&](SimNode& sim) {
        auto program = std::make_unique<BrokerNode>(sim, other, 1);
        sim.spawn(program->start());
        return program;
    });
    auto& program = *static_cast<BrokerNode*>(node.program());
    REQUIRE(world.run_until([&] { return program.started.has_value(); }, 60'000 * lab_ms));
    CHECK(program.started->error() == Error::invalid_config);
    CHECK(world.has_line("belongs to another node"));
}

TEST_CASE("a shard reads no other's journal while their number stays, and damage there does not concern it") {
    Lab lab{11, 2};
    fill(lab);
    lab.node.crash(Crash::kill);
    const std::string path = "data/journal/1/" + lab.node.disk().names("data/journal/1").front();
    const auto bytes = lab.node.disk().contents(path);
    const auto last = std::find_if(bytes.rbegin(), bytes.rend(), [](uint8_t byte) { return byte != 0; });
    const auto used = static_cast<uint64_t>(bytes.rend() - last);
    for (uint64_t at = used / 2; at < used / 2 + 4'096; at++) lab.node.disk().flip(path, at, 0x55);
    lab.node.restart();
    REQUIRE(lab.world.run_until([&] { return lab.program().started.has_value(); }, 60'000 * lab_ms));
    CHECK(lab.shard(0).storage().stats().damaged_entries == 0);
    CHECK(lab.shard(1).storage().stats().damaged_entries > 0);
}

TEST_CASE("retention deletes by itself what a topic's settings say is too old") {
    BrokerConfig config = Lab::small();
    config.log_retention_check_interval_ms = 1'000;
    Lab lab{9, 2, config};
    lab.create("t", 1, {{"retention.ms", "2000"}, {"segment.bytes", "1048576"}});
    lab.write("t", 0, "old");
    lab.world.run_for(500 * lab_ms);
    CHECK(lab.list_offset("t", 0, -2).offset == 0);
    lab.world.run_for(10'000 * lab_ms);
    CHECK(lab.list_offset("t", 0, -2).offset == 1);
    CHECK(lab.list_offset("t", 0, -1).offset == 1);
    CHECK(lab.write("t", 0, "new") == 1);
}

TEST_CASE("deleted records stay deleted when only some of other shards can begin their journals") {
    for (uint64_t i = 0; i < 12; i++) {
        CAPTURE(i);
        Lab lab{200 + i, 1};
        fill(lab);
        for (int32_t p = 0; p < 7; p++) {
            const Slot slot = lab.shard(0).metadata().topic("t")->partitions[p].slot;
            const auto trimmed = run_on(lab.world, lab.node,
                                        lab.shard(0).hosted(slot)->partition->log().set_log_start(Offset{4}));
            REQUIRE(trimmed->ok());
        }
        lab.set_shards(3);
        lab.node.crash(i % 2 ? Crash::kill : Crash::power_cut);
        lab.node.disk().options().capacity_bytes = lab.node.disk().used_bytes() + (9 << 20);
        lab.node.restart();
        REQUIRE(lab.world.run_until([&] { return lab.program().started.has_value(); }, 60'000 * lab_ms));
        CHECK_FALSE(lab.program().started->ok());
        lab.node.disk().options().capacity_bytes = DiskOptions{}.capacity_bytes;
        lab.set_shards(i % 3 ? 2 : 3);
        lab.restart(i % 2 ? Crash::power_cut : Crash::kill);
        for (int32_t p = 0; p < 7; p++) {
            CHECK(lab.list_offset("t", p, -2).offset == 4);
            CHECK(lab.list_offset("t", p, -1).offset == 10);
        }
    }
}

TEST_CASE("a start that is cut off at any moment is made good by the next one") {
    for (uint64_t i = 0; i < 40; i++) {
        CAPTURE(i);
        Lab lab{100 + i, 2};
        fill(lab);
        lab.node.crash(i % 2 ? Crash::kill : Crash::power_cut);
        lab.node.restart();
        lab.world.run_for(i * 700'000);
        lab.restart(i % 3 ? Crash::kill : Crash::power_cut);
        check_filled(lab);
        CHECK(lab.write("t", 3, "more") == 10);
    }
}

}  // namespace millrace
