// Damage that recovery meets: what was known before, what the journal lost, what files lack.
#include "recovery.h"

namespace millrace {

// The file `damaged`. True: nothing of the partition can be served.
Task<Result<bool>> Recovery::read_damage() {
    const auto bytes = co_await read_file(io_, log_.directory_ + "/damaged", 1 << 20);
    if (!bytes && bytes.error() == Error::resource_not_found) co_return false;
    if (!bytes) co_return bytes.error();
    auto known = Damage::from_text(as_text(*bytes));
    if (!known) {
        io_.log().error("log", "what is damaged in a partition cannot be read: that file itself is",
                        {{"directory", log_.directory_}});
        co_return true;
    }
    log_.damage_ = std::move(*known);
    log_.damage_unsaid_ = !Damage::is_intact(as_text(*bytes));
    if (log_.damage_unsaid_)
        io_.log().warn("log", "a copy of what is damaged in a partition is damaged itself and made anew",
                       {{"directory", log_.directory_}});
    co_return log_.damage_.is_whole();
}

// The partition is there, and gives nothing. Its files stay as they are.
Task<Result<>> Recovery::refuse(std::string_view why) {
    io_.log().error("log", "a damaged partition is not served and not changed",
                    {{"directory", log_.directory_}, {"why", why}});
    log_.failure_ = Error::kafka_storage_error;
    log_.segments_.clear();
    add_segment({});
    if (log_.damage_.is_whole()) co_return Result<>{};
    const auto unread = co_await file_info(io_, log_.directory_ + "/damaged");
    if (!unread) co_return unread.error();
    if (*unread) co_return Result<>{};
    log_.damage_.clear();
    log_.damage_.add({.next = Offset{INT64_MAX},
                      .segment = Offset{-1},
                      .cause = DamageCause::identity,
                      .found_ms = io_.wall_ms()});
    co_return co_await log_.write_damage();
}

// With the cause that is known of a place: what is zeros now was missing, or lost in the journal.
void Recovery::note(const std::vector<DamagedRange>& ranges) {
    for (DamagedRange range : ranges) {
        for (const Hole& hole : holes_)
            if (hole.segment == range.segment && hole.from < range.end_position() &&
                range.position < hole.until)
                range.cause = hole.cause;
        if (!log_.damage_.contains(range)) log_.note_damage(range);
    }
}

// Files that were there.
void Recovery::note_missing(Offset first, Offset next) {
    const DamagedRange range{.first = first,
                             .next = next,
                             .segment = first,
                             .cause = DamageCause::missing,
                             .found_ms = io_.wall_ms()};
    const DamagedRange* known = log_.damage_.find(first);
    if (!known || known->next < next) log_.note_damage(range);
}

// What the journal lost may be in the segments already.
Task<Result<>> Recovery::check_holes() {
    for (const Hole& hole : holes_) {
        if (hole.next <= log_.log_start_) continue;
        const Segment* segment = log_.find_segment(hole.segment);
        if (!segment) continue;
        CheckRequest request{.path = log_.path_of(*segment, ".log"),
                             .segment = hole.segment,
                             .from = hole.from,
                             .until = hole.until,
                             .expected = hole.first,
                             .limit = hole.next,
                             .order = hole.from == 0 ? Order::rising : Order::gapless};
        const auto report = co_await check_segment(io_, std::move(request));
        if (!report) co_return report.error();
        note(report->damaged);
        if (report->damaged.empty() && report->next < hole.next) note_lost_end(hole, report->next);
    }
    co_return Result<>{};
}

// The segment's end was lost together with what would say where it was.
void Recovery::note_lost_end(const Hole& hole, Offset first) {
    log_.note_damage({.first = first,
                      .next = hole.next,
                      .segment = hole.segment,
                      .position = hole.until,
                      .cause = hole.cause,
                      .found_ms = io_.wall_ms()});
}

// Ranges that were found in an earlier life: what is sound again is served again.
Task<Result<>> Recovery::check_known_damage() {
    const std::vector<DamagedRange> ranges{log_.damage_.ranges().begin(), log_.damage_.ranges().end()};
    for (const DamagedRange& range : ranges) {
        const Segment* segment = log_.find_segment(range.segment);
        if (!segment || range.length == 0 || range.cause == DamageCause::sum) continue;
        CheckRequest request{.path = log_.path_of(*segment, ".log"),
                             .segment = range.segment,
                             .from = range.position,
                             .until = range.end_position(),
                             .expected = range.first,
                             .limit = range.next,
                             .epochs = epochs_lost_ ? nullptr : &log_.epochs_};
        const auto report = co_await check_segment(io_, std::move(request));
        if (!report) co_return report.error();
        if (!report->damaged.empty() || report->next != range.next) continue;
        log_.damage_.remove(range);
        log_.damage_unsaid_ = true;
        io_.log().info(
            "log", "offsets that were damaged are sound again",
            {{"directory", log_.directory_}, {"first", range.first.value}, {"next", range.next.value}});
    }
    co_return Result<>{};
}

}  // namespace millrace
