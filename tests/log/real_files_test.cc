// A storage on real files: on a disk with O_DIRECT, and on tmpfs, which has none on older kernels.
#include <filesystem>

#include <doctest/doctest.h>

#include "../io/run.h"
#include "storage_world.h"

using namespace millrace;
using namespace millrace::test;

namespace {

constexpr int batches = 400;

LogSpec spec() {
    LogSpec spec{.slot = Slot{0}, .topic = "real", .config = {.segment_bytes = 400'000}};
    spec.topic_id.bytes[0] = 9;
    return spec;
}

StorageConfig config_in(std::string directory) {
    StorageConfig config = StorageWorld::small();
    config.directory = std::move(directory);
    config.block_cache_bytes = 512 << 10;
    return config;
}

Task<std::unique_ptr<Storage>> begin(Io& io, std::string directory) {
    auto storage = co_await Storage::open(io, config_in(std::move(directory)));
    REQUIRE(storage.ok());
    const auto loaded = co_await (*storage)->load(spec());
    REQUIRE(loaded.ok());
    Result<> result = co_await (*storage)->finish_recovery();
    if (result) result = co_await (*storage)->start();
    if (result) result = co_await (*storage)->forget_past();
    REQUIRE(result.ok());
    (*storage)->run().detach();
    co_return std::move(*storage);
}

std::vector<uint8_t> batch_at(int i, Offset base) {
    auto batch = make_batch(static_cast<uint64_t>(i) * 3, 4'000);  // One record each.
    patch_placement(batch, {.base_offset = base, .leader_epoch = Epoch{0}});
    return batch;
}

Task<> read_back(Log& log) {
    Offset at{0};
    while (at < log.end()) {
        const auto slice = co_await log.read({.from = at, .max_bytes = 300'000, .limit = log.end()});
        REQUIRE(slice.ok());
        REQUIRE(!slice->empty());
        const auto bytes = bytes_of(*slice);
        BatchReader reader{bytes};
        while (const auto batch = reader.next()) {
            const auto expected =
                batch_at(static_cast<int>(batch->base_offset().value), batch->base_offset());
            REQUIRE(
                std::equal(batch->bytes().begin(), batch->bytes().end(), expected.begin(), expected.end()));
            at = batch->next_offset();
        }
    }
    CHECK(at == Offset{batches});
}

Task<> write_restart_read(Io& io, std::string parent) {
    ScratchDirectory scratch(parent);
    const std::string directory = scratch / "data";
    auto storage = co_await begin(io, directory);
    for (int i = 0; i < batches; i++) {
        Log* log = storage->find(Slot{0});
        const auto batch = batch_at(i, Offset{i});
        const auto appended = log->append({.batch = batch, .leader_epoch = Epoch{0}});
        REQUIRE(appended.ok());
        log->want_durable();
        while (log->durable() < log->end()) co_await sleep_for(io, 100'000);
    }
    Result<> closed = co_await storage->close();
    REQUIRE(closed.ok());
    storage.reset();
    storage = co_await begin(io, directory);
    Log* log = storage->find(Slot{0});
    CHECK(log->end() == Offset{batches});
    CHECK(log->segment_count() > 3);
    co_await read_back(*log);
    co_await read_back(*log);
    CHECK(storage->stats().disk_reads > 0);
    CHECK(storage->stats().block_cache_bytes <= (512 << 10));
    CHECK(storage->stats().damaged_ranges == 0);
    closed = co_await storage->close();
    REQUIRE(closed.ok());
    storage.reset();
}

}  // namespace

TEST_CASE("a storage writes, starts again and reads on a real disk") {
    test::run([](Io& io) { return write_restart_read(io, "/tmp"); });
}

TEST_CASE("a storage writes, starts again and reads on a file system in memory") {
    if (!std::filesystem::is_directory("/dev/shm")) return;
    test::run([](Io& io) { return write_restart_read(io, "/dev/shm"); });
}
