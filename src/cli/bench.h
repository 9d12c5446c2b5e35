// The load generator: raw connections that send frames encoded beforehand, and what is measured.
//
// It competes with the broker for processors, so a request costs it one descriptor of a gathered send: no
// encoding, no copy. All of it belongs to one shard.
#pragma once
#include <functional>

#include "millrace/histogram.h"
#include "session.h"

namespace millrace::cli {

inline constexpr uint64_t ns_per_second = 1'000'000'000;

// ---- Connections ---------------------------------------------------------------------------------------

// One connection; what derives from it sends whole frames and gets the stream of answers.
class RawConnection {
 public:
    explicit RawConnection(Io& io);
    RawConnection(const RawConnection&) = delete;
    virtual ~RawConnection() = default;

    // -errno, or 0. The address has an IP address as its host.
    Task<int> connect(std::string address);
    Task<> close();
    bool is_broken() const { return broken_; }
    Io& io() { return io_; }

 protected:
    // Queues a frame, which must stay as it is until it was answered; flush() sends what is queued.
    void post(Bytes frame) { queue_.push_back({frame.data(), frame.size()}); }
    void flush();
    // A part of the stream of answers; what it holds is gone afterwards.
    virtual void on_data(Bytes data) = 0;
    void break_off() { broken_ = true; }

 private:
    template <void (RawConnection::*handle)(Outcome)> struct Operation final : Op {
        Operation(RawConnection& owner, Kind kind) : Op(kind), connection(owner) {}
        void done(Outcome outcome) override { (connection.*handle)(outcome); }
        RawConnection& connection;
    };
    void on_sent(Outcome outcome);
    void on_received(Outcome outcome);
    void tell_if_quiet();

    Io& io_;
    int fd_ = -1;
    bool broken_ = false;
    bool closing_ = false;
    Operation<&RawConnection::on_sent> send_;
    Operation<&RawConnection::on_received> receive_;
    std::vector<Piece> queue_;    // Not yet submitted.
    std::vector<Piece> sending_;  // Under way, from first_ on.
    size_t first_ = 0;
    Signal quiet_;
};

// Cuts a stream into frames, without a copy where a frame came in one part.
class FrameCutter {
 public:
    // Calls on_frame(Bytes) for each, without its size. False when one is longer than frame_max.
    template <class F> bool feed(Bytes data, F on_frame) {
        if (!partial_.empty()) {
            partial_.insert(partial_.end(), data.begin(), data.end());
            const size_t used = cut(partial_, on_frame);
            partial_.erase(partial_.begin(), partial_.begin() + static_cast<ptrdiff_t>(used));
            return !too_long_;
        }
        const size_t used = cut(data, on_frame);
        partial_.assign(data.begin() + static_cast<ptrdiff_t>(used), data.end());
        return !too_long_;
    }

 private:
    static constexpr uint32_t frame_max = 256u << 20;
    template <class F> size_t cut(Bytes data, F& on_frame) {
        size_t used = 0;
        while (data.size() - used >= 4) {
            const auto size = load_big<uint32_t>(data.data() + used);
            if (size > frame_max) too_long_ = true;
            if (too_long_ || data.size() - used - 4 < size) break;
            on_frame(data.subspan(used + 4, size));
            used += 4 + size;
        }
        return used;
    }
    std::vector<uint8_t> partial_;
    bool too_long_ = false;
};

// ---- Measuring -----------------------------------------------------------------------------------------

struct Measurement {
    Histogram latency{60 * ns_per_second};
    uint64_t requests = 0, records = 0, bytes = 0, errors = 0;
    Error error = Error::none;  // The first of the errors.

    void fail(Error what) {
        errors++;
        if (error == Error::none) error = what;
    }
    void reset();
};

// What all benches are given.
struct BenchSettings {
    std::string name;  // "produce".
    std::string topic;
    int32_t partitions = 1;
    int64_t connections = 1;
    size_t record_size = 100;
    size_t batch_size = 16384;
    int64_t in_flight = 5;
    int64_t rate = 0;  // Records per second; 0: closed loop.
    size_t fetch_size = 1 << 20;
    int16_t acks = 1;
    double seconds = 10;
    double warm_up_seconds = 1;
};
// Nothing, and a failure printed, where a value makes no sense. `rate` is what stands for none given.
std::optional<BenchSettings> bench_settings(const Arguments& arguments, std::string name, int64_t rate);

// Makes sure that the topic is there; its number of partitions, or a failure that is printed already.
Task<Result<int32_t>> prepare_topic(Session& session, BenchSettings settings);
// Connects to the partition's leader.
Task<int> connect_to_leader(Session& session, RawConnection& connection, std::string topic,
                            int32_t partition);

// A frame with one number in it that is replaced from time to time.
struct PatchedFrame {
    std::vector<uint8_t> bytes;
    size_t number_at = 0;  // Of an int64, big-endian.
    void set(int64_t number) { store_big(bytes.data() + number_at, number); }
};
inline constexpr int64_t placeholder = 0x4d696c6c72616365;  // Stands for the number when the frame is made.

// Fetch v11 of one partition from offset `placeholder`: old enough for any broker, new enough for all we ask.
inline constexpr int16_t fetch_version = 11;
PatchedFrame fetch_frame(const std::string& topic, int32_t partition, size_t size_max);

// One produce request with this batch.
std::vector<uint8_t> produce_frame(const wire::Api& api, int16_t version, const TopicInfo& topic,
                                   int32_t partition, int16_t acks, Bytes batch);

// Runs warm-up and measurement, with a progress bar on a terminal. `begin` is called when measuring begins,
// `count` gives the records so far. True when it ran to its end.
struct Course {
    std::function<void()> begin;
    std::function<uint64_t()> count;
    std::function<bool()> broken;
};
struct CourseResult {
    double seconds = 0;
    double user_seconds = 0, system_seconds = 0;  // Of this process.
    bool interrupted = false;
};
Task<CourseResult> run_course(Session& session, const BenchSettings& settings, const Course& course);

// Prints the result; the exit code. `more` are further members of the JSON object.
struct Extra {
    std::string name;
    const Histogram* latency;
};
int report_bench(Session& session, const BenchSettings& settings, const Measurement& measured,
                 const CourseResult& course, const std::vector<Extra>& extras = {});

}  // namespace millrace::cli
