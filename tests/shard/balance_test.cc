// When a partition should move, and which.
#include "millrace/balance.h"

#include <doctest/doctest.h>

namespace millrace {

namespace {

using Load = Balance::Load;

// How many looks it takes until something is due; 0: never.
int looks_until_due(Balance& balance, std::vector<uint32_t> busy) {
    for (int i = 1; i < 100; i++)
        if (balance.look(busy).is_due) return i;
    return 0;
}

}  // namespace

TEST_CASE("only a shard that was much busier than another for some time is relieved") {
    Balance balance;
    CHECK(looks_until_due(balance, {95, 20}) == 3);
    CHECK(balance.look(std::vector<uint32_t>{95, 20}).pair == Balance::Pair{ShardId{0}, ShardId{1}});
    CHECK(balance.look(std::vector<uint32_t>{10, 50, 90}).pair == Balance::Pair{ShardId{2}, ShardId{0}});
    for (const std::vector<uint32_t>& busy :
         {std::vector<uint32_t>{0, 0}, {60, 5}, {95, 70}, {100, 100}, {69, 0}}) {
        Balance fresh;
        CHECK(looks_until_due(fresh, busy) == 0);
    }
}

TEST_CASE("who takes turns in being busy is left alone, and so is what has just moved") {
    Balance balance;
    for (int i = 0; i < 50; i++) {
        CHECK_FALSE(balance.look(std::vector<uint32_t>{95, 20}).is_due);
        CHECK_FALSE(balance.look(std::vector<uint32_t>{20, 95}).is_due);
    }
    CHECK(looks_until_due(balance, {95, 20}) == 3);
    balance.moved();
    CHECK(looks_until_due(balance, {95, 20}) == 9);
}

TEST_CASE("the partition is moved that makes the busier of the two shards the least busy") {
    const std::vector<Load> even{{Slot{1}, 50}, {Slot{2}, 30}, {Slot{3}, 20}};
    CHECK(Balance::choose(90, 10, even) == Slot{1});
    CHECK(Balance::choose(90, 50, even) == Slot{3});
    CHECK(Balance::choose(100, 0, std::vector<Load>{{Slot{1}, 80}, {Slot{2}, 20}}) == Slot{2});
}

TEST_CASE("a single hot partition is not sent around") {
    CHECK_FALSE(Balance::choose(100, 0, std::vector<Load>{{Slot{1}, 100}}));
    CHECK_FALSE(Balance::choose(100, 0, std::vector<Load>{{Slot{1}, 99}, {Slot{2}, 1}}));
    CHECK_FALSE(Balance::choose(90, 30, std::vector<Load>{}));
    CHECK_FALSE(Balance::choose(90, 30, std::vector<Load>{{Slot{1}, 0}}));
}

// Each move is followed by shares as they are then.
TEST_CASE("a node comes to rest after few moves") {
    std::vector<std::vector<Load>> shards(2);
    for (uint32_t i = 0; i < 20; i++) shards[0].push_back({Slot{i}, 1 + i});
    const auto busy = [&](size_t shard) {
        uint64_t work = 0;
        for (const Load& load : shards[shard]) work += load.work;
        return static_cast<uint32_t>(std::min<uint64_t>(work / 3, 100));
    };
    Balance balance;
    int moves = 0;
    for (int i = 0; i < 1000; i++) {
        const auto look = balance.look(std::vector<uint32_t>{busy(0), busy(1)});
        if (!look.is_due) continue;
        auto &from = shards[look.pair->busiest.value], &to = shards[look.pair->idlest.value];
        const auto slot =
            Balance::choose(busy(look.pair->busiest.value), busy(look.pair->idlest.value), from);
        if (!slot) continue;
        const auto place = std::ranges::find(from, *slot, &Load::slot);
        to.push_back(*place);
        from.erase(place);
        balance.moved();
        moves++;
    }
    CHECK(moves > 0);
    CHECK(moves < 10);
    CHECK(busy(0) < 70);
}

}  // namespace millrace
