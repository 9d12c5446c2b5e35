// Checking one partition's directory against its own checksums and what the journals say of it.
//
// What always holds: nothing is changed. Lives in one coroutine.
#pragma once
#include "damage.h"
#include "data_directory.h"
#include "epochs.h"
#include "index_check.h"
#include "journal_extent.h"
#include "millrace/log_tools.h"
#include "partition_meta.h"
#include "segment_scan.h"
#include "sums.h"

namespace millrace {

// Hands findings on and counts them.
class Findings {
 public:
    Findings(FindingListener& listener, VerifyReport& report) : listener_(listener), report_(report) {}
    void add(Finding finding) {
        auto& count = finding.severity == Severity::note      ? report_.notes
                      : finding.severity == Severity::derived ? report_.derived
                                                              : report_.damage;
        count++;
        listener_.on_finding(finding);
    }
    void progress(std::string_view partition) { listener_.on_progress(report_.bytes, partition); }
    VerifyReport& report() { return report_; }

 private:
    FindingListener& listener_;
    VerifyReport& report_;
};

class PartitionCheck {
 public:
    struct Subject {
        std::string root, name;  // The directory below it.
        const RecoveredLog* journal = nullptr;
        bool is_compacted = false;
        bool was_clean = false;  // The last stop: every file is as it should be.
    };
    PartitionCheck(Io& io, Subject subject, Findings& findings)
        : io_(io), subject_(std::move(subject)), findings_(findings) {}

    // Fails only where the directory cannot be listed.
    Task<Result<>> run();

 private:
    struct Extent {
        Offset base;
        uint64_t end = 0;
        Offset next{-1};         // Known from the journal or the next segment; -1: not known.
        bool is_sealed = false;  // Another segment follows.
        bool is_final = false;   // The file is exact, its indexes are complete.
        bool is_known = false;   // The journal vouches for the end.
    };
    Task<> check_identity();
    Task<> check_marks();
    Task<> check_snapshots();
    Task<> check_epochs_file();
    Task<Result<>> find_extents();
    Task<> check_segment(Extent extent);
    Task<> walk(Extent extent, int fd);
    void on_batch(const Extent& extent, const SegmentScan::Step& step);
    void on_odd_epoch(const Extent& extent);
    void on_wrong_epochs();
    void on_damage(const Extent& extent, const SegmentScan::Step& step, uint64_t file_size);
    void on_gap(const Extent& extent, uint64_t position, Offset next);
    Task<> check_sums(Extent extent, int fd);
    Task<std::optional<uint64_t>> wrong_block(Extent extent, int fd, SegmentSums sums);
    Task<std::optional<IndexCheck>> open_indexes(Extent extent);
    void close_indexes(const Extent& extent, IndexCheck& indexes);
    Finding about(Severity severity, FindingKind kind, std::string_view file) const;
    Finding about_segment(Severity severity, FindingKind kind, Offset base, std::string_view suffix) const;
    std::string path(std::string_view file) const {
        return subject_.root + "/" + subject_.name + "/" + std::string{file};
    }

    Io& io_;
    const Subject subject_;
    Findings& findings_;
    PartitionFiles files_;
    JournalExtent known_;
    std::vector<Extent> extents_;
    std::optional<Epochs> epochs_;          // None: the checkpoint is damaged, or said to be wrong already.
    std::optional<SegmentScan::Step> odd_;  // A batch whose epoch is not the checkpoint's.
    Offset expected_{-1};                   // The next offset; -1: nothing was seen yet.
    Offset log_start_;
};

}  // namespace millrace
