// `millrace bench produce`: every connection sends the same frames again and again, in a closed loop (so many
// under way) or in an open one (each at its own time, whatever the answers do).
#include <fmt/format.h>

#include "bench.h"
#include "millrace/wire/produce.h"

namespace millrace::cli {

namespace {

// Under way at most in an open loop: beyond it the broker is lost, and memory would be too.
constexpr size_t open_loop_max = 1 << 16;

struct Load {
    std::vector<std::vector<uint8_t>> frames;  // By partition.
    uint64_t records_per_request = 1;
    uint64_t bytes_per_request = 0;  // Of the batch.
    int16_t version = 0;
};

class ProduceConnection final : public RawConnection {
 public:
    struct Plan {
        std::vector<int32_t> partitions;  // By turns.
        size_t in_flight = 1;
        uint64_t interval_ns = 0;  // 0: closed loop.
        uint64_t first_due_ns = 0;
    };
    ProduceConnection(Io& io, const Load& load, Measurement& measured, Plan plan)
        : RawConnection(io),
          load_(load),
          measured_(measured),
          plan_(std::move(plan)),
          next_due_ns_(plan_.first_due_ns) {}

    // What is due by now. Closed loop: everything up to the limit.
    void send_due(uint64_t now) {
        if (stopped_ || is_broken()) return;
        if (plan_.interval_ns == 0) {
            while (started_.size() - answered_ < plan_.in_flight) send_one(now);
        } else {
            for (; next_due_ns_ <= now && started_.size() - answered_ < open_loop_max;
                 next_due_ns_ += plan_.interval_ns)
                send_one(next_due_ns_);
        }
        flush();
    }
    uint64_t next_due_ns() const { return next_due_ns_; }
    void stop() { stopped_ = true; }
    size_t under_way() const { return started_.size() - answered_; }

 private:
    void send_one(uint64_t intended_ns) {
        post(load_.frames[static_cast<size_t>(plan_.partitions[turn_])]);
        turn_ = (turn_ + 1) % plan_.partitions.size();
        started_.push_back(intended_ns);
    }

    void on_data(Bytes data) override {
        const bool fine = cutter_.feed(data, [this](Bytes frame) { on_answer(frame); });
        if (!fine) break_off();
        if (plan_.interval_ns == 0) send_due(io().now_ns());
    }

    void on_answer(Bytes frame) {
        if (answered_ == started_.size()) return break_off();
        const uint64_t started = started_[answered_++];
        if (answered_ == started_.size())
            started_.clear(), answered_ = 0;
        else if (answered_ > 4096)
            started_.erase(started_.begin(), started_.begin() + 4096), answered_ -= 4096;
        const uint64_t now = io().now_ns();
        measured_.requests++;
        if (const Error error = error_of(frame); error != Error::none) return measured_.fail(error);
        measured_.latency.record(now > started ? now - started : 0);
        measured_.records += load_.records_per_request;
        measured_.bytes += load_.bytes_per_request;
    }

    Error error_of(Bytes frame) {
        memory_.reset();
        const auto response = wire::parse_response(frame, wire::ProduceResponse::api.key, load_.version);
        if (!response) return Error::corrupt_message;
        const auto answer = wire::decode<wire::ProduceResponse>(response->body, load_.version, memory_);
        if (!answer || answer->responses.size() != 1 || answer->responses[0].partition_responses.size() != 1)
            return Error::corrupt_message;
        return answer->responses[0].partition_responses[0].error_code;
    }

    const Load& load_;
    Measurement& measured_;
    Plan plan_;
    uint64_t next_due_ns_;
    size_t turn_ = 0;
    std::vector<uint64_t> started_;  // Intended times, in the order of sending; before answered_ is history.
    size_t answered_ = 0;
    FrameCutter cutter_;
    Arena memory_;
    bool stopped_ = false;
};

using Connections = std::vector<std::unique_ptr<ProduceConnection>>;

// As many records as fit into the batch, at least one.
std::vector<uint8_t> make_batch(const BenchSettings& settings, int64_t now_ms, uint64_t& records) {
    std::vector<uint8_t> value(settings.record_size);
    BatchBuilder builder;
    records = 0;
    uint32_t letter = 0;
    do {
        for (uint8_t& byte : value)
            byte = static_cast<uint8_t>('a' + (letter = letter * 1664525 + 1013904223) % 26);
        builder.add({.timestamp = now_ms, .value = Bytes(value)});
        records++;
    } while (builder.size() + BatchBuilder::size_bound({.timestamp = now_ms, .value = Bytes(value)}) <=
             settings.batch_size);
    return builder.build();
}

Task<Result<Load>> make_load(Session& session, const BenchSettings& settings) {
    const Result<ClientConnection*> any = co_await session.client.any();
    if (!any) co_return any.error();
    const auto version = (*any)->version_of(wire::ProduceRequest::api);
    if (!version) co_return Error::unsupported_version;
    Load load{.version = *version};
    const std::vector<uint8_t> batch = make_batch(settings, session.io.wall_ms(), load.records_per_request);
    load.bytes_per_request = batch.size();
    const TopicInfo& topic = *session.client.topic(settings.topic);
    for (const PartitionInfo& partition : topic.partitions)
        load.frames.push_back(
            produce_frame(wire::ProduceRequest::api, *version, topic, partition.index, settings.acks, batch));
    co_return load;
}

// Connection i begins with partition i and takes turns over those of the same leader that no other begins
// with.
std::vector<int32_t> partitions_of(const TopicInfo& topic, size_t connection, size_t connections) {
    const size_t count = topic.partitions.size();
    const size_t first = connection % count;
    std::vector<int32_t> partitions;
    for (size_t p = first; p < count; p += connections)
        if (topic.partitions[p].leader == topic.partitions[first].leader)
            partitions.push_back(static_cast<int32_t>(p));
    return partitions;
}

uint64_t interval_of(const BenchSettings& settings, const Load& load) {
    if (settings.rate == 0) return 0;
    const double requests_per_second =
        static_cast<double>(settings.rate) / static_cast<double>(load.records_per_request);
    return std::max<uint64_t>(
        1, static_cast<uint64_t>(1e9 * static_cast<double>(settings.connections) / requests_per_second));
}

Task<int> connect_all(Session& session, const BenchSettings& settings, const Load& load,
                      Measurement& measured, Connections& connections) {
    const auto count = static_cast<size_t>(settings.connections);
    const uint64_t interval = interval_of(settings, load);
    for (size_t i = 0; i < count; i++) {
        ProduceConnection::Plan plan{
            .partitions = partitions_of(*session.client.topic(settings.topic), i, count),
            .in_flight = static_cast<size_t>(settings.in_flight),
            .interval_ns = interval};
        const int32_t partition = plan.partitions[0];
        plan.first_due_ns = session.io.now_ns() + interval * i / count;
        connections.push_back(
            std::make_unique<ProduceConnection>(session.io, load, measured, std::move(plan)));
        const int connected =
            co_await connect_to_leader(session, *connections.back(), settings.topic, partition);
        if (connected < 0) co_return connected;
    }
    co_return 0;
}

struct Pacing {
    Connections& connections;
    bool stopped = false;
};

// Sends what is due, sleeping between. A closed loop goes on by itself once it is started.
Task<> pace(Session& session, Pacing& pacing) {
    while (!pacing.stopped) {
        const uint64_t now = session.io.now_ns();
        uint64_t next = now + ns_per_second / 20;
        for (const auto& connection : pacing.connections) {
            connection->send_due(now);
            if (connection->next_due_ns() > now) next = std::min(next, connection->next_due_ns());
        }
        co_await sleep_for(session.io, next > now ? next - now : 1);
    }
}

Task<> drain(Session& session, Connections& connections) {
    for (auto& connection : connections) connection->stop();
    for (int tries = 0; tries < 100; tries++) {
        const bool busy = std::ranges::any_of(
            connections, [](const auto& c) { return !c->is_broken() && c->under_way() > 0; });
        if (!busy) break;
        co_await sleep_for(session.io, ns_per_second / 50);
    }
    for (auto& connection : connections) co_await connection->close();
}

Task<> measure(Session& session, const BenchSettings& settings, Pacing& pacing, Measurement& measured,
               CourseResult& result) {
    const Course course{.begin = [&measured] { measured.reset(); },
                        .count = [&measured] { return measured.records; },
                        .broken =
                            [&pacing] {
                                return std::ranges::any_of(pacing.connections,
                                                           [](const auto& c) { return c->is_broken(); });
                            }};
    result = co_await run_course(session, settings, course);
    pacing.stopped = true;
}

Task<int> bench_produce(Session& session) {
    const auto settings = bench_settings(session.arguments, "produce", 0);
    if (!settings) co_return exit_usage;
    const Result<int32_t> partitions = co_await prepare_topic(session, *settings);
    if (!partitions) co_return exit_code_of(partitions.error());
    const Result<Load> load = co_await make_load(session, *settings);
    if (!load) co_return session.fail("cannot begin", load.error());
    Measurement measured;
    Connections connections;
    const int connected = co_await connect_all(session, *settings, *load, measured, connections);
    if (connected < 0) {
        co_await drain(session, connections);
        co_return fail(exit_unreachable,
                       "cannot open " + std::to_string(settings->connections) + " connections");
    }
    Pacing pacing{connections};
    CourseResult result;
    std::vector<Task<>> both;
    both.push_back(measure(session, *settings, pacing, measured, result));
    both.push_back(pace(session, pacing));
    co_await gather(std::move(both));
    const auto closed = std::ranges::count_if(connections, [](const auto& c) { return c->is_broken(); });
    const int code = report_bench(session, *settings, measured, result);
    co_await drain(session, connections);
    if (closed > 0 && code == exit_ok)
        co_return fail(exit_unreachable, fmt::format("bench produce: {} of {} connections were closed",
                                                     closed, settings->connections));
    co_return code;
}

}  // namespace

int run_bench_produce(const Arguments& arguments) {
    return converse(arguments, OnInterrupt::tell, bench_produce);
}

}  // namespace millrace::cli
