// Clients of a simulated broker: producers, consumers, group members, an administrator. Each works until it
// is told to stop, and tells the ledger what it sends, is promised and sees.
//
// A Workload belongs to the run, not to a node: its actors come and go with the nodes they run on.
#pragma once
#include <array>
#include <memory>
#include <string>

#include "ledger.h"
#include "millrace/client.h"
#include "millrace/sim.h"
#include "random.h"

namespace millrace::sim {

class Workload {
 public:
    // How far an actor has come: what it achieved, not what it tried.
    struct Progress {
        std::string actor;
        uint64_t done = 0;
        bool alive = false;
        std::string last;  // What it saw last, for a person.
    };

    Workload(uint64_t seed, std::string broker_address);

    // Starts this client node's share of the actors, again after its every start.
    std::unique_ptr<SimProgram> start(SimNode& node, size_t index, size_t nodes);
    void stop() { stopping_ = true; }
    bool all_stopped() const;
    const std::vector<Progress>& progress() const { return progress_; }
    Ledger& ledger() { return ledger_; }
    static constexpr std::string_view group = "readers";

    // ---- After the actors have stopped, on a node that works: everything there is, into the ledger. ----
    struct Snapshot {
        bool complete = false;
        std::map<std::string, int32_t> topics;
        std::map<Ledger::Place, int64_t> starts;
        std::map<Ledger::Place, std::vector<History::Entry>> logs;
        std::map<Ledger::Place, int64_t> committed;
    };
    Task<Snapshot> look_at_everything(Io& io);

 private:
    struct ProducerPlan {
        std::string topic;
        int16_t acks;
        bool idempotent;
        uint64_t retry_ms;
        size_t value_size_max;
        uint32_t keys = 0;  // Of the topic's records; 0: they have none.
    };
    // One actor while it lives on a node.
    class Actor {
     public:
        Actor(Workload& workload, Io& io, size_t place, uint64_t retry_ms);
        Actor(const Actor&) = delete;
        ~Actor();
        bool goes_on() const { return !workload_.stopping_; }
        void did(uint64_t count = 1) { progress().done += count; }
        void saw(std::string_view what, Error error);
        Progress& progress() { return workload_.progress_[place_]; }
        Task<> rest(uint64_t ms_max);

        Io& io;
        client::Client client;

     private:
        Workload& workload_;
        size_t place_;
    };
    using Positions = std::map<int32_t, int64_t>;

    // Producers (producers.cc).
    Task<> produce(Io& io, size_t place, ProducerPlan plan);
    Task<> produce_as_one(Actor& actor, const ProducerPlan& plan);
    Task<bool> send_round(Actor& actor, const ProducerPlan& plan, client::Producer& producer,
                          uint32_t identity);

    // Readers (readers.cc).
    Task<> consume(Io& io, size_t place, std::string topic);
    Task<> consume_as_one(Actor& actor, std::string topic);
    Task<bool> take_new_partitions(Actor& actor, client::Consumer& consumer, std::string topic,
                                   uint32_t identity);
    Task<bool> find_range(Actor& actor, client::Consumer& consumer, std::string topic, uint32_t identity);
    Task<> take_part(Io& io, size_t place, std::string topic);
    Task<> be_member(Actor& actor, std::string topic);
    Task<> read_assigned(Actor& actor, client::GroupMember& member, std::string topic,
                         std::vector<int32_t> partitions);
    Task<Result<Positions>> committed_positions(Actor& actor, std::string topic,
                                                std::vector<int32_t> partitions);
    Task<Result<>> commit(client::GroupMember& member, std::string topic, Positions positions);
    void note_reads(uint32_t identity, const std::string& topic,
                    const std::vector<client::ConsumedRecord>& records);

    // The administrator (administrator.cc).
    Task<> administrate(Io& io, size_t place);
    Task<bool> make_first_topics(Actor& actor);
    Task<bool> act(Actor& actor);
    Task<bool> choose(Actor& actor, const char* topic);
    Task<bool> make_topic(Actor& actor);
    Task<bool> remove_topic(Actor& actor);
    Task<bool> make_again(Actor& actor);
    Task<bool> create(Actor& actor, client::NewTopic topic);
    Task<bool> remove(Actor& actor, std::string name);
    Task<bool> grow(Actor& actor, std::string name);
    Task<bool> delete_records(Actor& actor, std::string name);
    Task<bool> set_retention(Actor& actor, std::string name);
    Task<bool> change(Actor& actor, std::string name, std::string setting, std::string value);
    Task<bool> look_at_topics(Actor& actor);
    Task<bool> look_at_config(Actor& actor, std::string name);

    // The last look (snapshot.cc).
    Task<bool> read_log(client::Client& client, Ledger::Place place, Snapshot& snapshot);

    uint64_t below(uint64_t bound) { return random_.below(bound); }

    std::string broker_address_;
    Random random_;
    Ledger ledger_;
    std::vector<ProducerPlan> producers_;
    std::vector<std::string> read_topics_;  // One plain consumer each.
    size_t members_ = 2;
    std::vector<Progress> progress_;
    std::vector<std::string> volatile_topics_;
    uint32_t last_topic_ = 0;
    bool stopping_ = false;
};

}  // namespace millrace::sim
