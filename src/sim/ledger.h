// What clients were promised, and what they saw: the judge of a whole node's run.
//
// Lives outside the simulated nodes, so that it outlives them. Clients tell it what they send before they
// send it and what they were told when they were told; it collects whatever contradicts.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "checker.h"

namespace millrace::sim {

class Ledger {
 public:
    using WriteId = History::WriteId;
    using Place = std::pair<std::string, int32_t>;  // Topic and partition.

    // ---- Records. ----
    uint32_t new_producer() { return ++last_producer_; }
    uint32_t new_consumer() { return ++last_consumer_; }
    // The write, and the value that it carries.
    std::pair<WriteId, uint64_t> send(uint32_t producer, const Place& place,
                                      std::optional<uint32_t> key = {});
    void acknowledge(WriteId write, int64_t offset);
    // With acks=1: it survives a kill, but no power cut before the flush.
    void acknowledge_written(WriteId write, int64_t offset, uint64_t now_ns);
    // On a topic with durability=memory: the last of it may be lost at any end of the process.
    void acknowledge_in_memory(const Place& place, WriteId write, int64_t offset, uint64_t now_ns);
    void lose_power(uint64_t now_ns);
    // The process has ended: what was acknowledged in memory up to so long ago may be gone.
    void lose_memory(uint64_t now_ns, uint64_t window_ns);
    void seek(uint32_t consumer, const Place& place, int64_t offset);
    void read(uint32_t consumer, const Place& place, int64_t offset, std::string_view value);
    // A value as it is sent: its number, then bytes that follow from it.
    static std::string value_text(uint64_t value, size_t size);

    // ---- Records deleted on purpose. ----
    void ask_delete(const Place& place, int64_t before);
    void deleted(const Place& place, int64_t low_watermark);

    // ---- Groups. ----
    // Said to be committed, or read as committed: never less from now on.
    void committed(const std::string& group, const Place& place, int64_t offset);
    // The least that a commit read from now on may say; -1 when there is none.
    int64_t commit_floor(const std::string& group, const Place& place) const;
    const std::map<Place, int64_t>& commits(const std::string& group) { return commits_[group]; }

    // ---- Topics. ----
    struct Topic {
        bool may_exist = false, may_be_missing = true;
        bool is_being_made = false;  // Perhaps: the last answer to that is unknown.
        int32_t partitions_least = 0, partitions_most = 0;
        std::set<std::string> retention_ms;  // What the setting may be; "" is unset.
        bool rolls = false;                  // Loses old records by itself.
        bool in_memory = false;              // durability=memory, at times at least.
        bool compacts = false;               // Loses records that a later one of their key supersedes.
    };
    std::map<std::string, Topic>& topics() { return topics_; }
    bool is_certain(const std::string& topic) const;
    // What a client saw of all topics, by their number of partitions.
    void saw_topics(const std::map<std::string, int32_t>& seen);

    // ---- The end. ----
    // The whole log of a partition, or that its topic is gone.
    void finish(const Place& place, int64_t start, std::vector<History::Entry> log);
    void finish_gone(const std::string& topic);
    std::vector<Place> places() const;
    // Reads a value's number; a problem when the bytes are not those that were sent.
    uint64_t number_of(const Place& place, int64_t offset, std::string_view value);
    void problem(std::string text);
    std::vector<std::string> verdict();
    size_t sent_count() const { return last_value_; }
    size_t acknowledged_count() const { return history_.acknowledged_count(); }
    size_t read_count() const { return reads_; }

 private:
    static constexpr size_t problems_max = 20;
    uint32_t number(const Place& place);

    History history_;
    std::vector<std::pair<uint64_t, WriteId>> written_;  // When: acknowledged with acks=1.
    std::vector<std::pair<uint64_t, WriteId>> in_memory_;
    std::map<Place, uint32_t> numbers_;
    std::map<Place, std::pair<int64_t, int64_t>> deletions_;  // Acknowledged, and asked for at most.
    std::map<std::string, std::map<Place, int64_t>> commits_;
    std::map<std::string, Topic> topics_;
    std::vector<std::string> problems_;
    uint32_t last_producer_ = 0, last_consumer_ = 0;
    uint64_t last_value_ = 0;
    size_t reads_ = 0, finished_ = 0;
};

}  // namespace millrace::sim
