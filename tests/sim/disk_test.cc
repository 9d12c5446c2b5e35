// What a disk keeps, loses and refuses, seen through Io.
#include <bit>
#include <set>

#include "tests/sim/fixture.h"

using namespace millrace;

namespace {

Machine1 machine(uint64_t seed, const DiskOptions& disk = {}) {
    return Machine1{SimOptions{.seed = seed}, NodeOptions{.disk = disk}};
}

// Of each sector of the file: is it all of `byte`?
std::vector<bool> sectors_of(const SimDisk& disk, const char* path, uint8_t byte) {
    const auto bytes = disk.contents(path);
    std::vector<bool> found;
    for (size_t at = 0; at + 512 <= bytes.size(); at += 512)
        found.push_back(
            std::all_of(bytes.begin() + at, bytes.begin() + at + 512, [&](auto x) { return x == byte; }));
    return found;
}

}  // namespace

TEST_CASE("what was written is read back, holes are zeros, the end is short") {
    Machine1 m;
    const int32_t fd = m.open("/f");
    CHECK(m.write(fd, 10'000, pattern(5000, 1)) == 5000);
    std::vector<uint8_t> in(20'000, 0xff);
    CHECK(await(m.world, m.node, Op::Kind::read,
                {.fd = fd, .data = in.data(), .size = in.size(), .offset = 9'000}) == 6000);
    CHECK(std::all_of(in.begin(), in.begin() + 1000, [](auto x) { return x == 0; }));
    CHECK(std::equal(in.begin() + 1000, in.begin() + 6000, pattern(5000, 1).begin()));
    CHECK(in[6000] == 0xff);
    CHECK(await(m.world, m.node, Op::Kind::read,
                {.fd = fd, .data = in.data(), .size = 5, .offset = 15'000}) == 0);
}

TEST_CASE("direct I/O that is not aligned is refused") {
    Machine1 m;
    const int32_t fd = m.open("/f", Op::read_write | Op::create | Op::direct);
    IoBuffer buffer{8192};
    const auto write = [&](size_t shift, uint64_t size, uint64_t offset) {
        return await(
            m.world, m.node, Op::Kind::write,
            {.fd = fd, .data = buffer.data() + shift, .size = size, .offset = offset, .buffer = &buffer});
    };
    CHECK(write(0, 4096, 4096) == 4096);
    CHECK(write(512, 4096, 0) == -EINVAL);
    CHECK(write(0, 1000, 0) == -EINVAL);
    CHECK(write(0, 4096, 100) == -EINVAL);
}

TEST_CASE("open obeys its flags") {
    Machine1 m;
    CHECK(m.open("/f", Op::read_only) == -ENOENT);
    CHECK(m.open("/no/f") == -ENOENT);
    const int32_t fd = m.open("/f");
    CHECK(fd > 2);
    CHECK(m.open("/f/g") == -ENOTDIR);
    CHECK(m.open("/f", Op::read_write | Op::create | Op::exclusive) == -EEXIST);
    const int32_t reader = m.open("/f", Op::read_only);
    CHECK(m.write(reader, 0, pattern(1, 1)) == -EBADF);
    CHECK(await(m.world, m.node, Op::Kind::close, {.fd = fd}) == 0);
    CHECK(m.write(fd, 0, pattern(1, 1)) == -EBADF);
}

TEST_CASE("an unsynced write survives a kill, and a power cut only by luck, sector by sector") {
    size_t whole = 0, none = 0, torn = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        Machine1 m = machine(seed);
        const int32_t fd = m.durable_file("/f");
        m.write(fd, 0, std::vector<uint8_t>(4096, 1), Op::durable);
        m.write(fd, 0, std::vector<uint8_t>(4096, 2));
        m.power_cycle(Crash::kill);
        CHECK(m.node.disk().contents("/f") == std::vector<uint8_t>(4096, 2));
        m.power_cycle();
        const auto fresh = sectors_of(m.node.disk(), "/f", 2), stale = sectors_of(m.node.disk(), "/f", 1);
        REQUIRE(fresh.size() == 8);
        for (size_t i = 0; i < 8; i++) CHECK(fresh[i] != stale[i]);
        const auto kept = std::ranges::count(fresh, true);
        whole += kept == 8, none += kept == 0, torn += kept != 0 && kept != 8;
    }
    CHECK(whole > 10);
    CHECK(none > 10);
    CHECK(torn > 10);
}

TEST_CASE("what was synced, or written durably, survives every power cut") {
    for (uint64_t seed = 1; seed <= 50; seed++) {
        Machine1 m = machine(seed);
        const int32_t synced = m.durable_file("/synced"), durable = m.durable_file("/durable");
        m.write(synced, 100, pattern(9000, 3));
        CHECK(m.sync(synced) == 0);
        CHECK(m.write(durable, 5000, pattern(3000, 4), Op::durable) == 3000);
        m.power_cycle();
        const auto first = m.node.disk().contents("/synced"), second = m.node.disk().contents("/durable");
        REQUIRE(first.size() == 9100);
        CHECK(std::equal(first.begin() + 100, first.end(), pattern(9000, 3).begin()));
        REQUIRE(second.size() == 8000);
        CHECK(std::equal(second.begin() + 5000, second.end(), pattern(3000, 4).begin()));
    }
}

TEST_CASE("a truncation that was not synced may come undone, but never by half") {
    std::set<size_t> sizes;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        Machine1 m = machine(seed);
        const int32_t fd = m.durable_file("/f");
        m.write(fd, 0, std::vector<uint8_t>(8192, 1), Op::durable);
        CHECK(await(m.world, m.node, Op::Kind::truncate, {.fd = fd, .size = 1000}) == 0);
        CHECK(m.node.disk().contents("/f").size() == 1000);
        m.power_cycle();
        sizes.insert(m.node.disk().contents("/f").size());
        const auto bytes = m.node.disk().contents("/f");
        CHECK(std::all_of(bytes.begin(), bytes.begin() + 1000, [](auto x) { return x == 1; }));
    }
    CHECK(sizes.contains(1000));
    CHECK(sizes.contains(8192));
}

TEST_CASE("directory changes are durable once their directory is synced, and lost from the end before") {
    std::set<size_t> counts;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        Machine1 m = machine(seed);
        m.on_path(Op::Kind::make_directory, "/d");
        m.on_path(Op::Kind::sync_directory, "/");
        m.open("/d/0");
        CHECK(m.on_path(Op::Kind::sync_directory, "/d") == 0);
        m.open("/d/1"), m.open("/d/2"), m.open("/d/3");
        m.power_cycle();
        const auto names = m.node.disk().names("/d");
        REQUIRE(!names.empty());
        for (size_t i = 0; i < names.size(); i++) CHECK(names[i] == std::to_string(i));
        counts.insert(names.size());
    }
    CHECK(counts == std::set<size_t>{1, 2, 3, 4});
}

TEST_CASE("a file in a directory that was never synced into its parent can be lost") {
    size_t lost = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        Machine1 m = machine(seed);
        m.on_path(Op::Kind::make_directory, "/d");
        m.open("/d/f");
        m.on_path(Op::Kind::sync_directory, "/d");
        m.power_cycle();
        lost += !m.node.disk().exists("/d/f");
    }
    CHECK(lost > 5);
}

TEST_CASE("a rename takes place wholly or not at all, and is durable after the directory's sync") {
    for (uint64_t seed = 1; seed <= 40; seed++) {
        Machine1 m = machine(seed);
        m.node.disk().put("/old", as_bytes("old"));
        m.node.disk().put("/new", as_bytes("new"));
        CHECK(m.on_path(Op::Kind::rename, "/new", "/old") == 0);
        if (seed % 2) m.on_path(Op::Kind::sync_directory, "/");
        m.power_cycle();
        const auto bytes = m.node.disk().contents("/old");
        const bool renamed = as_text(bytes) == "new";
        CHECK((renamed || as_text(bytes) == "old"));
        CHECK(m.node.disk().exists("/new") != renamed);
        if (seed % 2) CHECK(renamed);
    }
}

TEST_CASE("a full disk takes what fits, then refuses, and room comes back with a removal") {
    Machine1 m = machine(1, {.capacity_bytes = 16 * 4096});
    const int32_t fd = m.open("/f");
    CHECK(m.write(fd, 0, std::vector<uint8_t>(20 * 4096)) == 16 * 4096);
    CHECK(m.write(fd, 16 * 4096, pattern(10, 1)) == -ENOSPC);
    CHECK(m.write(fd, 0, pattern(10, 1)) == 10);
    CHECK(await(m.world, m.node, Op::Kind::allocate, {.fd = fd, .size = 17 * 4096}) == -ENOSPC);
    CHECK(m.node.disk().faults().full == 3);
    DiskSpace space;
    CHECK(await(m.world, m.node, Op::Kind::disk_space, {.path = "/", .space = &space}) == 0);
    CHECK(space.available == 0);
    m.on_path(Op::Kind::remove, "/f");
    CHECK(m.node.disk().used_bytes() == 16 * 4096);
    CHECK(await(m.world, m.node, Op::Kind::close, {.fd = fd}) == 0);
    CHECK(m.node.disk().used_bytes() == 0);
}

TEST_CASE("allocation reserves room and sets the size") {
    Machine1 m = machine(1, {.capacity_bytes = 16 * 4096});
    const int32_t fd = m.open("/f");
    CHECK(await(m.world, m.node, Op::Kind::allocate, {.fd = fd, .size = 10 * 4096}) == 0);
    FileInfo info;
    CHECK(await(m.world, m.node, Op::Kind::stat, {.path = "/f", .info = &info}) == 0);
    CHECK(info.size == 10 * 4096);
    CHECK(m.write(fd, 0, std::vector<uint8_t>(10 * 4096, 5)) == 10 * 4096);
    CHECK(m.node.disk().used_bytes() == 10 * 4096);
}

TEST_CASE("errors come as often as asked, and are counted") {
    Machine1 m = machine(1, {.read_error = 500'000, .write_error = 500'000, .short_write = 500'000});
    const int32_t fd = m.open("/f");
    size_t write_errors = 0, read_errors = 0, shorts = 0;
    for (int i = 0; i < 200; i++) {
        const int32_t written = m.write(fd, 0, pattern(1000, 1));
        write_errors += written == -EIO, shorts += written > 0 && written < 1000;
        uint8_t byte;
        read_errors += await(m.world, m.node, Op::Kind::read, {.fd = fd, .data = &byte, .size = 1}) == -EIO;
    }
    CHECK(write_errors > 60);
    CHECK(read_errors > 60);
    CHECK(shorts > 20);
    const DiskFaults& met = m.node.disk().faults();
    CHECK(met.write_errors == write_errors);
    CHECK(met.read_errors == read_errors);
    CHECK(met.short_writes == shorts);
}

TEST_CASE(
    "after a failed sync the data reads well, and may be gone after a power cut though a later sync "
    "succeeds") {
    size_t lost = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        Machine1 m = machine(seed);
        const int32_t fd = m.durable_file("/f");
        m.write(fd, 0, std::vector<uint8_t>(4096, 9));
        m.node.disk().options().sync_error = 1'000'000;
        CHECK(m.sync(fd) == -EIO);
        m.node.disk().options().sync_error = 0;
        CHECK(m.sync(fd) == 0);
        CHECK(m.node.disk().contents("/f") == std::vector<uint8_t>(4096, 9));
        m.power_cycle();
        lost += m.node.disk().contents("/f") != std::vector<uint8_t>(4096, 9);
    }
    CHECK(lost > 20);
}

TEST_CASE("lost, misdirected and flipped bytes are acknowledged all the same") {
    Machine1 m = machine(3, {.lost_write = 1'000'000});
    const int32_t fd = m.durable_file("/f");
    CHECK(m.write(fd, 0, std::vector<uint8_t>(4096, 1), Op::durable) == 4096);
    CHECK(m.node.disk().contents("/f").empty());
    m.node.disk().options() = {};
    m.write(fd, 0, std::vector<uint8_t>(64 * 512, 1));
    m.node.disk().options().misdirected_write = 1'000'000;
    CHECK(m.write(fd, 0, std::vector<uint8_t>(512, 2)) == 512);
    CHECK(std::ranges::count(sectors_of(m.node.disk(), "/f", 2), true) == 1);
    CHECK(m.node.disk().contents("/f").size() == 64 * 512);
    m.node.disk().options() = {.bit_flip = 1'000'000};
    uint8_t byte = 0;
    const uint8_t before = m.node.disk().contents("/f")[100];
    await(m.world, m.node, Op::Kind::read, {.fd = fd, .data = &byte, .size = 1, .offset = 100});
    CHECK(std::popcount(static_cast<uint8_t>(byte ^ before)) == 1);
    CHECK(m.node.disk().contents("/f")[100] == byte);
}

TEST_CASE("a write under way at a kill is there wholly or not at all, unless kills tear") {
    size_t whole = 0, torn = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        Machine1 m = machine(seed, {.torn_at_kill = seed > 30 ? 1'000'000u : 0});
        const int32_t fd = m.durable_file("/f");
        m.write(fd, 0, std::vector<uint8_t>(4096, 1), Op::durable);
        m.node.crash_at_change(m.node.disk().changes() + 1, Crash::kill);
        CHECK(m.write(fd, 0, std::vector<uint8_t>(4096, 2)) == -1000);
        const auto kept = std::ranges::count(sectors_of(m.node.disk(), "/f", 2), true);
        if (seed <= 30) CHECK((kept == 0 || kept == 8));
        whole += kept == 8, torn += kept > 0 && kept < 8;
        CHECK(m.node.disk().faults().torn == (kept > 0 && kept < 8));
    }
    CHECK(whole > 5);
    CHECK(torn > 5);
}
