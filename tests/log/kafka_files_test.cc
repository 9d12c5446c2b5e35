// Files that Apache Kafka wrote: read as they are, and written the same way.
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include "producers.h"
#include "storage_world.h"

namespace millrace {

namespace {

std::vector<uint8_t> sample(const std::string& name) {
    std::ifstream in(std::string(TEST_DATA) + "/log/data/t1-0/" + name, std::ios::binary);
    REQUIRE(in.good());
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("a directory of Apache Kafka's is loaded and read, and stays so after a power cut") {
    StorageWorld w{1};
    LogModel& m = w.add(1);
    m.spec.topic = "t1";
    m.spec.topic_id = *Uuid::from_text("4X-eAYagSpGZ5Xm3QpGE2A");
    for (const char* name :
         {"00000000000000000000.log", "00000000000000000000.index", "00000000000000000000.timeindex",
          "00000000000000000025.snapshot", "leader-epoch-checkpoint", "partition.metadata"})
        w.node.disk().put("data/t1-0/" + std::string(name), sample(name));
    const auto file = sample("00000000000000000000.log");
    BatchReader reader{file};
    while (const auto batch = reader.next()) {
        m.batches[batch->base_offset()] = {batch->bytes().begin(), batch->bytes().end()};
        m.end = m.durable = batch->next_offset();
    }
    CHECK(m.end == Offset{25});
    w.boot();
    REQUIRE(w.wait_started());
    w.check_all();
    CHECK(w.log(1).producer_count() == 5);
    CHECK(w.log(1).last_epoch() == Epoch{0});
    CHECK(w.program().append(Slot{1}, make_batch(1, 100)) == Error::none);
    REQUIRE(w.settle());
    w.crash(Crash::power_cut);
    w.node.restart();
    REQUIRE(w.wait_started());
    w.check_all();
    CHECK(w.log(1).end() > Offset{25});
}

TEST_CASE("a producer snapshot of Apache Kafka's is read and written byte for byte") {
    const auto bytes = sample("00000000000000000025.snapshot");
    Producers producers;
    REQUIRE(producers.from_snapshot(bytes, 0));
    CHECK(producers.size() == 5);
    CHECK(producers.to_snapshot() == bytes);
}

}  // namespace millrace
