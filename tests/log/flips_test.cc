// One bit of one file is another: whatever file it is, it is found, nothing wrong is served, all else is.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "damage.h"
#include "journal_format.h"
#include "layout.h"
#include "storage_world.h"

namespace millrace {

namespace {

constexpr uint64_t ms = 1'000'000;
using Files = std::map<std::string, std::vector<uint8_t>>;

// Everything below `directory`, as a process would read it.
void collect(SimDisk& disk, const std::string& directory, Files& files) {
    for (const std::string& name : disk.names(directory)) {
        const std::string path = directory + "/" + name;
        if (disk.names(path).empty() && !name.ends_with("+found")) files[path] = disk.contents(path);
        if (!disk.names(path).empty()) collect(disk, path, files);
    }
}

LogConfig small_segments() { return {.segment_bytes = 50'000, .index_interval_bytes = 512}; }

StorageConfig scrubbed() {
    StorageConfig config = StorageWorld::small();
    config.block_cache_bytes = 1 << 20;
    config.scrub_percent = 100, config.scrub_interval_ms = 2'000;
    return config;
}

void fill(StorageWorld& w) {
    w.add(0, small_segments()), w.add(1, small_segments());
    w.boot();
    REQUIRE(w.wait_started());
    for (uint64_t i = 0; i < 160; i++) {
        const auto batch = make_batch(i, 900 + i * 37 % 700, 1'000 + static_cast<int64_t>(i));
        CHECK(w.program().append(Slot{static_cast<uint32_t>(i % 3 == 2)}, batch, Epoch{i < 50 ? 3 : 4}) ==
              Error::none);
        w.world.run_for(ms);
    }
    REQUIRE(w.settle());
    w.world.run_for(500 * ms);
}

struct Seen {
    uint64_t wrong = 0, missing = 0, refused = 0;  // Batches.
    bool failed = false;                           // The whole log.
};

// Reads the log from its start to its end; what cannot be read must be damaged, by the file that says so.
Task<> read_all(StorageWorld& w, LogModel& m, Offset durable, Seen& seen) {
    Log* log = w.storage().find(m.spec.slot);
    Io& io = w.node.io();
    if (!log || log->failure() != Error::none) {
        seen.failed = true;
        co_return;
    }
    std::map<Offset, std::vector<uint8_t>> left = m.batches;
    left.erase(left.lower_bound(durable), left.end());
    Offset at = log->log_start();
    int refusals = 0;
    while (at < log->end() && refusals < 100) {
        const auto slice = co_await log->read({.from = at, .max_bytes = 20'000, .limit = log->end()});
        if (!slice) {
            refusals++;
            CHECK(slice.error() == Error::corrupt_message);
            co_await sleep_for(io, 50 * ms);
            const auto text = w.node.disk().contents("data/" + m.spec.topic + "-0/damaged");
            const auto damage = Damage::from_text(as_text(text));
            const DamagedRange* range = damage ? damage->find(at) : nullptr;
            at = range ? range->next : at + 1;
            continue;
        }
        if (slice->empty()) break;
        const auto bytes = bytes_of(*slice);
        BatchReader reader{bytes};
        while (const auto batch = reader.next()) {
            const auto expected = m.batches.find(batch->base_offset());
            const bool right =
                expected != m.batches.end() && std::equal(batch->bytes().begin(), batch->bytes().end(),
                                                          expected->second.begin(), expected->second.end());
            seen.wrong += !right;
            left.erase(batch->base_offset());
            at = batch->next_offset();
        }
    }
    seen.refused = static_cast<uint64_t>(refusals);
    const auto text = w.node.disk().contents("data/" + m.spec.topic + "-0/damaged");
    const auto damage = Damage::from_text(as_text(text));
    for (const auto& [offset, bytes] : left)
        if (!damage || !damage->find(offset)) seen.missing++;
}

struct Flip {
    std::string path;
    uint64_t at;
    uint8_t mask;
};

struct Count {
    uint64_t flips = 0, found = 0;
};

// What the journal's own rules say of a place in it.
enum class Place : uint8_t { needed, torn, unused };

// Above the watermark nothing tells damage from a torn tail: it is cut. What no entry fills, or an older file
// that is needed no more, is not read at all.
Place place_of(const Files& files, const Flip& flip) {
    if (flip.path.find("/journal/") == std::string::npos) return Place::needed;
    uint64_t watermark = 0, oldest = 0;
    std::optional<Entry> hit;
    uint64_t number = 0;
    for (const auto& [path, bytes] : files) {
        if (path.find("/journal/") == std::string::npos) continue;
        const auto head = parse_entry(bytes);
        if (head && path == flip.path) number = head->position;
        for (uint64_t at = 0; at + sizeof(Entry) <= bytes.size();) {
            const auto entry = parse_entry(Bytes{bytes}.subspan(at));
            const uint64_t end = at + (entry ? entry->size() : 8);
            const bool stale = !entry || !head || entry->sequence < head->sequence;
            if (!stale) watermark = std::max(watermark, entry->watermark);
            if (!stale && entry->kind == EntryKind::oldest) oldest = std::max(oldest, entry->position);
            if (!stale && path == flip.path && at <= flip.at && flip.at < end) hit = entry;
            at = end;
        }
    }
    if (!hit || number < oldest) return Place::unused;
    return hit->sequence > watermark ? Place::torn : Place::needed;
}

// A node with these files, of which one has one bit changed, on a stopped or a running node.
bool is_found(const StorageWorld& origin, const Files& files, const Flip& flip, bool running) {
    StorageWorld w{7, scrubbed()};
    w.model = origin.model;
    for (auto& [slot, m] : w.model) m.written = m.durable = {};
    for (const auto& [path, bytes] : files) w.node.disk().put(path, bytes);
    if (!running) w.node.disk().flip(flip.path, flip.at, flip.mask);
    w.boot();
    REQUIRE(w.wait_started());
    if (running && w.node.disk().exists(flip.path)) w.node.disk().flip(flip.path, flip.at, flip.mask);
    w.world.run_for(10'000 * ms);  // A pass of the scrub.
    const bool torn = !running && place_of(files, flip) == Place::torn;
    const auto check = [&] {
        Seen seen;
        for (auto& [slot, m] : w.model) {
            const Offset durable = torn ? Offset{} : origin.model.at(slot).durable;
            REQUIRE(w.run(read_all(w, m, durable, seen)));
        }
        CHECK(seen.wrong == 0);
        CHECK(seen.missing == 0);
        CHECK_FALSE(seen.failed);
    };
    check();
    // It goes on: what is appended now is there, also after another start.
    const Offset end = w.log(0).end();
    w.model.at(Slot{0}).batches.erase(w.model.at(Slot{0}).batches.lower_bound(end),
                                      w.model.at(Slot{0}).batches.end());
    w.model.at(Slot{0}).end = end;
    CHECK(w.program().append(Slot{0}, make_batch(999, 500), Epoch{4}) == Error::none);
    w.world.run_for(1'000 * ms);
    CHECK(w.log(0).durable() > end);
    (void)w.log(0).retain(w.node.io().wall_ms(), Offset{0});
    w.world.run_for(10'000 * ms);
    w.crash(Crash::kill);
    w.node.restart();
    REQUIRE(w.wait_started());
    check();
    // Told, or written over with what the journal had.
    const auto now = w.node.disk().contents(flip.path), before = files.at(flip.path);
    const bool mended =
        flip.path.ends_with(".log") && flip.at < now.size() && now[flip.at] == before[flip.at];
    return mended || w.world.count_lines(Level::error) + w.world.count_lines(Level::warn) > 0;
}

std::string class_of(const std::string& path) {
    if (path.find("/journal/") != std::string::npos) return "journal";
    const size_t dot = path.rfind('.'), slash = path.rfind('/');
    if (dot == std::string::npos || dot < slash) return path.substr(slash + 1);
    const std::string suffix = path.substr(dot);
    return suffix == ".meta" || suffix == ".metadata" || suffix == ".copy" ? path.substr(slash + 1) : suffix;
}

// Bytes of the file that mean something: journals and segments have room ahead.
uint64_t used_of(const std::vector<uint8_t>& bytes) {
    uint64_t used = bytes.size();
    while (used > 0 && bytes[used - 1] == 0) used--;
    return used;
}

enum class Ended : uint8_t { killed, stopped };

void end(StorageWorld& w, Ended how) {
    if (how == Ended::killed) return w.crash(Crash::kill);
    REQUIRE(w.run([](Storage& storage) -> Task<> {
        const Result<> closed = co_await storage.close();
        CHECK(closed.ok());
    }(w.storage())));
}

// Eight bits of each file whose name ends so.
void flip_each(const StorageWorld& origin, const Files& files, std::string_view suffix, bool running) {
    std::map<std::string, Count> counts;
    for (const auto& [path, bytes] : files) {
        const uint64_t used = used_of(bytes);
        if (used == 0 || !path.ends_with(suffix) || path.ends_with(".lock") || path.ends_with("node.meta"))
            continue;
        constexpr uint64_t flips = 8;
        for (uint64_t i = 0; i < flips; i++) {
            const Flip flip{path, used * (2 * i + 1) / (2 * flips), static_cast<uint8_t>(1 << (i % 8))};
            CAPTURE(flip.path);
            CAPTURE(flip.at);
            CAPTURE(int{flip.mask});
            const Place place = place_of(files, flip);
            const bool found = is_found(origin, files, flip, running);
            const std::string name = class_of(path) + (place == Place::torn     ? ", above the watermark"
                                                       : place == Place::unused ? ", not in use"
                                                                                : "");
            counts[name].flips++, counts[name].found += found;
            // A start leaves nothing in a journal that is read again.
            if (place == Place::needed && !(running && class_of(path) == "journal")) CHECK(found);
        }
    }
    for (const auto& [name, count] : counts)
        MESSAGE(fmt::format("{}{}: {} flips, {} found", name, running ? ", running" : "", count.flips,
                            count.found));
}

void flip_everywhere(Ended how, bool running) {
    StorageWorld origin{1, scrubbed()};
    fill(origin);
    end(origin, how);
    Files files;
    collect(origin.node.disk(), "data", files);
    flip_each(origin, files, "", running);
}

}  // namespace

TEST_CASE("a flipped bit in any file of a node that was killed is found at the next start") {
    flip_everywhere(Ended::killed, false);
}

TEST_CASE("a flipped bit in any file of a node that was stopped is found at the next start") {
    flip_everywhere(Ended::stopped, false);
}

TEST_CASE("a flipped bit in any file of a running node is found") { flip_everywhere(Ended::killed, true); }

TEST_CASE("a flipped bit in the file that remembers damage is found, and the damage not forgotten") {
    StorageWorld origin{1, scrubbed()};
    fill(origin);
    origin.node.disk().flip("data/topic0-0/00000000000000000000.log", 5'000, 1);
    origin.world.run_for(3'000 * ms);  // From then on it is due to be checked.
    (void)origin.log(0).retain(origin.node.io().wall_ms(), Offset{0});
    origin.world.run_for(10'000 * ms);
    REQUIRE(origin.node.disk().exists("data/topic0-0/damaged"));
    origin.crash(Crash::kill);
    Files files;
    collect(origin.node.disk(), "data", files);
    flip_each(origin, files, "/damaged", false);
}

TEST_CASE("a flipped bit in node.meta is found, and its other copy is right") {
    for (uint64_t at = 0; at < 8'192; at += 97) {
        SimWorld world{{.seed = 1}};
        SimNode& node = world.add_node();
        const NodeIdentity identity{.node = NodeId{3}, .directory_id = {}, .cluster_id = "a cluster"};
        REQUIRE(run_on(world, node, write_identity(node.io(), "data", identity))->ok());
        node.disk().flip("data/node.meta", at, static_cast<uint8_t>(1 << (at % 8)));
        const auto found = run_on(world, node, read_identity(node.io(), "data"));
        REQUIRE(found->ok());
        REQUIRE((**found).has_value());
        CHECK((**found)->cluster_id == "a cluster");
        CHECK(world.count_lines(Level::warn) == 1);
    }
}

namespace {

// The entry that a journal file begins with, and the states behind it, of all files that are still needed.
std::vector<Flip> beginnings(const Files& files) {
    std::vector<Flip> flips;
    for (const auto& [path, bytes] : files) {
        if (path.find("/journal/") == std::string::npos || !parse_entry(bytes)) continue;
        for (uint64_t at = 0; at + sizeof(Entry) <= bytes.size();) {
            const auto entry = parse_entry(Bytes{bytes}.subspan(at));
            if (!entry) break;
            const Flip header{path, at + 40, 4}, payload{path, at + sizeof(Entry) + 16, 4};
            if (place_of(files, header) == Place::needed) flips.push_back(header);
            if (place_of(files, header) == Place::needed && entry->has_payload()) flips.push_back(payload);
            if (entry->kind == EntryKind::states_end) break;
            at += entry->size();
        }
    }
    return flips;
}

// As many batches as fill some journal files, the last ones just before the end.
Files killed_after(StorageWorld& w, uint64_t batches) {
    w.add(0, small_segments()), w.add(1, small_segments()), w.add(2);
    w.boot();
    REQUIRE(w.wait_started());
    CHECK(w.program().append(Slot{2}, make_batch(5, 700), Epoch{3}) == Error::none);
    REQUIRE(w.settle());
    for (uint64_t i = 0; i < batches; i++) {
        const Slot slot{static_cast<uint32_t>(i % 3 == 2)};
        CHECK(w.program().append(slot, make_batch(i, 900 + i * 37 % 700), Epoch{3}) == Error::none);
        w.world.run_for(ms / 4);
    }
    w.crash(Crash::kill);
    Files files;
    collect(w.node.disk(), "data", files);
    return files;
}

}  // namespace

TEST_CASE("a bad beginning of a journal file loses nothing that was acknowledged without a word") {
    size_t files_hit = 0;
    for (const uint64_t batches : {20, 150, 420, 500}) {
        StorageWorld origin{2, scrubbed()};
        const Files files = killed_after(origin, batches);
        std::set<std::string> hit;
        for (const Flip& flip : beginnings(files)) {
            CAPTURE(batches);
            CAPTURE(flip.path);
            CAPTURE(flip.at);
            CHECK(is_found(origin, files, flip, false));
            hit.insert(flip.path);
        }
        for (const std::string& path : hit) {  // The whole first block.
            CAPTURE(batches);
            CAPTURE(path);
            Files damaged = files;
            for (size_t at = sizeof(Entry); at < block_size; at++) damaged.at(path)[at] ^= 0xff;
            CHECK(is_found(origin, damaged, {path, 40, 4}, false));
        }
        files_hit += hit.size();
    }
    MESSAGE(files_hit, " journal files");
    CHECK(files_hit > 4);
}

TEST_CASE("journal files that were never begun are no damage") {
    StorageWorld origin{2, scrubbed()};
    Files files = killed_after(origin, 20);
    files["data/journal/0/7"] = std::vector<uint8_t>(256 << 10);
    StorageWorld w{7, scrubbed()};
    for (const auto& [path, bytes] : files) w.node.disk().put(path, bytes);
    w.model = origin.model;
    w.boot();
    REQUIRE(w.wait_started());
    CHECK(w.world.count_lines(Level::error) + w.world.count_lines(Level::warn) == 0);
    CHECK(w.storage().stats().damaged_entries == 0);
    CHECK(w.storage().stats().damaged_ranges == 0);
    w.check_all();
}

}  // namespace millrace
