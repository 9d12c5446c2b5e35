// Mailboxes and who sleeps, with real threads: nothing is lost, order is kept, nobody oversleeps.
#include "mailbox.h"

#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

using namespace millrace;

namespace {

struct Note final : Letter {
    uint64_t number = 0;
    void deliver() override {}
};

constexpr ShardId sender{0}, receiver{1};

// Takes notes until `count` came; sleeps on its bell whenever there is nothing. True when all came in order.
bool receive_in_order(PostOffice& post, uint64_t count) {
    uint64_t expected = 0;
    while (expected < count) {
        if (post.fall_asleep(receiver)) {
            uint64_t rung;
            if (read(post.event_fd(receiver), &rung, sizeof rung) != sizeof rung) return false;
            post.wake_up(receiver);
        }
        Letter* letter = post.mailbox(sender, receiver).take_all();
        for (; letter; letter = std::exchange(letter->next_letter, nullptr))
            if (static_cast<Note*>(letter)->number != expected++) return false;
    }
    return expected == count;
}

void send_all(PostOffice& post, std::vector<Note>& notes, size_t batch) {
    Outboxes out(2);
    for (size_t i = 0; i < notes.size(); i++) {
        notes[i].number = i;
        out.add(receiver, notes[i]);
        if (i % batch == batch - 1 || i + 1 == notes.size())
            out.publish(post, sender, [&](ShardId to) { post.ring_bell(to); });
    }
}

}  // namespace

TEST_CASE("an empty mailbox gives nothing") {
    Mailbox box;
    CHECK(box.is_empty());
    CHECK(box.take_all() == nullptr);
}

TEST_CASE("letters of several chains are taken from the oldest to the newest") {
    PostOffice post(2);
    std::vector<Note> notes(5);
    send_all(post, notes, 2);
    Letter* letter = post.mailbox(sender, receiver).take_all();
    for (auto& note : notes) {
        REQUIRE(letter == &note);
        letter = letter->next_letter;
    }
    CHECK(letter == nullptr);
    CHECK(!post.has_mail(receiver));
}

TEST_CASE("who has mail does not fall asleep; who sleeps is woken once") {
    PostOffice post(2);
    std::vector<Note> notes(2);
    CHECK(post.fall_asleep(receiver));
    CHECK(post.must_wake(receiver));
    CHECK(!post.must_wake(receiver));
    post.wake_up(receiver);
    send_all(post, notes, 1);
    CHECK(!post.fall_asleep(receiver));
    CHECK(!post.must_wake(receiver));
}

TEST_CASE("millions of letters cross in order, and no wake-up is lost") {
    for (const size_t batch : {1, 7, 64}) {
        PostOffice post(2);
        std::vector<Note> notes(1'000'000);
        bool in_order = false;
        std::thread reader([&] { in_order = receive_in_order(post, notes.size()); });
        send_all(post, notes, batch);
        reader.join();
        CHECK(in_order);
    }
}
