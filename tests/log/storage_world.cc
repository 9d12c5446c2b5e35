// The simulated node of the storage tests.
#include "storage_world.h"

#include <doctest/doctest.h>

namespace millrace {

std::vector<uint8_t> make_batch(uint64_t seed, size_t size, int64_t timestamp, ProducerId producer,
                                int32_t sequence) {
    BatchBuilder builder{{.producer_id = producer,
                          .producer_epoch = static_cast<int16_t>(producer.value < 0 ? -1 : 0),
                          .base_sequence = sequence}};
    const size_t records = 1 + seed % 3;
    for (size_t i = 0; i < records; i++) {
        std::vector<uint8_t> value(size / records + 1);
        uint64_t x = seed * 0x9e3779b97f4a7c15 + i;
        for (uint8_t& byte : value) byte = static_cast<uint8_t>((x = x * 6364136223846793005 + 1) >> 56);
        builder.add({.timestamp = timestamp + static_cast<int64_t>(i), .value = Bytes{value}});
    }
    return builder.build();
}

std::vector<uint8_t> bytes_of(const Slice& slice) {
    std::vector<uint8_t> bytes;
    for (const Bytes piece : slice.pieces()) bytes.insert(bytes.end(), piece.begin(), piece.end());
    return bytes;
}

// ---- The program ---------------------------------------------------------------------------------------

Task<> StorageProgram::start() {
    auto opened = co_await Storage::open(node.io(), config);
    if (!opened) {
        start_error = opened.error();
        co_return;
    }
    storage = std::move(*opened);
    for (auto& [slot, log] : model) {
        if (log.removing) continue;
        const auto loaded = co_await storage->load(log.spec);
        if (!loaded) {
            start_error = loaded.error();
            co_return;
        }
        (*loaded)->set_listener(this);
    }
    auto result = co_await storage->finish_recovery();
    if (result) result = co_await storage->start();
    if (result) result = co_await storage->forget_past();
    if (!result) {
        start_error = result.error();
        co_return;
    }
    started = true;
    storage->run().detach();
}

void StorageProgram::on_progress(Log& log) {
    progress_count++;
    LogModel& m = model.at(log.spec().slot);
    ASSERT(log.durable() >= m.durable && log.durable() <= log.written());
    ASSERT(log.written() >= m.written && log.written() <= log.end());
    m.durable = log.durable(), m.written = log.written();
}

void StorageProgram::on_failed(Log&, Error) { failed_count++; }

// As the node's own work: what an append wakes belongs to the node, and dies with it.
Error StorageProgram::append(Slot slot, const std::vector<uint8_t>& batch, Epoch epoch) {
    if (!node.is_running()) return Error::kafka_storage_error;
    Error error = Error::none;
    node.spawn([](StorageProgram& self, Slot slot, const std::vector<uint8_t>& batch, Epoch epoch,
                  Error& error) -> Task<> {
        error = self.append_now(slot, batch, epoch);
        co_return;
    }(*this, slot, batch, epoch, error));
    return error;
}

Error StorageProgram::append_now(Slot slot, const std::vector<uint8_t>& batch, Epoch epoch) {
    Log* log = storage->find(slot);
    if (!log) return Error::unknown_topic_or_partition;
    LogModel& m = model.at(slot);
    const auto appended = log->append({.batch = batch, .leader_epoch = epoch});
    if (!appended) return appended.error();
    if (appended->duplicate) return Error::duplicate_sequence_number;
    CHECK(appended->first == m.end);
    std::vector<uint8_t> stored = batch;
    patch_placement(stored, {.base_offset = appended->first, .leader_epoch = epoch});
    m.batches[appended->first] = std::move(stored);
    m.end = appended->last + 1;
    return Error::none;
}

// ---- The world -----------------------------------------------------------------------------------------

StorageConfig StorageWorld::small() {
    return {.directory = "data",
            .journal_files = 3,
            .journal_file_bytes = 256 << 10,
            .tail_cache_bytes = 256 << 10,
            .dirty_bytes_max = 512 << 10,
            .direct_append_bytes = 16 << 10,
            .unsaved_bytes_max = 128 << 10,
            .durable_habit_ns = 3'000'000,
            .reserve_bytes = 0,
            .descriptors_max = 4,
            .index_cache_bytes = 1 << 10};
}

StorageWorld::StorageWorld(uint64_t seed, StorageConfig config, DiskOptions disk)
    : world({.seed = seed, .print_log = false}),
      node(world.add_node({.disk = disk})),
      config(std::move(config)) {
    node.disk().put("data/lost+found", {});
}

void StorageWorld::crash(Crash how) {
    crashed(how);
    node.crash(how);
}

void StorageWorld::crashed(Crash how) {
    if (how == Crash::power_cut)
        for (auto& [slot, log] : model) log.written = log.durable;
}

LogModel& StorageWorld::add(uint32_t slot, LogConfig config) {
    LogModel& m = model[Slot{slot}];
    m.spec = {.slot = Slot{slot}, .topic = "topic" + std::to_string(slot), .partition = 0, .config = config};
    m.spec.topic_id.bytes[0] = 1, m.spec.topic_id.bytes[15] = static_cast<uint8_t>(slot);
    return m;
}

void StorageWorld::boot() {
    node.boot([this](SimNode& n) {
        auto program = std::make_unique<StorageProgram>(n, config, model);
        n.spawn(program->start());
        return program;
    });
}

bool StorageWorld::wait_started() {
    const auto over = [&] {
        return !node.is_running() || program().started || program().start_error != Error::none;
    };
    world.run_until(over, 600'000'000'000);
    return node.is_running() && program().started;
}

namespace {

Task<> and_then(Task<> task, bool& done) {
    co_await task;
    done = true;
}

}  // namespace

bool StorageWorld::run(Task<> task, uint64_t within_ns) {
    bool done = false;
    node.spawn(and_then(std::move(task), done));
    return world.run_until([&] { return done || !node.is_running(); }, within_ns) && done;
}

bool StorageWorld::settle() {
    return world.run_until(
        [&] {
            for (const auto& [slot, m] : model)
                if (!m.removing && m.durable != m.end) return false;
            return true;
        },
        60'000'000'000);
}

void StorageWorld::check_all() {
    for (auto& [slot, m] : model)
        if (!m.removing) REQUIRE(run(check_log(slot)));
}

Task<> StorageWorld::check_log(Slot slot) {
    LogModel& m = model.at(slot);
    Log* log = storage().find(slot);
    REQUIRE(log);
    REQUIRE(log->failure() == Error::none);
    CAPTURE(log->end().value);
    CAPTURE(m.written.value);
    CHECK(log->end() >= m.written);
    CHECK(log->log_start() >= m.log_start);
    CHECK(log->log_start() <= std::max(m.log_start_asked, m.log_start));
    m.batches.erase(m.batches.lower_bound(log->end()), m.batches.end());
    const Offset model_end =
        m.batches.empty() ? log->end() : BatchView::parse(m.batches.rbegin()->second)->next_offset();
    CHECK(log->end() == model_end);  // On a boundary of what was appended.
    m.end = log->end(), m.durable = m.written = log->durable(), m.log_start = log->log_start();
    m.log_start_asked = m.log_start;
    Offset at = m.log_start;
    while (at < m.end) {
        const auto slice = co_await log->read({.from = at, .max_bytes = 100'000, .limit = m.end});
        REQUIRE(slice.ok());
        REQUIRE(!slice->empty());
        const std::vector<uint8_t> bytes = bytes_of(*slice);
        BatchReader reader{bytes};
        while (const auto batch = reader.next()) {
            const auto expected = m.batches.find(batch->base_offset());
            REQUIRE(expected != m.batches.end());
            REQUIRE(std::equal(batch->bytes().begin(), batch->bytes().end(), expected->second.begin(),
                               expected->second.end()));
            REQUIRE(batch->next_offset() > at);
            at = batch->next_offset();
        }
        REQUIRE(reader.error() == Error::none);
    }
}

Task<> delete_records(LogModel& m, Log& log, Offset to) {
    m.log_start_asked = to;
    auto deleting = log.set_log_start(to);
    const auto done = co_await deleting;
    if (done) m.log_start = to;
}

}  // namespace millrace
