// Copying a partition that Apache Kafka wrote, checking each batch on the way.
//
// What always holds: what was copied are whole sound batches in rising order, under the names of their
// segments. Lives in one coroutine.
#include <unordered_map>

#include "data_directory.h"
#include "epochs.h"
#include "files.h"
#include "index.h"
#include "millrace/log_tools.h"
#include "partition_meta.h"
#include "producers.h"
#include "segment_scan.h"

namespace millrace {

namespace {

constexpr size_t write_size = 1 << 20;

class Takeover {
 public:
    Takeover(Io& io, PartitionSource source) : io_(io), source_(std::move(source)) {}
    Task<Result<TakenPartition>> run();

 private:
    Task<Result<>> make_target();
    Task<Result<>> copy_segments();
    Task<Result<>> copy_segment(Offset base, Offset limit);
    Task<Result<>> copy_batches(SegmentScan& scan, FileReader& reader, int out);
    Task<Result<>> take_batch(FileReader& reader, SegmentScan::Step step, int out);
    Task<Result<>> take_damage(FileReader& reader, SegmentScan::Step step);
    Task<Result<>> note_control(FileReader& reader, SegmentScan::Step step);
    Task<Result<>> flush(int out);
    Task<Result<>> write_indexes();
    Task<Result<>> copy_small_files();
    Task<Result<>> put(std::string name, std::vector<uint8_t> bytes) {
        co_return co_await write_part(io_, {source_.to + "/" + name, 0, std::move(bytes)}, Sync::yes);
    }
    void refuse(std::string why) {
        if (taken_.refused.empty()) taken_.refused = std::move(why);
    }

    Io& io_;
    const PartitionSource source_;
    TakenPartition taken_;
    PartitionFiles files_;
    Offset base_, expected_{-1};
    bool is_last_ = false;
    SegmentIndex index_;
    std::vector<uint8_t> buffer_;
    uint64_t written_ = 0;
    std::unordered_map<ProducerId, Offset> open_;  // Transactions that have not ended.
};

Task<Result<TakenPartition>> Takeover::run() {
    const auto names = co_await list_directory(io_, source_.from);
    if (!names) co_return names.error();
    files_ = sort_partition_files(*names);
    auto result = co_await make_target();
    if (result) result = co_await copy_segments();
    if (result && !open_.empty() && !source_.takes_aborted)
        refuse("a transaction of producer " + std::to_string(open_.begin()->first.value) + ", from offset " +
               std::to_string(open_.begin()->second.value) + " on, has not ended");
    if (result && taken_.refused.empty()) result = co_await copy_small_files();
    if (result && taken_.refused.empty()) result = co_await sync_directory(io_, source_.to);
    if (result && !taken_.refused.empty()) result = co_await remove_tree(io_, source_.to);
    if (!result) co_return told_outside(result.error());
    co_return std::move(taken_);
}

Task<Result<>> Takeover::make_target() {
    auto result = co_await remove_tree(io_, source_.to);
    if (result) result = co_await make_directory(io_, source_.to);
    co_return result;
}

Task<Result<>> Takeover::copy_segments() {
    if (!files_.segments.empty()) taken_.start = taken_.end = *files_.segments.begin();
    for (auto it = files_.segments.begin(); it != files_.segments.end() && taken_.refused.empty(); ++it) {
        const auto following = std::next(it);
        is_last_ = following == files_.segments.end();
        auto copied = co_await copy_segment(*it, is_last_ ? Offset{INT64_MAX} : *following);
        if (!copied) co_return copied;
    }
    co_return Result<>{};
}

Task<Result<>> Takeover::copy_segment(Offset base, Offset limit) {
    const std::string name = offset_name(base, ".log");
    const auto info = co_await file_info(io_, source_.from + "/" + name);
    if (!info) co_return info.error();
    const auto in =
        co_await open_file(io_, {.path = source_.from + "/" + name, .flags = Op::read_only | Op::direct});
    if (!in) co_return in.error();
    const auto out =
        co_await open_file(io_, {.path = source_.to + "/" + name, .flags = Op::read_write | Op::create});
    if (!out) {
        co_await close_file(io_, *in);
        co_return out.error();
    }
    base_ = base, index_ = {}, written_ = 0, taken_.segments++;
    FileReader reader{io_, *in, *info ? (*info)->size : 0};
    SegmentScan scan{reader, {.end = reader.size(), .base = std::max(base, expected_), .limit = limit}};
    auto result = co_await copy_batches(scan, reader, *out);
    if (result) result = co_await flush(*out);
    const int32_t synced = co_await Once{io_, Op::Kind::sync, {.fd = *out}};
    if (result && synced < 0) result = storage_error(synced);
    co_await reader.drain();
    co_await close_file(io_, *in);
    co_await close_file(io_, *out);
    if (result) result = co_await write_indexes();
    co_return result;
}

Task<Result<>> Takeover::copy_batches(SegmentScan& scan, FileReader& reader, int out) {
    Result<> result;
    while (result && taken_.refused.empty()) {
        const auto step = co_await scan.next();
        if (!step) co_return step.error();
        if (step->kind == SegmentScan::Kind::end) break;
        if (step->kind == SegmentScan::Kind::batch)
            result = co_await take_batch(reader, *step, out);
        else
            result = co_await take_damage(reader, *step);
    }
    co_return result;
}

Task<Result<>> Takeover::take_batch(FileReader& reader, SegmentScan::Step step, int out) {
    const BatchHeader& batch = step.batch;
    constexpr uint16_t transactional = 0x10;
    taken_.batches++, taken_.records += step.records, taken_.bytes += step.size;
    taken_.producer_max = std::max(taken_.producer_max, batch.producer_id);
    taken_.epoch_max = std::max(taken_.epoch_max, batch.leader_epoch);
    if (batch.is_control()) {
        auto noted = co_await note_control(reader, step);
        if (!noted) co_return noted;
    } else if (batch.attributes & transactional) {
        taken_.is_transactional = true;
        open_.emplace(batch.producer_id, batch.base);
    }
    index_.add(batch, base_, written_ + buffer_.size(), source_.index_interval_bytes);
    for (uint64_t done = 0; done < step.size;) {
        const size_t size = std::min<uint64_t>(step.size - done, write_size);
        const size_t old = buffer_.size();
        buffer_.resize(old + size);
        const auto copied = co_await reader.copy(step.position + done, MutableBytes{buffer_}.subspan(old));
        if (!copied) co_return copied.error();
        if (*copied < size) co_return Error::kafka_storage_error;
        done += size;
        if (buffer_.size() < write_size) continue;
        auto flushed = co_await flush(out);
        if (!flushed) co_return flushed;
    }
    expected_ = taken_.end = batch.next();
    co_return Result<>{};
}

Task<Result<>> Takeover::note_control(FileReader& reader, SegmentScan::Step step) {
    constexpr size_t marker_max = 4096;
    std::vector<uint8_t> bytes(std::min<uint64_t>(step.size, marker_max));
    const auto copied = co_await reader.copy(step.position, bytes);
    if (!copied) co_return copied.error();
    const auto view = BatchView::parse(bytes);
    const auto control = view ? read_control(*view) : Result<ControlRecord>{Error::invalid_record};
    if (!control || (control->type != ControlType::abort && control->type != ControlType::commit))
        co_return Result<>{};  // Of no transaction.
    const bool had_records = open_.erase(step.batch.producer_id) > 0;
    if (control->type == ControlType::abort && had_records && !source_.takes_aborted)
        refuse("the transaction that ends at offset " + std::to_string(step.batch.base.value) +
               " was aborted");
    co_return Result<>{};
}

Task<Result<>> Takeover::take_damage(FileReader& reader, SegmentScan::Step step) {
    constexpr size_t magic_at = 16;
    std::array<uint8_t, magic_at + 1> head{};
    const auto copied = co_await reader.copy(step.position, head);
    if (!copied) co_return copied.error();
    const bool is_tail = is_last_ && step.next < Offset{0};
    const bool is_zero = std::ranges::all_of(head, [](uint8_t byte) { return byte == 0; });
    const std::string where = offset_name(base_, ".log") + " at " + std::to_string(step.position);
    taken_.cut_bytes += step.size;
    if (is_tail && (source_.cuts_tail || is_zero)) co_return Result<>{};  // Room that was allocated ahead.
    const bool is_old = *copied == head.size() && head[magic_at] < 2 && !is_zero && step.position == 0;
    if (is_old)
        refuse(where + " has records of format v" + std::to_string(head[magic_at]) +
               ", which Kafka 4 and Millrace do not read");
    else
        refuse(where + " has " + std::to_string(step.size) + " bytes that are no sound batches");
    co_return Result<>{};
}

Task<Result<>> Takeover::flush(int out) {
    if (buffer_.empty()) co_return Result<>{};
    const OpArguments a{.fd = out, .data = buffer_.data(), .size = buffer_.size(), .offset = written_};
    const int32_t n = co_await write_whole(io_, a);
    if (n < 0) co_return storage_error(n);
    if (static_cast<size_t>(n) != buffer_.size()) co_return Error::kafka_storage_error;
    written_ += buffer_.size();
    buffer_.clear();
    co_return Result<>{};
}

Task<Result<>> Takeover::write_indexes() {
    index_.finish();
    auto result = co_await put(offset_name(base_, ".index"), index_.offset_bytes());
    if (result) result = co_await put(offset_name(base_, ".timeindex"), index_.time_bytes());
    co_return result;
}

Task<Result<>> Takeover::copy_small_files() {
    Result<> result;
    for (const Offset offset : files_.snapshots) {
        auto bytes = co_await read_file(io_, source_.from + "/" + offset_name(offset, ".snapshot"));
        Producers producers;
        const bool is_sound = bytes && offset <= taken_.end && producers.from_snapshot(*bytes, io_.wall_ms());
        if (!is_sound) continue;  // Made from the batches again.
        taken_.producer_max = std::max(taken_.producer_max, producers.largest_id());
        if (result) result = co_await put(offset_name(offset, ".snapshot"), std::move(*bytes));
    }
    auto text = co_await read_file(io_, source_.from + "/leader-epoch-checkpoint");
    const auto epochs = text ? Epochs::from_text(as_text(*text)) : std::nullopt;
    if (epochs) taken_.epoch_max = std::max(taken_.epoch_max, epochs->last());
    if (epochs && result) result = co_await put("leader-epoch-checkpoint", std::move(*text));
    const std::string id = kafka_metadata_text(source_.topic_id);
    if (result) result = co_await put("partition.metadata", std::vector<uint8_t>(id.begin(), id.end()));
    co_return result;
}

}  // namespace

Task<Result<TakenPartition>> take_over_partition(Io& io, PartitionSource source) {
    Takeover takeover{io, std::move(source)};
    co_return co_await takeover.run();
}

}  // namespace millrace
