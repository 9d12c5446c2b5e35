// The checker is proved by true histories with one lie each.
#include "src/sim/checker.h"

#include <functional>

#include "src/sim/random.h"
#include "tests/sim/fixture.h"

using namespace millrace;
using namespace millrace::sim;
using Kind = Anomaly::Kind;

namespace {

// A history as data, so that a test can change any of it before it is told.
struct Story {
    struct Event {
        enum class Kind : uint8_t { send, acknowledge, refuse, seek, read } kind;
        uint32_t who = 0;  // The producer or consumer.
        uint32_t partition = 0;
        uint64_t value = 0;
        int64_t offset = 0;
    };
    std::vector<Event> events;
    std::map<uint32_t, std::vector<History::Entry>> logs;
    int64_t start = 0;

    std::vector<Anomaly> judge(Delivery delivery = Delivery::exactly_once) const {
        History history{delivery};
        std::map<uint64_t, History::WriteId> ids;
        for (const Event& event : events) tell(history, ids, event);
        for (const auto& [partition, log] : logs) {
            std::vector<History::Entry> kept;
            for (const auto& entry : log)
                if (entry.offset.value >= start) kept.push_back(entry);
            history.finish(partition, Offset{start}, kept);
        }
        return history.check();
    }
    static void tell(History& history, std::map<uint64_t, History::WriteId>& ids, const Event& e) {
        switch (e.kind) {
            case Event::Kind::send: ids[e.value] = history.send(e.who, e.partition, e.value); break;
            case Event::Kind::acknowledge: history.acknowledge(ids.at(e.value), Offset{e.offset}); break;
            case Event::Kind::refuse: history.refuse(ids.at(e.value)); break;
            case Event::Kind::seek: history.seek(e.who, e.partition, Offset{e.offset}); break;
            case Event::Kind::read: history.read(e.who, e.partition, {Offset{e.offset}, e.value}); break;
        }
    }
    // The n-th event of a kind.
    Event& find(Event::Kind kind, size_t n) {
        for (Event& event : events)
            if (event.kind == kind && n-- == 0) return event;
        REQUIRE(false);
        return events.front();
    }
    size_t count(Event::Kind kind) const {
        return static_cast<size_t>(std::ranges::count(events, kind, &Event::kind));
    }
};
using E = Story::Event::Kind;

// Three producers and two consumers on two partitions of a broker that keeps its word. Some writes are
// refused, of some the producer never hears, and those may be there or not.
Story true_story(Random& random) {
    Story story;
    std::map<std::pair<uint32_t, uint32_t>, int64_t> positions;
    story.logs[0], story.logs[1];
    for (uint32_t consumer = 10; consumer < 12; consumer++)
        for (uint32_t partition = 0; partition < 2; partition++)
            story.events.push_back({E::seek, consumer, partition, 0, 0});
    for (uint64_t value = 1; value <= 60; value++) {
        const auto producer = static_cast<uint32_t>(random.below(3)),
                   partition = static_cast<uint32_t>(random.below(2));
        auto& log = story.logs[partition];
        const uint64_t fate = random.below(10);
        const int64_t offset =
            log.empty() ? 0 : log.back().offset.value + 1 + static_cast<int64_t>(random.below(2));
        story.events.push_back({E::send, producer, partition, value, 0});
        if (fate == 0) story.events.push_back({E::refuse, producer, partition, value, 0});
        if (fate >= 2) log.push_back({Offset{offset}, value});
        if (fate >= 3) story.events.push_back({E::acknowledge, producer, partition, value, offset});
        const auto consumer = static_cast<uint32_t>(10 + random.below(2));
        int64_t& position = positions[{consumer, partition}];
        while (position < static_cast<int64_t>(log.size()) && random.below(3)) {
            const auto& entry = log[static_cast<size_t>(position++)];
            story.events.push_back({E::read, consumer, partition, entry.value, entry.offset.value});
        }
    }
    return story;
}

bool has(const std::vector<Anomaly>& found, Kind kind, uint64_t value) {
    return std::ranges::any_of(found, [&](const Anomaly& a) { return a.kind == kind && a.value == value; });
}

// Tells 200 true stories with one lie each; the lie returns the value that it is about.
void expect_found(Kind kind, const std::function<uint64_t(Story&, Random&)>& lie) {
    for (uint64_t seed = 1; seed <= 200; seed++) {
        Random random{seed};
        Story story = true_story(random);
        REQUIRE(story.judge().empty());
        const uint64_t value = lie(story, random);
        CHECK(has(story.judge(), kind, value));
    }
}

std::vector<History::Entry>& log_of(Story& story, uint64_t value) {
    for (auto& [partition, log] : story.logs)
        if (std::ranges::count(log, value, &History::Entry::value)) return log;
    REQUIRE(false);
    return story.logs[0];
}

}  // namespace

TEST_CASE("a true history has no anomaly, whatever was not heard of") {
    for (uint64_t seed = 1; seed <= 500; seed++) {
        Random random{seed};
        Story story = true_story(random);
        CHECK(story.judge().empty());
        CHECK(story.judge(Delivery::at_least_once).empty());
        story.start = 5;
        CHECK(story.judge().empty());
    }
}

TEST_CASE("an acknowledged value that is gone is lost") {
    expect_found(Kind::lost, [](Story& story, Random& random) {
        const uint64_t value = story.find(E::acknowledge, random.below(story.count(E::acknowledge))).value;
        std::erase_if(log_of(story, value), [&](const auto& entry) { return entry.value == value; });
        return value;
    });
}

TEST_CASE("a value that is there twice is duplicated, unless retries may do that") {
    expect_found(Kind::duplicated, [](Story& story, Random& random) {
        auto& log = story.logs[random.below(2)];
        const auto entry = log[random.below(log.size())];
        log.push_back({log.back().offset + 1, entry.value});
        CHECK(!has(story.judge(Delivery::at_least_once), Kind::duplicated, entry.value));
        return entry.value;
    });
}

TEST_CASE("two values of a producer in the wrong order are reordered") {
    expect_found(Kind::reordered, [](Story& story, Random& random) {
        auto& log = story.logs[random.below(2)];
        std::map<uint64_t, uint32_t> producers;
        for (const auto& event : story.events)
            if (event.kind == E::send) producers[event.value] = event.who;
        for (size_t second = 1;; second++)
            for (size_t first = 0; first < second; first++)
                if (producers[log.at(first).value] == producers[log.at(second).value]) {
                    std::swap(log[first].value, log[second].value);
                    return log[second].value;
                }
    });
}

TEST_CASE("an acknowledgement with another offset is misplaced") {
    expect_found(Kind::misplaced, [](Story& story, Random& random) {
        auto& event = story.find(E::acknowledge, random.below(story.count(E::acknowledge)));
        event.offset += 1;
        return event.value;
    });
}

TEST_CASE("a refused value that is there is told") {
    expect_found(Kind::refused, [](Story& story, Random& random) {
        auto& event = story.find(E::acknowledge, random.below(story.count(E::acknowledge)));
        event.kind = E::refuse;
        return event.value;
    });
}

TEST_CASE("a value that nobody sent is invented, in the log and when read") {
    expect_found(Kind::invented, [](Story& story, Random& random) {
        auto& log = story.logs[random.below(2)];
        log.push_back({log.back().offset + 1, 9999});
        return uint64_t{9999};
    });
    expect_found(Kind::invented, [](Story& story, Random& random) {
        story.find(E::read, random.below(story.count(E::read))).value = 9999;
        return uint64_t{9999};
    });
}

TEST_CASE("a value that was read before it was sent is invented") {
    expect_found(Kind::invented, [](Story& story, Random& random) {
        const auto early = story.find(E::read, random.below(story.count(E::read)));
        story.events.insert(story.events.begin(), early);
        return early.value;
    });
}

TEST_CASE("what was read and is gone at the end, acknowledged or not, was read before it was safe") {
    expect_found(Kind::unstable, [](Story& story, Random& random) {
        const uint64_t value = story.find(E::read, random.below(story.count(E::read))).value;
        std::erase_if(log_of(story, value), [&](const auto& entry) { return entry.value == value; });
        return value;
    });
}

TEST_CASE("what was read and has become something else was read before it was safe") {
    expect_found(Kind::unstable, [](Story& story, Random& random) {
        const auto read = story.find(E::read, random.below(story.count(E::read)));
        for (auto& entry : story.logs[read.partition])
            if (entry.offset.value == read.offset) entry.value = 8888;
        return read.value;
    });
}

TEST_CASE("a record that a consumer leaves out is skipped") {
    expect_found(Kind::skipped, [](Story& story, Random& random) {
        const auto read = story.find(E::read, random.below(story.count(E::read)));
        std::erase_if(story.events, [&](const auto& event) {
            return event.kind == E::read && event.who == read.who && event.value == read.value;
        });
        // The consumer goes on to the next one.
        const auto& log = story.logs[read.partition];
        const auto next =
            std::ranges::find_if(log, [&](const auto& entry) { return entry.offset.value > read.offset; });
        if (next == log.end()) {
            auto& grown = story.logs[read.partition];
            grown.push_back({Offset{read.offset + 1}, 7777});
            story.events.push_back({E::send, 0, read.partition, 7777, 0});
            story.events.push_back({E::read, read.who, read.partition, 7777, read.offset + 1});
        } else {
            story.events.push_back({E::read, read.who, read.partition, next->value, next->offset.value});
        }
        return read.value;
    });
}

TEST_CASE("a record that a consumer reads twice without a seek is read again") {
    expect_found(Kind::read_again, [](Story& story, Random& random) {
        const auto read = story.find(E::read, random.below(story.count(E::read)));
        story.events.push_back(read);
        return read.value;
    });
}

TEST_CASE("a seek may go back") {
    Random random{1};
    Story story = true_story(random);
    const auto read = story.find(E::read, 3);
    story.events.push_back({E::seek, read.who, read.partition, 0, read.offset});
    story.events.push_back(read);
    CHECK(story.judge().empty());
}

TEST_CASE("an anomaly is told in words") {
    const Anomaly anomaly{Kind::lost, 3, 42, Offset{7}};
    CHECK(anomaly.to_text() == "lost: value 42 at offset 7 of partition 3");
}
