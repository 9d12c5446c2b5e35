// Mending a stopped data directory: what verify finds, and what can be made anew or given up, one by one.
//
// What always holds: nothing is changed before all changes were listed; what is derived is made from what is
// right; bytes of records are touched only where they are given up. Lives in one coroutine.
#include "checkpoint.h"
#include "damage.h"
#include "data_directory.h"
#include "epochs.h"
#include "files.h"
#include "filler.h"
#include "identity.h"
#include "index.h"
#include "journal_reader.h"
#include "millrace/log_tools.h"
#include "partition_meta.h"
#include "producers.h"
#include "segment_scan.h"

namespace millrace {

namespace {

class Repair final : FindingListener {
 public:
    Repair(Io& io, RepairOptions options, RepairListener& listener)
        : io_(io), options_(std::move(options)), listener_(listener) {}
    Task<Result<RepairReport>> run();

 private:
    struct Planned {
        Finding finding;
        Change change;
        bool is_mark = false;  // The finding stays; it is only remembered.
    };
    void on_finding(const Finding& finding) override;
    void on_progress(uint64_t bytes_read, std::string_view partition) override {
        listener_.on_progress(bytes_read, partition);
    }
    void leave(const Finding& finding);
    void leave_accused();
    Task<> plan_marks();
    Task<Result<>> mark(Finding finding);
    Task<std::optional<Damage>> read_marks(std::string partition);
    std::string plan(const Finding& finding, Change& change) const;
    std::string plan_batches(const Finding& finding, Change& change) const;
    Task<Result<>> make(Finding finding);
    Task<Result<>> write_identity_copies();
    Task<Result<>> write_partition_metadata(Finding finding);
    Task<Result<>> remove_partition_meta(Finding finding);
    Task<Result<>> rebuild_index(Finding finding);
    Task<Result<>> rebuild_snapshot(Finding finding);
    Task<Result<>> rebuild_epochs(Finding finding);
    Task<Result<>> mend_batch_epoch(Finding finding);
    Task<Result<>> fill(Finding finding);
    Task<Result<>> cut(Finding finding);
    Task<Result<>> remove(std::string file);
    Task<Result<>> remove_sum(Finding finding);

    // Every sound batch of a partition's segments in [from, until).
    using OnBatch = std::function<void(const BatchHeader&, uint64_t position)>;
    struct Walk {
        std::string partition;
        Offset from, until{INT64_MAX};
    };
    Task<Result<>> walk(Walk walk, OnBatch on_batch);
    Task<Result<>> walk_segment(std::string path, Offset base, OnBatch on_batch);
    std::string path_of(std::string_view file) const {
        return options_.verify.directory + "/" + std::string{file};
    }
    std::string path_of(const Finding& f, std::string_view suffix) const {
        return path_of(f.partition + "/" + offset_name(f.segment, suffix));
    }

    Io& io_;
    const RepairOptions options_;
    RepairListener& listener_;
    std::vector<Planned> planned_;
    std::vector<Finding> unmended_;  // Batches that stay damaged, of known offsets.
    std::vector<Finding> accused_;   // Segments whose sums say that bytes are wrong which look sound.
    RepairReport report_;
    bool was_clean_ = false;
    std::set<Uuid> topic_ids_;  // That the journals know.
};

Task<Result<RepairReport>> Repair::run() {
    const auto journals = co_await read_journals(io_, options_.verify.directory, {.is_lost = true});
    was_clean_ = journals && journals->all_clean;
    if (journals)
        for (const auto& [slot, log] : journals->logs)
            if (log.has_state) topic_ids_.insert(log.topic_id);
    const auto found = co_await verify_directory(io_, options_.verify, *this);
    if (!found) co_return found.error();
    report_.found = *found;
    leave_accused();
    co_await plan_marks();
    for (const Planned& planned : planned_) {
        listener_.on_change(planned.change);
        report_.changes++;
        if (planned.change.first_lost >= 0)
            report_.offsets_lost +=
                static_cast<uint64_t>(planned.change.last_lost - planned.change.first_lost + 1);
    }
    for (size_t i = 0; i < planned_.size() && !options_.dry_run; i++) {
        auto making = planned_[i].is_mark ? mark(planned_[i].finding) : make(planned_[i].finding);
        const auto made = co_await making;
        if (!made) co_return told_outside(made.error());
        listener_.on_made(planned_[i].change);
    }
    co_return std::move(report_);
}

// ---- What would be done --------------------------------------------------------------------------------

void Repair::on_finding(const Finding& finding) {
    if (finding.severity == Severity::note) return;
    if (finding.kind == FindingKind::sum && finding.severity == Severity::damage)
        return accused_.push_back(finding);
    Planned planned{.finding = finding, .change = {.file = finding.file, .what = {}}};
    planned.change.what = plan(finding, planned.change);
    const auto same = [&](const Planned& other) {
        return other.change.file == planned.change.file && other.change.what == planned.change.what &&
               finding.kind != FindingKind::batches && finding.kind != FindingKind::batch_epoch;
    };
    if (!planned.change.what.empty() && std::any_of(planned_.begin(), planned_.end(), same)) return;
    if (!planned.change.what.empty() && planned_.size() < changes_max)
        return planned_.push_back(std::move(planned));
    leave(finding);
}

void Repair::leave(const Finding& finding) {
    const bool is_known = finding.first_offset >= 0 && finding.last_offset >= finding.first_offset;
    if (finding.kind == FindingKind::batches && is_known && unmended_.size() < changes_max)
        unmended_.push_back(finding);
    report_.left++;
    listener_.on_left(finding);
}

// Where a batch gets its epoch back, the sums may well agree again.
void Repair::leave_accused() {
    for (const Finding& finding : accused_) {
        const auto mends_it = [&](const Planned& planned) {
            return planned.finding.kind == FindingKind::batch_epoch && planned.finding.file == finding.file;
        };
        if (!std::any_of(planned_.begin(), planned_.end(), mends_it)) leave(finding);
    }
}

namespace {

DamagedRange range_of(const Finding& finding, int64_t found_ms) {
    return {.first = Offset{finding.first_offset},
            .next = Offset{finding.last_offset + 1},
            .segment = finding.segment,
            .position = static_cast<uint64_t>(std::max<int64_t>(finding.position, 0)),
            .length = static_cast<uint64_t>(std::max<int64_t>(finding.bytes, 0)),
            .cause = DamageCause::checksum,
            .found_ms = found_ms};
}

}  // namespace

// What stays damaged is remembered as the broker does it, so that no reader has to find it first.
Task<> Repair::plan_marks() {
    for (Finding finding : unmended_) {
        const auto marks = co_await read_marks(finding.partition);
        if (!marks || marks->contains(range_of(finding, 0)) || planned_.size() >= changes_max) continue;
        Change change{.file = finding.partition + "/damaged", .what = {}};
        change.what = "offsets " + std::to_string(finding.first_offset) + " to " +
                      std::to_string(finding.last_offset) + " are marked as damaged, and not served";
        planned_.push_back({.finding = std::move(finding), .change = std::move(change), .is_mark = true});
    }
}

// Nothing when the file cannot be read: the broker then serves nothing of the partition.
Task<std::optional<Damage>> Repair::read_marks(std::string partition) {
    const auto text = co_await read_file(io_, path_of(partition + "/damaged"), 1 << 20);
    if (text) co_return Damage::from_text(as_text(*text));
    co_return text.error() == Error::resource_not_found ? std::optional{Damage{}} : std::nullopt;
}

// Empty: nothing can be done.
std::string Repair::plan(const Finding& finding, Change& change) const {
    switch (finding.kind) {
        case FindingKind::identity_copy: return "written anew from its good copy";
        case FindingKind::partition_metadata: return "written anew from partition.meta";
        case FindingKind::partition_meta: return "taken away: the broker writes it anew when it starts";
        case FindingKind::homes: return "taken away: moved partitions go back to their first shard";
        case FindingKind::index:
            return finding.segment.value >= 0 && was_clean_
                       ? "both indexes of the segment made anew from its batches"
                       : "taken away: the broker makes it anew when it starts";
        case FindingKind::snapshot: return "made anew from the batches";
        case FindingKind::epochs: return "made anew from the batches";
        case FindingKind::batch_epoch:
            return "the leader epoch of the batch at " + std::to_string(finding.position) +
                   " set to that of its offsets";
        case FindingKind::tail:
            return was_clean_
                       ? "cut to " + std::to_string(finding.position) + " bytes, where its last batch ends"
                       : "";
        case FindingKind::batches: return plan_batches(finding, change);
        case FindingKind::sum: return "taken away: the broker makes it anew";
        case FindingKind::mark:
            return options_.discard_damaged ? "taken away: what it names was given up" : "";
        default: return "";
    }
}

std::string Repair::plan_batches(const Finding& finding, Change& change) const {
    const bool is_known = finding.first_offset >= 0 && finding.last_offset >= finding.first_offset;
    const bool can_fill =
        is_known && was_clean_ && finding.position >= 0 && finding.bytes > 0 &&
        can_make_filler(static_cast<uint64_t>(finding.bytes), finding.last_offset - finding.first_offset + 1);
    if (!options_.discard_damaged || !can_fill) return "";
    change.first_lost = finding.first_offset, change.last_lost = finding.last_offset;
    return "GIVEN UP: offsets " + std::to_string(finding.first_offset) + " to " +
           std::to_string(finding.last_offset) + " of " + finding.partition + ", " +
           std::to_string(finding.bytes) + " bytes at " + std::to_string(finding.position);
}

// ---- Doing it ------------------------------------------------------------------------------------------

Task<Result<>> Repair::make(Finding finding) {
    switch (finding.kind) {
        case FindingKind::identity_copy: co_return co_await write_identity_copies();
        case FindingKind::partition_meta: co_return co_await remove_partition_meta(std::move(finding));
        case FindingKind::partition_metadata: co_return co_await write_partition_metadata(std::move(finding));
        case FindingKind::index: co_return co_await rebuild_index(std::move(finding));
        case FindingKind::snapshot: co_return co_await rebuild_snapshot(std::move(finding));
        case FindingKind::epochs: co_return co_await rebuild_epochs(std::move(finding));
        case FindingKind::batch_epoch: co_return co_await mend_batch_epoch(std::move(finding));
        case FindingKind::tail: co_return co_await cut(std::move(finding));
        case FindingKind::batches: co_return co_await fill(std::move(finding));
        default: co_return co_await remove(std::move(finding.file));
    }
}

Task<Result<>> Repair::mark(Finding finding) {
    auto marks = co_await read_marks(finding.partition);
    if (!marks || !marks->add(range_of(finding, io_.wall_ms()))) co_return Result<>{};
    const std::string text = marks->to_text();
    auto written = co_await write_file(io_, path_of(finding.partition + "/damaged"),
                                       std::vector<uint8_t>(text.begin(), text.end()), Sync::yes);
    if (written) written = co_await sync_directory(io_, path_of(finding.partition));
    co_return written;
}

Task<Result<>> Repair::write_identity_copies() {
    const auto copies = co_await read_identity_copies(io_, options_.verify.directory);
    if (!copies) co_return copies.error();
    const auto& good = copies->first ? copies->first : copies->second;
    if (!good) co_return Error::kafka_storage_error;
    co_return co_await write_identity(io_, options_.verify.directory, *good);
}

Task<Result<>> Repair::write_partition_metadata(Finding finding) {
    const auto bytes = co_await read_file(io_, path_of(finding.partition + "/partition.meta"), block_size);
    const auto meta = bytes ? decode_partition_meta(*bytes) : std::nullopt;
    if (!meta) co_return co_await remove(finding.file);  // The broker writes both.
    const std::string text = kafka_metadata_text(meta->topic_id);
    auto written = co_await write_file(io_, path_of(finding.file),
                                       std::vector<uint8_t>(text.begin(), text.end()), Sync::yes);
    if (written) written = co_await sync_directory(io_, path_of(finding.partition));
    co_return written;
}

// Only where partition.metadata names a topic that the journals know, or the broker would take the directory
// for another topic's and set it aside.
Task<Result<>> Repair::remove_partition_meta(Finding finding) {
    const auto text = co_await read_file(io_, path_of(finding.partition + "/partition.metadata"), block_size);
    const auto id = text ? topic_id_of_kafka_metadata(as_text(*text)) : std::nullopt;
    if (!id || topic_ids_.contains(*id)) co_return co_await remove(std::move(finding.file));
    leave(finding);
    co_return Result<>{};
}

Task<Result<>> Repair::rebuild_index(Finding finding) {
    constexpr uint32_t interval = 4096;
    auto result = co_await remove_sum(finding);  // The broker makes it anew.
    if (result) result = co_await remove_file(io_, path_of(finding, ".index"));
    if (result) result = co_await remove_file(io_, path_of(finding, ".timeindex"));
    if (!result || !was_clean_) co_return result;
    SegmentIndex index;
    const Offset base = finding.segment;
    result = co_await walk_segment(
        path_of(finding, ".log"), base,
        [&](const BatchHeader& batch, uint64_t position) { index.add(batch, base, position, interval); });
    index.finish();
    if (result)
        result = co_await write_file(io_, path_of(finding, ".index"), index.offset_bytes(), Sync::yes);
    if (result)
        result = co_await write_file(io_, path_of(finding, ".timeindex"), index.time_bytes(), Sync::yes);
    if (result) result = co_await sync_directory(io_, path_of(finding.partition));
    co_return result;
}

// From the newest sound one below it on, or from the log's start.
Task<Result<>> Repair::rebuild_snapshot(Finding finding) {
    const auto names = co_await list_directory(io_, path_of(finding.partition));
    if (!names) co_return names.error();
    const PartitionFiles files = sort_partition_files(*names);
    Producers producers;
    Offset from;
    for (auto it = files.snapshots.rbegin(); it != files.snapshots.rend() && from == Offset{0}; ++it) {
        if (*it >= finding.segment) continue;
        const auto bytes =
            co_await read_file(io_, path_of(finding.partition + "/" + offset_name(*it, ".snapshot")));
        if (bytes && producers.from_snapshot(*bytes, io_.wall_ms())) from = *it;
    }
    Offset end;
    auto walked =
        co_await walk({finding.partition, from, finding.segment}, [&](const BatchHeader& batch, uint64_t) {
            constexpr size_t producers_max = 10'000;
            producers.record(batch, std::min(batch.max_timestamp, io_.wall_ms()), producers_max);
            end = batch.next();
        });
    if (!walked) co_return walked;
    if (end < finding.segment) co_return co_await remove(finding.file);  // Of offsets that are not there.
    auto written = co_await write_file(io_, path_of(finding.file), producers.to_snapshot(), Sync::yes);
    if (written) written = co_await sync_directory(io_, path_of(finding.partition));
    co_return written;
}

// From the batches: one that is of another epoch than its neighbours was found by itself.
Task<Result<>> Repair::rebuild_epochs(Finding finding) {
    Epochs epochs;
    auto walked = co_await walk({finding.partition, Offset{0}}, [&](const BatchHeader& batch, uint64_t) {
        epochs.assign(batch.leader_epoch, batch.base);
    });
    if (!walked) co_return walked;
    auto written = co_await write_checkpoint(io_, path_of(finding.partition), epochs.to_text());
    if (written) written = co_await sync_directory(io_, path_of(finding.partition));
    co_return written;
}

Task<Result<>> Repair::mend_batch_epoch(Finding finding) {
    constexpr uint64_t epoch_at = 12;
    const auto known = co_await read_checkpoint(io_, path_of(finding.partition));
    if (!known || !known->epochs) co_return Result<>{};
    std::vector<uint8_t> epoch(sizeof(int32_t));
    store_big(epoch.data(), known->epochs->at(Offset{finding.first_offset}).value);
    const auto place = static_cast<uint64_t>(finding.position) + epoch_at;
    auto removed = co_await remove_sum(finding);
    if (!removed) co_return removed;
    co_return co_await write_part(io_, {path_of(finding.file), place, std::move(epoch)}, Sync::yes);
}

// In the place of the bytes that are given up: the offsets stay taken, and every position stays what it was.
Task<Result<>> Repair::fill(Finding finding) {
    const Filler filler{.size = static_cast<uint64_t>(finding.bytes),
                        .first = Offset{finding.first_offset},
                        .last = Offset{finding.last_offset},
                        .epoch = Epoch{0}};
    const auto known = co_await read_checkpoint(io_, path_of(finding.partition));
    std::vector<uint8_t> bytes = make_filler(filler);
    if (known && known->epochs)
        patch_placement(bytes, {.base_offset = filler.first,
                                .leader_epoch = Epoch{std::max(known->epochs->at(filler.first).value, 0)}});
    auto written = co_await write_part(
        io_, {path_of(finding.file), static_cast<uint64_t>(finding.position), std::move(bytes)}, Sync::yes);
    if (written) written = co_await rebuild_index(finding);
    co_return written;
}

Task<Result<>> Repair::cut(Finding finding) {
    const auto fd = co_await open_file(io_, {.path = path_of(finding.file), .flags = Op::read_write});
    if (!fd) co_return fd.error();
    int32_t n =
        co_await Once{io_, Op::Kind::truncate, {.fd = *fd, .size = static_cast<uint64_t>(finding.position)}};
    if (n >= 0) n = co_await Once{io_, Op::Kind::sync, {.fd = *fd}};
    co_await close_file(io_, *fd);
    if (n < 0) co_return storage_error(n);
    co_return co_await rebuild_index(std::move(finding));
}

Task<Result<>> Repair::remove(std::string file) {
    auto removed = co_await remove_file(io_, path_of(file));
    const size_t slash = file.rfind('/');
    if (removed)
        removed = co_await sync_directory(
            io_, slash == std::string::npos ? options_.verify.directory : path_of(file.substr(0, slash)));
    co_return removed;
}

// Not where it is the only witness of damage.
Task<Result<>> Repair::remove_sum(Finding finding) {
    const std::string log = finding.partition + "/" + offset_name(finding.segment, ".log");
    const auto is_its = [&](const Finding& accused) { return accused.file == log; };
    if (std::any_of(accused_.begin(), accused_.end(), is_its)) co_return Result<>{};
    co_return co_await remove_file(io_, path_of(finding, ".sum"));
}

// ---- Reading batches again -----------------------------------------------------------------------------

Task<Result<>> Repair::walk(Walk walk, OnBatch on_batch) {
    const auto names = co_await list_directory(io_, path_of(walk.partition));
    if (!names) co_return names.error();
    const PartitionFiles files = sort_partition_files(*names);
    const OnBatch in_range = [&](const BatchHeader& batch, uint64_t position) {
        if (batch.base >= walk.from && batch.base < walk.until) on_batch(batch, position);
    };
    for (auto it = files.segments.begin(); it != files.segments.end(); ++it) {
        const auto following = std::next(it);
        const bool is_below = following != files.segments.end() && *following <= walk.from;
        if (is_below || *it >= walk.until) continue;
        auto walked =
            co_await walk_segment(path_of(walk.partition + "/" + offset_name(*it, ".log")), *it, in_range);
        if (!walked) co_return walked;
    }
    co_return Result<>{};
}

Task<Result<>> Repair::walk_segment(std::string path, Offset base, OnBatch on_batch) {
    const auto info = co_await file_info(io_, path);
    if (!info) co_return info.error();
    const auto fd = co_await open_file(io_, {.path = path, .flags = Op::read_only | Op::direct});
    if (!fd) co_return fd.error();
    FileReader reader{io_, *fd, *info ? (*info)->size : 0};
    SegmentScan scan{reader, {.end = reader.size(), .base = base}};
    Result<> result;
    while (result) {
        const auto step = co_await scan.next();
        if (!step) result = step.error();
        if (!step || step->kind == SegmentScan::Kind::end) break;
        if (step->kind == SegmentScan::Kind::batch) on_batch(step->batch, step->position);
    }
    co_await reader.drain();
    co_await close_file(io_, *fd);
    co_return result;
}

}  // namespace

Task<Result<RepairReport>> repair_directory(Io& io, RepairOptions options, RepairListener& listener) {
    Repair repair{io, std::move(options), listener};
    co_return co_await repair.run();
}

}  // namespace millrace
