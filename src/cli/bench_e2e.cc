// `millrace bench e2e`: one connection produces single records at a fixed rate, each with the time at which
// it should have been sent; another one consumes them and takes the difference. Nothing is omitted: a record
// that is sent late counts from its own time.
#include "bench.h"
#include "millrace/wire/fetch.h"
#include "millrace/wire/produce.h"

namespace millrace::cli {

namespace {

// Requests not yet answered; a broker that is further behind has lost.
constexpr size_t slots_max = 1 << 15;

// A produce frame of one record whose first 8 bytes are the time; the batch in it gets its checksum anew.
struct TimedFrame {
    PatchedFrame frame;
    size_t batch_at = 0;

    void set(uint64_t ns) {
        frame.set(static_cast<int64_t>(ns));
        patch_crc(MutableBytes(frame.bytes).subspan(batch_at));
    }
};

class TimedProducer final : public RawConnection {
 public:
    TimedProducer(Io& io, Measurement& measured, TimedFrame pattern, int16_t version, uint64_t interval_ns)
        : RawConnection(io),
          measured_(measured),
          pattern_(std::move(pattern)),
          version_(version),
          interval_ns_(interval_ns),
          next_due_ns_(io.now_ns()) {}

    void send_due(uint64_t now) {
        for (; next_due_ns_ <= now && !is_broken() && under_way_.size() < slots_max;
             next_due_ns_ += interval_ns_) {
            TimedFrame* slot = take_slot();
            slot->set(next_due_ns_);
            post(slot->frame.bytes);
            under_way_.push_back({slot, next_due_ns_});
        }
        flush();
    }
    uint64_t next_due_ns() const { return next_due_ns_; }

 private:
    struct Sent {
        TimedFrame* slot;
        uint64_t due_ns;
    };

    TimedFrame* take_slot() {
        if (free_.empty()) {
            slots_.push_back(std::make_unique<TimedFrame>(pattern_));
            return slots_.back().get();
        }
        TimedFrame* slot = free_.back();
        free_.pop_back();
        return slot;
    }

    void on_data(Bytes data) override {
        if (!cutter_.feed(data, [this](Bytes frame) { on_answer(frame); })) break_off();
    }

    void on_answer(Bytes frame) {
        if (under_way_.empty()) return break_off();
        const Sent sent = under_way_.front();
        under_way_.pop_front();
        free_.push_back(sent.slot);
        measured_.requests++;
        memory_.reset();
        const auto response = wire::parse_response(frame, wire::ProduceResponse::api.key, version_);
        const auto answer =
            response ? wire::decode<wire::ProduceResponse>(response->body, version_, memory_) : std::nullopt;
        if (!answer || answer->responses.size() != 1) return measured_.fail(Error::corrupt_message);
        const Error error = answer->responses[0].partition_responses[0].error_code;
        if (error != Error::none) return measured_.fail(error);
        measured_.latency.record(io().now_ns() - sent.due_ns);
    }

    Measurement& measured_;
    TimedFrame pattern_;
    int16_t version_;
    uint64_t interval_ns_;
    uint64_t next_due_ns_;
    std::vector<std::unique_ptr<TimedFrame>> slots_;
    std::vector<TimedFrame*> free_;
    std::deque<Sent> under_way_;
    FrameCutter cutter_;
    Arena memory_;
};

class TimedConsumer final : public RawConnection {
 public:
    TimedConsumer(Io& io, Measurement& measured, PatchedFrame request, int64_t offset)
        : RawConnection(io), measured_(measured), request_(std::move(request)), next_offset_(offset) {}

    void start() { ask(); }
    void measure_from(uint64_t ns) { from_ns_ = ns; }

 private:
    void ask() {
        request_.set(next_offset_);
        post(request_.bytes);
        flush();
    }

    void on_data(Bytes data) override {
        if (!cutter_.feed(data, [this](Bytes frame) { on_answer(frame); })) break_off();
    }

    void on_answer(Bytes frame) {
        memory_.reset();
        const auto response = wire::parse_response(frame, wire::FetchResponse::api.key, fetch_version);
        const auto answer = response
                                ? wire::decode<wire::FetchResponse>(response->body, fetch_version, memory_)
                                : std::nullopt;
        if (!answer || answer->responses.size() != 1 || answer->responses[0].partitions.size() != 1)
            return give_up(Error::corrupt_message);
        const auto& partition = answer->responses[0].partitions[0];
        if (partition.error_code != Error::none) return give_up(partition.error_code);
        if (partition.records) take(*partition.records);
        ask();
    }

    void take(const wire::Records& records) {
        if (records.empty()) return;
        measured_.bytes += records.size();
        BatchReader batches(records.whole(), PartialTail::tolerated);
        while (const auto batch = batches.next()) {
            if (batch->next_offset().value <= next_offset_) continue;
            Result<RecordReader> reader = RecordReader::open(*batch, decompressor_);
            if (!reader) return give_up(reader.error());
            while (const auto record = reader->next()) take_record(*record);
            next_offset_ = batch->next_offset().value;
        }
    }

    void take_record(const Record& record) {
        if (!record.value || record.value->size() < 8) return;
        const auto due_ns = load_big<uint64_t>(record.value->data());
        const uint64_t now = io().now_ns();
        if (due_ns < from_ns_ || due_ns > now) return;
        measured_.records++;
        measured_.latency.record(now - due_ns);
    }

    void give_up(Error error) {
        measured_.fail(error);
        break_off();
    }

    Measurement& measured_;
    PatchedFrame request_;
    int64_t next_offset_;
    uint64_t from_ns_ = 0;
    FrameCutter cutter_;
    Arena memory_;
    Decompressor decompressor_;
};

TimedFrame make_pattern(const TopicInfo& topic, const BenchSettings& settings, int16_t version,
                        int64_t now_ms) {
    std::vector<uint8_t> value(settings.record_size, 'x');
    store_big(value.data(), placeholder);
    BatchBuilder builder;
    builder.add({.timestamp = now_ms, .value = Bytes(value)});
    const std::vector<uint8_t> batch = builder.build();
    TimedFrame timed{.frame = {.bytes = produce_frame(wire::ProduceRequest::api, version, topic, 0,
                                                      settings.acks, batch)}};
    const auto& bytes = timed.frame.bytes;
    timed.batch_at = static_cast<size_t>(std::search(bytes.begin(), bytes.end(), batch.begin(), batch.end()) -
                                         bytes.begin());
    uint8_t wanted[8];
    store_big(wanted, placeholder);
    timed.frame.number_at = static_cast<size_t>(
        std::search(bytes.begin(), bytes.end(), std::begin(wanted), std::end(wanted)) - bytes.begin());
    ASSERT(timed.batch_at < bytes.size() && timed.frame.number_at < bytes.size());
    return timed;
}

struct Run {
    TimedProducer& producer;
    TimedConsumer& consumer;
    Measurement& sent;
    Measurement& received;
    bool stopped = false;
};

Task<> pace(Session& session, Run& run) {
    while (!run.stopped) {
        const uint64_t now = session.io.now_ns();
        run.producer.send_due(now);
        const uint64_t next = run.producer.next_due_ns();
        co_await sleep_for(session.io, next > now ? std::min(next - now, ns_per_second / 20) : 1);
    }
}

Task<> measure(Session& session, const BenchSettings& settings, Run& run, CourseResult& result) {
    const Course course{.begin =
                            [&run, &session] {
                                run.sent.reset();
                                run.received.reset();
                                run.consumer.measure_from(session.io.now_ns());
                            },
                        .count = [&run] { return run.received.records; },
                        .broken = [&run] { return run.producer.is_broken() || run.consumer.is_broken(); }};
    result = co_await run_course(session, settings, course);
    run.stopped = true;
}

Task<int> bench_e2e(Session& session) {
    const auto settings = bench_settings(session.arguments, "e2e", 1000);
    if (!settings) co_return exit_usage;
    const Result<int32_t> partitions = co_await prepare_topic(session, *settings);
    if (!partitions) co_return exit_code_of(partitions.error());
    const Result<ClientConnection*> any = co_await session.client.any();
    const auto version = any ? (*any)->version_of(wire::ProduceRequest::api) : std::nullopt;
    if (!version) co_return session.fail("cannot begin", any ? Error::unsupported_version : any.error());
    const Result<int64_t> end = co_await session.client.list_offset(settings->topic, 0, -1);
    if (!end) co_return session.fail("cannot begin", end.error());
    Measurement sent, received;
    TimedProducer producer(
        session.io, sent,
        make_pattern(*session.client.topic(settings->topic), *settings, *version, session.io.wall_ms()),
        *version, std::max<uint64_t>(1, ns_per_second / static_cast<uint64_t>(settings->rate)));
    TimedConsumer consumer(session.io, received, fetch_frame(settings->topic, 0, settings->fetch_size), *end);
    const int one = co_await connect_to_leader(session, consumer, settings->topic, 0);
    const int two = co_await connect_to_leader(session, producer, settings->topic, 0);
    int code = exit_unreachable;
    if (one == 0 && two == 0) {
        consumer.start();
        Run run{producer, consumer, sent, received};
        CourseResult result;
        std::vector<Task<>> both;
        both.push_back(measure(session, *settings, run, result));
        both.push_back(pace(session, run));
        co_await gather(std::move(both));
        received.requests = sent.requests;
        if (sent.errors > 0) received.errors += sent.errors, received.error = sent.error;
        code = report_bench(session, *settings, received, result, {{"acknowledgement", &sent.latency}});
    } else {
        fail(exit_unreachable, "cannot connect to the leader of " + settings->topic);
    }
    co_await producer.close();
    co_await consumer.close();
    co_return code;
}

}  // namespace

int run_bench_e2e(const Arguments& arguments) { return converse(arguments, OnInterrupt::tell, bench_e2e); }

}  // namespace millrace::cli
