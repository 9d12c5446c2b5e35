// The client against a scripted broker in the simulated world: negotiation, order, failures, producing,
// consuming, groups.
#include "scripted_broker.h"

using namespace millrace;
using namespace millrace::client;
using namespace millrace::client_test;

namespace {

struct Fixture {
    explicit Fixture(uint64_t seed = 1, NetworkOptions network = {})
        : world({.seed = seed, .network = network}),
          server(world.add_node()),
          node(world.add_node()),
          broker(server) {
        server.spawn(broker.serve());
    }
    ClientOptions options() const {
        ClientOptions o{.seeds = {server.address() + ":9092"}, .retry_ms = 5000};
        o.connection.request_timeout_ms = 2000;
        o.connection.connect_timeout_ms = 2000;
        return o;
    }
    // Runs the task on the client's node to its end.
    void run(Task<> task) {
        bool ended = false;
        node.spawn(mark(std::move(task), ended));
        REQUIRE(world.run_until([&] { return ended; }, 600'000'000'000));
    }
    static Task<> mark(Task<> task, bool& ended) {
        co_await task;
        ended = true;
    }
    SimWorld world;
    SimNode& server;
    SimNode& node;
    ScriptedBroker broker;
};

Task<> open_and_close(Io& io, std::string address, ClientConnectionOptions options, Error& error,
                      std::string& failure) {
    ClientConnection connection(io, options);
    const Result<> opened = co_await connection.open(address);
    error = opened.error();
    failure = connection.failure();
    co_await connection.close();
    co_await connection.close();  // May be done again.
}

Task<> ask_many(Io& io, std::string address, int count, int& in_order, int& failed) {
    ClientConnection connection(io);
    const Result<> opened = co_await connection.open(address);
    REQUIRE(opened.ok());
    std::vector<Task<Result<Reply<wire::MetadataResponse>>>> asking;
    std::vector<std::string> names;
    for (int i = 0; i < count; i++) names.push_back("topic-" + std::to_string(i));
    for (const std::string& name : names) {
        wire::MetadataRequest::Topic topic{.name = std::string_view(name)};
        asking.push_back(connection.call<wire::MetadataResponse>(
            wire::MetadataRequest{.topics = wire::List<wire::MetadataRequest::Topic>{&topic, 1}}));
    }
    CHECK(connection.under_way() == static_cast<size_t>(count));
    for (int i = 0; i < count; i++) {
        const auto reply = co_await asking[static_cast<size_t>(i)];
        if (!reply)
            failed++;
        else if ((*reply)->topics[0].name == names[static_cast<size_t>(i)])
            in_order++;
    }
    co_await connection.close();
}

Task<> produce_some(Io& io, ClientOptions options, ProducerOptions producing, int count,
                    std::vector<Produced>& results) {
    Client client(io, options);
    Producer producer(client, "t", producing);
    const Result<> opened = co_await producer.open();
    CHECK(opened.ok());
    if (opened) {
        for (int i = 0; i < count; i++) {
            const std::string text = "value-" + std::to_string(i);
            CHECK(producer.add({.key = as_bytes(text), .value = as_bytes(text)}).ok());
        }
        results = co_await producer.flush();
    }
    co_await client.close();
}

Task<> consume_some(Io& io, ClientOptions options, size_t wanted, std::vector<ConsumedRecord>& records) {
    Client client(io, options);
    const Result<> ready = co_await client.ready("t");
    CHECK(ready.ok());
    Consumer consumer(client, "t");
    consumer.assign({{0, 0}, {1, 0}});
    while (records.size() < wanted) {
        const auto some = co_await consumer.poll();
        if (!some) break;
        records.insert(records.end(), some->begin(), some->end());
    }
    co_await client.close();
}

Task<> be_a_member(Io& io, ClientOptions options, TopicPartitions& assigned, Error& beat, Error& committed) {
    Client client(io, options);
    GroupMember member(client, {.group = "g", .topics = {"t"}});
    const Result<TopicPartitions> joined = co_await member.join();
    if (joined) {
        assigned = *joined;
        CHECK(member.is_leader());
        CHECK(member.member_id() == "m-1");
        beat = (co_await member.heartbeat()).error();
        committed = (co_await member.commit({{"t", {{0, 5}, {1, 7}}}})).error();
    }
    co_await client.close();
}

}  // namespace

TEST_CASE("a connection settles on the versions that both sides speak") {
    Fixture f;
    Error error = Error::unknown_server_error;
    std::string failure;
    f.run(open_and_close(f.node.io(), f.server.address() + ":9092", {}, error, failure));
    CHECK(error == Error::none);
    CHECK(f.broker.asked == std::vector<int16_t>{18});
}

TEST_CASE("a broker that only speaks ApiVersions v0 is asked again in v0") {
    Fixture f;
    f.broker.versions_max = 0;
    Error error = Error::unknown_server_error;
    std::string failure;
    f.run(open_and_close(f.node.io(), f.server.address() + ":9092", {}, error, failure));
    CHECK(error == Error::none);
    CHECK(f.broker.asked == std::vector<int16_t>{18, 18});
}

TEST_CASE("what nobody serves fails at once, and says so") {
    Fixture f;
    Error error = Error::none;
    std::string failure;
    f.run(open_and_close(f.node.io(), f.server.address() + ":1", {}, error, failure));
    CHECK(error == Error::network_exception);
    CHECK(failure == f.server.address() + ":1: connection refused");
    f.run(open_and_close(f.node.io(), "no.such.host:1", {}, error, failure));
    CHECK(failure == "no.such.host:1: unknown host");
}

TEST_CASE("a broker that does not answer is given up after the time that was given") {
    Fixture f;
    f.broker.silent = true;
    Error error = Error::none;
    std::string failure;
    f.run(open_and_close(f.node.io(), f.server.address() + ":9092", {.request_timeout_ms = 500}, error,
                         failure));
    CHECK(error == Error::request_timed_out);
    CHECK(failure.ends_with("no answer within 500 ms"));
}

TEST_CASE("overlapping requests get their answers in their order, on any network") {
    for (uint64_t seed = 1; seed <= 20; seed++) {
        Fixture f(seed, {.short_send = 200'000, .lapse = 200'000});
        int in_order = 0, failed = 0;
        f.run(ask_many(f.node.io(), f.server.address() + ":9092", 100, in_order, failed));
        CHECK(in_order == 100);
        CHECK(failed == 0);
    }
}

TEST_CASE("when the broker hangs up, everything under way fails") {
    Fixture f;
    f.broker.cut_after = 11;  // ApiVersions and ten more.
    int in_order = 0, failed = 0;
    f.run(ask_many(f.node.io(), f.server.address() + ":9092", 100, in_order, failed));
    CHECK(in_order == 10);
    CHECK(failed == 90);
}

TEST_CASE("records arrive in the partition of their key, in their order, and come back") {
    for (const int16_t versions_max : {int16_t{11}, int16_t{INT16_MAX}}) {  // By name, and by topic id.
        Fixture f;
        f.broker.versions_max = versions_max;
        std::vector<Produced> results;
        f.run(produce_some(f.node.io(), f.options(), {.batch_size = 500}, 100, results));
        CHECK(results.size() > 4);
        int32_t sum = 0;
        for (const Produced& batch : results) {
            sum += batch.count;
            CHECK(batch.error == Error::none);
        }
        CHECK(sum == 100);
        CHECK(f.broker.next_offset[0] + f.broker.next_offset[1] == 100);
        std::vector<ConsumedRecord> records;
        f.run(consume_some(f.node.io(), f.options(), 100, records));
        REQUIRE(records.size() == 100);
        std::map<int32_t, int64_t> next;
        for (const ConsumedRecord& record : records) {
            CHECK(record.partition == partition_of_key(as_bytes(*record.key), 2));
            CHECK(record.offset == next[record.partition]++);
            CHECK(record.key == record.value);
        }
    }
}

TEST_CASE("a refusal that passes is tried again") {
    Fixture f;
    f.broker.refuse_produces = 3;
    std::vector<Produced> results;
    f.run(produce_some(f.node.io(), f.options(), {}, 10, results));
    for (const Produced& batch : results) CHECK(batch.error == Error::none);
    CHECK(f.broker.next_offset[0] + f.broker.next_offset[1] == 10);
}

TEST_CASE("a lost connection is made anew") {
    Fixture f;
    f.broker.cut_after = 3;  // In the middle of producing.
    std::vector<Produced> results;
    f.run(produce_some(f.node.io(), f.options(), {.batch_size = 200}, 40, results));
    for (const Produced& batch : results) CHECK(batch.error == Error::none);
    CHECK(f.broker.connections >= 2);
    CHECK(f.broker.next_offset[0] + f.broker.next_offset[1] >=
          40);  // Without idempotence a batch may be there twice.
}

TEST_CASE("with acks 0 the records are sent before flush ends, and nothing is awaited") {
    Fixture f;
    std::vector<Produced> results;
    f.run(produce_some(f.node.io(), f.options(), {.acks = 0}, 1, results));
    REQUIRE(results.size() == 1);
    CHECK(results[0].error == Error::none);
    CHECK(results[0].base_offset == -1);
}

TEST_CASE("a topic that is not there is told at once") {
    Fixture f;
    Error error = Error::none;
    struct Ask {
        static Task<> run(Io& io, ClientOptions options, Error& error) {
            Client client(io, options);
            error = (co_await client.ready("absent")).error();
            co_await client.close();
        }
    };
    f.run(Ask::run(f.node.io(), f.options(), error));
    CHECK(error == Error::unknown_topic_or_partition);
}

TEST_CASE("the only member of a group leads it and gets everything") {
    Fixture f;
    TopicPartitions assigned;
    Error beat = Error::unknown_server_error, committed = Error::unknown_server_error;
    f.run(be_a_member(f.node.io(), f.options(), assigned, beat, committed));
    CHECK(assigned["t"] == std::vector<int32_t>{0, 1});
    CHECK(beat == Error::none);
    CHECK(committed == Error::none);
    CHECK(f.broker.committed == std::map<int32_t, int64_t>{{0, 5}, {1, 7}});
}
