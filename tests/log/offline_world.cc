// A stopped data directory.
#include "offline_world.h"

#include <doctest/doctest.h>

namespace millrace {

namespace {

class IdleProgram final : public SimProgram {};

}  // namespace

void OfflineWorld::fill(uint64_t seed) {
    for (uint32_t slot = 1; slot <= 3; slot++) {
        LogModel& m = add(slot, {.segment_bytes = 48 << 10, .index_interval_bytes = 2048});
        m.spec.topic = "clicks", m.spec.partition = static_cast<int32_t>(slot);
        m.spec.topic_id.bytes[15] = 7;
    }
    node.boot([this](SimNode& n) -> std::unique_ptr<SimProgram> {
        if (idle) return std::make_unique<IdleProgram>();
        auto program = std::make_unique<StorageProgram>(n, config, model);
        n.spawn(program->start());
        return program;
    });
    REQUIRE(wait_started());
    REQUIRE(run([](OfflineWorld& w) -> Task<> {
        const auto written = co_await write_identity(
            w.node.io(), "data", {.node = NodeId{1}, .directory_id = Uuid{{3}}, .cluster_id = "a-cluster"});
        REQUIRE(written.ok());
    }(*this)));
    int32_t sequence[4] = {};
    for (uint64_t i = 0; i < 220; i++) {
        const auto slot = static_cast<uint32_t>(1 + (seed + i * 7) % 3);
        const size_t size = 100 + (seed * 31 + i * 977) % 3000;
        const bool is_idempotent = i % 2 == 0;
        const auto records = static_cast<int32_t>(1 + i % 3);
        const auto batch =
            make_batch(i, size, static_cast<int64_t>(1000 + i * 10),
                       ProducerId{is_idempotent ? int64_t{slot} : -1}, is_idempotent ? sequence[slot] : -1);
        REQUIRE(program().append(Slot{slot}, batch, Epoch{static_cast<int32_t>(i / 60)}) == Error::none);
        if (is_idempotent) sequence[slot] += records;
        if (i % 5 == 0) REQUIRE(settle());
    }
}

void OfflineWorld::stop() {
    REQUIRE(settle());
    REQUIRE(run([](OfflineWorld& w) -> Task<> {
        auto closing = w.storage().close();
        const auto closed = co_await closing;
        REQUIRE(closed.ok());
    }(*this)));
    end(Crash::kill);
}

void OfflineWorld::end(Crash how) {
    crash(how);
    idle = true;
    node.restart();
}

void OfflineWorld::start() {
    node.crash(Crash::kill);
    idle = false;
    node.restart();
    REQUIRE(wait_started());
}

std::vector<Finding> OfflineWorld::verify() {
    CollectedFindings found;
    REQUIRE(run([](OfflineWorld& w, CollectedFindings& found) -> Task<> {
        const auto verified = co_await verify_directory(w.node.io(), {.directory = "data"}, found);
        REQUIRE(verified.ok());
        w.report = *verified;
    }(*this, found)));
    return found.all;
}

std::vector<Finding> grave(const std::vector<Finding>& findings) {
    std::vector<Finding> left;
    for (const Finding& finding : findings)
        if (finding.severity != Severity::note) left.push_back(finding);
    return left;
}

std::string text_of(const std::vector<Finding>& findings) {
    std::string text;
    for (const Finding& f : findings)
        text += std::string{severity_name(f.severity)} + " " + f.file + "@" + std::to_string(f.position) +
                " [" + std::to_string(f.first_offset) + ".." + std::to_string(f.last_offset) + "] " + f.what +
                "\n";
    return text;
}

std::vector<std::string> files_below(SimDisk& disk, const std::string& directory) {
    std::vector<std::string> files;
    for (const std::string& name : disk.names(directory)) {
        const std::string path = directory + "/" + name;
        const auto below = files_below(disk, path);
        files.insert(files.end(), below.begin(), below.end());
        if (below.empty() && !disk.contents(path).empty()) files.push_back(path);
    }
    return files;
}

HurtBatch hurt_second_batch(SimDisk& disk, const std::string& file) {
    const auto bytes = disk.contents(file);
    BatchReader reader{bytes};
    const auto first = reader.next(), second = reader.next();
    REQUIRE(second);
    disk.flip(file, first->size() + 70, 4);
    return {first->size(), second->size(), second->base_offset(), second->last_offset()};
}

}  // namespace millrace
