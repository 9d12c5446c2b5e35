// What recovery makes of a journal whose bytes are torn or damaged.
#include <doctest/doctest.h>

#include "journal_format.h"
#include "storage_world.h"

namespace millrace {

namespace {

constexpr uint64_t idle_ns = 100'000'000;  // Long enough.

struct Place {
    std::string path;
    uint64_t position;
    Entry entry;
};

// All entries of the only shard's journal that can be read, by their sequence.
std::vector<Place> entries_of(SimDisk& disk) {
    std::vector<Place> places;
    for (const std::string& name : disk.names("data/journal/0")) {
        const std::string path = "data/journal/0/" + name;
        const auto bytes = disk.contents(path);
        for (uint64_t at = 0; at + sizeof(Entry) <= bytes.size();) {
            const auto entry = parse_entry(Bytes{bytes}.subspan(at));
            if (entry) places.push_back({path, at, *entry});
            at += entry ? entry->size() : 8;
        }
    }
    std::sort(places.begin(), places.end(),
              [](const Place& a, const Place& b) { return a.entry.sequence < b.entry.sequence; });
    return places;
}

std::vector<Place> data_of(SimDisk& disk, uint32_t slot) {
    auto places = entries_of(disk);
    std::erase_if(places,
                  [&](const Place& p) { return p.entry.kind != EntryKind::data || p.entry.slot != slot; });
    return places;
}

// Two logs with `count` batches each, each batch a commit of its own.
void fill(StorageWorld& w, int count) {
    w.add(0), w.add(1);
    w.boot();
    REQUIRE(w.wait_started());
    for (int i = 0; i < count; i++)
        for (const uint32_t slot : {0u, 1u}) {
            CHECK(w.program().append(Slot{slot}, make_batch(static_cast<uint64_t>(i), 300)) == Error::none);
            REQUIRE(w.settle());
        }
}

}  // namespace

TEST_CASE("every entry of a journal is chained to the one before, through all its commits") {
    StorageWorld w{1};
    fill(w, 20);
    const auto places = entries_of(w.node.disk());
    REQUIRE(places.size() > 40);
    for (size_t i = 1; i < places.size(); i++) {
        CHECK(places[i].entry.sequence == places[i - 1].entry.sequence + 1);
        CHECK(places[i].entry.previous == places[i - 1].entry.header_hash);
        CHECK(places[i].entry.watermark < places[i].entry.sequence);
    }
}

TEST_CASE("a torn last entry is cut off, whichever of its bytes is missing, and the rest stays") {
    for (const uint64_t byte : {0, 4, 40, 72, 79, 80, 200, 400}) {
        StorageWorld w{2};
        fill(w, 5);
        const Place last = data_of(w.node.disk(), 1).back();
        REQUIRE(byte < last.entry.size());
        const Offset end0 = w.log(0).end(), before = w.model.at(Slot{1}).batches.rbegin()->first;
        w.crash(Crash::kill);
        w.node.disk().flip(last.path, last.position + byte, 0x10);
        w.model.at(Slot{1}).written = before;  // No later entry says that the last one was durable.
        w.node.restart();
        REQUIRE(w.wait_started());
        CHECK(w.log(0).end() == end0);
        CHECK(w.log(1).end() == before);
        CHECK(w.storage().stats().damaged_entries == 0);
        w.check_all();
    }
}

namespace {

Task<> read_at(Log& log, Offset from, Error& error, Offset& next) {
    const auto slice = co_await log.read({.from = from, .max_bytes = 1, .limit = log.end()});
    error = slice ? Error::none : slice.error();
    if (slice) next = slice->next();
}

// Batch for batch: what is in the damaged ones is refused, the rest is what was appended.
void check_all_but(StorageWorld& w, uint32_t slot, size_t damaged) {
    size_t i = 0;
    for (const auto& [base, bytes] : w.model.at(Slot{slot}).batches) {
        Error error = Error::none;
        Offset next;
        REQUIRE(w.run(read_at(w.log(slot), base, error, next)));
        CHECK(error == (i++ == damaged ? Error::corrupt_message : Error::none));
    }
}

}  // namespace

TEST_CASE("a damaged entry that was durable is no torn tail: its offsets are not served, all others are") {
    for (const uint64_t byte : {0, 40, 79, 85, 300}) {
        CAPTURE(byte);
        StorageWorld w{3};
        fill(w, 6);
        const Place middle = data_of(w.node.disk(), 1)[2];
        const Offset end0 = w.log(0).end(), end1 = w.log(1).end();
        w.crash(Crash::power_cut);
        w.node.disk().flip(middle.path, middle.position + byte, 0x10);
        w.node.restart();
        REQUIRE(w.wait_started());
        CHECK(w.storage().stats().damaged_entries >= 1);
        CHECK(w.storage().stats().damaged_ranges == 1);
        CHECK(w.log(1).end() == end1);
        CHECK(w.log(0).end() == end0);
        check_all_but(w, 1, 2);
        for (const uint32_t slot : {0u, 1u})
            CHECK(w.program().append(Slot{slot}, make_batch(1, 10)) == Error::none);
        REQUIRE(w.settle());
        w.crash(Crash::kill);  // And it stays so.
        w.node.restart();
        REQUIRE(w.wait_started());
        CHECK(w.storage().stats().damaged_ranges == 1);
        check_all_but(w, 1, 2);
        REQUIRE(w.run(w.check_log(Slot{0})));
    }
}

TEST_CASE("a damaged entry is missed also by a log that has none after it") {
    for (const uint64_t byte : {0, 40, 85}) {
        CAPTURE(byte);
        StorageWorld w{4};
        fill(w, 6);
        const Place last = data_of(w.node.disk(), 1).back();
        const Offset end = w.log(0).end(), end1 = w.log(1).end();
        CHECK(w.program().append(Slot{0}, make_batch(77, 300)) == Error::none);
        REQUIRE(w.settle());
        w.crash(Crash::power_cut);
        w.node.disk().flip(last.path, last.position + byte, 0x10);
        w.node.restart();
        REQUIRE(w.wait_started());
        CHECK(w.log(0).end() > end);
        CHECK(w.log(1).end() >= end1);  // No offset is given twice.
        check_all_but(w, 1, 5);
        const Offset at = w.log(1).end();
        const auto batch = make_batch(78, 300);
        CHECK(w.log(1).append({.batch = batch, .leader_epoch = Epoch{0}}).ok());
        w.world.run_for(1'000'000'000);
        Error error = Error::none;
        Offset next;
        REQUIRE(w.run(read_at(w.log(1), at, error, next)));
        CHECK(error == Error::none);
        CHECK(next > at);
    }
}

TEST_CASE("the last commit before an idle time is no torn tail when it is damaged: it is said, and not cut") {
    for (const uint64_t byte : {0, 40, 79, 85, 300}) {
        CAPTURE(byte);
        StorageWorld w{5};
        fill(w, 6);
        const Place last = data_of(w.node.disk(), 1).back();
        const Offset end = w.log(1).end();
        w.world.run_for(idle_ns);
        w.crash(Crash::power_cut);
        w.node.disk().flip(last.path, last.position + byte, 0x10);
        w.node.restart();
        REQUIRE(w.wait_started());
        CHECK(w.storage().stats().damaged_entries == 1);
        CHECK(w.storage().stats().damaged_ranges >= 1);
        CHECK(w.log(1).end() >= end);
        check_all_but(w, 1, 5);
        check_all_but(w, 0, 6);
    }
}

TEST_CASE("an idle time costs one commit, however long it is, and none while others follow") {
    StorageWorld w{6};
    fill(w, 1);
    w.world.run_for(idle_ns);
    for (const uint64_t commits : {1u, 30u}) {
        const uint64_t before = w.storage().stats().commits;
        for (uint64_t i = 0; i < commits; i++) {
            CHECK(w.program().append(Slot{0}, make_batch(i, 300)) == Error::none);
            REQUIRE(w.settle());
        }
        CHECK(w.storage().stats().commits == before + commits);
        w.world.run_for(100 * idle_ns);
        CHECK(w.storage().stats().commits == before + commits + 1);
        const Entry last = entries_of(w.node.disk()).back().entry;
        CHECK(last.kind == EntryKind::watermark);
        CHECK(last.watermark == last.sequence - 1);
    }
}

TEST_CASE("what a start put into its journal is no torn tail either") {
    StorageWorld w{8};
    fill(w, 3);
    w.world.run_for(idle_ns);
    w.crash(Crash::kill);
    w.node.restart();
    REQUIRE(w.wait_started());
    w.world.run_for(idle_ns);
    const auto places = entries_of(w.node.disk());
    const auto last =
        std::ranges::find_if(places, [](const Place& p) { return p.entry.kind == EntryKind::watermark; });
    REQUIRE(last != places.end());
    w.crash(Crash::kill);
    w.node.disk().flip(std::prev(last)->path, std::prev(last)->position + 40, 0x10);
    w.node.restart();
    REQUIRE(w.wait_started());
    CHECK(w.storage().stats().damaged_entries == 1);
    w.check_all();
}

TEST_CASE("bytes that only look like an entry are none") {
    Entry entry{.kind = EntryKind::data, .length = 8, .slot = 1, .sequence = 5};
    entry.header_hash = header_hash_of(entry);
    std::vector<uint8_t> bytes(sizeof entry);
    std::memcpy(bytes.data(), &entry, sizeof entry);
    CHECK(parse_entry(bytes));
    CHECK_FALSE(parse_entry(Bytes{bytes}.first(79)));
    for (size_t i = 0; i < bytes.size(); i++) {
        auto bad = bytes;
        bad[i] ^= 1;
        CHECK_FALSE(parse_entry(bad));
    }
    entry.length = payload_max + 1;
    entry.header_hash = header_hash_of(entry);
    std::memcpy(bytes.data(), &entry, sizeof entry);
    CHECK_FALSE(parse_entry(bytes));
    entry = {.kind = EntryKind{14}};
    entry.header_hash = header_hash_of(entry);
    std::memcpy(bytes.data(), &entry, sizeof entry);
    CHECK_FALSE(parse_entry(bytes));
}

}  // namespace millrace
