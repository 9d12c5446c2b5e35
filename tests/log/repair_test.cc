// `millrace log repair`: what is derived is made anew, what is damaged is given up only when asked.
#include <doctest/doctest.h>

#include "damage.h"
#include "filler.h"
#include "offline_world.h"

namespace millrace {

namespace {

struct CollectedChanges final : RepairListener {
    void on_change(const Change& change) override {
        CHECK(made.empty());
        listed.push_back(change);
    }
    void on_made(const Change& change) override { made.push_back(change); }
    void on_left(const Finding& finding) override { left.push_back(finding); }
    std::vector<Change> listed, made;
    std::vector<Finding> left;
};

enum class Give : bool { nothing, damaged };

CollectedChanges repair(OfflineWorld& w, Give give = Give::nothing) {
    CollectedChanges changes;
    REQUIRE(w.run([](OfflineWorld& w, CollectedChanges& changes, Give give) -> Task<> {
        RepairOptions options{.verify = {.directory = "data"}, .discard_damaged = give == Give::damaged};
        auto repairing = repair_directory(w.node.io(), std::move(options), changes);
        const auto repaired = co_await repairing;
        REQUIRE(repaired.ok());
    }(w, changes, give)));
    return changes;
}

}  // namespace

TEST_CASE("whatever is derived is made anew after a flipped bit, and the log is served as it was") {
    OfflineWorld w{11};
    w.fill(11);
    w.stop();
    uint64_t random = 5;
    for (const std::string& file : files_below(w.node.disk(), "data")) {
        if (file.starts_with("data/journal") || file.ends_with(".log") || file.ends_with("lost+found"))
            continue;
        // One of the two says what the other was.
        if (file.ends_with("leader-epoch-checkpoint.copy")) continue;
        if (file.ends_with(file.starts_with("data/clicks-1") ? "/partition.metadata" : "/partition.meta"))
            continue;
        const size_t size = w.node.disk().contents(file).size();
        random = random * 6364136223846793005 + 1442695040888963407;
        w.node.disk().flip(file, (random >> 20) % size, 8);
    }
    CHECK(grave(w.verify()).size() > 10);
    const auto changes = repair(w);
    CAPTURE(text_of(changes.left));
    CHECK(changes.left.empty());
    CHECK(changes.listed.size() == changes.made.size());
    const auto findings = w.verify();
    CAPTURE(text_of(findings));
    CHECK(grave(findings).empty());
    w.start();
    w.check_all();
}

TEST_CASE("sums that are damaged are taken away, and nothing is left") {
    OfflineWorld w{13};
    w.fill(13);
    w.stop();
    w.node.disk().flip("data/clicks-1/00000000000000000000.sum", 3, 8);
    REQUIRE(grave(w.verify()).size() == 1);
    const auto changes = repair(w);
    CHECK(changes.left.empty());
    REQUIRE(changes.made.size() == 1);
    CHECK(changes.made[0].file == "clicks-1/00000000000000000000.sum");
    CHECK(grave(w.verify()).empty());
}

TEST_CASE("sums that say that bytes are wrong stay, however an index is made anew") {
    OfflineWorld w{14};
    w.fill(14);
    w.stop();
    const std::string base = "data/clicks-1/00000000000000000000";
    const auto bytes = w.node.disk().contents(base + ".log"), sum = w.node.disk().contents(base + ".sum");
    const auto size = BatchReader{bytes}.next()->size();
    w.node.disk().flip(base + ".index", 2, 8);
    w.node.disk().flip(base + ".log", size + 15, 1);  // A leader epoch: no CRC covers it.
    const auto is_sum = [](const Finding& f) { return f.kind == FindingKind::sum; };
    const auto found = w.verify();
    CAPTURE(text_of(found));
    REQUIRE(std::ranges::any_of(found, is_sum));
    SUBCASE("and agree again when the batch got its epoch back") {
        CHECK(repair(w).left.empty());
        CHECK(w.node.disk().contents(base + ".log") == bytes);
        CHECK(w.node.disk().contents(base + ".sum") == sum);
        CHECK(grave(w.verify()).empty());
    }
    SUBCASE("and stay where nobody knows the epochs any more") {
        for (const std::string_view suffix : {"", ".copy"})
            w.node.disk().flip("data/clicks-1/leader-epoch-checkpoint" + std::string{suffix}, 3, 4);
        CHECK(std::ranges::any_of(repair(w).left, is_sum));
        CHECK(std::ranges::any_of(w.verify(), is_sum));
    }
}

TEST_CASE("a damaged batch is left alone unless it is to be given up, and then only its offsets go") {
    OfflineWorld w{12};
    w.fill(12);
    w.stop();
    const std::string file = "data/clicks-1/00000000000000000000.log";
    const auto bytes = w.node.disk().contents(file);
    const HurtBatch hurt = hurt_second_batch(w.node.disk(), file);
    const auto damaged = w.node.disk().contents(file);
    for (const bool is_first : {true, false}) {  // The broker is told, once.
        const auto changes = repair(w);
        CHECK(changes.left.size() == 1);
        CHECK(changes.made.size() == is_first);
    }
    CHECK(w.node.disk().contents(file) == damaged);
    const auto marks = Damage::from_text(as_text(w.node.disk().contents("data/clicks-1/damaged")));
    REQUIRE(marks);
    REQUIRE(marks->ranges().size() == 1);
    CHECK(marks->ranges()[0].first == hurt.first);
    CHECK(marks->ranges()[0].next == hurt.last + 1);
    const auto changes = repair(w, Give::damaged);
    CHECK(changes.left.empty());
    REQUIRE(changes.made.size() == 1);
    CHECK(changes.made[0].first_lost == hurt.first.value);
    CHECK(changes.made[0].last_lost == hurt.last.value);
    const auto findings = w.verify();
    CAPTURE(text_of(findings));
    CHECK(grave(findings).empty());
    const auto mended = w.node.disk().contents(file);
    REQUIRE(mended.size() == bytes.size());
    const auto from = static_cast<ptrdiff_t>(hurt.position), to = from + static_cast<ptrdiff_t>(hurt.size);
    CHECK(std::equal(bytes.begin(), bytes.begin() + from, mended.begin()));
    CHECK(std::equal(bytes.begin() + to, bytes.end(), mended.begin() + to));
    // What is read there is the filler.
    const auto view = BatchView::parse(Bytes{mended}.subspan(hurt.position));
    REQUIRE(view);
    CHECK(view->is_control());
    w.model.at(Slot{1}).batches[hurt.first] = {view->bytes().begin(), view->bytes().end()};
    w.start();
    w.check_all();
}

TEST_CASE("a filler of any size is a sound control batch of its offsets") {
    for (uint64_t size = 60; size < 20'000; size += size < 400 || (size > 16'000 && size < 17'000) ? 1 : 97) {
        CAPTURE(size);
        if (size < 72) {  // 61, a record's 9, and two lengths.
            CHECK(!can_make_filler(size, 3));
            continue;
        }
        REQUIRE(can_make_filler(size, 3));
        const auto bytes =
            make_filler({.size = size, .first = Offset{40}, .last = Offset{42}, .epoch = Epoch{7}});
        REQUIRE(bytes.size() == size);
        const auto view = BatchView::parse(bytes);
        REQUIRE(view);
        CHECK(view->crc_matches());
        CHECK(view->is_control());
        CHECK(view->base_offset() == Offset{40});
        CHECK(view->next_offset() == Offset{43});
        Decompressor decompressor;
        auto reader = RecordReader::open(*view, decompressor);
        REQUIRE(reader);
        CHECK(reader->next());
        CHECK(!reader->next());
        CHECK(reader->error() == Error::none);
    }
}

}  // namespace millrace
