// libFuzzer target: a small data directory whose bytes are changed as the input says, then recovered, read,
// written and checked, all in the simulator.
//
// The first byte chooses the directory (killed or stopped cleanly); then come changes of 8 bytes each: file,
// kind, place (u32), two bytes of value. What may not happen: a crash, a start that does not end, a batch
// served whose CRC is wrong, offsets that do not rise.
#include <map>

#include "journal_format.h"
#include "millrace/batch.h"
#include "millrace/log_tools.h"
#include "millrace/sim.h"

namespace millrace {
namespace {

using Disk = std::map<std::string, std::vector<uint8_t>>;
constexpr uint32_t slots = 2;
constexpr uint64_t patience_ns = 3'600'000'000'000;

StorageConfig small() {
    return {.directory = "data",
            .journal_files = 2,
            .journal_file_bytes = 128 << 10,
            .tail_cache_bytes = 64 << 10,
            .dirty_bytes_max = 128 << 10,
            .direct_append_bytes = 8 << 10,
            .descriptors_max = 4,
            .index_cache_bytes = 1 << 10};
}

LogSpec spec_of(uint32_t slot) {
    LogSpec spec{.slot = Slot{slot}, .topic = "t", .partition = static_cast<int32_t>(slot)};
    spec.config = {.segment_bytes = 16 << 10, .index_interval_bytes = 1024};
    spec.topic_id.bytes[3] = 9;
    return spec;
}

std::vector<uint8_t> batch_of(uint64_t seed, int32_t sequence) {
    BatchBuilder builder{{.producer_id = ProducerId{5}, .producer_epoch = 0, .base_sequence = sequence}};
    const std::vector<uint8_t> value(40 + seed * 131 % 900, static_cast<uint8_t>(seed));
    builder.add({.timestamp = static_cast<int64_t>(1000 + seed), .value = Bytes{value}});
    return builder.build();
}

// Ends with the node, as its coroutines do.
struct Holder final : SimProgram {
    std::unique_ptr<Storage> storage;
};

// A node with one program, which is a coroutine.
class World {
 public:
    World() : node(world.add_node()) {
        node.boot([](SimNode&) { return std::make_unique<Holder>(); });
    }
    void run(Task<> task) {
        bool done = false;
        node.spawn([](Task<> task, bool& done) -> Task<> {
            co_await task;
            done = true;
        }(std::move(task), done));
        ASSERT(world.run_until([&] { return done; }, patience_ns));
    }
    std::unique_ptr<Storage>& storage() { return static_cast<Holder*>(node.program())->storage; }
    SimWorld world{{.seed = 1}};
    SimNode& node;
};

Task<Error> open_all(World& w) {
    auto opened = co_await Storage::open(w.node.io(), small());
    if (!opened) co_return opened.error();
    Storage& storage = *(w.storage() = std::move(*opened));
    for (uint32_t slot = 0; slot < slots; slot++) {
        const auto loaded = co_await storage.load(spec_of(slot));
        if (!loaded) co_return loaded.error();
    }
    auto result = co_await storage.finish_recovery();
    if (result) result = co_await storage.start();
    if (result) result = co_await storage.forget_past();
    if (!result) co_return result.error();
    storage.run().detach();
    co_return Error::none;
}

void take(SimDisk& disk, const std::string& directory, Disk& into) {
    for (const std::string& name : disk.names(directory)) {
        const std::string path = directory + "/" + name;
        take(disk, path, into);
        if (disk.names(path).empty()) into[path] = disk.contents(path);
    }
}

enum class End : bool { killed, clean };

Disk make_disk(End end) {
    World w;
    w.run([](World& w, End end) -> Task<> {
        const Error opened = co_await open_all(w);
        ASSERT(opened == Error::none);
        for (uint64_t i = 0; i < 90; i++) {
            Log* log = w.storage()->find(Slot{static_cast<uint32_t>(i % slots)});
            const auto appended = log->append({.batch = batch_of(i, static_cast<int32_t>(i / slots)),
                                               .leader_epoch = Epoch{static_cast<int32_t>(i / 30)}});
            ASSERT(appended.ok());
            log->want_durable();
            co_await Once{w.node.io(), Op::Kind::sleep, {.size = 5'000'000}};
        }
        if (end == End::clean) {
            auto closing = w.storage()->close();
            const auto closed = co_await closing;
            ASSERT(closed.ok());
        }
    }(w, end));
    Disk disk;
    take(w.node.disk(), "data", disk);
    return disk;
}

// ---- Changing it ---------------------------------------------------------------------------------------

// Hashes and checksums at that place made right again, or nothing gets past them.
void mend(std::vector<uint8_t>& file, uint64_t place) {
    const auto bytes = MutableBytes{file}.subspan(place);
    Entry entry;
    if (bytes.size() >= sizeof entry) {
        std::memcpy(&entry, bytes.data(), sizeof entry);
        if (entry.magic == Entry::magic_number) {
            if (entry.has_payload() && entry.length <= bytes.size() - sizeof entry)
                entry.payload_hash = hash64(Bytes{bytes}.subspan(sizeof entry, entry.length));
            entry.header_hash = header_hash_of(entry);
            std::memcpy(bytes.data(), &entry, sizeof entry);
            return;
        }
    }
    if (const auto view = BatchView::parse(bytes); view && view->size() >= batch_header_size)
        patch_crc(bytes);
}

void change(Disk& disk, Bytes step) {
    auto file = disk.begin();
    std::advance(file, step[0] % disk.size());
    std::vector<uint8_t>& bytes = file->second;
    const uint32_t at = load_big<uint32_t>(step.data() + 2);
    const uint64_t place = bytes.empty() ? 0 : at % bytes.size();
    const uint64_t block = place / 4096 * 4096;
    switch (step[1] % 10) {
        case 0: return bytes.empty() ? void() : void(bytes[place] ^= static_cast<uint8_t>(step[6] | 1));
        case 1: return bytes.resize(place);
        case 2: return bytes.resize(bytes.size() + at % 9000, step[6]);
        case 3: return void(disk.erase(file));
        case 4: return mend(bytes, place);
        case 5: return mend(bytes, block);
        case 6: {  // A block of it elsewhere: a write that went astray.
            const uint64_t to = step[6] * uint64_t{4096};
            if (block + 4096 > bytes.size() || to + 4096 > bytes.size()) return;
            return void(std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(block), 4096,
                                    bytes.begin() + static_cast<ptrdiff_t>(to)));
        }
        case 7: {  // A torn write.
            const size_t size = std::min<uint64_t>(bytes.size() - block, 512u * (1 + step[6] % 8));
            return void(std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(block), size, step[7]));
        }
        case 8: {  // Another file's bytes.
            auto other = disk.begin();
            std::advance(other, step[6] % disk.size());
            const std::vector<uint8_t> copy = other->second;
            return void(bytes = copy);
        }
        default:
            for (size_t i = 0; i < 2 && place + i < bytes.size(); i++) bytes[place + i] = step[6 + i];
    }
}

// ---- Looking at what came of it ------------------------------------------------------------------------

void check_slice(const Slice& slice, Offset from) {
    std::vector<uint8_t> bytes;
    for (const Bytes piece : slice.pieces()) bytes.insert(bytes.end(), piece.begin(), piece.end());
    BatchReader reader{bytes};
    Offset next = from;
    while (const auto batch = reader.next()) {
        ASSERT(batch->crc_matches());
        ASSERT(batch->next_offset() > next);
        next = batch->next_offset();
    }
    ASSERT(reader.error() == Error::none);
}

Task<> read_all(Log& log) {
    ASSERT(log.log_start() <= log.durable() && log.durable() <= log.end());
    for (Offset at = log.log_start(); at < log.end();) {
        const auto slice = co_await log.read({.from = at, .max_bytes = 20'000, .limit = log.end()});
        if (!slice || slice->empty()) break;
        check_slice(*slice, at);
        ASSERT(slice->next() > at);
        at = slice->next();
    }
    const auto found = co_await log.offset_for_timestamp(1040, log.end());
    if (found) ASSERT(found->offset < log.end());
}

struct Counted final : FindingListener {
    void on_finding(const Finding&) override { count++; }
    size_t count = 0;
};

Task<> live(World& w) {
    Counted findings;
    VerifyOptions options{.directory = "data", .topic = {}, .partition = {}};
    auto verifying = verify_directory(w.node.io(), std::move(options), findings);
    const auto verified = co_await verifying;
    const Error opened = co_await open_all(w);
    if (opened != Error::none) co_return;
    for (Log* log : w.storage()->logs()) co_await read_all(*log);
    for (Log* log : w.storage()->logs()) {
        if (log->failure() != Error::none) continue;
        const std::vector<uint8_t> batch = batch_of(7, 1000);
        const auto appended = log->append({.batch = batch, .leader_epoch = log->last_epoch()});
        if (appended) log->want_durable();
    }
    auto closing = w.storage()->close();
    const auto closed = co_await closing;
    (void)verified, (void)closed;
}

void run(Bytes input) {
    static const Disk disks[] = {make_disk(End::killed), make_disk(End::clean)};
    constexpr size_t step_size = 8, steps_max = 24;
    if (input.empty()) return;
    Disk disk = disks[input[0] & 1];
    input = input.subspan(1);
    for (size_t i = 0; i < steps_max && input.size() >= step_size && !disk.empty(); i++) {
        change(disk, input);
        input = input.subspan(step_size);
    }
    World w;
    for (const auto& [path, bytes] : disk) w.node.disk().put(path, bytes);
    w.run(live(w));
}

}  // namespace
}  // namespace millrace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    millrace::run({data, size});
    return 0;
}
