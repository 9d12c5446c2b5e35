// Checking one partition.
#include "checkpoint.h"
#include "files.h"
#include "producers.h"
#include "verify.h"

namespace millrace {

namespace {

constexpr size_t index_bytes_max = 256 << 20;
constexpr std::string_view mend_repair = "`millrace log repair` makes it anew";
constexpr std::string_view mend_batches =
    "put the bytes back from a copy, or let `millrace log repair` give them up with --discard-damaged";

}  // namespace

Finding PartitionCheck::about(Severity severity, FindingKind kind, std::string_view file) const {
    return {.severity = severity,
            .kind = kind,
            .partition = subject_.name,
            .file = file.empty() ? subject_.name : subject_.name + "/" + std::string{file},
            .what = {},
            .mend = {}};
}

Finding PartitionCheck::about_segment(Severity severity, FindingKind kind, Offset base,
                                      std::string_view suffix) const {
    Finding finding = about(severity, kind, offset_name(base, suffix));
    finding.segment = base;
    return finding;
}

Task<Result<>> PartitionCheck::run() {
    const auto names = co_await list_directory(io_, subject_.root + "/" + subject_.name);
    if (!names) co_return names.error();
    files_ = sort_partition_files(*names);
    if (subject_.journal) log_start_ = subject_.journal->log_start;
    co_await check_identity();
    co_await check_marks();
    co_await check_epochs_file();
    const auto found = co_await find_extents();
    if (!found) {
        Finding finding = about(Severity::damage, FindingKind::other, "");
        finding.what = "the device refuses to say what is in it";
        finding.mend = "look at the device's health";
        findings_.add(std::move(finding));
        co_return Result<>{};
    }
    for (const Extent& extent : extents_) co_await check_segment(extent);
    if (odd_) on_wrong_epochs();
    co_await check_snapshots();
    findings_.report().partitions++;
    findings_.progress(subject_.name);
    co_return Result<>{};
}

// ---- Small files ---------------------------------------------------------------------------------------

Task<> PartitionCheck::check_identity() {
    const auto ours_bytes = co_await read_file(io_, path("partition.meta"), block_size);
    const auto text = co_await read_file(io_, path("partition.metadata"), block_size);
    const auto ours = ours_bytes ? decode_partition_meta(*ours_bytes) : std::nullopt;
    const auto kafkas = text ? topic_id_of_kafka_metadata(as_text(*text)) : std::nullopt;
    const auto name = partition_name_of(subject_.name);
    if (files_.has_meta && (!ours || (name && ours->partition != name->partition))) {
        Finding finding = about(Severity::derived, FindingKind::partition_meta, "partition.meta");
        finding.what = ours ? "it is another partition's" : "its checksum is wrong";
        finding.mend = mend_repair;
        findings_.add(std::move(finding));
    }
    const bool differs = ours && text && as_text(*text) != kafka_metadata_text(ours->topic_id);
    if (files_.has_metadata && (!kafkas || differs)) {
        Finding finding = about(Severity::derived, FindingKind::partition_metadata, "partition.metadata");
        finding.what = kafkas ? "its topic id is not the one in partition.meta" : "it has no topic id";
        finding.mend = mend_repair;
        findings_.add(std::move(finding));
    }
    const bool is_foreign = ours && subject_.journal && subject_.journal->has_state &&
                            subject_.journal->topic_id != ours->topic_id;
    if (is_foreign) {
        Finding finding = about(Severity::damage, FindingKind::other, "partition.meta");
        finding.what = "the journal knows its slot under another topic id";
        finding.mend = "put back the directory that belongs here";
        findings_.add(std::move(finding));
    }
    for (const std::string& other : files_.others) {
        if (other == "quorum-state" || other.ends_with(".checkpoint") || other.ends_with(".txnindex"))
            continue;
        Finding finding = about(Severity::note, FindingKind::other, other);
        finding.what = "nobody knows this file";
        findings_.add(std::move(finding));
    }
}

// What is marked and wrong on disk is found again below; what a journal has lost is not.
Task<> PartitionCheck::check_marks() {
    if (!files_.has_damaged) co_return;
    const auto text = co_await read_file(io_, path("damaged"));
    const auto marks = text ? Damage::from_text(as_text(*text)) : std::nullopt;
    if (!marks || !Damage::is_intact(as_text(*text))) {
        Finding finding = about(Severity::derived, FindingKind::mark, "damaged");
        finding.what = marks ? "one of its two copies is damaged" : "nothing in it can be read";
        finding.mend = "the broker writes it anew; `millrace log repair --discard-damaged` takes it away";
        findings_.add(std::move(finding));
    }
    if (!marks) co_return;
    for (const DamagedRange& range : marks->ranges()) {
        const bool is_elsewhere = range.cause == DamageCause::journal || range.cause == DamageCause::identity;
        Finding finding =
            about(is_elsewhere ? Severity::damage : Severity::note, FindingKind::mark, "damaged");
        finding.first_offset = range.first.value, finding.last_offset = range.next.value - 1;
        finding.what = "marked as damaged and not served: " + std::string{name_of(range.cause)};
        findings_.add(std::move(finding));
    }
}

Task<> PartitionCheck::check_snapshots() {
    for (const Offset offset : files_.snapshots) {
        const auto bytes = co_await read_file(io_, path(offset_name(offset, ".snapshot")));
        Producers producers;
        const bool is_sound = bytes && producers.from_snapshot(*bytes, 0);
        const bool is_above = expected_ >= Offset{0} && offset > expected_;
        if (is_sound && !is_above) continue;
        Finding finding = about_segment(Severity::derived, FindingKind::snapshot, offset, ".snapshot");
        finding.what = !bytes     ? "it cannot be read"
                       : is_sound ? "it is of offsets that the log does not have"
                                  : "its checksum is wrong";
        finding.mend = mend_repair;
        findings_.add(std::move(finding));
    }
}

// Of the two files, the copy is written first; after a clean stop they are the same.
Task<> PartitionCheck::check_epochs_file() {
    if (!files_.has_epochs) co_return;  // An empty log has none; batches say the rest.
    const auto checkpoint = co_await read_checkpoint(io_, subject_.root + "/" + subject_.name);
    if (checkpoint) epochs_ = checkpoint->epochs;
    const bool differs =
        epochs_ && subject_.was_clean && (checkpoint->is_damaged || checkpoint->text != epochs_->to_text());
    if (!checkpoint || !epochs_ || differs) {
        Finding finding = about(Severity::derived, FindingKind::epochs, "leader-epoch-checkpoint");
        finding.what = !checkpoint ? "it cannot be read"
                       : epochs_   ? "it and its copy are not the same, or one of them is damaged"
                                   : "it and its copy are damaged";
        finding.mend = mend_repair;
        findings_.add(std::move(finding));
    }
    if (epochs_ && subject_.journal)
        for (const RecoveredEpoch& e : subject_.journal->epochs) epochs_->assign(e.epoch, e.start);
}

// ---- Segments ------------------------------------------------------------------------------------------

Task<Result<>> PartitionCheck::find_extents() {
    const RecoveredLog* journal = subject_.journal;
    if (journal && !journal->no_place) {
        auto extent = co_await extent_of(io_, subject_.root + "/" + subject_.name, *journal);
        if (!extent) co_return extent.error();
        known_ = std::move(*extent);
        if (journal->lost_after > 0 || known_.has_gap) {
            Finding finding = about(Severity::damage, FindingKind::journal, "");
            finding.what =
                "entries of the journal that were durable, and were or may have been of this partition, "
                "cannot be read";
            finding.mend =
                "the broker does not serve it; put the journal's file back from a copy of the disk";
            findings_.add(std::move(finding));
        }
    }
    std::set<Offset> bases = files_.segments;
    for (const auto& [base, end] : known_.segments)
        if (end.position > 0) bases.insert(base);
    for (auto it = bases.begin(); it != bases.end(); ++it) {
        const auto info = co_await file_info(io_, path(offset_name(*it, ".log")));
        if (!info) co_return info.error();
        const auto following = std::next(it);
        const bool is_sealed = following != bases.end();
        Extent extent{
            .base = *it, .end = *info ? (*info)->size : 0, .is_sealed = is_sealed, .is_final = is_sealed};
        if (is_sealed) extent.next = *following;
        if (const auto known = known_.segments.find(*it); known != known_.segments.end()) {
            extent.end = known->second.position, extent.next = known->second.next;
            extent.is_known = true, extent.is_final = false;
        } else if (!known_.segments.empty() && *it > known_.segments.rbegin()->first) {
            continue;  // Made when the end came; nothing in it was acknowledged.
        }
        extents_.push_back(extent);
    }
    co_return Result<>{};
}

Task<> PartitionCheck::check_segment(Extent extent) {
    const std::string file = path(offset_name(extent.base, ".log"));
    const auto fd = co_await open_file(io_, {.path = file, .flags = Op::read_only | Op::direct});
    if (!fd && fd.error() != Error::resource_not_found) {
        Finding finding = about_segment(Severity::damage, FindingKind::batches, extent.base, ".log");
        finding.what = "it cannot be opened";
        finding.mend = mend_batches;
        findings_.add(std::move(finding));
        co_return;
    }
    findings_.report().segments++;
    co_await walk(extent, fd ? *fd : -1);
    if (fd) co_await close_file(io_, *fd);
}

Task<> PartitionCheck::walk(Extent extent, int fd) {
    const auto info = co_await file_info(io_, path(offset_name(extent.base, ".log")));
    const uint64_t file_size = info && *info ? (*info)->size : 0;
    auto indexes = co_await open_indexes(extent);
    FileReader reader{io_, fd, extent.end};
    if (subject_.journal) lay_over(reader, *subject_.journal, known_, extent.base);
    SegmentScan scan{reader,
                     {.end = extent.end,
                      .base = extent.base,
                      .limit = extent.next.value < 0 ? Offset{INT64_MAX} : extent.next}};
    if (expected_ >= Offset{0} && extent.base > expected_) on_gap(extent, 0, extent.base);
    if (expected_ < extent.base) expected_ = extent.base;
    uint64_t counted = 0;
    while (true) {
        const auto step = co_await scan.next();
        if (!step) {
            Finding finding = about_segment(Severity::damage, FindingKind::batches, extent.base, ".log");
            finding.position = static_cast<int64_t>(scan.position());
            finding.first_offset = expected_.value;
            finding.what = "the device refuses to read it from here";
            finding.mend = "look at the device's health; " + std::string{mend_batches};
            findings_.add(std::move(finding));
            indexes.reset();
            break;
        }
        findings_.report().bytes += reader.bytes_read() - std::exchange(counted, reader.bytes_read());
        if (step->kind == SegmentScan::Kind::end) break;
        const bool is_batch = step->kind == SegmentScan::Kind::batch;
        if (is_batch) on_batch(extent, *step);
        if (is_batch && indexes) indexes->on_batch(step->batch, step->position);
        if (!is_batch) on_damage(extent, *step, file_size), indexes.reset();
    }
    co_await reader.drain();
    findings_.progress(subject_.name);
    const bool is_sound = indexes.has_value();
    if (indexes) close_indexes(extent, *indexes);
    if (is_sound && files_.sums.contains(extent.base)) co_await check_sums(extent, fd);
    const bool is_short = extent.is_sealed && extent.next > expected_ && expected_ >= Offset{0};
    if (is_short && !subject_.is_compacted) on_gap(extent, extent.end, extent.next);
    if (is_short) expected_ = extent.next;
}

void PartitionCheck::on_batch(const Extent& extent, const SegmentScan::Step& step) {
    VerifyReport& report = findings_.report();
    report.batches++, report.records += step.records;
    if (step.batch.base > expected_ && !subject_.is_compacted) on_gap(extent, step.position, step.batch.base);
    expected_ = step.batch.next();
    if (!epochs_ || step.batch.base < log_start_) return;
    const bool agrees = epochs_->at(step.batch.base) == step.batch.leader_epoch;
    if (agrees && odd_) on_odd_epoch(extent);
    if (!agrees && odd_) return on_wrong_epochs();
    if (!agrees) odd_ = step;
}

// One batch is of another epoch than those around it: its header has no checksum there.
void PartitionCheck::on_odd_epoch(const Extent& extent) {
    Finding finding = about_segment(Severity::damage, FindingKind::batch_epoch, extent.base, ".log");
    finding.position = static_cast<int64_t>(odd_->position), finding.bytes = static_cast<int64_t>(odd_->size);
    finding.first_offset = odd_->batch.base.value, finding.last_offset = odd_->batch.last().value;
    finding.what = "its leader epoch " + std::to_string(odd_->batch.leader_epoch.value) +
                   " is not that of its offsets, " + std::to_string(epochs_->at(odd_->batch.base).value) +
                   "; its records are sound";
    finding.mend = "`millrace log repair` writes the right one";
    findings_.add(std::move(finding));
    odd_.reset();
}

void PartitionCheck::on_wrong_epochs() {
    Finding finding = about(Severity::derived, FindingKind::epochs, "leader-epoch-checkpoint");
    finding.first_offset = odd_->batch.base.value;
    finding.what = "the batch at that offset was written in leader epoch " +
                   std::to_string(odd_->batch.leader_epoch.value) + ", here it is " +
                   std::to_string(epochs_->at(odd_->batch.base).value);
    finding.mend = mend_repair;
    findings_.add(std::move(finding));
    odd_.reset(), epochs_.reset();
}

void PartitionCheck::on_damage(const Extent& extent, const SegmentScan::Step& step, uint64_t file_size) {
    const Offset next = step.next >= Offset{0} ? step.next : extent.next;
    const bool holds_nothing = next == step.first;
    const bool is_last = !extent.is_sealed && !extent.is_known && step.next < Offset{0};
    const bool is_gone = next >= Offset{0} && next <= log_start_;
    const auto kind = holds_nothing || is_last ? FindingKind::tail : FindingKind::batches;
    Finding finding = about_segment(holds_nothing        ? Severity::derived
                                    : is_last || is_gone ? Severity::note
                                                         : Severity::damage,
                                    kind, extent.base, ".log");
    finding.position = static_cast<int64_t>(step.position), finding.bytes = static_cast<int64_t>(step.size);
    if (!holds_nothing) finding.first_offset = step.first.value;
    if (!holds_nothing && next >= Offset{0}) finding.last_offset = next.value - 1;
    finding.what = holds_nothing ? "bytes behind the last batch"
                   : is_last     ? "bytes behind the last sound batch, for which no journal vouches"
                   : is_gone     ? "damaged, but below the log's start"
                   : step.position >= file_size ? "the file ends before its log does"
                                                : "no sound batches: a checksum, length or offset is wrong";
    finding.mend = holds_nothing || is_last ? "the broker cuts it off when it starts"
                   : is_gone                ? "nobody reads it"
                                            : std::string{mend_batches};
    findings_.add(std::move(finding));
    if (next >= Offset{0}) expected_ = next;
}

void PartitionCheck::on_gap(const Extent& extent, uint64_t position, Offset next) {
    if (subject_.is_compacted || expected_ < Offset{0}) return;
    Finding finding = about_segment(Severity::damage, FindingKind::gap, extent.base, ".log");
    finding.position = static_cast<int64_t>(position);
    finding.first_offset = expected_.value, finding.last_offset = next.value - 1;
    finding.what = "offsets are missing between two batches";
    finding.mend = "put the missing segment back from a copy; readers go on behind the gap";
    if (next <= log_start_) finding.severity = Severity::note;
    findings_.add(std::move(finding));
}

// ---- Their indexes -------------------------------------------------------------------------------------

Task<std::optional<IndexCheck>> PartitionCheck::open_indexes(Extent extent) {
    const auto offsets = co_await read_file(io_, path(offset_name(extent.base, ".index")), index_bytes_max);
    const auto times = co_await read_file(io_, path(offset_name(extent.base, ".timeindex")), index_bytes_max);
    if (offsets && times) co_return IndexCheck{*offsets, *times, extent.base, extent.end};
    if (!extent.is_final || extent.end == 0) co_return std::nullopt;
    Finding finding =
        about_segment(Severity::derived, FindingKind::index, extent.base, offsets ? ".timeindex" : ".index");
    finding.what = "it is missing or cannot be read";
    finding.mend = mend_repair;
    findings_.add(std::move(finding));
    co_return std::nullopt;
}

void PartitionCheck::close_indexes(const Extent& extent, IndexCheck& indexes) {
    if (extent.is_final) indexes.finish(IndexCheck::Times::complete);
    if (!extent.is_final && subject_.was_clean) indexes.finish(IndexCheck::Times::growing);
    for (const auto& [wrong, suffix] :
         {std::pair{indexes.wrong_offset(), ".index"}, {indexes.wrong_time(), ".timeindex"}}) {
        if (!wrong) continue;
        Finding finding = about_segment(Severity::derived, FindingKind::index, extent.base, suffix);
        finding.position = static_cast<int64_t>(*wrong);
        finding.what = "an entry does not lead to its batch, or entries are missing";
        finding.mend = mend_repair;
        findings_.add(std::move(finding));
    }
}

}  // namespace millrace
