// Recovery's first half: what the journals say.
#include "journal_reader.h"

#include <charconv>

#include "files.h"

namespace millrace {

namespace {

std::optional<uint32_t> number_of(std::string_view name) {
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
    if (error != std::errc{} || end != name.data() + name.size()) return {};
    return value;
}

// One journal file, read through a window.
struct JournalFile {
    uint32_t name = 0;
    std::string path;
    int fd = -1;
    uint64_t size = 0;
    Entry head;  // Its file entry.
    std::vector<uint8_t> window;
    uint64_t window_at = 0;

    uint64_t number() const { return head.position; }
};

constexpr size_t window_size = 1 << 20;
static_assert(window_size >= 2 * (sizeof(Entry) + payload_max + block_size));

// One shard's journal, while it is read.
class JournalReader {
 public:
    JournalReader(Io& io, RecoveredJournals& result, const Homes& homes, ShardId shard)
        : io_(io), result_(result), homes_(homes), shard_(shard), is_own_(shard == io.shard()) {}

    Task<Result<>> read(std::string directory);

 private:
    Task<Result<>> open_files(std::string directory);
    Task<Result<>> open_one(std::string path, uint32_t name);
    void sort_own_files();
    bool may_concern_us() const;
    Task<Result<>> read_lives();
    void begin_life();
    Task<Result<>> read_chain();
    Task<Result<bool>> begins_complete(JournalFile& file);
    Task<Result<>> survey(JournalFile& file);
    Task<Result<bool>> follow(JournalFile& file);
    Task<Result<uint64_t>> next_readable(JournalFile& file, uint64_t position);
    void lose_until(uint64_t sequence);
    void note_damage(JournalDamage damage) {
        result_.damaged_entries += damage.entries;
        if (result_.damages.size() < damages_max) result_.damages.push_back(std::move(damage));
    }
    // The bytes from `position` on, at least a whole entry if the file has it.
    Task<Result<Bytes>> view(JournalFile& file, uint64_t position);
    bool apply(const Entry& entry, Bytes payload, bool is_base);
    void apply_to(RecoveredLog& log, const Entry& entry, Bytes payload);
    static void begin_with(RecoveredLog& log, const Entry& entry, const StatePayload& state);
    void apply_header(RecoveredLog& log, const Entry& entry);
    void add_lost(RecoveredLog& log, const Entry& entry, uint32_t length);
    static void settle(RecoveredLog& log, Offset segment);
    static bool agrees(const RecoveredLog& log, const Entry& state);
    bool is_mine(const Entry& entry) const { return homes_.of(Slot{entry.slot}) == io_.shard(); }
    static bool is_newer(const RecoveredLog& log, const RecoveredLog& than);
    void merge();

    Io& io_;
    RecoveredJournals& result_;
    const Homes& homes_;
    const ShardId shard_;  // Whose journal it is.
    const bool is_own_;
    std::map<uint64_t, JournalFile> files_;  // By number.
    std::map<Slot, RecoveredLog> logs_;
    uint64_t oldest_ = 0, base_ = 0, durable_ = 0;
    uint64_t expected_ = 0, previous_ = 0;  // What the next entry must carry.
    bool previous_known_ = false;
    uint64_t incarnation_ = 0;
    uint64_t resumed_ = 0;  // Where reading went on behind entries that cannot be read.
    uint64_t lost_ = 0;     // How many of those there are.
    bool clean_ = false, ended_ = false;
    std::pair<const std::string*, int64_t> place_{nullptr, -1};  // Of what is being followed.
};

Task<Result<>> JournalReader::read(std::string directory) {
    auto result = co_await open_files(directory);
    std::vector<int> open;
    for (const auto& [number, file] : files_) open.push_back(file.fd);
    if (result && may_concern_us()) result = co_await read_lives();
    for (const int fd : open) co_await close_file(io_, fd);
    co_return result;
}

// Mostly there is one. A start that did not get to its end may have left a new one beside the old one, which
// still says what shards that did not begin theirs must know.
Task<Result<>> JournalReader::read_lives() {
    auto left = std::exchange(files_, {});
    Result<> result;
    while (result && !left.empty()) {
        begin_life();
        const int64_t incarnation = left.begin()->second.head.segment;
        while (!left.empty() && left.begin()->second.head.segment == incarnation)
            files_.insert(left.extract(left.begin()));
        result = co_await read_chain();
        if (result) merge();
    }
    co_return result;
}

void JournalReader::begin_life() {
    files_.clear(), logs_.clear();
    oldest_ = base_ = durable_ = expected_ = previous_ = incarnation_ = resumed_ = lost_ = 0;
    previous_known_ = clean_ = ended_ = false;
    place_ = {nullptr, -1};
}

// Another shard's journal of a life with as many shards as now has nothing for this one, unless it may be the
// last to speak of a partition that came from there: not read, a start takes time in proportion to one
// journal.
bool JournalReader::may_concern_us() const {
    if (is_own_ || homes_.is_lost) return true;
    if (homes_.newest && homes_.newest->from == shard_ && homes_.newest->to == io_.shard()) return true;
    return std::any_of(files_.begin(), files_.end(),
                       [&](const auto& file) { return file.second.head.slot != io_.shard_count(); });
}

Task<Result<>> JournalReader::open_files(std::string directory) {
    const auto names = co_await list_directory(io_, directory);
    if (!names) co_return names.error();
    for (const std::string& text : *names) {
        const auto name = number_of(text);
        if (!name) continue;
        if (is_own_) result_.own_files.push_back(*name);
        auto opened = co_await open_one(directory + "/" + text, *name);
        if (!opened) co_return opened;
    }
    if (is_own_) sort_own_files();
    co_return Result<>{};
}

// For their removal, the newest first: what a power cut leaves of it is a journal that ended earlier.
void JournalReader::sort_own_files() {
    const auto number = [&](uint32_t name) {
        for (const auto& [number, file] : files_)
            if (file.name == name) return number;
        return UINT64_MAX;
    };
    std::ranges::sort(result_.own_files, std::greater{}, number);
}

Task<Result<>> JournalReader::open_one(std::string path, uint32_t name) {
    const auto info = co_await file_info(io_, path);
    if (!info) co_return info.error();
    if (!*info || (*info)->size < block_size) co_return Result<>{};
    const auto fd = co_await open_file(io_, {.path = path, .flags = Op::read_only | Op::direct});
    if (!fd) co_return fd.error();
    JournalFile file{.name = name, .path = path, .fd = *fd, .size = align_down((*info)->size)};
    const auto bytes = co_await view(file, 0);
    const auto head = bytes ? parse_entry(*bytes) : std::nullopt;
    if (head && head->kind == EntryKind::file && !files_.contains(head->position)) {
        file.head = *head;
        result_.incarnation_max = std::max(result_.incarnation_max, static_cast<uint64_t>(head->segment));
        files_.emplace(file.number(), std::move(file));
        co_return Result<>{};
    }
    co_await close_file(io_, *fd);
    if (!bytes) co_return bytes.error();
    co_return Result<>{};
}

Task<Result<Bytes>> JournalReader::view(JournalFile& file, uint64_t position) {
    const uint64_t wanted = std::min(file.size, position + sizeof(Entry) + payload_max);
    const bool inside = position >= file.window_at && wanted <= file.window_at + file.window.size();
    if (!inside) {
        file.window_at = align_down(position);
        file.window.resize(std::min<uint64_t>(window_size, file.size - file.window_at));
        const auto read = co_await direct_read(io_, file.fd, file.window_at, file.window);
        if (!read) co_return read.error();
    }
    co_return Bytes{file.window}.subspan(position - file.window_at);
}

// The newest file that is complete as a beginning says where to begin; those after it may hold the end.
Task<Result<>> JournalReader::read_chain() {
    JournalFile* newest = nullptr;
    for (auto it = files_.rbegin(); it != files_.rend(); ++it) {
        auto surveyed = co_await survey(it->second);
        if (!surveyed) co_return surveyed;
        const auto complete = co_await begins_complete(it->second);
        if (!complete) co_return complete.error();
        if (*complete) {
            newest = &it->second;
            break;
        }
    }
    if (!newest) co_return Result<>{};
    oldest_ = std::max(oldest_, static_cast<uint64_t>(newest->head.next));
    incarnation_ = static_cast<uint64_t>(newest->head.segment);
    auto first = files_.lower_bound(oldest_);
    ASSERT(first != files_.end());
    if (first->first != oldest_) {
        note_damage({.file = "journal file number " + std::to_string(oldest_), .entries = 1});
        io_.log().error("log", "a journal file is missing that is still needed", {{"file", oldest_}});
    }
    expected_ = first->second.head.sequence, base_ = first->first;
    for (auto it = first; it != files_.end() && !ended_; ++it) {
        const auto followed = co_await follow(it->second);
        if (!followed) co_return followed.error();
        it->second.window = {};
    }
    if (expected_ <= durable_) lose_until(durable_ + 1);
    for (auto& [slot, log] : logs_)
        if (log.last_sequence < resumed_) log.lost_after = lost_;
    co_return Result<>{};
}

// Whether the file's states are all there.
Task<Result<bool>> JournalReader::begins_complete(JournalFile& file) {
    uint64_t sequence = file.head.sequence;
    for (uint64_t position = 0; position + sizeof(Entry) <= file.size;) {
        const auto bytes = co_await view(file, position);
        if (!bytes) co_return bytes.error();
        const auto entry = parse_entry(*bytes);
        if (!entry || entry->sequence != sequence) {
            if (position % block_size == 0) co_return false;
            position = align_up(position);
            continue;
        }
        if (entry->kind == EntryKind::states_end) co_return true;
        if (entry->size() > bytes->size()) co_return false;
        const Bytes payload = bytes->subspan(sizeof(Entry), entry->has_payload() ? entry->length : 0);
        if (entry->has_payload() && hash64(payload) != entry->payload_hash) co_return false;
        sequence++;
        position += entry->size();
    }
    co_return false;
}

// Looks at every entry that can be read, chained or not, for what was durable and what is still needed.
Task<Result<>> JournalReader::survey(JournalFile& file) {
    for (uint64_t position = 0; position + sizeof(Entry) <= file.size;) {
        const auto bytes = co_await view(file, position);
        if (!bytes) co_return bytes.error();
        const auto entry = parse_entry(*bytes);
        if (!entry || entry->sequence < file.head.sequence) {
            position = align_down(position) + block_size;
            continue;
        }
        durable_ = std::max(durable_, entry->watermark);
        if (entry->kind == EntryKind::oldest) oldest_ = std::max(oldest_, entry->position);
        if (is_own_) result_.sequence_max = std::max(result_.sequence_max, entry->sequence);
        position += entry->size();
    }
    if (is_own_) result_.file_max = std::max(result_.file_max, file.number());
    co_return Result<>{};
}

// Applies the file's entries in their order. True when the next file may go on.
Task<Result<bool>> JournalReader::follow(JournalFile& file) {
    const bool is_base = file.number() == base_;
    if (file.head.sequence != expected_ && expected_ > durable_) co_return ended_ = true, false;
    for (uint64_t position = 0; position + sizeof(Entry) <= file.size;) {
        const auto bytes = co_await view(file, position);
        if (!bytes) co_return bytes.error();
        place_ = {&file.path, static_cast<int64_t>(position)};
        const auto entry = parse_entry(*bytes);
        const bool chained = entry && entry->sequence == expected_ && entry->size() <= bytes->size() &&
                             (!previous_known_ || entry->previous == previous_);
        if (!chained && position % block_size != 0) {
            position = align_up(position);
            continue;
        }
        if (!chained) {
            const auto readable = co_await next_readable(file, position);
            if (!readable) co_return readable.error();
            position = *readable;
            continue;
        }
        const Bytes payload = bytes->subspan(sizeof(Entry), entry->has_payload() ? entry->length : 0);
        if (!apply(*entry, payload, is_base)) co_return ended_ = true, false;
        expected_ = entry->sequence + 1, previous_ = entry->header_hash, previous_known_ = true;
        position += entry->size();
    }
    co_return true;
}

// Nothing that continues the chain is at `position`: the file's end, a torn tail, or damage, behind which the
// chain is taken up again. The file's size when there is nothing to go on with in it.
Task<Result<uint64_t>> JournalReader::next_readable(JournalFile& file, uint64_t position) {
    const auto next_file = files_.upper_bound(file.number());
    const bool continues = next_file != files_.end() && next_file->second.head.sequence == expected_;
    if (continues || expected_ > durable_) co_return file.size;
    for (position += block_size; position + sizeof(Entry) <= file.size; position += block_size) {
        const auto bytes = co_await view(file, position);
        if (!bytes) co_return bytes.error();
        const auto entry = parse_entry(*bytes);
        if (entry && entry->sequence > expected_) {
            lose_until(entry->sequence);
            co_return position;
        }
    }
    if (next_file != files_.end() && next_file->second.head.sequence > expected_)
        lose_until(next_file->second.head.sequence);
    co_return file.size;
}

// Reading goes on with that sequence: durable entries before it cannot be read.
void JournalReader::lose_until(uint64_t sequence) {
    ASSERT(sequence > expected_);
    lost_ += sequence - expected_;
    note_damage({place_.first ? *place_.first : std::string{"journal"}, place_.second, expected_,
                 sequence - expected_});
    expected_ = resumed_ = sequence, previous_known_ = false;
}

// False: the entry was being written when the end came.
bool JournalReader::apply(const Entry& entry, Bytes payload, bool is_base) {
    const bool sound = !entry.has_payload() || hash64(payload) == entry.payload_hash;
    if (!sound && entry.sequence > durable_) return false;
    clean_ = entry.kind == EntryKind::clean;
    if (!sound) note_damage({*place_.first, place_.second, entry.sequence, 1});
    const bool of_a_log = entry.kind != EntryKind::file && entry.kind != EntryKind::states_end &&
                          entry.kind != EntryKind::oldest && entry.kind != EntryKind::clean;
    if (!of_a_log || !is_mine(entry)) return true;
    // Later files repeat what is known by then; a log that came in between may have begun above zero.
    const auto known = logs_.find(Slot{entry.slot});
    const bool repeated =
        entry.kind == EntryKind::state && !is_base && known != logs_.end() && !known->second.left;
    RecoveredLog& log = logs_[Slot{entry.slot}];
    if (repeated && log.last_sequence < resumed_ && !agrees(log, entry)) add_lost(log, entry, 0);
    log.last_sequence = entry.sequence;
    if (repeated) return true;
    if (sound)
        apply_to(log, entry, payload);
    else
        apply_header(log, entry);
    return true;
}

// The header is sound, its payload is not: how far the log had come is known.
void JournalReader::apply_header(RecoveredLog& log, const Entry& entry) {
    if (entry.kind == EntryKind::data) return add_lost(log, entry, entry.length);
    log = {.left = entry.kind == EntryKind::left, .last_sequence = log.last_sequence};
    log.has_state = true;
    log.segment = Offset{entry.segment}, log.position = entry.position, log.next = Offset{entry.next};
}

// Bytes that the journal does not have: up to where the entry is, and `length` more.
void JournalReader::add_lost(RecoveredLog& log, const Entry& entry, uint32_t length) {
    log.pieces.push_back({.segment = Offset{entry.segment},
                          .position = entry.position,
                          .length = length,
                          .is_part = entry.part != 0,
                          .lost = true,
                          .next = Offset{entry.next},
                          .bytes_at = log.bytes.size(),
                          .sequence = entry.sequence});
}

// Whether the log, as read so far, is where a later file's state says that it was.
bool JournalReader::agrees(const RecoveredLog& log, const Entry& state) {
    if (log.pieces.empty()) return log.segment.value == state.segment && log.position == state.position;
    const RecoveredPiece& last = log.pieces.back();
    return last.segment.value == state.segment && last.position + last.length == state.position;
}

void JournalReader::begin_with(RecoveredLog& log, const Entry& entry, const StatePayload& state) {
    log.has_state = true;
    log.topic_id = Uuid{state.topic_id};
    log.segment = Offset{entry.segment}, log.position = entry.position;
    log.next = Offset{entry.next};
    log.log_start = std::max(log.log_start, Offset{state.log_start});
}

// The files of segments below it are the truth: nothing of them is applied again.
void JournalReader::settle(RecoveredLog& log, Offset segment) {
    std::erase_if(log.pieces, [&](const RecoveredPiece& piece) { return piece.segment < segment; });
    if (log.segment >= segment) return;
    log.segment = log.next = segment;
    log.position = 0;
}

void JournalReader::apply_to(RecoveredLog& log, const Entry& entry, Bytes payload) {
    switch (entry.kind) {
        case EntryKind::state: {
            StatePayload state;
            if (payload.size() != sizeof state) return apply_header(log, entry);
            std::memcpy(&state, payload.data(), sizeof state);
            if (log.left) log = {.last_sequence = log.last_sequence};  // Back again.
            return begin_with(log, entry, state);
        }
        case EntryKind::left: {
            LeftPayload left;
            if (payload.size() != sizeof left) return apply_header(log, entry);
            std::memcpy(&left, payload.data(), sizeof left);
            log = {.left = true, .left_generation = left.generation, .last_sequence = log.last_sequence};
            return begin_with(log, entry, left.state);
        }
        case EntryKind::data:
        case EntryKind::range: {
            const bool in_segment = entry.kind == EntryKind::range;
            log.pieces.push_back({.segment = Offset{entry.segment},
                                  .position = entry.position,
                                  .length = entry.length,
                                  .in_segment = in_segment,
                                  .is_part = entry.part != 0,
                                  .known_durable = entry.sequence <= durable_,
                                  .next = Offset{entry.next},
                                  .hash = entry.payload_hash,
                                  .bytes_at = log.bytes.size(),
                                  .sequence = entry.sequence});
            log.bytes.insert(log.bytes.end(), payload.begin(), payload.end());
            return;
        }
        case EntryKind::epoch:
            log.epochs.push_back({Epoch{static_cast<int32_t>(entry.position)}, Offset{entry.next}});
            return;
        case EntryKind::log_start: log.log_start = std::max(log.log_start, Offset{entry.next}); return;
        case EntryKind::removed: log.removed = true; return;
        case EntryKind::settled: return settle(log, Offset{entry.segment});
        default: return;
    }
}

// Where two journals speak of a slot, the later life is right, since no journal is emptied before all that
// all of them held is in the segments. In one life it was moved: it is where it has not left, or, when it had
// not arrived yet, as it left last.
bool JournalReader::is_newer(const RecoveredLog& log, const RecoveredLog& than) {
    if (log.incarnation != than.incarnation) return log.incarnation > than.incarnation;
    if (log.left != than.left) return than.left;
    return log.left && log.left_generation > than.left_generation;
}

void JournalReader::merge() {
    if (incarnation_ == 0) return;  // It has not begun.
    if (is_own_) result_.was_clean = clean_;
    result_.all_clean &= clean_;
    for (auto& [slot, log] : logs_) {
        log.incarnation = incarnation_;
        const auto known = result_.logs.find(slot);
        if (known == result_.logs.end())
            result_.logs.emplace(slot, std::move(log));
        else if (is_newer(log, known->second))
            known->second = std::move(log);
    }
}

}  // namespace

Task<Result<RecoveredJournals>> read_journals(Io& io, std::string root, Homes homes) {
    RecoveredJournals result;
    const auto names = co_await list_directory(io, root + "/journal");
    if (!names) co_return names.error();
    for (const std::string& name : *names) {
        const auto shard = number_of(name);
        if (!shard || *shard > UINT16_MAX) continue;
        result.shards.push_back(static_cast<uint16_t>(*shard));
        const ShardId of{static_cast<uint16_t>(*shard)};
        JournalReader reader{io, result, homes, of};
        const auto read = co_await reader.read(journal_directory(root, of.value));
        if (!read) co_return read.error();
    }
    co_return result;
}

}  // namespace millrace
