// What is read of segment files when: ahead of readers in order, behind what somebody waits for, and little
// while commits are written.
#include "read_ahead.h"

#include <doctest/doctest.h>

namespace millrace {
namespace {

// Keeps reads until the test lets them end.
class ReadsIo final : public Io {
 public:
    void submit(Op& op) override {
        REQUIRE(op.kind == Op::Kind::read);
        reads.push_back(&op);
    }
    void cancel(Op&) override {}
    void give_back(ReceiveBuffer) override {}
    void post(ShardId, Letter&) override {}
    uint64_t now_ns() const override { return now; }
    int64_t wall_ms() const override { return 0; }
    uint64_t random() override { return 0; }
    ShardId shard() const override { return ShardId{0}; }
    uint16_t shard_count() const override { return 1; }
    std::string local_address(int) const override { return {}; }
    std::string peer_address(int) const override { return {}; }
    Logger& log() override { std::abort(); }

    std::vector<uint64_t> blocks() const {
        std::vector<uint64_t> result;
        for (const Op* op : reads) result.push_back(op->offset / Block::size_max);
        return result;
    }
    void end_first() {
        Op& op = *reads.front();
        reads.erase(reads.begin());
        op.done({.value = static_cast<int32_t>(op.size)});
    }
    void end_all() {
        while (!reads.empty()) end_first();
    }
    uint64_t now = 1'000'000'000;
    std::vector<Op*> reads;
};

struct Lab {
    explicit Lab(uint64_t cache_bytes = 32 << 20) : config{.block_cache_bytes = cache_bytes} {}
    ~Lab() { io.end_all(); }

    BlockCache::Place at(uint64_t block, uint32_t slot = 0) {
        return {.key = {.slot = Slot{slot}, .segment = Offset{0}, .version = 0},
                .file = &file,
                .file_end = file_end,
                .position = block * Block::size_max};
    }
    // Somebody reads these blocks one after the other, and comes back for what follows.
    void read(uint64_t from, uint64_t count) {
        ahead.begins(at(from), count * Block::size_max);
        for (uint64_t i = from; i < from + count; i++) cache.fetch(at(i));
        ahead.went_on(at(from + count), from * Block::size_max, Offset{static_cast<int64_t>(from + count)});
    }

    static constexpr uint64_t file_end = 1 << 30;
    StorageConfig config;
    ReadsIo io;
    DeviceUse device;
    StorageStats stats;
    OpenFile file{.fd = 3, .users = 1};
    Descriptors descriptors{io, 8};
    BlockCache cache{io, descriptors, stats, config, device};
    ReadAhead ahead{cache};
};

}  // namespace

TEST_CASE("a reader that goes on has what follows fetched before it asks, and more each time") {
    Lab lab;
    lab.read(0, 1);
    CHECK(lab.io.blocks() == std::vector<uint64_t>{0, 1});
    lab.io.end_all();
    lab.read(1, 1);
    CHECK(lab.io.blocks() == std::vector<uint64_t>{2, 3});
    lab.io.end_all();
    lab.read(2, 1);
    CHECK(lab.io.blocks() == std::vector<uint64_t>{4, 5, 6});
    CHECK(lab.ahead.place_of(lab.at(0).key, Offset{3}) == 3 * Block::size_max);
}

TEST_CASE("a reader here and there has nothing fetched ahead") {
    Lab lab;
    for (const uint64_t block : {7, 90, 33, 250}) {
        lab.read(block, 1);
        CHECK(lab.io.blocks() == std::vector<uint64_t>{block});
        lab.io.end_all();
    }
}

TEST_CASE("what is fetched ahead of many readers together is a share of the cache") {
    Lab lab{8 << 20};
    uint64_t reads = 0;
    for (uint64_t round = 0; round < 12; round++)
        for (uint32_t reader = 0; reader < 8; reader++) {
            const uint64_t from = reader * 500 + round;
            if (round == 0) lab.ahead.went_on(lab.at(from), 0, Offset{0});
            lab.read(from, 1);
            reads = std::max<uint64_t>(reads, lab.io.reads.size());
            lab.io.end_all();
        }
    CHECK(reads <= 4);  // An eighth of 8 MiB is 8 blocks, for 8 readers; and what is asked for.
}

TEST_CASE("what somebody waits for is read before what is only fetched ahead") {
    Lab lab;
    lab.device.note_write(lab.io.now);
    for (uint64_t i = 0; i < 5; i++) CHECK(lab.cache.fetch_ahead(lab.at(i)));
    lab.cache.fetch(lab.at(100));
    lab.cache.fetch(lab.at(3));
    std::vector<uint64_t> order;
    while (!lab.io.reads.empty()) {
        order.push_back(lab.io.blocks().front());
        lab.io.end_first();
    }
    CHECK(order == std::vector<uint64_t>{0, 100, 3, 1, 2, 4});
}

TEST_CASE("while commits are written few reads are under way at a time, and many again soon after") {
    Lab lab;
    const auto ask = [&](uint64_t from) {
        for (uint64_t i = from; i < from + 60; i++) lab.cache.fetch(lab.at(i));
    };
    ask(0);
    CHECK(lab.io.reads.size() == BlockCache::reads_max);
    lab.io.end_all();
    lab.device.note_write(lab.io.now);
    ask(100);
    CHECK(lab.io.reads.size() == BlockCache::reads_beside_writes);
    lab.io.now += 200'000'000;
    lab.io.end_first();
    CHECK(lab.io.reads.size() == BlockCache::reads_max);
}

TEST_CASE("only so much waits that nobody asked for") {
    Lab lab;
    uint64_t taken = 0;
    while (lab.cache.fetch_ahead(lab.at(taken))) taken++;
    CHECK(taken == BlockCache::ahead_max);
}

TEST_CASE("what was fetched ahead outlives one round of making room") {
    Lab lab{16 * Block::size_max};
    CHECK(lab.cache.fetch_ahead(lab.at(0)));
    lab.io.end_all();
    for (uint64_t i = 100; i < 116; i++) {
        lab.cache.fetch(lab.at(i));
        lab.io.end_all();
    }
    lab.cache.fetch(lab.at(0));
    CHECK(lab.io.reads.empty());
}

}  // namespace millrace
