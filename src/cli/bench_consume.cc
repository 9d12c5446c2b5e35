// `millrace bench consume`: fetches what is in a topic, from its start again and again, and counts bytes. Of
// an answer only the headers of its batches are looked at, as it streams by.
#include "bench.h"

namespace millrace::cli {

namespace {

// Fetch v11's answer for one partition, read as it comes:
//   correlation 4, throttle 4, error 2, session 4, topics 4, name 2+n, partitions 4,
//   index 4, error 2, high watermark 8, last stable 8, log start 8, aborted 4 (16 each), replica 4, size 4,
//   batches.
class FetchConnection final : public RawConnection {
 public:
    FetchConnection(Io& io, Measurement& measured, PatchedFrame request, size_t name_size)
        : RawConnection(io),
          measured_(measured),
          request_(std::move(request)),
          fixed_size_(24 + name_size + 34) {}

    void start() { ask(); }
    void stop() { stopped_ = true; }

 private:
    static constexpr size_t batch_head_size = 27;  // Up to lastOffsetDelta.
    enum class Part : uint8_t { size, head, batch_head, skip };

    void ask() {
        if (stopped_) return;
        request_.set(next_offset_);
        asked_ns_ = io().now_ns();
        post(request_.bytes);
        flush();
    }

    void on_data(Bytes data) override {
        measured_.bytes += data.size();
        while (!data.empty() && !is_broken())
            data = data.subspan(part_ == Part::skip ? skip(data) : collect(data));
    }

    size_t skip(Bytes data) {
        const size_t n = std::min(data.size(), skip_left_);
        skip_left_ -= n;
        frame_left_ -= n;
        if (skip_left_ == 0) after_batch();
        return n;
    }

    // Fills held_ up to what the present part needs, and then reads that.
    size_t collect(Bytes data) {
        const size_t n = std::min(data.size(), needed_ - held_.size());
        held_.insert(held_.end(), data.begin(), data.begin() + static_cast<ptrdiff_t>(n));
        if (part_ != Part::size) frame_left_ -= n;
        if (held_.size() == needed_) take_part();
        return n;
    }

    void take_part() {
        switch (part_) {
            case Part::size:
                frame_left_ = load_big<uint32_t>(held_.data());
                return need(Part::head, std::min(frame_left_, fixed_size_ + 8));
            case Part::head: return take_head();
            case Part::batch_head: return take_batch_head();
            case Part::skip: return;
        }
    }

    void need(Part part, size_t size) {
        part_ = part, needed_ = size;
        held_.clear();
        if (size == 0) end_frame();
    }

    void take_head() {
        const uint8_t* head = held_.data();
        if (held_.size() < fixed_size_ + 8) {
            fail(held_.size() >= 10
                     ? error_from_code(load_big<int16_t>(head + 8)).value_or(Error::unknown_server_error)
                     : Error::corrupt_message);
            return;
        }
        const uint8_t* partition = head + fixed_size_ - 34;
        const auto error = load_big<int16_t>(partition + 4);
        if (error != 0) return fail(error_from_code(error).value_or(Error::unknown_server_error));
        high_watermark_ = load_big<int64_t>(partition + 6);
        const auto aborted = std::max<int32_t>(0, load_big<int32_t>(head + fixed_size_ - 4));
        const size_t whole = fixed_size_ + 8 + 16 * static_cast<size_t>(aborted);
        if (held_.size() < whole) {  // The list of aborted transactions comes in between.
            needed_ = whole;
            return;
        }
        next_batch();
    }

    void next_batch() {
        if (frame_left_ == 0) return end_frame();
        if (frame_left_ < batch_head_size) {  // A cut-off batch.
            part_ = Part::skip, skip_left_ = frame_left_, batch_is_whole_ = false;
            return;
        }
        need(Part::batch_head, batch_head_size);
    }

    void take_batch_head() {
        const size_t size = 12 + static_cast<size_t>(load_big<uint32_t>(held_.data() + 8));
        batch_end_ = load_big<int64_t>(held_.data()) + load_big<int32_t>(held_.data() + 23) + 1;
        batch_is_whole_ = size >= batch_head_size && size - batch_head_size <= frame_left_;
        part_ = Part::skip;
        skip_left_ = batch_is_whole_ ? size - batch_head_size : frame_left_;
        if (skip_left_ == 0) after_batch();
    }

    void after_batch() {
        if (batch_is_whole_) {
            measured_.records += static_cast<uint64_t>(std::max<int64_t>(0, batch_end_ - next_offset_));
            next_offset_ = batch_end_;
        }
        next_batch();
    }

    void end_frame() {
        measured_.requests++;
        measured_.latency.record(io().now_ns() - asked_ns_);
        if (next_offset_ >= high_watermark_) next_offset_ = 0;
        part_ = Part::size, needed_ = 4;
        held_.clear();
        ask();
    }

    void fail(Error error) {
        measured_.fail(error);
        break_off();
    }

    Measurement& measured_;
    PatchedFrame request_;
    size_t fixed_size_;  // Of the answer, up to and with the count of aborted transactions.
    int64_t next_offset_ = 0;
    int64_t high_watermark_ = 0;
    uint64_t asked_ns_ = 0;
    bool stopped_ = false;

    Part part_ = Part::size;
    size_t needed_ = 4;
    std::vector<uint8_t> held_;
    size_t frame_left_ = 0;
    size_t skip_left_ = 0;
    bool batch_is_whole_ = false;
    int64_t batch_end_ = 0;
};

using Connections = std::vector<std::unique_ptr<FetchConnection>>;

Task<int> connect_all(Session& session, const BenchSettings& settings, int32_t partitions,
                      Measurement& measured, Connections& connections) {
    for (int64_t i = 0; i < settings.connections; i++) {
        const auto partition = static_cast<int32_t>(i % partitions);
        connections.push_back(std::make_unique<FetchConnection>(
            session.io, measured, fetch_frame(settings.topic, partition, settings.fetch_size),
            settings.topic.size()));
        const int connected =
            co_await connect_to_leader(session, *connections.back(), settings.topic, partition);
        if (connected < 0) co_return connected;
    }
    co_return 0;
}

Task<> close_all(Connections& connections) {
    for (auto& connection : connections) connection->stop();
    for (auto& connection : connections) co_await connection->close();
}

Task<int> bench_consume(Session& session) {
    const auto settings = bench_settings(session.arguments, "consume", 0);
    if (!settings) co_return exit_usage;
    const Result<int32_t> partitions = co_await prepare_topic(session, *settings);
    if (!partitions) co_return exit_code_of(partitions.error());
    const Result<int64_t> end = co_await session.client.list_offset(settings->topic, 0, -1);
    if (end && *end == 0)
        co_return fail(exit_not_found, "topic " + settings->topic + " holds nothing to read",
                       "fill it first: millrace bench produce --topic " + settings->topic);
    Measurement measured;
    Connections connections;
    const int connected = co_await connect_all(session, *settings, *partitions, measured, connections);
    if (connected < 0) {
        co_await close_all(connections);
        co_return fail(exit_unreachable,
                       "cannot open " + std::to_string(settings->connections) + " connections");
    }
    for (auto& connection : connections) connection->start();
    const Course course{.begin = [&measured] { measured.reset(); },
                        .count = [&measured] { return measured.records; },
                        .broken =
                            [&connections] {
                                return std::ranges::any_of(connections,
                                                           [](const auto& c) { return c->is_broken(); });
                            }};
    const CourseResult result = co_await run_course(session, *settings, course);
    const int code = report_bench(session, *settings, measured, result);
    co_await close_all(connections);
    co_return code;
}

}  // namespace

int run_bench_consume(const Arguments& arguments) {
    return converse(arguments, OnInterrupt::tell, bench_consume);
}

}  // namespace millrace::cli
