// Recovery of one log.
#include "recovery.h"

#include "partition_meta.h"

namespace millrace {

Task<Result<>> Recovery::run() {
    const auto found = co_await open_directory();
    if (!found) co_return found.error();
    // Nothing is appended to a log before its directory is there.
    if (journal_ && journal_->no_place && (*found == Found::nothing || *found == Found::foreign))
        journal_.reset();
    if (*found == Found::damaged) co_return co_await refuse("it was found before");
    auto result = co_await finish_swaps();
    if (result) result = co_await list_segments();
    if (result) result = co_await read_epochs();
    if (!result) co_return result;
    if (journal_ && !journal_->no_place)
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
        const bool unreadable = (!bytes && bytes.error() != Error::resource_not_found) ||
                                (!text && text.error() != Error::resource_not_found);
        if (unreadable) co_return Error::kafka_storage_error;
        const auto ours = bytes ? decode_partition_meta(*bytes) : std::nullopt;
        const auto kafkas = text ? topic_id_of_kafka_metadata(as_text(*text)) : std::nullopt;
        const Uuid id = ours ? ours->topic_id : kafkas.value_or(log_.spec_.topic_id);
        if (id == log_.spec_.topic_id) {
            const auto whole = co_await read_damage();
            if (!whole) co_return whole.error();
            if (*whole) co_return Found::damaged;
            if (ours && kafkas == ours->topic_id) co_return Found::ours;
            const auto young = co_await is_young();
            if (!young) co_return young.error();
            if (bytes && !*young)
                io_.log().warn("log", "a partition's identity files are damaged and made anew",
                               {{"directory", log_.directory_}});
            const auto made = co_await make_directory_files();
            if (!made) co_return made.error();
            co_return ours ? Found::ours : Found::foreign;
        }
        const auto aside = co_await set_aside();
        if (!aside) co_return aside.error();
        journal_.reset();
    }
    const auto made = co_await make_directory_files();
    if (!made) co_return made.error();
    co_return Found::nothing;
}

// The end may have come while it was made: nothing was ever in it.
Task<Result<bool>> Recovery::is_young() {
    if (journal_ && !journal_->no_place) co_return false;
    const auto names = co_await list_directory(io_, log_.directory_);
    if (!names) co_return names.error();
    co_return std::ranges::none_of(*names, [](const std::string& name) { return name.ends_with(".log"); });
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
    FilePart ours{log_.directory_ + "/partition.meta", 0,
                  encode_partition_meta({spec.slot, spec.topic_id, spec.partition})};
    std::vector<Task<Result<>>> both;  // At once: one flush serves both.
    both.push_back(write_part(io_, std::move(kafkas), Sync::yes));
    both.push_back(write_part(io_, std::move(ours), Sync::yes));
    const auto written = co_await gather(std::move(both));
    for (const Result<>& one : written)
        if (result) result = one;
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
    for (const std::string_view suffix : {".index", ".timeindex", ".txnindex", ".sum", ".log"}) {
        auto removed = co_await remove_file(io_, log_.directory_ + "/" + offset_name(base, suffix));
        if (!removed) co_return removed;
    }
    co_return Result<>{};
}

// ---- What the journal knows ----------------------------------------------------------------------------

Task<Result<>> Recovery::recover_known() {
    RecoveredLog& journal = *journal_;
    const bool is_anothers =
        journal.has_state && !journal.topic_id.is_zero() && journal.topic_id != log_.spec_.topic_id;
    if (is_anothers) co_return co_await refuse("the journal has its slot under another topic id");
    log_.log_start_ = journal.log_start;
    if (journal.topic_id.is_zero() && journal.has_state && !files_.empty())
        log_.log_start_ = std::max(log_.log_start_, files_.begin()->first);
    auto result = co_await follow_pieces();
    if (!result) co_return result;
    log_.log_start_ = std::min(log_.log_start_, end_);
    // All was deleted after a roll, and nothing appended since: the empty segment is all there is.
    const bool emptied = log_.log_start_ == end_ && ends_.back().position > 0;
    if (emptied && !files_.contains(ends_.back().segment)) ends_.push_back({end_, end_, 0});
    result = co_await place_segments();
    if (result) result = co_await check_holes();
    if (result) result = co_await rebuild();
    co_return result;
}

// Finds where each segment ends that the journal speaks of, and where something is missing.
Task<Result<>> Recovery::follow_pieces() {
    RecoveredLog& journal = *journal_;
    ends_ = {End{journal.segment, journal.next, journal.position}};
    std::vector<End> complete = ends_;
    for (size_t i = 0; i < journal.pieces.size(); i++) {
        const RecoveredPiece& piece = journal.pieces[i];
        if (piece.in_segment && !piece.known_durable) {
            const auto there = co_await range_is_there(piece);
            if (!there) co_return there.error();
            if (!*there) break;  // It was being written when the end came.
        }
        if (!enter(piece, complete.back())) break;
        ends_.back().position = piece.position + piece.length;
        if (piece.is_part) continue;
        ends_.back().next = piece.next;
        end_hole();
        complete = ends_;
        pieces_used_ = i + 1;
    }
    ends_ = std::move(complete);
    if (std::exchange(hole_open_, false)) holes_.pop_back();
    if (journal.lost_after > 0) leave_room_for_lost();
    end_ = ends_.back().next;
    co_return Result<>{};
}

// Puts the piece behind what is known. False: it lies before it, which no journal of ours says.
bool Recovery::enter(const RecoveredPiece& piece, const End& complete) {
    const End& last = ends_.back();
    const bool same = piece.segment == last.segment;
    const bool begins = piece.segment == last.next && piece.segment > last.segment && piece.position == 0;
    if (!same && piece.segment <= last.segment) return false;
    if (same && piece.position < last.position) return false;
    const bool follows = begins || (same && piece.position == last.position);
    if ((!follows || piece.lost) && !hole_open_) {
        hole_open_ = true;
        holes_.push_back({.segment = complete.segment,
                          .from = complete.position,
                          .first = complete.next,
                          .cause = DamageCause::journal});
    }
    if (!same) ends_.push_back({piece.segment, piece.segment, 0});
    return true;
}

// A whole batch ends here. A hole that goes over a roll has an end of its own in the new segment.
void Recovery::end_hole() {
    if (!std::exchange(hole_open_, false)) return;
    const End& last = ends_.back();
    Hole& hole = holes_.back();
    hole.until = hole.from, hole.next = last.next;
    if (hole.segment == last.segment) return void(hole.until = last.position);
    const Hole rest{.segment = last.segment,
                    .until = last.position,
                    .first = last.segment,
                    .next = last.next,
                    .cause = hole.cause};
    hole.next = last.segment;
    holes_.push_back(rest);
}

// Entries were lost that may have been the log's last. Where they were nobody knows; so the log goes on in
// another segment, at offsets that they cannot have had: each of them held at most a million records. What is
// in the file behind the known end stays there.
void Recovery::leave_room_for_lost() {
    constexpr int64_t records_max = 1 << 20, lost_max = 1 << 10;
    End& last = ends_.back();
    const int64_t lost = std::min(static_cast<int64_t>(journal_->lost_after), lost_max);
    const Offset next = last.next + lost * records_max;
    const auto file = files_.find(last.segment);
    const uint64_t until = file == files_.end() ? last.position : std::max(last.position, file->second);
    log_.note_damage({.first = last.next,
                      .next = next,
                      .segment = last.segment,
                      .position = last.position,
                      .length = until - last.position,
                      .cause = DamageCause::journal,
                      .found_ms = io_.wall_ms()});
    last.position = until;
    ends_.push_back({next, next, 0});
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
    co_return PagedHash::of(piece.position, bytes) == piece.hash;
}

// The segments of the log, with the journal's bytes written into them.
Task<Result<>> Recovery::place_segments() {
    auto result = co_await place_old();
    for (size_t i = 0; i < ends_.size() && result; i++) result = co_await place(i);
    co_return result;
}

// Those that the journal does not speak of any more.
Task<Result<>> Recovery::place_old() {
    const Offset oldest = ends_.front().segment;
    for (auto it = files_.begin(); it != files_.end(); ++it) {
        const auto [base, size] = *it;
        const auto following = std::next(it);
        const bool below = base < oldest;
        const Offset next = following != files_.end() ? following->first : oldest;
        const bool goes = base > ends_.back().segment || (below && is_dropped(std::min(next, oldest)));
        if (goes) {
            // Never acknowledged, or deleted by an acknowledged change of the log's start.
            const auto removed = co_await remove_files(base);
            if (!removed) co_return removed;
        }
        if (!goes && below)
            add_segment({.base = base, .size = size, .allocated = size, .sealed = true, .final = true});
    }
    co_return Result<>{};
}

void Recovery::add_segment(Segment segment) {
    segment.out = segment.scheduled = segment.size;
    segment.made_ms = io_.wall_ms();
    if (!segment.final) segment.index = std::make_unique<SegmentIndex>();
    log_.segments_.push_back(std::make_unique<Segment>(std::move(segment)));
}

Task<Result<>> Recovery::place(size_t i) {
    const End& end = ends_[i];
    const bool sealed = i + 1 < ends_.size();
    if (sealed && is_dropped(ends_[i + 1].segment)) co_return co_await remove_files(end.segment);
    const auto file = files_.find(end.segment);
    const uint64_t found = file == files_.end() ? 0 : file->second;
    const uint64_t old_end = i == 0 ? journal_->position : 0;
    if (found < old_end)
        holes_.push_back({.segment = end.segment,
                          .until = end.position,
                          .first = end.segment,
                          .next = end.next,
                          .cause = DamageCause::missing});
    add_segment({.base = end.segment, .size = end.position, .allocated = found, .sealed = sealed});
    Segment& segment = log_.active();
    auto result = co_await apply_pieces(segment);
    if (result && segment.allocated < segment.size) result = co_await fill_up(segment);
    // The next journal will not speak of it: its end is where its file ends.
    if (result && sealed) result = co_await log_.make_exact(segment);
    co_return result;
}

// The file is shorter than the log is known to be: what is missing becomes zeros, which no reader takes for
// batches, so that what follows is at its place.
Task<Result<>> Recovery::fill_up(Segment& segment) {
    const auto fd = co_await open_file(
        io_, {.path = log_.path_of(segment, ".log"), .flags = Op::read_write | Op::create | Op::direct});
    if (!fd) co_return fd.error();
    const uint64_t size = align_up(segment.size);
    int32_t n = co_await Once{io_, Op::Kind::allocate, {.fd = *fd, .size = size}};
    Result<> result = n < 0 ? storage_error(n) : Error::none;
    if (result) n = co_await Once{io_, Op::Kind::sync, {.fd = *fd}};
    if (result && n < 0) result = Error::kafka_storage_error;
    co_await close_file(io_, *fd);
    if (result) result = co_await sync_directory(io_, log_.directory_);
    if (result) segment.allocated = size;
    co_return result;
}

namespace {

bool has_bytes(const RecoveredPiece& piece) { return !piece.in_segment && !piece.lost; }

}  // namespace

// Where a range begins that is durable, all before it came to the file with it or earlier (stage_direct). A
// log that is written in large batches has a piece in the journal for the end of each of them.
uint64_t Recovery::known_there(const Segment& segment) const {
    uint64_t until = 0;
    for (size_t i = 0; i < pieces_used_; i++) {
        const RecoveredPiece& piece = journal_->pieces[i];
        const bool is_there = piece.segment == segment.base && piece.in_segment && piece.known_durable;
        if (is_there && !piece.lost) until = std::max(until, piece.position);
    }
    const auto file = files_.find(segment.base);
    return file != files_.end() && file->second >= until ? until : 0;
}

Task<Result<>> Recovery::apply_pieces(Segment& segment) {
    const RecoveredLog& journal = *journal_;
    const uint64_t there = known_there(segment);
    int fd = -1;
    Result<> result;
    for (size_t i = 0; i < pieces_used_ && result;) {
        const RecoveredPiece& piece = journal.pieces[i];
        size_t length = piece.length;
        size_t next = i + 1;
        const auto continues = [&] {
            return next < pieces_used_ && has_bytes(journal.pieces[next]) &&
                   journal.pieces[next].segment == piece.segment &&
                   journal.pieces[next].position == piece.position + length;
        };
        while (has_bytes(piece) && continues()) length += journal.pieces[next++].length;
        i = next;
        if (piece.segment != segment.base || !has_bytes(piece) || piece.position + length <= there) continue;
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
        const bool sealed = std::next(it) != files_.end();
        add_segment({.base = it->first,
                     .size = it->second,
                     .allocated = it->second,
                     .sealed = sealed,
                     .final = sealed});
    }
    const bool may_lack = journal_ && journal_->lost_after > 0;
    if (log_.segments_.empty()) {
        add_segment({});
        end_ = Offset{0};
        if (!may_lack) co_return Result<>{};
    }
    log_.log_start_ = log_.segments_.front()->base;
    Segment& active = log_.active();
    end_ = active.base;
    const auto report = co_await scan(
        active, {.until = active.size, .expected = active.base, .producers_from = Offset{INT64_MAX}});
    if (!report) co_return report.error();
    const uint64_t until = report->sound_end;
    if (until < active.size)
        io_.log().warn("log", "what follows the last sound batch is cut off",
                       {{"directory", log_.directory_}, {"position", until}, {"bytes", active.size - until}});
    active.size = active.out = active.scheduled = until;
    *active.index = {};
    auto exact = co_await log_.make_exact(active);
    if (!exact) co_return exact;
    if (may_lack) go_on_behind_lost(active);
    if (journal_) log_.log_start_ = std::min(std::max(log_.log_start_, journal_->log_start), end_);
    co_return co_await rebuild();
}

// The journal may have had more of it than its segments.
void Recovery::go_on_behind_lost(Segment& active) {
    files_[active.base] = active.size;
    ends_ = {End{active.base, end_, active.size}};
    leave_room_for_lost();
    end_ = ends_.back().next;
    active.sealed = true;
    add_segment({.base = end_});
}

// ---- Epochs, and the last hand -------------------------------------------------------------------------

Task<Result<>> Recovery::read_epochs() {
    const auto found = co_await read_checkpoint(io_, log_.directory_);
    if (!found) co_return found.error();
    epochs_text_ = found->text;
    if (found->epochs) log_.epochs_ = *found->epochs;
    if (journal_)
        for (const RecoveredEpoch& e : journal_->epochs) log_.epochs_.assign(e.epoch, e.start);
    epochs_lost_ = found->is_damaged && !found->epochs;
    if (found->is_damaged)
        io_.log().warn("log", "a leader epoch checkpoint is damaged and made anew",
                       {{"directory", log_.directory_}, {"from", epochs_lost_ ? "the batches" : "its copy"}});
    co_return Result<>{};
}

Task<Result<>> Recovery::write_epochs() {
    log_.epochs_.cut_back(end_);
    log_.epochs_.cut_front(log_.log_start_);
    const std::string text = log_.epochs_.to_text();
    if (text == epochs_text_ || (epochs_text_.empty() && log_.epochs_.entries().empty()))
        co_return Result<>{};
    auto written = co_await write_checkpoint(io_, log_.directory_, text);
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
    log_.settled_ = log_.settle_wanted_ = log_.settle_staged_ = log_.active().base;
    log_.staged_epoch_ = log_.written_epoch_ = log_.epochs_.last();
    log_.state_due_ = storage_.is_started() && end_ > Offset{0};
    if (log_.damage_.cut_front(log_.log_start_)) log_.damage_unsaid_ = true;
    if (log_.damage_unsaid_) {
        auto said = co_await log_.write_damage();
        if (!said) co_return said;
    }
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
