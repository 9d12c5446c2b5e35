// Leader epochs: who began where, and what a follower or consumer is told of them.
#include "epochs.h"

#include <doctest/doctest.h>

namespace millrace {

namespace {

Epochs three() {  // 1 from 0, 2 from 10, 5 from 20.
    Epochs epochs;
    CHECK(epochs.assign(Epoch{1}, Offset{0}));
    CHECK(epochs.assign(Epoch{2}, Offset{10}));
    CHECK(epochs.assign(Epoch{5}, Offset{20}));
    return epochs;
}

void check_end(const Epochs& epochs, int32_t asked, int32_t epoch, int64_t end) {
    const EpochEnd told = epochs.end_of(Epoch{asked}, Offset{30});
    CHECK(told.epoch.value == epoch);
    CHECK(told.end.value == end);
}

}  // namespace

TEST_CASE("an epoch ends where the next one begins, the last one at the log's end") {
    const Epochs epochs = three();
    check_end(epochs, 1, 1, 10);
    check_end(epochs, 2, 2, 20);
    check_end(epochs, 5, 5, 30);
}

TEST_CASE("an epoch that had no record is answered by the largest one below it") {
    const Epochs epochs = three();
    check_end(epochs, 3, 2, 20);
    check_end(epochs, 4, 2, 20);
}

TEST_CASE("an epoch above all known ones, or none, has no end") {
    const Epochs epochs = three();
    check_end(epochs, 6, -1, -1);
    check_end(epochs, -1, -1, -1);
    check_end(Epochs{}, 0, -1, -1);
}

TEST_CASE("an epoch below the first known one ends where that begins") { check_end(three(), 0, 0, 0); }

TEST_CASE("an epoch never falls, is told twice without harm, and gives way when it got no record") {
    Epochs epochs = three();
    CHECK_FALSE(epochs.assign(Epoch{4}, Offset{30}));
    CHECK_FALSE(epochs.assign(Epoch{-1}, Offset{30}));
    CHECK(epochs.assign(Epoch{5}, Offset{25}));
    CHECK(epochs.entries().size() == 3);
    CHECK(epochs.assign(Epoch{7}, Offset{20}));
    REQUIRE(epochs.entries().size() == 3);
    CHECK(epochs.entries().back() == EpochStart{Epoch{7}, Offset{20}});
}

TEST_CASE("an offset belongs to the epoch that began at or before it") {
    const Epochs epochs = three();
    CHECK(epochs.at(Offset{0}) == Epoch{1});
    CHECK(epochs.at(Offset{9}) == Epoch{1});
    CHECK(epochs.at(Offset{10}) == Epoch{2});
    CHECK(epochs.at(Offset{99}) == Epoch{5});
    CHECK(Epochs{}.at(Offset{0}) == Epoch{-1});
}

TEST_CASE("a cut at the front keeps the epoch in force there, a cut at the back those that began before") {
    Epochs front = three();
    front.cut_front(Offset{15});
    REQUIRE(front.entries().size() == 2);
    CHECK(front.entries()[0] == EpochStart{Epoch{2}, Offset{15}});
    Epochs back = three();
    back.cut_back(Offset{15});
    CHECK(back.last() == Epoch{2});
    back.cut_back(Offset{0});
    CHECK(back.entries().size() == 1);
}

TEST_CASE("the checkpoint's text is Kafka's, and what is not is refused") {
    const std::string text = three().to_text();
    CHECK(text == "0\n3\n1 0\n2 10\n5 20\n");
    const auto read = Epochs::from_text(text);
    REQUIRE(read);
    CHECK(read->to_text() == text);
    CHECK(Epochs::from_text("0\n0\n"));
    for (const char* bad : {"", "0", "1\n0\n", "0\n1\n", "0\n1\n1 0", "0\n2\n1 0\n", "0\n1\n1 0\nmore",
                            "0\n2\n2 0\n1 5\n", "0\n2\n1 5\n2 4\n", "0\n1\n1 -4\n", "0\n-1\n", "0\n1\nx 0\n"})
        CHECK_FALSE(Epochs::from_text(bad));
}

}  // namespace millrace
