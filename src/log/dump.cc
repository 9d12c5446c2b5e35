// Showing the files of a data directory: what a file is is told by its name.
//
// One file at a time; nothing is changed.
#include "data_directory.h"
#include "epochs.h"
#include "files.h"
#include "identity.h"
#include "index.h"
#include "journal_format.h"
#include "millrace/batch.h"
#include "millrace/log_tools.h"
#include "partition_meta.h"
#include "segment_scan.h"

namespace millrace {

namespace {

constexpr size_t small_file_max = 256 << 20;
constexpr size_t batch_shown_max = 128 << 20;  // Larger ones are shown without their records.

std::string_view name_of(std::string_view path) {
    while (path.ends_with('/')) path.remove_suffix(1);
    const size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool is_number(std::string_view name) {
    return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

class Row {
 public:
    explicit Row(std::string_view kind) : row_{kind, {}} {}
    Row& text(std::string_view name, std::string value) {
        row_.fields.push_back({name, std::move(value), false});
        return *this;
    }
    Row& number(std::string_view name, int64_t value) {
        row_.fields.push_back({name, std::to_string(value), true});
        return *this;
    }
    Row& flag(std::string_view name, bool value) {
        row_.fields.push_back({name, value ? "true" : "false", true});
        return *this;
    }
    const DumpRow& done() const { return row_; }

 private:
    DumpRow row_;
};

class Dump {
 public:
    Dump(Io& io, DumpOptions options, DumpListener& listener)
        : io_(io), options_(std::move(options)), listener_(listener) {}
    Task<Result<uint64_t>> run();

 private:
    Task<Result<>> directory(std::string path);
    Task<Result<>> file(std::string path);
    Task<Result<>> segment(std::string path, Offset base);
    Task<Result<>> batches(FileReader& reader, SegmentScan::Range range);
    void batch(const SegmentScan::Step& step, const BatchView& view);
    void records(const BatchView& view);
    Task<Result<>> journal(std::string path);
    uint64_t entries(Bytes bytes, uint64_t at);
    bool entry(Bytes bytes, uint64_t at);
    Task<Result<>> node_meta(std::string path);
    Task<Result<>> small(std::string path);
    void index(Bytes bytes, Offset base);
    void time_index(Bytes bytes, Offset base);
    void snapshot(Bytes bytes);
    void epochs(Bytes bytes);
    void partition_meta(Bytes bytes);
    void partition_metadata(Bytes bytes);
    void put(const Row& row) { listener_.on_row(row.done()); }
    void bad(uint64_t position, std::string why) {
        bad_++;
        put(Row{"bad"}.number("position", static_cast<int64_t>(position)).text("why", std::move(why)));
    }

    Io& io_;
    const DumpOptions options_;
    DumpListener& listener_;
    Decompressor decompressor_;
    uint64_t bad_ = 0;
    uint64_t sequence_ = 0, previous_ = 0;  // Of the journal's last entry.
};

Task<Result<uint64_t>> Dump::run() {
    const auto info = co_await file_info(io_, options_.path);
    if (!info) co_return info.error();
    if (!*info) co_return Error::resource_not_found;
    const auto shown =
        (*info)->is_directory ? co_await directory(options_.path) : co_await file(options_.path);
    if (!shown) co_return shown.error();
    co_return bad_;
}

Task<Result<>> Dump::directory(std::string path) {
    const auto names = co_await list_directory(io_, path);
    if (!names) co_return names.error();
    bool any = false;
    for (const std::string& name : *names) {
        auto shown = co_await file(path + "/" + name);
        if (!shown && shown.error() != Error::invalid_request) co_return shown;
        any |= shown.ok();
    }
    if (!any) co_return Error::invalid_request;
    co_return Result<>{};
}

Task<Result<>> Dump::file(std::string path) {
    const std::string_view name = name_of(path);
    const auto is = [&](std::string_view suffix) { return offset_of_name(name, suffix); };
    const bool is_journal = is_number(name) && path.find("journal/") != std::string::npos;
    const bool is_known = is(".log") || is(".index") || is(".timeindex") || is(".snapshot") || is_journal ||
                          name == "leader-epoch-checkpoint" || name == "partition.meta" ||
                          name == "partition.metadata" || name == "node.meta";
    if (!is_known) co_return Error::invalid_request;
    put(Row{"file"}.text("path", path));
    if (const auto base = is(".log")) co_return co_await segment(std::move(path), *base);
    if (is_journal) co_return co_await journal(std::move(path));
    if (name == "node.meta") co_return co_await node_meta(std::move(path));
    co_return co_await small(std::move(path));
}

// ---- Segments ------------------------------------------------------------------------------------------

Task<Result<>> Dump::segment(std::string path, Offset base) {
    const auto info = co_await file_info(io_, path);
    if (!info) co_return info.error();
    const auto fd = co_await open_file(io_, {.path = path, .flags = Op::read_only | Op::direct});
    if (!fd) co_return fd.error();
    FileReader reader{io_, *fd, *info ? (*info)->size : 0};
    auto shown = co_await batches(reader, {.end = reader.size(), .base = base});
    co_await reader.drain();
    co_await close_file(io_, *fd);
    co_return shown;
}

Task<Result<>> Dump::batches(FileReader& reader, SegmentScan::Range range) {
    SegmentScan scan{reader, range};
    std::vector<uint8_t> bytes;
    while (true) {
        const auto step = co_await scan.next();
        if (!step) co_return step.error();
        if (step->kind == SegmentScan::Kind::end) co_return Result<>{};
        if (step->kind == SegmentScan::Kind::damage) {
            const bool is_tail = step->next < Offset{0};
            bad(step->position,
                std::to_string(step->size) + " bytes are no sound batches" +
                    (is_tail ? "; nothing follows (a file that was not closed has room here)" : ""));
            continue;
        }
        bytes.resize(options_.records ? std::min<size_t>(step->size, batch_shown_max) : batch_header_size);
        const auto copied = co_await reader.copy(step->position, bytes);
        if (!copied) co_return copied.error();
        store_big<int32_t>(bytes.data() + 8, static_cast<int32_t>(bytes.size() - batch_length_offset));
        const auto view = BatchView::parse(bytes);
        ASSERT(view);
        batch(*step, *view);
        if (options_.records && step->size <= batch_shown_max) records(*view);
    }
}

void Dump::batch(const SegmentScan::Step& step, const BatchView& view) {
    Row row{"batch"};
    row.number("position", static_cast<int64_t>(step.position))
        .number("size", static_cast<int64_t>(step.size));
    row.number("first", view.base_offset().value).number("last", view.last_offset().value);
    row.number("records", view.record_count()).number("epoch", view.leader_epoch().value);
    row.text("codec", view.codec() ? std::string{codec_name(*view.codec())} : "unknown");
    row.text("time", view.timestamp_type() == TimestampType::create_time ? "create" : "append");
    row.number("max_timestamp", view.max_timestamp());
    if (view.has_producer_id())
        row.number("producer", view.producer_id().value)
            .number("producer_epoch", view.producer_epoch())
            .number("sequence", view.base_sequence());
    if (view.is_transactional()) row.flag("transactional", true);
    if (view.is_control()) row.flag("control", true);
    put(row);
}

void Dump::records(const BatchView& view) {
    auto reader = RecordReader::open(view, decompressor_);
    while (reader) {
        const auto record = reader->next();
        if (!record) break;
        Row row{"record"};
        row.number("offset", record->offset.value).number("timestamp", record->timestamp);
        row.text("key", record->key ? printable(*record->key) : "null");
        row.text("value", record->value ? printable(*record->value) : "null");
        for (const RecordHeader& header : record->headers())
            row.text("header", printable(as_bytes(header.key)) + "=" +
                                   (header.value ? printable(*header.value) : std::string{"null"}));
        put(row);
    }
    const Error error = reader ? reader->error() : reader.error();
    if (error != Error::none)
        bad(static_cast<uint64_t>(view.base_offset().value),
            "the records of the batch at that offset cannot be read: " + std::string{error_message(error)});
}

// ---- Journal files -------------------------------------------------------------------------------------

Task<Result<>> Dump::journal(std::string path) {
    const auto info = co_await file_info(io_, path);
    if (!info) co_return info.error();
    const auto fd = co_await open_file(io_, {.path = path, .flags = Op::read_only | Op::direct});
    if (!fd) co_return fd.error();
    constexpr size_t window_size = 2 << 20;
    static_assert(window_size >= 2 * commit_size_max);
    const uint64_t size = *info ? (*info)->size : 0;
    std::vector<uint8_t> window;
    Result<> read;
    sequence_ = 0;
    for (uint64_t at = 0; at < size && read;) {
        window.resize(std::min<uint64_t>(window_size, size - at));
        read = co_await direct_read(io_, *fd, at, window);
        if (read) at += entries(window, at);
    }
    co_await close_file(io_, *fd);
    co_return read;
}

// How many bytes of the window are done with: whole blocks, and never an entry that the window cuts off.
uint64_t Dump::entries(Bytes bytes, uint64_t at) {
    uint64_t position = 0;
    while (position + sizeof(Entry) <= bytes.size()) {
        const auto header = parse_entry(bytes.subspan(position));
        const bool is_cut = header && position + header->size() > bytes.size();
        if (is_cut && position > 0) return align_down(position);
        if (header && !is_cut && entry(bytes.subspan(position), at + position)) {
            position += header->size();
            continue;
        }
        position = align_down(position) + block_size;
    }
    return std::max<uint64_t>(position, std::min<uint64_t>(bytes.size(), block_size));
}

// False: it does not belong to the chain, but to an earlier use of the file.
bool Dump::entry(Bytes bytes, uint64_t at) {
    constexpr std::string_view names[] = {"",      "file",  "state",     "states_end", "data",
                                          "range", "epoch", "log_start", "oldest",     "removed",
                                          "clean", "left",  "settled",   "watermark"};
    const Entry e = *parse_entry(bytes);
    if (sequence_ > 0 && e.sequence <= sequence_) return false;
    const Bytes payload = bytes.subspan(sizeof(Entry), e.has_payload() ? e.length : 0);
    const bool is_sound = !e.has_payload() || hash64(payload) == e.payload_hash;
    const bool is_chained = sequence_ == 0 || (e.sequence == sequence_ + 1 && e.previous == previous_);
    const auto kind = static_cast<size_t>(e.kind);
    Row row{"entry"};
    row.number("position", static_cast<int64_t>(at)).number("sequence", static_cast<int64_t>(e.sequence));
    row.text("kind", std::string{kind < std::size(names) ? names[kind] : "unknown"}).number("slot", e.slot);
    row.number("length", e.length).number("segment", e.segment);
    row.number("at", static_cast<int64_t>(e.position)).number("next", e.next);
    row.number("watermark", static_cast<int64_t>(e.watermark)).number("part", e.part);
    row.flag("chained", is_chained);
    put(row);
    if (!is_sound) bad(at, "the payload's hash is wrong");
    if (!is_chained) bad(at, "entries before it are missing, or it is of another chain");
    sequence_ = e.sequence, previous_ = e.header_hash;
    return true;
}

// ---- Small files ---------------------------------------------------------------------------------------

Task<Result<>> Dump::node_meta(std::string path) {
    const size_t slash = path.rfind('/');
    const auto copies =
        co_await read_identity_copies(io_, slash == std::string::npos ? "." : path.substr(0, slash));
    if (!copies) co_return copies.error();
    uint64_t position = 0;
    for (const auto* copy : {&copies->first, &copies->second}) {
        if (*copy)
            put(Row{"identity"}
                    .number("position", static_cast<int64_t>(position))
                    .number("node", (*copy)->node.value)
                    .text("directory", (*copy)->directory_id.to_text())
                    .text("cluster", (*copy)->cluster_id));
        else
            bad(position, "this copy is damaged");
        position += block_size;
    }
    co_return Result<>{};
}

Task<Result<>> Dump::small(std::string path) {
    const auto bytes = co_await read_file(io_, path, small_file_max);
    if (!bytes) co_return bytes.error();
    const std::string_view name = name_of(path);
    if (const auto base = offset_of_name(name, ".index")) index(*bytes, *base);
    if (const auto base = offset_of_name(name, ".timeindex")) time_index(*bytes, *base);
    if (offset_of_name(name, ".snapshot")) snapshot(*bytes);
    if (name == "leader-epoch-checkpoint") epochs(*bytes);
    if (name == "partition.meta") partition_meta(*bytes);
    if (name == "partition.metadata") partition_metadata(*bytes);
    co_return Result<>{};
}

void Dump::index(Bytes bytes, Offset base) {
    constexpr size_t size = SegmentIndex::entry_bytes;
    uint64_t at = 0;
    for (; at + size <= bytes.size(); at += size)
        put(Row{"index"}
                .number("offset", base.value + load_big<uint32_t>(bytes.data() + at))
                .number("position", load_big<uint32_t>(bytes.data() + at + 4)));
    if (at != bytes.size()) bad(at, "a part of an entry");
}

void Dump::time_index(Bytes bytes, Offset base) {
    constexpr size_t size = SegmentIndex::time_entry_bytes;
    uint64_t at = 0;
    for (; at + size <= bytes.size(); at += size)
        put(Row{"timeindex"}
                .number("timestamp", load_big<int64_t>(bytes.data() + at))
                .number("offset", base.value + load_big<uint32_t>(bytes.data() + at + 8)));
    if (at != bytes.size()) bad(at, "a part of an entry");
}

void Dump::snapshot(Bytes bytes) {
    constexpr size_t header = 10, size = 46;
    if (bytes.size() < header || load_big<int16_t>(bytes.data()) != 1)
        return bad(0, "no producer snapshot of version 1");
    if (load_big<uint32_t>(bytes.data() + 2) != crc32c(bytes.subspan(6))) bad(2, "its checksum is wrong");
    uint64_t at = header;
    for (; at + size <= bytes.size(); at += size) {
        const uint8_t* p = bytes.data() + at;
        put(Row{"producer"}
                .number("producer", load_big<int64_t>(p))
                .number("producer_epoch", load_big<int16_t>(p + 8))
                .number("last_sequence", load_big<int32_t>(p + 10))
                .number("last_offset", load_big<int64_t>(p + 14))
                .number("delta", load_big<int32_t>(p + 22))
                .number("timestamp", load_big<int64_t>(p + 26))
                .number("coordinator_epoch", load_big<int32_t>(p + 34))
                .number("transaction_first", load_big<int64_t>(p + 38)));
    }
    if (at != bytes.size()) bad(at, "a part of an entry");
}

void Dump::epochs(Bytes bytes) {
    const auto parsed = Epochs::from_text(as_text(bytes));
    if (!parsed) return bad(0, "no leader epoch checkpoint, or epochs that do not rise");
    for (const EpochStart& e : parsed->entries())
        put(Row{"epoch"}.number("epoch", e.epoch.value).number("start", e.start.value));
}

void Dump::partition_meta(Bytes bytes) {
    const auto meta = decode_partition_meta(bytes);
    if (!meta) return bad(0, "its checksum, magic or size is wrong");
    put(Row{"partition"}
            .number("slot", meta->slot.value)
            .text("topic_id", meta->topic_id.to_text())
            .number("partition", meta->partition));
}

void Dump::partition_metadata(Bytes bytes) {
    const auto id = topic_id_of_kafka_metadata(as_text(bytes));
    if (!id) return bad(0, "no topic id");
    put(Row{"topic"}.text("topic_id", id->to_text()));
}

std::string base64(Bytes bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        uint32_t three = 0;
        for (size_t j = 0; j < 3; j++) three = three << 8 | (i + j < bytes.size() ? bytes[i + j] : 0u);
        for (size_t j = 0; j < 4; j++)
            text += i + j <= bytes.size() ? digits[three >> (18 - 6 * j) & 63] : '=';
    }
    return text;
}

// The length of the printable code point that the bytes begin with; 0 when it is none.
size_t printable_length(Bytes bytes) {
    const uint8_t c = bytes[0];
    if (c >= 0x20 && c < 0x7f) return 1;
    const size_t length = c >= 0xc2 && c < 0xe0   ? 2
                          : c >= 0xe0 && c < 0xf0 ? 3
                          : c >= 0xf0 && c < 0xf5 ? 4
                                                  : 0;
    if (length == 0 || bytes.size() < length) return 0;
    if (c == 0xc2 && bytes[1] < 0xa0) return 0;  // C1 controls.
    const Bytes rest = bytes.subspan(1, length - 1);
    return std::ranges::all_of(rest, [](uint8_t x) { return (x & 0xc0) == 0x80; }) ? length : 0;
}

}  // namespace

std::string printable(Bytes bytes) {
    for (size_t at = 0; at < bytes.size();) {
        const size_t length = printable_length(bytes.subspan(at));
        if (length == 0) return "base64:" + base64(bytes);
        at += length;
    }
    return std::string{as_text(bytes)};
}

Task<Result<>> each_batch(Io& io, std::string path, std::function<void(const BatchView&)> take) {
    const auto info = co_await file_info(io, path);
    if (!info) co_return info.error();
    const auto fd = co_await open_file(io, {.path = path, .flags = Op::read_only | Op::direct});
    if (!fd) co_return fd.error();
    FileReader reader{io, *fd, *info ? (*info)->size : 0};
    SegmentScan scan{reader, {.end = reader.size()}};
    std::vector<uint8_t> bytes;
    Result<> result;
    while (result) {
        const auto step = co_await scan.next();
        if (!step) result = step.error();
        if (!step || step->kind == SegmentScan::Kind::end) break;
        if (step->kind == SegmentScan::Kind::damage || step->size > batch_shown_max) continue;
        bytes.resize(step->size);
        const auto copied = co_await reader.copy(step->position, bytes);
        if (!copied) result = copied.error();
        const auto view = BatchView::parse(bytes);
        if (copied && view) take(*view);
    }
    co_await reader.drain();
    co_await close_file(io, *fd);
    co_return result;
}

Task<Result<uint64_t>> dump_log(Io& io, DumpOptions options, DumpListener& listener) {
    Dump dump{io, std::move(options), listener};
    co_return co_await dump.run();
}

}  // namespace millrace
