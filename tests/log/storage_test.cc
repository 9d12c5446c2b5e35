// Storage in the simulator: single claims.
#include <doctest/doctest.h>

#include "storage_world.h"

namespace millrace {

TEST_CASE("a new storage starts, and what is appended becomes durable and readable") {
    StorageWorld w{1};
    w.add(0), w.add(1);
    w.boot();
    REQUIRE(w.wait_started());
    for (uint64_t i = 0; i < 20; i++)
        CHECK(w.program().append(Slot{uint32_t(i % 2)}, make_batch(i, 200)) == Error::none);
    CHECK(w.log(0).durable() == Offset{0});
    REQUIRE(w.settle());
    CHECK(w.log(0).durable() == w.log(0).end());
    CHECK(w.program().progress_count > 0);
    w.check_all();
}

TEST_CASE("what was durable is there after a power cut, what was written after a kill") {
    for (const Crash how : {Crash::kill, Crash::power_cut}) {
        StorageWorld w{2};
        w.add(0), w.add(1);
        w.boot();
        REQUIRE(w.wait_started());
        for (uint64_t i = 0; i < 200; i++) {
            CHECK(w.program().append(Slot{uint32_t(i % 2)}, make_batch(i, 100 + i * 37 % 9000)) ==
                  Error::none);
            w.world.run_for(100'000);
        }
        REQUIRE(w.settle());
        const Offset end = w.log(0).end();
        w.crash(how);
        w.node.restart();
        REQUIRE(w.wait_started());
        CHECK(w.log(0).end() == end);
        w.check_all();
    }
}

TEST_CASE("a closed storage starts clean and holds everything") {
    StorageWorld w{3};
    w.add(0, {.segment_bytes = 30'000}), w.add(1);
    w.boot();
    REQUIRE(w.wait_started());
    for (uint64_t i = 0; i < 100; i++) {
        CHECK(w.program().append(Slot{uint32_t(i % 2)}, make_batch(i, 1000)) == Error::none);
        w.world.run_for(100'000);
    }
    static Result<> closed;
    closed = Error::unknown_server_error;
    struct Close {
        static Task<> run(Storage& storage) { closed = co_await storage.close(); }
    };
    REQUIRE(w.run(Close::run(w.storage())));
    CHECK(closed.ok());
    w.crash(Crash::power_cut);
    w.node.restart();
    REQUIRE(w.wait_started());
    CHECK(w.storage().was_clean());
    w.check_all();
}

}  // namespace millrace
