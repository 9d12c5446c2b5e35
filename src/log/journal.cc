// Group commit.
#include "journal.h"

#include "chunks.h"
#include "files.h"

namespace millrace {

namespace {

// A write that was cut short is no error: it is done again, from its beginning, as direct writes must stay
// aligned.
bool is_cut_short(const Op& op, Outcome outcome, uint32_t& tries) {
    const bool is_short = outcome.value > 0 && static_cast<uint64_t>(outcome.value) < op.size;
    tries = is_short ? tries + 1 : 0;
    return is_short && tries <= short_writes_max;
}

}  // namespace

struct Journal::DirectWrite final : Op {
    explicit DirectWrite(Journal& journal) : Op(Kind::write), journal(journal) {}
    void done(Outcome outcome) override {
        if (is_cut_short(*this, outcome, tries)) return journal.io_.submit(*this);
        journal.land(*commit, outcome.value >= 0 && static_cast<uint64_t>(outcome.value) == size,
                     outcome.value);
    }
    Journal& journal;
    Commit* commit = nullptr;
    uint32_t tries = 0;
};

struct Journal::Commit final : Op {
    explicit Commit(Journal& journal) : Op(Kind::write), journal(journal), bytes(commit_size_max) {
        data = bytes.data(), buffer = &bytes;
    }
    void done(Outcome outcome) override {
        if (is_cut_short(*this, outcome, tries)) return journal.io_.submit(*this);
        journal.land(*this, outcome.value >= 0 && static_cast<uint64_t>(outcome.value) == size,
                     outcome.value);
    }
    uint64_t device_bytes() const {
        uint64_t sum = size;
        for (const auto& direct : directs) sum += direct->size;
        return sum;
    }
    Journal& journal;
    IoBuffer bytes;
    size_t used = 0;
    uint64_t last_sequence = 0;
    uint64_t frees = 0;       // Files before this number, when durable.
    bool must_flush = false;  // Holds more than records.
    std::vector<CommitMark> marks;
    std::vector<std::unique_ptr<DirectWrite>> directs;
    size_t waiting = 0;  // Writes under way.
    uint32_t tries = 0;
};

struct Journal::Sync final : Op {
    explicit Sync(Journal& journal) : Op(Kind::sync), journal(journal) {}
    void done(Outcome outcome) override { journal.on_synced(outcome.value); }
    Journal& journal;
};

// Zeros for a piece of a file.
struct Journal::Prewrite final : Op {
    Prewrite(Journal& journal, size_t piece) : Op(Kind::write), journal(journal), zeros(piece) {
        data = zeros.data(), buffer = &zeros, flags = durable;
    }
    void done(Outcome outcome) override {
        if (is_cut_short(*this, outcome, tries)) return journal.io_.submit(*this);
        journal.on_prewritten(outcome.value >= 0 && static_cast<uint64_t>(outcome.value) == size,
                              outcome.value);
    }
    Journal& journal;
    IoBuffer zeros;
    File* file = nullptr;  // None: idle.
    uint32_t tries = 0;
};

Journal::Journal(Io& io, JournalOwner& owner, Settings settings)
    : io_(io), owner_(owner), settings_(std::move(settings)) {
    ASSERT(settings_.files >= 2);
    ASSERT(settings_.file_bytes % block_size == 0);
    ASSERT(settings_.file_bytes >= 4 * file_reserve);
}

Journal::~Journal() = default;

std::string Journal::path_of(uint32_t name) const { return settings_.directory + "/" + std::to_string(name); }

// ---- Files ---------------------------------------------------------------------------------------------

Task<Result<>> Journal::open(Continuation from) {
    ASSERT(files_.empty());
    incarnation_ = from.incarnation, next_sequence_ = from.sequence, next_file_ = from.file;
    oldest_ = oldest_put_ = from.file;
    written_until_ = durable_until_ = synced_until_ = from.sequence - 1;
    foreign_names_ = std::move(from.names);
    co_return co_await prepare_file(0);
}

Task<Result<>> Journal::prepare_file(uint64_t size_min) {
    uint32_t name = 0;
    const auto taken = [&] {
        return std::count(foreign_names_.begin(), foreign_names_.end(), name) > 0 ||
               std::any_of(files_.begin(), files_.end(), [&](const auto& f) { return f->name == name; });
    };
    while (taken()) name++;
    const std::string path = path_of(name);
    const auto fd =
        co_await open_file(io_, {.path = path, .flags = Op::read_write | Op::create | Op::direct});
    if (!fd) co_return fd.error();
    const uint64_t size = align_up(std::max(settings_.file_bytes, size_min));
    const int32_t allocated = co_await Once{io_, Op::Kind::allocate, {.fd = *fd, .size = size}};
    auto synced = co_await sync_directory(io_, settings_.directory);
    if (allocated < 0 || !synced) {
        co_await close_file(io_, *fd);
        co_return allocated < 0 ? storage_error(allocated) : synced.error();
    }
    files_.push_back(std::make_unique<File>(File{.name = name, .fd = *fd, .size = size}));
    stalled_ = false;
    prewrite();
    co_return Result<>{};
}

bool Journal::has_free_file() const {
    return std::any_of(files_.begin(), files_.end(), [](const auto& f) { return f->number == 0; });
}

bool Journal::wants_file() const {
    const bool needed = stalled_ || (current_ && current_->used > current_->size / 2);
    return !has_free_file() && needed && files_.size() < settings_.files;
}

Task<> Journal::close_files() {
    for (auto& file : files_) co_await close_file(io_, file->fd);
    files_.clear();
    current_ = nullptr;
}

Journal::File* Journal::free_file() {
    for (auto& file : files_)
        if (file->number == 0) return file.get();
    return nullptr;
}

// ---- Entries -------------------------------------------------------------------------------------------

bool Journal::switch_file() {
    File* next = free_file();
    if (!next) {
        stalled_ = true;
        owner_.on_journal_file();
        return false;
    }
    if (open_) close_commit();
    next->number = next_file_++, next->used = 0;
    if (!current_) oldest_ = oldest_put_ = next->number;
    current_ = next;
    put({.kind = EntryKind::file,
         .slot = io_.shard_count(),
         .segment = static_cast<int64_t>(incarnation_),
         .position = next->number,
         .next = static_cast<int64_t>(oldest_put_)});
    owner_.put_states();
    put({.kind = EntryKind::states_end});
    ASSERT(current_ == next);
    prewrite();
    owner_.on_journal_file();
    return true;
}

bool Journal::reserve(size_t bytes) {
    ASSERT(current_);
    const size_t padding = (bytes / (commit_size_max - payload_max - sizeof(Entry)) + 2) * block_size;
    const auto fits = [&] {
        const size_t open = open_ ? align_up(open_->used) : 0;
        return current_->used + open + bytes + padding + file_reserve <= current_->size;
    };
    if (fits()) return true;
    if (!switch_file()) return false;
    ASSERT(fits());
    return true;
}

Journal::Commit& Journal::open_commit() {
    if (open_) return *open_;
    if (spare_.empty()) return *(open_ = std::make_unique<Commit>(*this));
    open_ = std::move(spare_.back());
    spare_.pop_back();
    ASSERT(open_->marks.empty() && open_->used == 0);
    return *open_;
}

void Journal::put(Entry entry, Bytes payload) {
    ASSERT(current_);
    ASSERT(payload.size() <= payload_max);
    if (entry.has_payload()) entry.length = static_cast<uint32_t>(payload.size());
    if (open_ && open_->used + entry.size() > commit_size_max) close_commit();
    Commit& commit = open_commit();
    entry.sequence = next_sequence_++;
    entry.watermark = durable_until_, entry.previous = last_hash_;
    if (entry.has_payload()) entry.payload_hash = hash64(payload);
    entry.header_hash = last_hash_ = header_hash_of(entry);
    uint8_t* to = commit.bytes.data() + commit.used;
    std::memcpy(to, &entry, sizeof entry);
    if (!payload.empty()) std::memcpy(to + sizeof entry, payload.data(), payload.size());
    std::fill(to + sizeof entry + payload.size(), to + entry.size(), uint8_t{0});
    commit.used += entry.size();
    commit.last_sequence = entry.sequence;
    told_durable_ = entry.watermark;
    if (entry.kind != EntryKind::watermark) news_until_ = entry.sequence;
    commit.must_flush |= entry.kind != EntryKind::data && entry.kind != EntryKind::range;
}

void Journal::put_direct(const Direct& direct) {
    Commit& commit = open_commit();
    ASSERT(direct.from % block_size == 0 && direct.size % block_size == 0 && direct.size > 0);
    std::unique_ptr<DirectWrite> write;
    if (spare_directs_.empty()) {
        write = std::make_unique<DirectWrite>(*this);
    } else {
        write = std::move(spare_directs_.back());
        spare_directs_.pop_back();
    }
    write->commit = &commit;
    write->fd = direct.fd, write->buffer = &direct.chunk->buffer;
    write->data = direct.chunk->buffer.data() + direct.from, write->size = direct.size;
    write->offset = direct.chunk->position + direct.from;
    direct_bytes_ += direct.size;
    commit.directs.push_back(std::move(write));
}

void Journal::mark(const CommitMark& mark) {
    ASSERT(open_);
    open_->marks.push_back(mark);
}

void Journal::put_oldest(uint64_t file) {
    ASSERT(file <= current_->number);
    if (file <= oldest_put_) return;
    oldest_put_ = file;
    put({.kind = EntryKind::oldest, .position = file});
    open_->frees = file;
}

void Journal::put_watermark() {
    ASSERT(wants_watermark());
    if (!reserve(sizeof(Entry))) return;
    put({.kind = EntryKind::watermark});
    flush();
}

// ---- Commits -------------------------------------------------------------------------------------------

void Journal::close_commit() {
    Commit& commit = *open_;
    commit.size = align_up(commit.used);
    std::fill(commit.bytes.data() + commit.used, commit.bytes.data() + commit.size, uint8_t{0});
    commit.fd = current_->fd, commit.offset = current_->used;
    commit.flags = commit.must_flush || owner_.wants_durable() ? Op::durable : 0u;
    for (auto& direct : commit.directs) direct->flags = commit.flags;
    current_->used += commit.size;
    ASSERT(current_->used <= current_->size);
    current_->prewritten = std::max(current_->prewritten, current_->used);
    ready_.push_back(std::move(open_));
    submit_ready();
    prewrite();
}

void Journal::flush() {
    if (open_) close_commit();
}

void Journal::submit_ready() {
    while (!ready_.empty() && flying_.size() < settings_.commits_in_flight && !failed_) {
        if (is_held_up(*ready_.front())) return;
        flying_.push_back(std::move(ready_.front()));
        ready_.pop_front();
        Commit& commit = *flying_.back();
        commit.waiting = 1 + commit.directs.size();
        bytes_ += commit.size, commits_++;
        flying_bytes_ += commit.device_bytes();
        for (auto& direct : commit.directs) io_.submit(*direct);
        io_.submit(commit);
    }
}

void Journal::land(Commit& commit, bool good, int32_t outcome) {
    ASSERT(commit.waiting > 0);
    commit.waiting--;
    if (!good && !failed_) {
        failed_ = true;
        owner_.on_journal_failed(outcome);
    }
    while (!failed_ && !flying_.empty() && flying_.front()->waiting == 0) {
        auto complete_one = std::move(flying_.front());
        flying_.pop_front();
        flying_bytes_ -= complete_one->device_bytes();
        complete(*complete_one);
        for (auto& direct : complete_one->directs) spare_directs_.push_back(std::move(direct));
        complete_one->directs.clear(), complete_one->marks.clear();
        complete_one->used = 0, complete_one->frees = 0, complete_one->must_flush = false;
        if (spare_.size() <= settings_.commits_in_flight) spare_.push_back(std::move(complete_one));
    }
    submit_ready();
    owner_.on_landed();
}

bool Journal::in_flight() const {
    bool any = syncs_under_way_ > 0 || (prewrite_ && prewrite_->file);
    for (const auto& commit : flying_) any |= commit->waiting > 0;
    return any;
}

// The device has it; it may still lose it.
void Journal::complete(Commit& commit) {
    ASSERT(commit.last_sequence > written_until_);
    written_until_ = commit.last_sequence;
    submit_ready();
    Written written;
    if (!spare_written_.empty()) {
        written = std::move(spare_written_.back());
        spare_written_.pop_back();
    }
    written.last_sequence = commit.last_sequence, written.frees = commit.frees;
    written.is_durable = commit.flags & Op::durable;
    written.marks.swap(commit.marks);
    if (!written.is_durable) {
        written.files.push_back(commit.fd);
        unsynced_bytes_ += commit.size;
        for (const auto& direct : commit.directs)
            written.files.push_back(direct->fd), unsynced_bytes_ += direct->size;
    }
    written_.push_back(std::move(written));
    if (written_.front().is_durable) return settle();
    if (written_.back().is_durable || unsynced_bytes_ >= unsynced_bytes_max) sync();
    owner_.on_written(written_.back().marks);
}

void Journal::settle() {
    while (!written_.empty() && !failed_) {
        if (!written_.front().is_durable && written_.front().last_sequence > synced_until_) return;
        Written written = std::move(written_.front());
        written_.pop_front();
        on_durable(written);
        written.files.clear(), written.marks.clear();
        if (spare_written_.size() < written_max) spare_written_.push_back(std::move(written));
    }
}

void Journal::on_durable(Written& written) {
    durable_until_ = written.last_sequence;
    if (written.frees > oldest_) {
        oldest_ = written.frees;
        for (auto& file : files_)
            if (file->number != 0 && file->number < oldest_) file->number = 0, stalled_ = false;
    }
    submit_ready();
    owner_.on_committed(written.marks);
}

// ---- Writing ahead --------------------------------------------------------------------------------------

// A file is allocated at once, but its first use makes the file system note each extent as written, which a
// durable write has to wait for. So zeros go ahead of the commits, a few pieces at a time: each file once.
void Journal::prewrite() {
    constexpr uint64_t piece_max = 1 << 20;
    if (failed_ || (prewrite_ && prewrite_->file)) return;
    File* file = next_to_prewrite();
    if (!file) return;
    if (!prewrite_)
        prewrite_ = std::make_unique<Prewrite>(
            *this, std::min(piece_max, align_down(settings_.file_bytes / (2 * prewrite_ahead))));
    prewrite_->file = file;
    prewrite_->fd = file->fd, prewrite_->offset = file->prewritten;
    prewrite_->size = std::min<uint64_t>(prewrite_->zeros.size(), file->size - file->prewritten);
    io_.submit(*prewrite_);
}

// The current file, as far as a few pieces ahead, then the beginning of the one that follows.
Journal::File* Journal::next_to_prewrite() {
    const uint64_t piece = prewrite_ ? prewrite_->zeros.size() : 1;
    const auto wants = [&](const File* file) {
        const uint64_t used = file == current_ ? file->used : 0;
        return file->prewritten < std::min(file->size, used + prewrite_ahead * piece);
    };
    if (!current_ || wants(current_)) return current_;
    File* next = free_file();
    return next && wants(next) ? next : nullptr;
}

void Journal::on_prewritten(bool good, int32_t outcome) {
    File& file = *std::exchange(prewrite_->file, nullptr);
    file.prewritten = std::max(file.prewritten, prewrite_->offset + prewrite_->size);
    prewritten_bytes_ += prewrite_->size;
    if (!good && !failed_) {
        failed_ = true;
        owner_.on_journal_failed(outcome);
    }
    submit_ready();
    prewrite();
    owner_.on_landed();
}

// The zeros must not come behind its bytes.
bool Journal::is_held_up(const Commit& commit) const {
    return prewrite_ && prewrite_->file && commit.fd == prewrite_->fd &&
           commit.offset < prewrite_->offset + prewrite_->size &&
           commit.offset + commit.size > prewrite_->offset;
}

// ---- Flushing ------------------------------------------------------------------------------------------

// One round at a time. What is written while it runs it may not cover: that waits for the next one.
void Journal::sync() {
    if (failed_ || written_.empty()) return;
    sync_again_ = syncs_under_way_ > 0;
    if (sync_again_) return;
    std::vector<int>& files = to_sync_;
    files.clear();
    for (const Written& written : written_)
        files.insert(files.end(), written.files.begin(), written.files.end());
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    if (files.empty()) return;  // What is left was written durably, and settles now.
    syncing_until_ = written_.back().last_sequence;
    unsynced_bytes_ = 0;
    syncs_under_way_ = files.size();
    while (syncs_.size() < files.size()) syncs_.push_back(std::make_unique<Sync>(*this));
    for (size_t i = 0; i < files.size(); i++) {
        syncs_[i]->fd = files[i];
        io_.submit(*syncs_[i]);
    }
}

void Journal::on_synced(int32_t outcome) {
    ASSERT(syncs_under_way_ > 0);
    syncs_under_way_--;
    if (outcome < 0 && !failed_) {
        failed_ = true;
        owner_.on_journal_failed(outcome);
    }
    if (syncs_under_way_ == 0 && !failed_) {
        synced_until_ = syncing_until_;
        settle();
        if (sync_again_) sync();
    }
    owner_.on_landed();
}

void Journal::forget(const PartitionLog& log) {
    const auto forget_in = [&](auto& holder) {
        for (CommitMark& mark : holder.marks)
            if (mark.log == &log) mark.log = nullptr;
    };
    for (auto& commit : flying_) forget_in(*commit);
    for (auto& commit : ready_) forget_in(*commit);
    for (Written& written : written_) forget_in(written);
    if (open_) forget_in(*open_);
}

}  // namespace millrace
