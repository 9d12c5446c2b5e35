// Recovery of one log.
#include "recovery.h"

#include "partition_meta.h"

namespace millrace {

Task<Result<>> Recovery::run() {
    const auto found = co_await open_directory();
    if (!found) co_return found.error();
    if (*found == Found::damaged) {
        log_.segments_.push_back(std::make_unique<Segment>());
        log_.active().index = std::make_unique<SegmentIndex>();
        log_.failure_ = Error::kafka_storage_error;
        io_.log().error("log", "a damaged partition is not served", {{"directory", log_.directory_}});
        co_return Result<>{};
    }
    auto result = co_await list_segments();
    if (result) result = co_await read_epochs();
    if (!result) co_return result;
    if (journal_)
        result = co_await recover_known();
    else
        result = co_await recover_unknown();
    if (result && log_.failure_ == Error::none) result = co_await finish();
    co_return result;
}

// ---- The directory -------------------------------------------------------------------------------------

Task<Result<Recovery::Found>> Recovery::open_directory() {
    const auto info = co_await file_info(io_, log_.directory_);
    if (!info) co_return info.error();
    if (*info) {
        const auto bytes = co_await read_file(io_, log_.directory_ + "/partition.meta", block_size);
        const auto text = co_await read_file(io_, log_.directory_ + "/partition.metadata", block_size);
        const auto mark = co_await file_info(io_, log_.directory_ + "/damaged");
        const bool unreadable = (!bytes && bytes.error() != Error::resource_not_found) ||
                                (!text && text.error() != Error::resource_not_found) || !mark;
        if (unreadable) co_return Error::kafka_storage_error;
        const auto ours = bytes ? decode_partition_meta(*bytes) : std::nullopt;
        const auto kafkas = text ? topic_id_of_kafka_metadata(as_text(*text)) : std::nullopt;
        const Uuid id = ours ? ours->topic_id : kafkas.value_or(log_.spec_.topic_id);
        if (id == log_.spec_.topic_id) {
            if (*mark) co_return Found::damaged;
            if (ours) co_return Found::ours;
            const auto made = co_await make_directory_files();
            if (!made) co_return made.error();
            co_return Found::foreign;
        }
        const auto aside = co_await set_aside();
        if (!aside) co_return aside.error();
        journal_.reset();
    }
    const auto made = co_await make_directory_files();
    if (!made) co_return made.error();
    co_return Found::nothing;
}

// Never deleted for being unknown: only the deletion of a topic by its id does that.
Task<Result<>> Recovery::set_aside() {
    std::string target = log_.directory_ + "." + std::to_string(io_.wall_ms()) + "-stray";
    io_.log().warn("log", "a directory of another topic id is set aside",
                   {{"directory", log_.directory_}, {"as", target}});
    co_return co_await rename_file(io_, log_.directory_, std::move(target));
}

Task<Result<>> Recovery::make_directory_files() {
    const LogSpec& spec = log_.spec_;
    auto result = co_await make_directory(io_, log_.directory_);
    if (!result) co_return result;
    const std::string text = kafka_metadata_text(spec.topic_id);
    FilePart kafkas{log_.directory_ + "/partition.metadata", 0,
                    std::vector<uint8_t>(text.begin(), text.end())};
    result = co_await write_part(io_, std::move(kafkas), Sync::no);
    if (!result) co_return result;
    FilePart ours{log_.directory_ + "/partition.meta", 0,
                  encode_partition_meta({spec.slot, spec.topic_id, spec.partition})};
    result = co_await write_part(io_, std::move(ours), Sync::yes);
    if (result) result = co_await sync_directory(io_, log_.directory_);
    if (result) result = co_await sync_directory(io_, storage_.config().directory);
    co_return result;
}

Task<Result<>> Recovery::list_segments() {
    const auto names = co_await list_directory(io_, log_.directory_);
    if (!names) co_return names.error();
    for (const std::string& name : *names) {
        const std::string path = log_.directory_ + "/" + name;
        if (name.ends_with(".tmp") || name.ends_with(".deleted")) {
            const auto removed = co_await remove_file(io_, path);
            if (!removed) co_return removed;
        }
        if (const auto offset = offset_of_name(name, ".snapshot")) log_.snapshots_on_disk_.push_back(*offset);
        const auto base = offset_of_name(name, ".log");
        if (!base) continue;
        const auto info = co_await file_info(io_, path);
        if (!info) co_return info.error();
        if (*info) files_.emplace(*base, (*info)->size);
    }
    std::sort(log_.snapshots_on_disk_.begin(), log_.snapshots_on_disk_.end());
    co_return Result<>{};
}

Task<Result<>> Recovery::remove_files(Offset base) {
    for (const std::string_view suffix : {".index", ".timeindex", ".txnindex", ".log"}) {
        auto removed = co_await remove_file(io_, log_.directory_ + "/" + offset_name(base, suffix));
        if (!removed) co_return removed;
    }
    co_return Result<>{};
}

Task<Result<>> Recovery::damaged(std::string_view why) {
    io_.log().error("log", "durable bytes are damaged: the partition is not served and not changed",
                    {{"directory", log_.directory_}, {"why", why}});
    log_.failure_ = Error::kafka_storage_error;
    if (log_.segments_.empty()) {
        log_.segments_.push_back(std::make_unique<Segment>());
        log_.active().index = std::make_unique<SegmentIndex>();
    }
    const std::string text = std::string{why} + "\n";
    auto written = co_await write_file(io_, log_.directory_ + "/damaged",
                                       std::vector<uint8_t>(text.begin(), text.end()), Sync::yes);
    if (written) written = co_await sync_directory(io_, log_.directory_);
    co_return written;
}

// ---- What the journal knows ----------------------------------------------------------------------------

Task<Result<>> Recovery::recover_known() {
    RecoveredLog& journal = *journal_;
    if (journal.damaged) co_return co_await damaged("journal entries of it cannot be read");
    if (journal.has_state && journal.topic_id != log_.spec_.topic_id)
        co_return co_await damaged("the journal has its slot under another topic id");
    log_.log_start_ = journal.log_start;
    const auto whole = co_await follow_pieces();
    if (!whole) co_return whole.error();
    if (!*whole) co_return co_await damaged("journal entries of it are missing");
    log_.log_start_ = std::min(log_.log_start_, end_);
    // All was deleted after a roll, and nothing appended since: the empty segment is all there is.
    const bool emptied = log_.log_start_ == end_ && ends_.back().position > 0;
    if (emptied && !files_.contains(ends_.back().segment)) ends_.push_back({end_, end_, 0});
    auto result = co_await place_segments();
    if (result && log_.failure_ == Error::none) result = co_await rebuild();
    co_return result;
}

// Finds where each segment ends that the journal speaks of. False when there is a gap.
Task<Result<bool>> Recovery::follow_pieces() {
    RecoveredLog& journal = *journal_;
    End at{journal.segment, journal.next, journal.position};
    ends_ = {at};
    std::vector<End> complete = ends_;
    for (size_t i = 0; i < journal.pieces.size(); i++) {
        const RecoveredPiece& piece = journal.pieces[i];
        End& last = ends_.back();
        const bool follows = piece.segment == last.segment && piece.position == last.position;
        const bool begins = piece.segment == last.next && piece.segment > last.segment && piece.position == 0;
        if (!follows && !begins) co_return false;
        if (piece.in_segment && !piece.known_durable) {
            const auto there = co_await range_is_there(piece);
            if (!there) co_return there.error();
            if (!*there) break;  // It was being written when the end came.
        }
        if (begins) ends_.push_back({piece.segment, piece.segment, 0});
        ends_.back().position += piece.length;
        if (piece.is_part) continue;
        ends_.back().next = piece.next;
        complete = ends_;
        pieces_used_ = i + 1;
    }
    ends_ = std::move(complete);
    end_ = ends_.back().next;
    co_return true;
}

Task<Result<bool>> Recovery::range_is_there(const RecoveredPiece& piece) {
    const std::string path = log_.directory_ + "/" + offset_name(piece.segment, ".log");
    const auto file = files_.find(piece.segment);
    if (file == files_.end() || file->second < piece.position + piece.length) co_return false;
    const auto fd = co_await open_file(io_, {.path = path, .flags = Op::read_only | Op::direct});
    if (!fd) co_return fd.error();
    std::vector<uint8_t> bytes(piece.length);
    const auto read = co_await direct_read(io_, *fd, piece.position, bytes);
    co_await close_file(io_, *fd);
    if (!read) co_return read.error();
    co_return hash64(bytes) == piece.hash;
}

// The segments of the log, with the journal's bytes written into them.
Task<Result<>> Recovery::place_segments() {
    const End last = ends_.back();
    for (auto it = files_.begin(); it != files_.end(); ++it) {
        const auto [base, size] = *it;
        const auto following = std::next(it);
        const bool below = base < ends_.front().segment;
        const Offset next = following != files_.end() ? following->first : ends_.front().segment;
        const bool goes = base > last.segment || (below && is_dropped(std::min(next, ends_.front().segment)));
        if (goes) {
            // Never acknowledged, or deleted by an acknowledged change of the log's start.
            const auto removed = co_await remove_files(base);
            if (!removed) co_return removed;
        }
        if (!goes && below)
            log_.segments_.push_back(std::make_unique<Segment>(Segment{.base = base,
                                                                       .size = size,
                                                                       .out = size,
                                                                       .scheduled = size,
                                                                       .allocated = size,
                                                                       .sealed = true,
                                                                       .final = true,
                                                                       .made_ms = io_.wall_ms()}));
    }
    for (size_t i = 0; i < ends_.size(); i++) {
        const End& end = ends_[i];
        if (i + 1 < ends_.size() && is_dropped(ends_[i + 1].segment)) {
            const auto removed = co_await remove_files(end.segment);
            if (!removed) co_return removed;
            continue;
        }
        auto segment = std::make_unique<Segment>(Segment{.base = end.segment,
                                                         .size = end.position,
                                                         .out = end.position,
                                                         .scheduled = end.position,
                                                         .sealed = i + 1 < ends_.size(),
                                                         .made_ms = io_.wall_ms()});
        segment->index = std::make_unique<SegmentIndex>();
        const auto file = files_.find(end.segment);
        segment->allocated = file == files_.end() ? 0 : file->second;
        const uint64_t old_end = i == 0 ? journal_->position : 0;
        log_.segments_.push_back(std::move(segment));
        if (log_.active().allocated < old_end)
            co_return co_await damaged("a segment is missing or too short");
        const auto applied = co_await apply_pieces(log_.active());
        if (!applied || log_.failure_ != Error::none) co_return applied;
        if (!log_.active().sealed) continue;
        // The next journal will not speak of it: its end is where its file ends.
        const auto exact = co_await log_.make_exact(log_.active());
        if (!exact) co_return exact;
    }
    co_return Result<>{};
}

Task<Result<>> Recovery::apply_pieces(Segment& segment) {
    const RecoveredLog& journal = *journal_;
    int fd = -1;
    Result<> result;
    for (size_t i = 0; i < pieces_used_ && result;) {
        const RecoveredPiece& piece = journal.pieces[i];
        size_t length = piece.length;
        size_t next = i + 1;
        const auto continues = [&] {
            return next < pieces_used_ && !journal.pieces[next].in_segment &&
                   journal.pieces[next].segment == piece.segment;
        };
        while (!piece.in_segment && continues()) length += journal.pieces[next++].length;
        i = next;
        if (piece.segment != segment.base || piece.in_segment) continue;
        if (fd < 0) {
            const auto opened = co_await open_file(io_, {.path = log_.path_of(segment, ".log"),
                                                         .flags = Op::read_write | Op::create | Op::direct});
            if (!opened) co_return opened.error();
            fd = *opened;
            const uint64_t size = std::max(segment.allocated, align_up(segment.size));
            const int32_t n = co_await Once{io_, Op::Kind::allocate, {.fd = fd, .size = size}};
            if (n < 0) result = storage_error(n);
            if (result) segment.allocated = size;
        }
        if (result) {
            const Bytes bytes{journal.bytes.data() + piece.bytes_at, length};
            result = co_await direct_write(io_, fd, piece.position, bytes);
        }
    }
    if (fd >= 0) co_await close_file(io_, fd);
    if (result) result = co_await flush_ranges(segment);
    if (result && fd >= 0) result = co_await sync_directory(io_, log_.directory_);
    if (result && segment.allocated < segment.size) co_return co_await damaged("a segment is too short");
    co_return result;
}

// The device has them, perhaps without a flush; no journal will speak of them again.
Task<Result<>> Recovery::flush_ranges(const Segment& segment) {
    const auto may_be_lost = [&](const RecoveredPiece& piece) {
        return piece.segment == segment.base && piece.in_segment && !piece.known_durable;
    };
    const auto begin = journal_->pieces.begin(), end = begin + static_cast<ptrdiff_t>(pieces_used_);
    if (std::none_of(begin, end, may_be_lost)) co_return Result<>{};
    const auto fd = co_await open_file(
        io_, {.path = log_.path_of(segment, ".log"), .flags = Op::read_write | Op::direct});
    if (!fd) co_return fd.error();
    const int32_t synced = co_await Once{io_, Op::Kind::sync, {.fd = *fd}};
    co_await close_file(io_, *fd);
    if (synced < 0) co_return Error::kafka_storage_error;
    co_return Result<>{};
}

// ---- What nobody knows: a directory of Apache Kafka's, or one whose journal is gone --------------------

Task<Result<>> Recovery::recover_unknown() {
    for (auto it = files_.begin(); it != files_.end(); ++it) {
        const bool last = std::next(it) == files_.end();
        log_.segments_.push_back(std::make_unique<Segment>(Segment{.base = it->first,
                                                                   .size = it->second,
                                                                   .out = it->second,
                                                                   .scheduled = it->second,
                                                                   .allocated = it->second,
                                                                   .sealed = !last,
                                                                   .final = !last,
                                                                   .made_ms = io_.wall_ms()}));
    }
    if (log_.segments_.empty()) {
        log_.segments_.push_back(std::make_unique<Segment>(Segment{.made_ms = io_.wall_ms()}));
        log_.active().index = std::make_unique<SegmentIndex>();
        end_ = Offset{0};
        co_return Result<>{};
    }
    log_.log_start_ = log_.segments_.front()->base;
    Segment& active = log_.active();
    active.index = std::make_unique<SegmentIndex>();
    end_ = active.base;
    const auto until = co_await scan(active, {.until = active.size, .producers_from = Offset{INT64_MAX}});
    if (!until) co_return until.error();
    if (*until < active.size)
        io_.log().warn(
            "log", "what follows the last sound batch is cut off",
            {{"directory", log_.directory_}, {"position", *until}, {"bytes", active.size - *until}});
    active.size = active.out = active.scheduled = *until;
    *active.index = {};
    auto exact = co_await log_.make_exact(active);
    if (!exact) co_return exact;
    co_return co_await rebuild();
}

// ---- What is derived from the batches ------------------------------------------------------------------

Task<Result<>> Recovery::rebuild() {
    const auto snapshot = co_await load_snapshot();
    if (!snapshot) co_return snapshot.error();
    for (size_t i = 0; i < log_.segments_.size(); i++) {
        Segment& segment = *log_.segments_[i];
        const Offset next = i + 1 < log_.segments_.size() ? log_.segments_[i + 1]->base : Offset{INT64_MAX};
        if (segment.final) {
            const auto loaded = co_await load_index(segment, next);
            if (!loaded || log_.failure_ != Error::none) co_return loaded;
        }
        if (segment.final && next <= *snapshot) continue;
        auto rebuilt = co_await rebuild_segment(segment, *snapshot);
        if (!rebuilt || log_.failure_ != Error::none) co_return rebuilt;
    }
    co_return Result<>{};
}

// The newest one that is not above the log's end; the offset from which on batches must be read.
Task<Result<Offset>> Recovery::load_snapshot() {
    auto& offsets = log_.snapshots_on_disk_;
    while (!offsets.empty()) {
        const Offset offset = offsets.back();
        const std::string path = log_.directory_ + "/" + offset_name(offset, ".snapshot");
        if (offset <= end_) {
            const auto bytes = co_await read_file(io_, path);
            if (!bytes) co_return bytes.error();
            if (log_.producers_.from_snapshot(*bytes, io_.wall_ms())) co_return offset;
            io_.log().warn("log", "a producer snapshot is damaged and left out", {{"file", path}});
        }
        const auto removed = co_await remove_file(io_, path);
        if (!removed) co_return removed.error();
        offsets.pop_back();
    }
    co_return log_.segments_.front()->base;
}

// Whether a finished segment's indexes are what they must be, as far as their ends tell; takes over its
// largest time. The rest of them is read when it is needed: a start does not depend on the log's size.
Task<Result<bool>> Recovery::has_sound_index(Segment& segment, Offset next) {
    constexpr size_t entry = SegmentIndex::entry_bytes, time_entry = SegmentIndex::time_entry_bytes;
    if (segment.size == 0) co_return true;
    const auto offsets = co_await read_end(io_, log_.path_of(segment, ".index"), entry);
    const auto times = co_await read_end(io_, log_.path_of(segment, ".timeindex"), time_entry);
    for (const auto* end : {&offsets, &times})
        if (!*end && end->error() != Error::resource_not_found) co_return end->error();
    if (!offsets || !times || offsets->size % entry != 0 || times->size % time_entry != 0) co_return false;
    const bool must_have_entries = segment.size > 2 * uint64_t{log_.spec_.config.index_interval_bytes};
    if (offsets->size == 0 && must_have_entries) co_return false;
    if (offsets->size > 0 && load_big<uint32_t>(offsets->bytes.data() + 4) >= segment.size) co_return false;
    if (times->size == 0) {  // Right where no record has a time.
        const auto first = co_await scan(
            segment, {.until = batch_header_size, .index = false, .producers_from = Offset{INT64_MAX}});
        if (!first) co_return first.error();
        co_return segment.first_timestamp < 0;
    }
    const auto timestamp = load_big<int64_t>(times->bytes.data());
    if (timestamp < 0 || segment.base + load_big<uint32_t>(times->bytes.data() + 8) >= next) co_return false;
    segment.max_timestamp = timestamp;
    co_return true;
}

// Makes a finished segment's indexes anew where they are missing or wrong.
Task<Result<>> Recovery::load_index(Segment& segment, Offset next) {
    const auto sound = co_await has_sound_index(segment, next);
    if (!sound) co_return sound.error();
    if (*sound) co_return Result<>{};
    segment.index = std::make_unique<SegmentIndex>();
    const auto until = co_await scan(segment, {.until = segment.size, .producers_from = Offset{INT64_MAX}});
    if (!until) co_return until.error();
    if (*until != segment.size) co_return co_await damaged("a finished segment holds a bad batch");
    segment.index->finish();
    segment.max_timestamp = segment.index->max_timestamp();
    auto written = co_await log_.write_indexes(segment);
    if (!written) co_return written;
    storage_.indexes().put(log_.key_of(segment), std::move(*segment.index));
    segment.index.reset();
    co_return Result<>{};
}

Task<Result<>> Recovery::rebuild_segment(Segment& segment, Offset producers_from) {
    uint64_t from = 0;
    if (!segment.final && producers_from > segment.base) {
        const auto offsets = co_await read_file(io_, log_.path_of(segment, ".index"));
        const auto times = co_await read_file(io_, log_.path_of(segment, ".timeindex"));
        if (offsets && times) {
            *segment.index = SegmentIndex::from_bytes(*offsets, *times, segment.size);
            from = segment.index->floor(static_cast<uint32_t>(producers_from - segment.base)).position;
        }
    }
    Scan what{.from = from, .until = segment.size, .index = !segment.final, .producers_from = producers_from};
    auto until = co_await scan(segment, what);
    if (until && *until < segment.size && from > 0) {  // Perhaps it is only the index that is wrong.
        what.from = 0;
        until = co_await scan(segment, what);
    }
    if (!until) co_return until.error();
    if (*until < segment.size) co_return co_await damaged("a segment holds a bad batch below its end");
    if (segment.index) segment.max_timestamp = segment.index->max_timestamp();
    log_.count_unsaved(segment.size - from);
    if (segment.size == 0 || from == 0) co_return Result<>{};
    const auto first = co_await scan(
        segment, {.until = batch_header_size, .index = false, .producers_from = Offset{INT64_MAX}});
    co_return first ? Result<>{} : first.error();
}

Task<Result<uint64_t>> Recovery::scan(Segment& segment, Scan what) {
    constexpr uint64_t window_size = 1 << 20;
    if (what.until == 0) co_return uint64_t{0};
    const auto fd =
        co_await open_file(io_, {.path = log_.path_of(segment, ".log"), .flags = Op::read_only | Op::direct});
    if (!fd) co_return fd.error() == Error::resource_not_found ? Error::kafka_storage_error : fd.error();
    std::vector<uint8_t> window;
    uint64_t window_at = what.from, at = what.from, wanted = window_size;
    Result<> result;
    Offset expected = segment.base;
    while (at < what.until) {
        const uint64_t size = window_at + window.size() - at;
        const Bytes bytes =
            Bytes{window}.subspan(window.empty() ? 0 : at - window_at, window.empty() ? 0 : size);
        const auto batch =
            bytes.size() >= batch_header_size ? BatchHeader::parse(bytes.data()) : std::nullopt;
        if (bytes.size() >= batch_header_size && (!batch || at + batch->size > segment.size)) break;
        if (!batch || bytes.size() < batch->size) {
            if (at + (batch ? batch->size : batch_header_size) > segment.size) break;
            wanted = std::max<uint64_t>(window_size, batch ? batch->size : 0);
            window_at = at;
            window.resize(std::min(wanted, segment.size - at));
            result = co_await direct_read(io_, *fd, at, window);
            if (!result) break;
            continue;
        }
        if (batch->base < expected || crc32c(bytes.subspan(21, batch->size - 21)) != batch->crc) break;
        if (at == 0) segment.first_timestamp = batch->max_timestamp;
        if (what.index) {
            if (at == what.from) segment.index->cut(at, static_cast<uint32_t>(batch->base - segment.base));
            segment.index->add(*batch, segment.base, at, log_.spec_.config.index_interval_bytes);
            log_.epochs_.assign(batch->leader_epoch, batch->base);
        }
        if (batch->base >= what.producers_from)
            log_.producers_.record(*batch, std::min(batch->max_timestamp, io_.wall_ms()),
                                   log_.spec_.config.producers_max);
        expected = batch->next();
        at += batch->size;
        if (!segment.sealed && what.index) end_ = std::max(end_, expected);
    }
    co_await close_file(io_, *fd);
    if (!result) co_return result.error();
    co_return at;
}

// ---- Epochs, and the last hand -------------------------------------------------------------------------

Task<Result<>> Recovery::read_epochs() {
    const auto bytes = co_await read_file(io_, log_.directory_ + "/leader-epoch-checkpoint");
    if (!bytes && bytes.error() != Error::resource_not_found) co_return bytes.error();
    if (bytes) epochs_text_ = as_text(*bytes);
    auto epochs = bytes ? Epochs::from_text(epochs_text_) : Epochs{};
    if (epochs) log_.epochs_ = std::move(*epochs);
    if (journal_)
        for (const RecoveredEpoch& e : journal_->epochs) log_.epochs_.assign(e.epoch, e.start);
    if (!epochs)
        io_.log().warn("log", "a leader epoch checkpoint is damaged; epochs are read from the batches",
                       {{"directory", log_.directory_}});
    co_return Result<>{};
}

Task<Result<>> Recovery::write_epochs() {
    log_.epochs_.cut_back(end_);
    log_.epochs_.cut_front(log_.log_start_);
    const std::string text = log_.epochs_.to_text();
    if (text == epochs_text_ || (epochs_text_.empty() && log_.epochs_.entries().empty()))
        co_return Result<>{};
    auto written = co_await write_file(io_, log_.directory_ + "/leader-epoch-checkpoint",
                                       std::vector<uint8_t>(text.begin(), text.end()), Sync::yes);
    if (written) written = co_await sync_directory(io_, log_.directory_);
    co_return written;
}

Task<Result<>> Recovery::finish() {
    auto written = co_await write_epochs();
    if (!written) co_return written;
    log_.end_ = log_.written_ = log_.durable_ = log_.staged_end_ = end_;
    log_.durable_start_ = log_.staged_start_ = log_.log_start_;
    log_.staged_segment_ = log_.active().base;
    log_.staged_position_ = log_.active().size;
    log_.staged_epoch_ = log_.written_epoch_ = log_.epochs_.last();
    log_.state_due_ = storage_.is_started() && end_ > Offset{0};
    for (const auto& segment : log_.segments_) {
        if (!segment->sealed || segment->final) continue;
        segment->index->finish();
        auto finished = co_await log_.finish_segment(*segment);
        if (!finished) co_return finished;
    }
    ASSERT(log_.log_start_ <= log_.end_);
    co_return Result<>{};
}

}  // namespace millrace
