// One seed: a broker's node and its clients through several lives with faults, then peace, then judgement.
//
// The seed decides everything. A trial ends with no problems, or with sentences that say what was wrong.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "broker_program.h"
#include "millrace/sim.h"
#include "workload.h"

namespace millrace::sim {

struct TrialOptions {
    uint64_t seed = 1;
    uint64_t minutes = 0;      // Of simulated time under faults; 0: a few lives of some seconds.
    bool print_story = false;  // What happens to the machines, to stdout.
    bool print_log = false;    // The nodes' log lines too.
};

struct FaultCounts {
    uint64_t kills = 0, power_cuts = 0, orderly_stops = 0, client_crashes = 0, link_cuts = 0, pauses = 0;
    uint64_t offline = 0, failed_starts = 0;  // By an error of the disk that was injected.
    uint64_t full_disks = 0, faulty_disks = 0, slow_disks = 0, lives = 0, reshardings = 0;
    uint64_t moves = 0;      // Of partitions between shards.
    uint64_t cleanings = 0;  // Of logs.
    DiskFaults met;          // What the disk really did.

    std::string to_text() const;
    // For programs: "met: kills=2 power_cuts=1 ...".
    std::string met_text() const;
};

struct TrialResult {
    std::vector<std::string> problems;
    FaultCounts faults;
    uint64_t simulated_ns = 0, turns = 0, trace_hash = 0;
    size_t sent = 0, acknowledged = 0, read = 0;
    bool ok() const { return problems.empty(); }
};

class Trial {
 public:
    explicit Trial(const TrialOptions& options);
    TrialResult run();

 private:
    static constexpr size_t client_nodes = 2;

    BrokerProgram* broker() { return static_cast<BrokerProgram*>(node_.program()); }
    uint64_t below(uint64_t bound) { return random_.below(bound); }
    bool one_in(uint64_t count) { return below(count) == 0; }
    bool is_spent() const;
    void pass(uint64_t nanoseconds);
    bool wait_until(const std::function<bool()>& condition, uint64_t within_ns);
    void live();
    void choose_faults();
    void choose_errors(DiskOptions& disk);
    // lie.cc
    void begin_lie(DiskOptions& disk);
    void break_some_page();
    void watch_lie();
    bool has_lied() const { return lied_ns_ != 0; }
    std::vector<std::string> unforgiven(std::vector<std::string> problems) const;
    void end_faults();
    void mishap();
    void look_after();
    void end_life();
    void stop_in_order();
    void crash(Crash how);
    void restart();
    uint64_t memory_window_ns() const;
    bool make_peace();
    void prove_progress();
    void judge();
    void judge_snapshot(const Workload::Snapshot& snapshot);
    Workload::Snapshot look();
    void check_lines();
    void check_leaks();
    void say(const std::string& text);
    void problem(const std::string& text);

    TrialOptions options_;
    Random random_, moves_, lies_;
    BrokerProgramOptions program_;
    Workload workload_;  // Outlives the nodes its actors run on.
    SimWorld world_;
    SimNode& node_;
    std::vector<SimNode*> clients_;
    FaultCounts faults_;
    // In one seed of eight the disk lies once, in one way, and has no other fault that would be said.
    enum class Lie : uint8_t { none, lost_write, misdirected_write, broken_page };
    Lie lie_ = Lie::none;
    uint64_t lied_ns_ = 0;
    bool disk_fails_ = false;  // Errors of the disk are injected, or were in this life.
    bool told_spent_ = false;
    uint64_t paused_until_ns_ = 0;
    size_t lines_checked_ = 0;
    uint32_t power_cuts_ = 0;  // As the ledger knows.
};

}  // namespace millrace::sim
