// `millrace produce`: values, or the lines of a file or stdin, as records of one topic.
#include <cerrno>

#include <fmt/format.h>

#include "millrace/host.h"
#include "session.h"

namespace millrace::cli {

namespace {

constexpr size_t waiting_max = 8 << 20;       // Bytes of records before they are sent.
constexpr uint64_t offset_none = UINT64_MAX;  // Read where the descriptor stands: it may be a pipe.

std::optional<int16_t> parse_acks(const Arguments& arguments) {
    const std::string text = arguments.text("acks").value_or("all");
    if (text == "all" || text == "-1") return -1;
    if (text == "0") return 0;
    if (text == "1") return 1;
    return std::nullopt;
}

// Lines of a file or stdin, in large reads through the seam.
class LineReader {
 public:
    LineReader(Io& io, int fd) : io_(io), fd_(fd) {}

    // More lines into take(); false at the end of the input.
    Task<bool> read_more() {
        Once reading{io_,
                     Op::Kind::read,
                     {.fd = fd_,
                      .data = buffer_.data(),
                      .size = buffer_.size(),
                      .offset = offset_none,
                      .buffer = &buffer_}};
        const int n = co_await reading;
        if (n > 0) pending_ += as_text(Bytes(buffer_.bytes()).first(static_cast<size_t>(n)));
        ended_ = n <= 0;
        error_ = std::min(n, 0);
        co_return !ended_;
    }
    // The next whole line without its end; at the end of the input also an unfinished one.
    std::optional<std::string> take() {
        const size_t end = pending_.find('\n', at_);
        if (end == std::string::npos && (!ended_ || at_ == pending_.size())) {
            pending_.erase(0, std::exchange(at_, 0));
            return std::nullopt;
        }
        std::string line = pending_.substr(at_, end == std::string::npos ? end : end - at_);
        at_ = end == std::string::npos ? pending_.size() : end + 1;
        if (line.ends_with('\r')) line.pop_back();
        return line;
    }
    int error() const { return error_; }  // Negative errno.

 private:
    Io& io_;
    int fd_;
    IoBuffer buffer_{64 << 10};
    std::string pending_;
    size_t at_ = 0;
    bool ended_ = false;
    int error_ = 0;
};

// What one run of the command has sent.
struct Tally {
    int64_t records = 0;
    int64_t failed = 0;
    Produced last;
    Error error = Error::none;
    std::string message;

    void add(const std::vector<Produced>& batches) {
        for (const Produced& batch : batches) {
            if (batch.error == Error::none) {
                records += batch.count;
                last = batch;
            } else {
                failed += batch.count;
                if (error == Error::none) error = batch.error, message = batch.message;
            }
        }
    }
};

class Sender {
 public:
    Sender(Session& session, Producer& producer) : producer_(producer) {
        if (session.arguments.has("partition"))
            partition_ = static_cast<int32_t>(session.arguments.number("partition", 0));
        separator_ = session.arguments.text("key-separator").value_or("");
        key_ = session.arguments.text("key");
        for (const std::string& header : session.arguments.all("header")) {
            const size_t equals = std::min(header.find('='), header.size());
            header_texts_.emplace_back(header.substr(0, equals),
                                       header.substr(std::min(equals + 1, header.size())));
        }
        for (const auto& [name, value] : header_texts_) headers_.push_back({name, as_bytes(value)});
    }

    Result<> add(const std::string& line) {
        OutgoingRecord record{.value = as_bytes(line), .headers = headers_, .partition = partition_};
        if (key_) record.key = as_bytes(*key_);
        const size_t at = separator_.empty() ? std::string::npos : line.find(separator_);
        if (at != std::string::npos) {
            record.key = as_bytes(std::string_view(line).substr(0, at));
            record.value = as_bytes(std::string_view(line).substr(at + separator_.size()));
        }
        return producer_.add(record);
    }
    Task<> flush() {
        const std::vector<Produced> sent = co_await producer_.flush();
        tally.add(sent);
    }
    bool is_full() const { return producer_.waiting() >= waiting_max; }

    Tally tally;

 private:
    Producer& producer_;
    std::optional<int32_t> partition_;
    std::optional<std::string> key_;
    std::string separator_;
    std::vector<std::pair<std::string, std::string>> header_texts_;
    std::vector<RecordHeader> headers_;
};

Task<int> send_lines(Session& session, Sender& sender, int fd) {
    LineReader lines(session.io, fd);
    for (bool more = true; more && !session.interrupted();) {
        more = co_await lines.read_more();
        if (lines.error() != 0) co_return fail(exit_failed, "cannot read: " + errno_text(lines.error()));
        while (auto line = lines.take()) {
            const Result<> added = sender.add(*line);
            if (!added) co_return session.fail("cannot send", added.error());
            if (sender.is_full()) co_await sender.flush();
        }
        co_await sender.flush();
        if (sender.tally.error != Error::none) break;
    }
    co_return exit_ok;
}

Task<int> send_input(Session& session, Sender& sender) {
    const auto file = session.arguments.text("file");
    if (!file) co_return co_await send_lines(session, sender, 0);
    Once opening{session.io, Op::Kind::open, {.flags = Op::read_only, .path = file->c_str()}};
    const int fd = co_await opening;
    if (fd < 0) co_return fail(exit_not_found, "cannot open " + *file + ": " + errno_text(fd));
    const int code = co_await send_lines(session, sender, fd);
    Once closing{session.io, Op::Kind::close, {.fd = fd}};
    co_await closing;
    co_return code;
}

int report(Session& session, const std::string& topic, const Tally& tally, double milliseconds) {
    if (tally.records > 0 && !session.arguments.has("quiet")) {
        if (session.format == Format::json || session.format == Format::jsonl)
            print(JsonObject{}
                      .text("topic", topic)
                      .number("records", tally.records)
                      .number("milliseconds", milliseconds)
                      .done() +
                  "\n");
        else if (tally.records == 1 && tally.last.base_offset >= 0)
            print(fmt::format("produced 1 record to {}[{}]@{} in {:.1f} ms\n", topic, tally.last.partition,
                              tally.last.base_offset, milliseconds));
        else
            print(fmt::format("produced {} record{} to {} in {:.1f} ms\n",
                              with_commas(static_cast<uint64_t>(tally.records)),
                              tally.records == 1 ? "" : "s", topic, milliseconds));
    }
    if (tally.error == Error::none) return session.interrupted() ? exit_interrupted : exit_ok;
    const std::string what = fmt::format("{} record{} not accepted by {}", tally.failed,
                                         tally.failed == 1 ? " was" : "s were", topic);
    const int code =
        tally.message.empty() ? session.fail(what, tally.error) : fail_with(what, tally.error, tally.message);
    return tally.records > 0 ? static_cast<int>(exit_partly_done) : code;
}

Task<int> open_producer(Session& session, Producer& producer, std::string topic) {
    const Result<> before = co_await session.client.refresh({topic});
    const bool was_there = before.ok();
    if (!was_there && (before.error() == Error::network_exception || session.arguments.has("no-create")))
        co_return session.fail("cannot send to " + topic, before.error());
    const Result<> opened = co_await producer.open();
    if (!opened) co_return session.fail("cannot send to " + topic, opened.error());
    const TopicInfo* info = session.client.topic(topic);
    if (!was_there && info && !session.arguments.has("quiet"))
        print(fmt::format("created topic {} ({} partition{}, replication {})\n", topic,
                          info->partitions.size(), info->partitions.size() == 1 ? "" : "s",
                          info->partitions[0].replicas.size()));
    co_return exit_ok;
}

Task<int> produce(Session& session) {
    const std::string topic = session.arguments.words[0];
    const auto acks = parse_acks(session.arguments);
    const auto codec = codec_from_name(session.arguments.text("compression").value_or("none"));
    if (!acks) co_return fail(exit_usage, "--acks takes 0, 1 or all");
    if (!codec) co_return fail(exit_usage, "--compression takes none, gzip, snappy, lz4 or zstd");
    Producer producer(session.client, topic,
                      {.acks = *acks,
                       .batch_size = session.arguments.size("batch-size", 16384),
                       .codec = *codec,
                       .auto_create = session.arguments.has("no-create") ? AutoCreate::no : AutoCreate::yes});
    const int opened = co_await open_producer(session, producer, topic);
    if (opened != exit_ok) co_return opened;
    Sender sender(session, producer);
    const uint64_t start = session.io.now_ns();
    int code = exit_ok;
    if (session.arguments.words.size() > 1) {
        for (size_t i = 1; i < session.arguments.words.size(); i++) {
            const Result<> added = sender.add(session.arguments.words[i]);
            if (!added) co_return session.fail("cannot send to " + topic, added.error());
        }
        co_await sender.flush();
    } else {
        code = co_await send_input(session, sender);
    }
    const int reported =
        report(session, topic, sender.tally, static_cast<double>(session.io.now_ns() - start) / 1e6);
    co_return code != exit_ok ? code : reported;
}

}  // namespace

int run_produce(const Arguments& arguments) { return converse(arguments, OnInterrupt::die, produce); }

}  // namespace millrace::cli
