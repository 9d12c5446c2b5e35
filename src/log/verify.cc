// Checking a whole data directory.
#include "verify.h"

#include "files.h"
#include "identity.h"
#include "millrace/homes.h"

namespace millrace {

std::string_view severity_name(Severity severity) {
    constexpr std::string_view names[] = {"note", "derived", "damage"};
    return names[static_cast<size_t>(severity)];
}

namespace {

class DirectoryCheck {
 public:
    DirectoryCheck(Io& io, VerifyOptions options, Findings& findings)
        : io_(io), options_(std::move(options)), findings_(findings) {}
    Task<Result<>> run();

 private:
    Task<Result<>> check_identity();
    Task<Result<>> check_journals();
    Task<Result<>> find_slots(const std::vector<std::string>& names);
    std::optional<Slot> only_unclaimed(const Uuid& topic_id) const;
    Task<Result<>> check_partitions();
    void check_unknown_slots(const std::vector<std::string>& names);
    Task<Result<>> work();
    bool is_wanted(const PartitionName& name) const {
        return (!options_.topic || *options_.topic == name.topic) &&
               (!options_.partition || *options_.partition == name.partition);
    }

    Io& io_;
    const VerifyOptions options_;
    Findings& findings_;
    RecoveredJournals journals_;
    std::map<std::string, std::optional<Slot>> partitions_;  // By the directory's name.
    std::map<std::string, std::optional<Slot>>::iterator next_;
};

Task<Result<>> DirectoryCheck::run() {
    const auto info = co_await file_info(io_, options_.directory);
    if (!info) co_return info.error();
    if (!*info || !(*info)->is_directory) co_return Error::resource_not_found;
    const auto names = co_await list_directory(io_, options_.directory);
    if (!names) co_return names.error();
    auto result = co_await check_identity();
    if (result) result = co_await check_journals();
    if (result) result = co_await find_slots(*names);
    if (!result) co_return result;
    if (!options_.topic) check_unknown_slots(*names);
    co_return co_await check_partitions();
}

Task<Result<>> DirectoryCheck::check_identity() {
    const auto copies = co_await read_identity_copies(io_, options_.directory);
    Finding finding{.file = "node.meta", .what = {}, .mend = {}};
    if (!copies && copies.error() == Error::resource_not_found) {
        finding.what = "there is none: a broker that starts here makes a new node of it";
        finding.mend = "put it back from a copy, if this is no new directory";
    } else if (!copies || (!copies->first && !copies->second)) {
        finding.severity = Severity::damage, finding.kind = FindingKind::identity;
        finding.what = "both copies are damaged: whose directory this is cannot be told";
        finding.mend = "put it back from a copy; a broker does not start without";
    } else if (!copies->first || !copies->second || copies->first->cluster_id != copies->second->cluster_id) {
        finding.severity = Severity::derived, finding.kind = FindingKind::identity_copy;
        finding.position = copies->first ? static_cast<int64_t>(block_size) : 0;
        finding.what = "one of its two copies is damaged";
        finding.mend = "`millrace log repair` writes it from the other one";
    } else {
        co_return Result<>{};
    }
    findings_.add(std::move(finding));
    co_return Result<>{};
}

Task<Result<>> DirectoryCheck::check_journals() {
    const auto homes = co_await read_homes(io_, options_.directory, 1);
    if (homes && homes->is_lost)
        findings_.add(
            {.severity = Severity::derived,
             .kind = FindingKind::homes,
             .file = "homes",
             .what = "its checksum is wrong: partitions that were moved go back to their first shard",
             .mend = "the broker does without; `millrace log repair` takes it away"});
    // Whose home is where does not matter here: every journal may speak of every partition.
    auto journals = co_await read_journals(io_, options_.directory, {.is_lost = true});
    if (!journals) {
        findings_.add({.severity = Severity::damage,
                       .kind = FindingKind::journal,
                       .file = "journal",
                       .what = "the device refuses to read the journals",
                       .mend = "look at the device's health"});
        co_return Result<>{};
    }
    journals_ = std::move(*journals);
    for (const JournalDamage& damage : journals_.damages) {
        Finding finding{.severity = Severity::damage,
                        .kind = FindingKind::journal,
                        .file = damage.file,
                        .position = damage.position,
                        .what = std::to_string(damage.entries) +
                                " entries that were durable cannot be read, from sequence " +
                                std::to_string(damage.sequence) + " on",
                        .mend = "the partitions that they may have been of are named below"};
        if (finding.file.starts_with(options_.directory + "/"))
            finding.file = finding.file.substr(options_.directory.size() + 1);
        findings_.add(std::move(finding));
    }
    co_return Result<>{};
}

Task<Result<>> DirectoryCheck::find_slots(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        const auto parsed = partition_name_of(name);
        if (!parsed) {
            const bool is_known = name == ".lock" || name == "node.meta" || name == "journal" ||
                                  name == "homes" || name == "recycled" || name.ends_with("-delete") ||
                                  name.ends_with("-stray");
            if (!is_known) findings_.add({.file = name, .what = "nobody knows this file", .mend = {}});
            continue;
        }
        const auto bytes =
            co_await read_file(io_, options_.directory + "/" + name + "/partition.meta", block_size);
        const auto meta = bytes ? decode_partition_meta(*bytes) : std::nullopt;
        partitions_[name] = meta ? std::optional{meta->slot} : std::nullopt;
        if (name == "__cluster_metadata-0") partitions_[name] = Slot{0};
    }
    for (auto& [name, slot] : partitions_) {
        if (slot) continue;
        const auto text =
            co_await read_file(io_, options_.directory + "/" + name + "/partition.metadata", block_size);
        const auto id = text ? topic_id_of_kafka_metadata(as_text(*text)) : std::nullopt;
        if (id) slot = only_unclaimed(*id);
    }
    co_return Result<>{};
}

// The one slot of that topic in the journals that no other directory has.
std::optional<Slot> DirectoryCheck::only_unclaimed(const Uuid& topic_id) const {
    std::optional<Slot> found;
    for (const auto& [slot, log] : journals_.logs) {
        const auto has_it = [slot = slot](const auto& partition) { return partition.second == slot; };
        if (!log.has_state || log.removed || log.topic_id != topic_id) continue;
        if (std::any_of(partitions_.begin(), partitions_.end(), has_it)) continue;
        if (found) return {};
        found = slot;
    }
    return found;
}

// What the journals speak of and nobody has.
void DirectoryCheck::check_unknown_slots(const std::vector<std::string>& names) {
    std::set<Slot> known;
    for (const auto& [name, slot] : partitions_)
        if (slot) known.insert(*slot);
    for (const auto& [slot, log] : journals_.logs) {
        const std::string deleted = "." + std::to_string(slot.value) + "-delete";
        const bool is_going =
            log.removed || std::any_of(names.begin(), names.end(),
                                       [&](const std::string& name) { return name.ends_with(deleted); });
        const bool is_empty = log.pieces.empty() && log.next == log.log_start;
        if (known.contains(slot) || is_going || is_empty) continue;
        const Offset next = log.pieces.empty() ? log.next : log.pieces.back().next;
        findings_.add(
            {.severity = Severity::damage,
             .kind = FindingKind::other,
             .file = "slot " + std::to_string(slot.value),
             .first_offset = log.log_start.value,
             .last_offset = next.value - 1,
             .what = "the journal has records of a partition whose directory is missing, or has lost its "
                     "partition.meta",
             .mend = "put the directory back from a copy"});
    }
}

Task<Result<>> DirectoryCheck::check_partitions() {
    next_ = partitions_.begin();
    std::vector<Task<Result<>>> workers;
    for (uint32_t i = 0; i < std::max(options_.together, 1u); i++) workers.push_back(work());
    const auto results = co_await gather(std::move(workers));
    for (const auto& result : results)
        if (!result) co_return result;
    co_return Result<>{};
}

Task<Result<>> DirectoryCheck::work() {
    while (next_ != partitions_.end()) {
        const auto [name, slot] = *next_++;
        const auto parsed = partition_name_of(name);
        if (!is_wanted(*parsed)) continue;
        PartitionCheck::Subject subject{.root = options_.directory, .name = name};
        subject.was_clean = journals_.all_clean;
        subject.is_compacted = options_.is_compacted(parsed->topic);
        const auto journal = slot ? journals_.logs.find(*slot) : journals_.logs.end();
        if (journal != journals_.logs.end() && !journal->second.removed) subject.journal = &journal->second;
        PartitionCheck check{io_, std::move(subject), findings_};
        const auto checked = co_await check.run();
        if (!checked) co_return checked;
    }
    co_return Result<>{};
}

}  // namespace

Task<Result<VerifyReport>> verify_directory(Io& io, VerifyOptions options, FindingListener& listener) {
    VerifyReport report;
    Findings findings{listener, report};
    DirectoryCheck check{io, std::move(options), findings};
    const auto checked = co_await check.run();
    if (!checked) co_return checked.error();
    co_return report;
}

}  // namespace millrace
