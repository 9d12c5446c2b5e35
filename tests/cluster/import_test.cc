// `millrace log import`: a directory that Apache Kafka wrote becomes topics of a node.
#include "millrace/import.h"

#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include "millrace/log_tools.h"
#include "millrace/sim.h"
#include "offline_node.h"

namespace millrace {

namespace {

class IdleProgram final : public SimProgram {};

struct Told final : ImportListener {
    void on_topic(const ImportedTopic& topic) override { topics.push_back(topic); }
    void on_note(const std::string& topic, const std::string& note) override {
        notes.push_back(topic + ": " + note);
    }
    std::vector<ImportedTopic> topics;
    std::vector<std::string> notes;
};

struct Graves final : FindingListener {
    void on_finding(const Finding& finding) override {
        if (finding.severity != Severity::note) all += finding.file + ": " + finding.what + "\n";
    }
    std::string all;
};

class ImportWorld {
 public:
    ImportWorld() : node(world.add_node()) {
        node.boot([](SimNode&) { return std::make_unique<IdleProgram>(); });
        put("meta.properties", "version=1\ncluster.id=AAAAAAAAAAAAAAAAAAAAAQ\nnode.id=1\n");
        put(".kafka_cleanshutdown", "{\"version\":0}");
        for (const char* name :
             {"00000000000000000000.log", "00000000000000000000.index", "00000000000000000000.timeindex",
              "00000000000000000025.snapshot", "leader-epoch-checkpoint", "partition.metadata"}) {
            std::ifstream in(std::string(TEST_DATA) + "/log/data/t1-0/" + name, std::ios::binary);
            REQUIRE(in.good());
            put("t1-0/" + std::string(name), std::string{std::istreambuf_iterator<char>(in), {}});
        }
    }
    void put(const std::string& name, const std::string& text) {
        node.disk().put("kafka/" + name, as_bytes(text));
    }
    void run(Task<> task) {
        bool done = false;
        node.spawn([](Task<> task, bool& done) -> Task<> {
            co_await task;
            done = true;
        }(std::move(task), done));
        REQUIRE(world.run_until([&] { return done; }, 600'000'000'000));
    }
    Result<ImportReport> import(ImportOptions options) {
        options.from = "kafka", options.data = "data";
        Result<ImportReport> result = Error::unknown_server_error;
        told = {};
        run([](ImportWorld& w, ImportOptions options, Result<ImportReport>& result) -> Task<> {
            auto importing = import_kafka(w.node.io(), std::move(options), w.told);
            result = co_await importing;
        }(*this, std::move(options), result));
        return result;
    }
    std::string verify() {
        Graves graves;
        run([](ImportWorld& w, Graves& graves) -> Task<> {
            VerifyOptions options{.directory = "data", .topic = {}, .partition = {}};
            auto verifying = verify_directory(w.node.io(), std::move(options), graves);
            const auto report = co_await verifying;
            REQUIRE(report.ok());
        }(*this, graves));
        return graves.all;
    }

    SimWorld world{{.seed = 3}};
    SimNode& node;
    Told told;
};

}  // namespace

TEST_CASE("what Kafka wrote becomes a topic with its id, offsets, epochs and settings") {
    ImportWorld w;
    const auto report =
        w.import({.settings = {{"t1.retention.ms", "4711"}, {"t1.min.insync.replicas", "2"}}});
    REQUIRE(report.ok());
    CHECK(report->refused() == 0);
    REQUIRE(w.told.topics.size() == 1);
    CHECK(w.told.topics[0].name == "t1");
    CHECK(w.told.topics[0].records == 25);
    CHECK(std::ranges::any_of(w.told.notes, [](const std::string& note) {
        return note.find("min.insync.replicas=2 is left out") != std::string::npos;
    }));
    CHECK(w.verify() == "");
    w.run([](ImportWorld& w) -> Task<> {
        OfflineNode node{w.node.io(), "data"};
        auto opening = node.open({});
        const auto opened = co_await opening;
        REQUIRE(opened.ok());
        CHECK(node.identity().cluster_id == "AAAAAAAAAAAAAAAAAAAAAQ");
        const TopicInfo* topic = node.state().topic("t1");
        REQUIRE(topic);
        CHECK(topic->id.to_text() == "4X-eAYagSpGZ5Xm3QpGE2A");
        CHECK(topic->configs.at("retention.ms") == "4711");
        CHECK(!topic->configs.contains("min.insync.replicas"));
        CHECK(topic->partitions[0].leader_epoch == Epoch{1});
        CHECK(node.state().next_producer_id() > 0);
        auto closing = node.close();
        const auto closed = co_await closing;
        CHECK(closed.ok());
    }(w));
    CHECK(w.verify() == "");
}

TEST_CASE("a topic that is there already is refused, and nothing is changed") {
    ImportWorld w;
    REQUIRE(w.import({}).ok());
    const auto again = w.import({});
    REQUIRE(again.ok());
    CHECK(again->refused() == 1);
    CHECK(w.verify() == "");
}

TEST_CASE("a running Kafka, a missing topic, a missing partition and a damaged batch are refused") {
    ImportWorld w;
    CHECK(w.import({.topics = {"t2"}}).error() == Error::unknown_topic_or_partition);
    w.put("t3-1/partition.metadata", "version: 0\ntopic_id: 4X-eAYagSpGZ5Xm3QpGE2B");
    const auto partly = w.import({.topics = {"t3"}});
    REQUIRE(partly.ok());
    CHECK(partly->refused() == 1);
    w.node.disk().flip("kafka/t1-0/00000000000000000000.log", 100, 1);
    const auto damaged = w.import({.topics = {"t1"}});
    REQUIRE(damaged.ok());
    REQUIRE(damaged->refused() == 1);
    CHECK(damaged->topics[0].refused.find("no sound batches") != std::string::npos);
    CHECK(!w.node.disk().exists("data/t1-0"));
    CHECK(!w.node.disk().exists("data/t1-0.import"));
    ImportWorld unclean;
    unclean.run([](SimNode& node) -> Task<> {
        const int32_t n = co_await Once{node.io(), Op::Kind::remove, {.path = "kafka/.kafka_cleanshutdown"}};
        REQUIRE(n == 0);
    }(unclean.node));
    CHECK(unclean.import({}).error() == Error::broker_not_available);
    CHECK(unclean.import({.unclean = true}).ok());
}

}  // namespace millrace
