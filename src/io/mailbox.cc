// The atomics of the house: the only ones besides the metrics'. See mailbox.h for the protocol.
#include "mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace millrace {

void Mailbox::publish(Letter& newest, Letter& oldest) {
    Letter* before = newest_.load(std::memory_order_relaxed);
    do {
        oldest.next_letter = before;
    } while (!newest_.compare_exchange_weak(before, &newest, std::memory_order_release,
                                            std::memory_order_relaxed));
}

Letter* Mailbox::take_all() {
    if (is_empty()) return nullptr;  // A load leaves the cache line shared; an exchange would not.
    Letter* letter = newest_.exchange(nullptr, std::memory_order_acquire);
    Letter* oldest = nullptr;
    while (letter) {
        Letter* before = std::exchange(letter->next_letter, oldest);
        oldest = letter;
        letter = before;
    }
    return oldest;
}

PostOffice::PostOffice(uint16_t shards) : shards_(shards), boxes_(size_t{shards} * shards) {
    ASSERT(shards > 0);
    for (auto& shard : shards_) shard.event_fd = eventfd(0, EFD_CLOEXEC);
}

bool PostOffice::is_ready() const {
    return std::all_of(shards_.begin(), shards_.end(),
                       [](const Shard& shard) { return shard.event_fd >= 0; });
}

PostOffice::~PostOffice() {
    for (auto& shard : shards_)
        if (shard.event_fd >= 0) close(shard.event_fd);
}

bool PostOffice::has_mail(ShardId self) {
    for (uint16_t from = 0; from < shard_count(); from++)
        if (!mailbox(ShardId{from}, self).is_empty()) return true;
    return false;
}

bool PostOffice::fall_asleep(ShardId self) {
    auto& asleep = shards_[self.value].asleep;
    asleep.store(true, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!has_mail(self)) return true;
    asleep.store(false, std::memory_order_relaxed);
    return false;
}

void PostOffice::wake_up(ShardId self) { shards_[self.value].asleep.store(false, std::memory_order_relaxed); }

bool PostOffice::must_wake(ShardId to) {
    auto& asleep = shards_[to.value].asleep;
    return asleep.load(std::memory_order_relaxed) && asleep.exchange(false, std::memory_order_relaxed);
}

void PostOffice::set_busy_percent(ShardId self, uint32_t percent) {
    auto& told = shards_[self.value].busy_percent;
    if (told.load(std::memory_order_relaxed) != percent) told.store(percent, std::memory_order_relaxed);
}

void PostOffice::ring_bell(ShardId shard) {
    const uint64_t one = 1;
    const auto written = ::write(event_fd(shard), &one, sizeof one);
    ASSERT(written == sizeof one);
}

void Outboxes::add(ShardId to, Letter& letter) {
    auto& chain = chains_[to.value];
    letter.next_letter = chain.newest;
    if (!chain.newest) chain.oldest = &letter, waiting_.push_back(to);
    chain.newest = &letter;
}

void Outboxes::publish_chain(PostOffice& post, ShardId self, ShardId to) {
    auto& chain = chains_[to.value];
    ASSERT(chain.newest && chain.oldest);
    post.mailbox(self, to).publish(*chain.newest, *chain.oldest);
    chain = {};
}

}  // namespace millrace
