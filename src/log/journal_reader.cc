// Recovery's first half: what the journals say.
#include "journal_reader.h"

#include <charconv>

#include "files.h"
#include "journal_logs.h"

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
    Entry head;                   // Its file entry.
    bool head_lost = false;       // `head` is what the entries behind it and the other files tell of it.
    uint64_t begun = UINT64_MAX;  // The lowest sequence by which, as its entries tell, its states are over.
    std::vector<uint8_t> window;
    uint64_t window_at = 0;

    uint64_t number() const { return head.position; }
};

constexpr size_t window_size = 1 << 20;
static_assert(window_size >= 2 * (sizeof(Entry) + payload_max + block_size));

// What a file begins with.
bool is_of_states(const Entry& entry) {
    return entry.kind == EntryKind::file || entry.kind == EntryKind::state || entry.kind == EntryKind::left ||
           entry.kind == EntryKind::states_end;
}

// One shard's journal, while it is read.
class JournalReader {
 public:
    JournalReader(Io& io, RecoveredJournals& result, const Homes& homes, ShardId shard)
        : io_(io), result_(result), homes_(homes), shard_(shard), is_own_(shard == io.shard()) {}

    Task<Result<>> read(std::string directory);

 private:
    Task<Result<>> open_files(std::string directory);
    Task<Result<>> open_one(std::string path, uint32_t name);
    static std::optional<Entry> presumed_head(Bytes bytes);
    void place_headless();
    void place(Entry& head) const;
    void sort_own_files();
    bool may_concern_us() const;
    Task<Result<>> read_lives();
    void begin_life();
    Task<Result<>> read_chain();
    Task<Result<JournalFile*>> find_newest();
    Task<Result<bool>> begins_complete(JournalFile& file);
    Task<Result<>> survey(JournalFile& file);
    Task<Result<bool>> follow(JournalFile& file);
    Task<Result<uint64_t>> next_readable(JournalFile& file, uint64_t position);
    void lose_until(uint64_t sequence, const Entry* next = nullptr);
    void finish_lost();
    void note_damage(JournalDamage damage) {
        result_.damaged_entries += damage.entries;
        if (result_.damages.size() < damages_max) result_.damages.push_back(std::move(damage));
    }
    // The bytes from `position` on, at least a whole entry if the file has it.
    Task<Result<Bytes>> view(JournalFile& file, uint64_t position);
    bool apply(const Entry& entry, Bytes payload, bool is_base);
    void note_foreign(const Entry& entry, Bytes payload);
    bool homes_disagree() const;
    bool is_mine(const Entry& entry) const { return homes_.of(Slot{entry.slot}) == io_.shard(); }
    void merge();

    Io& io_;
    RecoveredJournals& result_;
    const Homes& homes_;
    const ShardId shard_;  // Whose journal it is.
    const bool is_own_;
    std::map<uint64_t, JournalFile> files_;  // By number.
    std::vector<JournalFile> headless_;      // Begun, as it seems, but their first entry cannot be read.
    std::map<Slot, RecoveredLog> logs_;
    std::map<Slot, uint64_t> foreign_;  // Whose home is elsewhere -> the generation with which they left.
    uint64_t oldest_ = 0, base_ = 0, durable_ = 0;
    uint64_t expected_ = 0, previous_ = 0;  // What the next entry must carry.
    bool previous_known_ = false;
    uint64_t incarnation_ = 0;
    uint64_t resumed_ = 0;  // Where reading went on behind entries that cannot be read.
    uint64_t lost_ = 0;     // How many of those there are.
    bool in_states_ = true, states_lost_ = false;  // Those that the base begins with.
    bool clean_ = false, ended_ = false;
    std::pair<const std::string*, int64_t> place_{nullptr, -1};  // Of what is being followed.
};

Task<Result<>> JournalReader::read(std::string directory) {
    auto result = co_await open_files(directory);
    std::vector<int> open;
    for (const auto& [number, file] : files_) open.push_back(file.fd);
    for (const JournalFile& file : headless_)
        if (file.fd >= 0) open.push_back(file.fd);
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
    files_.clear(), logs_.clear(), foreign_.clear();
    oldest_ = base_ = durable_ = expected_ = previous_ = incarnation_ = resumed_ = lost_ = 0;
    previous_known_ = clean_ = ended_ = states_lost_ = false;
    in_states_ = true;
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
    place_headless();
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
    const auto presumed = bytes && !head ? presumed_head(file.window) : std::nullopt;
    if (presumed) {
        file.head = *presumed, file.head_lost = true;
        headless_.push_back(std::move(file));
        co_return Result<>{};
    }
    co_await close_file(io_, *fd);
    if (!bytes) co_return bytes.error();
    co_return Result<>{};
}

// Of a file whose first entry cannot be read, from the first that can: its sequence, and as length how many
// fit before it. Nothing when there is none: it was never begun.
std::optional<Entry> JournalReader::presumed_head(Bytes bytes) {
    for (size_t at = sizeof(Entry); at + sizeof(Entry) <= bytes.size(); at += 8) {
        const auto entry = parse_entry(bytes.subspan(at));
        if (!entry) continue;
        return Entry{.kind = EntryKind::file,
                     .length = static_cast<uint32_t>(at / sizeof(Entry)),
                     .sequence = entry->sequence,
                     .position = 1};
    }
    return {};
}

// Sequences and numbers rise together, so the other files tell a headless one's number, and its life: a new
// one leaves a gap. What an older use of a file left behind a torn beginning comes to lie before all that is
// needed.
void JournalReader::place_headless() {
    std::ranges::sort(headless_, {}, [](const JournalFile& file) { return file.head.sequence; });
    for (JournalFile& file : headless_) {
        place(file.head);
        if (files_.contains(file.number())) continue;
        result_.incarnation_max = std::max(result_.incarnation_max, static_cast<uint64_t>(file.head.segment));
        files_.emplace(file.number(), std::move(file));
        file.fd = -1;
    }
}

void JournalReader::place(Entry& head) const {
    constexpr uint64_t life_gap = 1 << 20;
    const auto next =
        std::ranges::find_if(files_, [&](const auto& f) { return f.second.head.sequence > head.sequence; });
    const Entry* after = next == files_.end() ? nullptr : &next->second.head;
    const Entry* before = next == files_.begin() ? nullptr : &std::prev(next)->second.head;
    head.segment = static_cast<int64_t>(std::max<uint64_t>(result_.incarnation_max, 1));
    if (before) {
        const bool same_life = head.sequence - before->sequence < life_gap;
        head.position = before->position + 1;
        head.segment = before->segment + !same_life, head.slot = before->slot;
    }
    if (after) {
        const bool same_life = after->sequence - head.sequence < life_gap;
        head.position = after->position - 1;
        if (same_life || !before) head.segment = after->segment - !same_life, head.slot = after->slot;
    }
    const uint64_t lowest = before ? before->sequence + 1 : 0;
    head.sequence -= std::min<uint64_t>(std::exchange(head.length, 0), head.sequence - lowest);
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

// The newest file that is complete as a beginning. Where its own entry does not say which files it needs,
// those before it do.
Task<Result<JournalFile*>> JournalReader::find_newest() {
    JournalFile* newest = nullptr;
    for (auto it = files_.rbegin(); it != files_.rend() && (!newest || newest->head_lost); ++it) {
        JournalFile& file = it->second;
        auto surveyed = co_await survey(file);
        if (!surveyed) co_return surveyed.error();
        if (newest) {
            oldest_ = std::max(oldest_, static_cast<uint64_t>(file.head.next));
            if (!file.head_lost) continue;
        }
        const auto complete = co_await begins_complete(file);
        if (!complete) co_return complete.error();
        if (*complete && !newest) newest = &file;
    }
    co_return newest;
}

// It says where to begin; the files after it may hold the end.
Task<Result<>> JournalReader::read_chain() {
    const auto found = co_await find_newest();
    if (!found) co_return found.error();
    JournalFile* newest = *found;
    if (!newest) co_return Result<>{};
    oldest_ = std::max(oldest_, static_cast<uint64_t>(newest->head.next));
    incarnation_ = static_cast<uint64_t>(newest->head.segment);
    oldest_ = std::min(oldest_, newest->number());
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
    finish_lost();
    co_return Result<>{};
}

// What becomes of logs that lost entries may have been of.
void JournalReader::finish_lost() {
    for (auto& [slot, log] : logs_) {
        if (log.last_sequence < resumed_) log.lost_after = lost_;
        if (!states_lost_ || log.has_state || log.removed) continue;
        log.no_place = log.pieces.empty();
        if (log.no_place) continue;
        // What is below its first piece is in the segment's file, where it is checked.
        log.has_state = true, log.position = 0;
        log.segment = log.next = log.pieces.front().segment;
    }
    if (resumed_ > 0) result_.lost_unspoken += lost_;
}

// Whether the file's states are all there, or were: then what can no longer be read of them is damage.
Task<Result<bool>> JournalReader::begins_complete(JournalFile& file) {
    if (file.begun <= durable_) co_return true;
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
            const bool behind_damage = position < block_size;
            position = behind_damage ? position + 8 : align_down(position) + block_size;
            continue;
        }
        const bool is_end = entry->kind == EntryKind::states_end;
        if (is_end || !is_of_states(*entry)) file.begun = std::min(file.begun, entry->sequence - !is_end);
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
    std::optional<uint64_t> stopped;  // Inside a block; what follows may be on the next one.
    for (uint64_t position = 0; position + sizeof(Entry) <= file.size;) {
        const auto bytes = co_await view(file, position);
        if (!bytes) co_return bytes.error();
        place_ = {&file.path, static_cast<int64_t>(position)};
        const auto entry = parse_entry(*bytes);
        const bool chained = entry && entry->sequence == expected_ && entry->size() <= bytes->size() &&
                             (!previous_known_ || entry->previous == previous_);
        if (!chained && position % block_size != 0 && !stopped) {
            stopped = position;
            position = align_up(position);
            continue;
        }
        if (!chained) {
            const auto readable = co_await next_readable(file, stopped.value_or(position));
            if (!readable) co_return readable.error();
            position = *readable, stopped.reset();
            continue;
        }
        stopped.reset();
        const Bytes payload = bytes->subspan(sizeof(Entry), entry->has_payload() ? entry->length : 0);
        if (!apply(*entry, payload, is_base)) co_return ended_ = true, false;
        expected_ = entry->sequence + 1, previous_ = entry->header_hash, previous_known_ = true;
        position += entry->size();
    }
    co_return true;
}

// Nothing that continues the chain is at `position`: the file's end, a torn tail, or damage, behind which the
// chain is taken up again: with the very next entry wherever it is, else with one that begins a block. The
// file's size when there is nothing to go on with in it.
Task<Result<uint64_t>> JournalReader::next_readable(JournalFile& file, uint64_t position) {
    const auto next_file = files_.upper_bound(file.number());
    const bool continues = next_file != files_.end() && next_file->second.head.sequence == expected_;
    if (continues || expected_ > durable_) co_return file.size;
    const uint64_t near_end = position + payload_max + block_size;
    for (position += 8; position + sizeof(Entry) <= file.size; position += 8) {
        if (position > near_end) position = align_up(position);
        const auto bytes = co_await view(file, position);
        if (!bytes) co_return bytes.error();
        const auto entry = parse_entry(*bytes);
        const bool begins_block = position % block_size == 0;
        if (entry && (entry->sequence == expected_ + 1 || (begins_block && entry->sequence > expected_))) {
            lose_until(entry->sequence, &*entry);
            co_return position;
        }
    }
    if (next_file != files_.end() && next_file->second.head.sequence > expected_)
        lose_until(next_file->second.head.sequence);
    co_return file.size;
}

// Reading goes on with that sequence, with `next` if it is in the same file: durable entries before it cannot
// be read. If those were only states that the base begins with, no log's bytes are among them.
void JournalReader::lose_until(uint64_t sequence, const Entry* next) {
    ASSERT(sequence > expected_);
    const uint64_t entries = sequence - expected_;
    note_damage({place_.first ? *place_.first : std::string{"journal"}, place_.second, expected_, entries});
    states_lost_ |= in_states_;
    const bool only_states = in_states_ && next && (entries == 1 || is_of_states(*next));
    if (!only_states) lost_ += entries, resumed_ = sequence;
    expected_ = sequence, previous_known_ = false;
}

// False: the entry was being written when the end came.
bool JournalReader::apply(const Entry& entry, Bytes payload, bool is_base) {
    const bool sound = !entry.has_payload() || hash64(payload) == entry.payload_hash;
    if (!sound && entry.sequence > durable_) return false;
    clean_ = entry.kind == EntryKind::clean;
    if (!sound) note_damage({*place_.first, place_.second, entry.sequence, 1});
    in_states_ = in_states_ && is_of_states(entry) && entry.kind != EntryKind::states_end;
    if (!entry.is_of_a_log()) return true;
    if (!is_mine(entry)) return note_foreign(entry, sound ? payload : Bytes{}), true;
    // Later files repeat what is known by then; a log that came in between may have begun above zero.
    const auto known = logs_.find(Slot{entry.slot});
    const bool has_place =
        known != logs_.end() && (!states_lost_ || known->second.has_state || !known->second.pieces.empty());
    const bool repeated = entry.kind == EntryKind::state && !is_base && has_place && !known->second.left;
    RecoveredLog& log = logs_[Slot{entry.slot}];
    if (repeated && log.last_sequence < resumed_ && !agrees(log, entry)) add_lost(log, entry, 0);
    log.last_sequence = entry.sequence;
    if (repeated) return true;
    if (sound)
        apply_to(log, {entry, payload, entry.sequence <= durable_});
    else
        apply_header(log, entry);
    return true;
}

void JournalReader::note_foreign(const Entry& entry, Bytes payload) {
    constexpr uint64_t never = UINT64_MAX;
    const Slot slot{entry.slot};
    if (entry.kind == EntryKind::removed) return void(foreign_.erase(slot));
    if (entry.kind != EntryKind::left) return void(foreign_[slot] = never);
    LeftPayload left;
    if (payload.size() == sizeof left) std::memcpy(&left, payload.data(), sizeof left);
    foreign_[slot] = left.generation;
}

// Of a life with as many shards as now: what is at home elsewhere has left, in a move that the homes know.
bool JournalReader::homes_disagree() const {
    if (homes_.is_lost || files_.begin()->second.head.slot != io_.shard_count()) return false;
    return std::ranges::any_of(foreign_, [&](const auto& f) { return f.second > homes_.generation; });
}

void JournalReader::merge() {
    if (incarnation_ == 0) return;  // It has not begun.
    if (is_own_) result_.was_clean = clean_;
    result_.homes_disagree |= is_own_ && homes_disagree();
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
