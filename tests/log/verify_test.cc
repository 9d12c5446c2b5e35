// `millrace log verify`: what is sound is called sound, and every flipped bit is found.
#include <doctest/doctest.h>

#include "offline_world.h"

namespace millrace {

TEST_CASE("a directory that was stopped cleanly is found to be without fault") {
    OfflineWorld w{1};
    w.fill(1);
    w.stop();
    const auto findings = w.verify();
    CAPTURE(text_of(findings));
    CHECK(grave(findings).empty());
    CHECK(w.report.partitions == 3);
    CHECK(w.report.segments > 6);
    CHECK(w.report.batches == 220);
}

TEST_CASE("what a killed or unpowered broker leaves is no damage") {
    for (uint64_t seed = 1; seed <= 12; seed++) {
        CAPTURE(seed);
        OfflineWorld w{seed};
        w.fill(seed);
        w.world.run_for(seed * 1'000'000);
        w.end(seed % 2 ? Crash::kill : Crash::power_cut);
        const auto findings = w.verify();
        CAPTURE(text_of(findings));
        // partition.metadata is not flushed, since partition.meta stands for it.
        CHECK(std::ranges::all_of(
            grave(findings), [](const Finding& f) { return f.kind == FindingKind::partition_metadata; }));
        uint64_t records = 0;
        for (const auto& [slot, m] : w.model) records += static_cast<uint64_t>(m.written.value);
        CHECK(w.report.records >= records);
    }
}

TEST_CASE("a flipped bit in any file of a stopped directory but its journal is found") {
    OfflineWorld w{5};
    w.fill(5);
    w.stop();
    uint64_t random = 17;
    for (const std::string& file : files_below(w.node.disk(), "data")) {
        if (file.starts_with("data/journal") || file.ends_with("lost+found")) continue;
        const size_t size = w.node.disk().contents(file).size();
        for (int i = 0; i < 6; i++) {
            random = random * 6364136223846793005 + 1442695040888963407;
            const uint64_t at = (random >> 20) % size;
            const auto mask = static_cast<uint8_t>(1u << (random >> 60) % 8);
            CAPTURE(file);
            CAPTURE(at);
            CAPTURE(static_cast<int>(mask));
            w.node.disk().flip(file, at, mask);
            const auto findings = w.verify();
            CAPTURE(text_of(findings));
            CHECK(!grave(findings).empty());
            w.node.disk().flip(file, at, mask);
        }
    }
    CHECK(grave(w.verify()).empty());
}

TEST_CASE("a flipped bit in a batch is told with the offsets that it costs") {
    OfflineWorld w{6};
    w.fill(6);
    w.stop();
    const std::string file = "data/clicks-1/00000000000000000000.log";
    const HurtBatch hurt = hurt_second_batch(w.node.disk(), file);
    const auto findings = grave(w.verify());
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].kind == FindingKind::batches);
    CHECK(findings[0].file == "clicks-1/00000000000000000000.log");
    CHECK(findings[0].position == static_cast<int64_t>(hurt.position));
    CHECK(findings[0].bytes == static_cast<int64_t>(hurt.size));
    CHECK(findings[0].first_offset == hurt.first.value);
    CHECK(findings[0].last_offset == hurt.last.value);
}

TEST_CASE("a missing segment, a segment cut short and a missing directory are damage") {
    OfflineWorld w{7};
    w.fill(7);
    w.stop();
    const auto remove = [&](std::string path) {
        REQUIRE(w.run([](SimNode& node, std::string path) -> Task<> {
            const int32_t n = co_await Once{node.io(), Op::Kind::remove, {.path = path.c_str()}};
            REQUIRE(n == 0);
        }(w.node, path)));
    };
    const auto names = w.node.disk().names("data/clicks-1");
    std::vector<std::string> segments;
    for (const std::string& name : names)
        if (name.ends_with(".log")) segments.push_back(name);
    REQUIRE(segments.size() >= 3);
    remove("data/clicks-1/" + segments[1]);
    auto found = grave(w.verify());
    REQUIRE(!found.empty());
    CHECK(found[0].kind == FindingKind::gap);
    CHECK(found[0].first_offset == std::stoll(segments[1]));
    CHECK(found[0].last_offset == std::stoll(segments[2]) - 1);
    for (const std::string& name : w.node.disk().names("data/clicks-2")) remove("data/clicks-2/" + name);
    remove("data/clicks-2");
    found = grave(w.verify());
    CAPTURE(text_of(found));
    CHECK(std::any_of(found.begin(), found.end(), [](const Finding& f) { return f.file == "slot 2"; }));
}

TEST_CASE("a flipped bit in what a killed broker's journal holds is damage, or was never acknowledged") {
    OfflineWorld w{8};
    w.fill(8);
    REQUIRE(w.settle());
    w.end(Crash::kill);
    uint64_t found = 0;
    for (const std::string& file : files_below(w.node.disk(), "data/journal")) {
        const size_t size = w.node.disk().contents(file).size();
        for (uint64_t at = 0; at < size; at += 777) {
            w.node.disk().flip(file, at, 16);
            found += !grave(w.verify()).empty();
            w.node.disk().flip(file, at, 16);
        }
    }
    CHECK(found > 0);
}

}  // namespace millrace
