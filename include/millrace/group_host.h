// A group coordinator at work: its partition of `__consumer_offsets` as its log, its timer, its replay.
//
// Lives on the partition's home shard. While it replays, the coordinator itself answers that it is loading.
#pragma once
#include <memory>
#include <vector>

#include "millrace/coordinator.h"
#include "millrace/shard.h"

namespace millrace {

class GroupHost final : private RecordLog, private IdSource, private Deadlines::Entry {
 public:
    // Of the partition that this shard hosts in `slot`.
    GroupHost(Shard& shard, Slot slot);
    ~GroupHost();

    // Replays and then serves until stop(), starting over when an append ended in doubt. Once.
    Task<> live();
    // Answers everyone, and serves nobody from here.
    void resign();
    // Also ends live(), before the partition goes.
    Task<> stop();

    // Good until the next co_await.
    GroupCoordinator& coordinator() { return *coordinator_; }
    GroupTime now() const;
    // Around each call: looks at the coordinator's next deadline, in a later turn, as it may have moved.
    void touch();

 private:
    struct Touched final : Letter {
        explicit Touched(GroupHost& host) : host(host) {}
        void deliver() override;
        GroupHost& host;
        bool is_posted = false;
    };

    Task<Result<GroupTime>> append(std::span<const Record> records, int64_t wall_ms) override;
    Uuid next_id() override { return new_uuid(shard_.io()); }
    void on_deadline() override;
    void begin();
    void set_deadline();
    Task<Result<>> replay();
    void replay_slice(const Slice& slice);
    Partition* partition();

    Shard& shard_;
    const Slot slot_;
    GroupOptions options_;
    std::unique_ptr<GroupCoordinator> coordinator_;
    std::vector<std::unique_ptr<GroupCoordinator>> retired_;  // Their last calls may still be unwinding.
    int64_t deadline_ms_ = 0;
    Touched touched_{*this};
    bool living_ = false;
    bool stopping_ = false;
    Signal ended_;
};

}  // namespace millrace
