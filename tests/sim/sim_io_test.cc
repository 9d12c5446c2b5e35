#include <cerrno>

#include <doctest/doctest.h>

#include "millrace/sim.h"

using namespace millrace;

namespace {

constexpr uint64_t ms = 1'000'000;

Task<> sleep_and_note(Io& io, uint64_t nanoseconds, std::vector<uint64_t>& ended_at_ns) {
    co_await sleep_for(io, nanoseconds);
    ended_at_ns.push_back(io.now_ns());
}

Task<int32_t> run(Io& io, Op::Kind kind, OpArguments arguments) {
    co_return co_await Once{io, kind, arguments};
}

// Runs the op in its world to its end.
Task<> note(Task<int32_t> task, std::optional<int32_t>& result) { result = co_await task; }
int32_t await(SimWorld& world, SimNode& node, Op::Kind kind, const OpArguments& arguments) {
    std::optional<int32_t> result;
    node.spawn(note(run(node.io(), kind, arguments), result));
    const bool ended = world.run_until([&] { return result.has_value(); }, 60'000 * ms);
    REQUIRE(ended);
    return *result;
}

}  // namespace

TEST_CASE("a sleep ends after its time, never inside submit") {
    SimWorld world;
    SimNode& node = world.add_node();
    const uint64_t begun_ns = world.now_ns();
    std::vector<uint64_t> ended_at_ns;
    node.spawn(sleep_and_note(node.io(), 5 * ms, ended_at_ns));
    node.spawn(sleep_and_note(node.io(), 0, ended_at_ns));
    CHECK(ended_at_ns.empty());
    CHECK(world.run_until_idle());
    REQUIRE(ended_at_ns.size() == 2);
    CHECK(ended_at_ns[0] < begun_ns + ms);
    CHECK(ended_at_ns[1] >= begun_ns + 5 * ms);
}

TEST_CASE("a file that was written is read back") {
    SimWorld world;
    SimNode& node = world.add_node();
    const int32_t fd =
        await(world, node, Op::Kind::open, {.flags = Op::read_write | Op::create, .path = "/a"});
    REQUIRE(fd > 0);
    IoBuffer out{8192}, in{8192};
    for (size_t i = 0; i < out.size(); i++) out.data()[i] = static_cast<uint8_t>(i * 7);
    CHECK(await(world, node, Op::Kind::write,
                {.fd = fd, .data = out.data(), .size = 8192, .offset = 4096, .buffer = &out}) == 8192);
    CHECK(await(world, node, Op::Kind::read,
                {.fd = fd, .data = in.data(), .size = 8192, .offset = 4096, .buffer = &in}) == 8192);
    CHECK(std::equal(out.data(), out.data() + 8192, in.data()));
    CHECK(await(world, node, Op::Kind::close, {.fd = fd}) == 0);
    CHECK(await(world, node, Op::Kind::read, {.fd = fd, .data = in.data(), .size = 1}) == -EBADF);
}
