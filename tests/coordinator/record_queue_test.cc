// Proposals keep together and in order, and the queue has limits.
#include "record_queue.h"

#include <doctest/doctest.h>

#include "millrace/wire/classic_group_records.h"

using namespace millrace;
using coordinator::RecordQueue;

namespace {

void propose(RecordQueue& queue, std::string_view group, std::vector<std::string>& ends,
             Error expected = Error::none) {
    queue.add_tombstone(wire::GroupMetadataKey{.group = group});
    CHECK(queue.propose(1, [&ends, group](Error end) {
        ends.push_back(std::string(group) + " " + std::string(error_name(end)));
    }) == expected);
}

}  // namespace

TEST_CASE("what is proposed before an append is taken goes together") {
    const GroupOptions options;
    RecordQueue queue(options);
    std::vector<std::string> ends;
    propose(queue, "a", ends);
    propose(queue, "b", ends);
    const RecordQueue::Batch batch = queue.take();
    CHECK(queue.is_empty());
    REQUIRE(batch.records().size() == 2);
    CHECK(as_text(batch.records()[1].key) == std::string_view("\0\2\0\1b", 5));
    CHECK_FALSE(batch.records()[1].value);
    for (const auto& done : batch.proposals) done(Error::none);
    CHECK(ends == std::vector<std::string>{"a NONE", "b NONE"});
}

TEST_CASE("a batch never exceeds its limit and a proposal is never split") {
    const GroupOptions options{.append_batch_max_bytes = 14};
    RecordQueue queue(options);
    std::vector<std::string> ends;
    for (std::string_view group : {"aaa", "bbb", "ccc"}) propose(queue, group, ends);  // 7 bytes each.
    CHECK(queue.take().records().size() == 2);
    CHECK(queue.take().records().size() == 1);
    propose(queue, "much too long a name", ends, Error::invalid_commit_offset_size);
    CHECK(queue.is_empty());
    CHECK(ends.empty());
}

TEST_CASE("a full queue refuses what does not fit and takes it again when there is room") {
    const GroupOptions options{.append_queue_max_bytes = 14};
    RecordQueue queue(options);
    std::vector<std::string> ends;
    propose(queue, "aaa", ends);
    propose(queue, "bbb", ends);
    propose(queue, "ccc", ends, Error::coordinator_not_available);
    queue.take();
    propose(queue, "ccc", ends);
}

TEST_CASE("failing the queue tells every proposal once") {
    const GroupOptions options;
    RecordQueue queue(options);
    std::vector<std::string> ends;
    propose(queue, "a", ends);
    queue.follow_newest([&ends](Error end) { ends.push_back("then " + std::string(error_name(end))); });
    queue.fail_all(Error::not_coordinator);
    CHECK(queue.is_empty());
    CHECK(ends == std::vector<std::string>{"a NOT_COORDINATOR", "then NOT_COORDINATOR"});
}
