// A simulated node whose storage has ended, cleanly or not: what tests of the offline tools stand on.
#pragma once
#include "millrace/log_tools.h"
#include "storage_world.h"

namespace millrace {

class OfflineWorld : public StorageWorld {
 public:
    explicit OfflineWorld(uint64_t seed) : StorageWorld(seed) {}

    // Three logs with several segments each, producers and epochs, written over a while.
    void fill(uint64_t seed);
    void stop();          // Cleanly.
    void end(Crash how);  // Not so; an idle node comes up on what is left.
    void start();         // The storage again.
    std::vector<Finding> verify();
    VerifyReport report;  // Of the last verify().

    bool idle = false;
};

// The second batch of a file, whose bytes have been changed.
struct HurtBatch {
    uint64_t position = 0, size = 0;
    Offset first, last;
};
HurtBatch hurt_second_batch(SimDisk& disk, const std::string& file);

struct CollectedFindings final : FindingListener {
    void on_finding(const Finding& finding) override { all.push_back(finding); }
    std::vector<Finding> all;
};

// Those that are more than a note.
std::vector<Finding> grave(const std::vector<Finding>& findings);
std::string text_of(const std::vector<Finding>& findings);
// Every file below the directory.
std::vector<std::string> files_below(SimDisk& disk, const std::string& directory);

}  // namespace millrace
