// `millrace consume`: records of a topic, from a place on or as a member of a group.
#include <charconv>

#include <fmt/format.h>

#include "session.h"

namespace millrace::cli {

namespace {

constexpr uint64_t heartbeat_ns = 3'000'000'000;
constexpr int64_t earliest = -2, latest = -1;

// 2026-11-22 17:10:00.130, UTC; civil date by days since 1970 (Howard Hinnant's algorithm).
std::string time_text(int64_t ms) {
    if (ms < 0) return "-";
    const int64_t days = ms / 86400000, of_day = ms % 86400000;
    const int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    const int64_t day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", yoe + era * 400 + (month <= 2), month,
                       day, of_day / 3600000, of_day / 60000 % 60, of_day / 1000 % 60, of_day % 1000);
}

std::string headers_text(const ConsumedRecord& record) {
    std::string text;
    for (const auto& [name, value] : record.headers)
        text += (text.empty() ? "" : ",") + name + "=" + value.value_or("");
    return text;
}

// %t topic, %p partition, %o offset, %T timestamp, %k key, %v value, %h headers, %% and \n \t.
std::string formatted(std::string_view format, const std::string& topic, const ConsumedRecord& record) {
    std::string text;
    for (size_t i = 0; i < format.size(); i++) {
        const char c = format[i];
        if ((c != '%' && c != '\\') || i + 1 == format.size()) {
            text += c;
            continue;
        }
        const char next = format[++i];
        if (c == '\\')
            text += next == 'n' ? '\n' : next == 't' ? '\t' : next;
        else if (next == 't')
            text += topic;
        else if (next == 'p')
            text += std::to_string(record.partition);
        else if (next == 'o')
            text += std::to_string(record.offset);
        else if (next == 'T')
            text += std::to_string(record.timestamp);
        else if (next == 'k')
            text += record.key.value_or("");
        else if (next == 'v')
            text += record.value.value_or("");
        else if (next == 'h')
            text += headers_text(record);
        else
            text += next;
    }
    return text;
}

std::string json_of(const std::string& topic, const ConsumedRecord& record) {
    const auto text_or_null = [](const std::optional<std::string>& text) {
        return text ? json_text(*text) : "null";
    };
    JsonObject headers;
    for (const auto& [name, value] : record.headers) headers.raw(name, text_or_null(value));
    return JsonObject{}
        .text("topic", topic)
        .number("partition", int64_t{record.partition})
        .number("offset", record.offset)
        .number("timestamp", record.timestamp)
        .raw("key", text_or_null(record.key))
        .raw("value", text_or_null(record.value))
        .raw("headers", headers.done())
        .done();
}

std::string line_of(const std::string& topic, const ConsumedRecord& record) {
    std::string line =
        fmt::format("{}[{}]@{}  {}  key={}  {}", topic, record.partition, record.offset,
                    time_text(record.timestamp), record.key.value_or("-"), record.value.value_or("(null)"));
    if (!record.headers.empty()) line += "  " + headers_text(record);
    return line + "\n";
}

// Prints records until `--count` of them are printed.
class Printer {
 public:
    explicit Printer(Session& session)
        : session_(session),
          topic_(session.arguments.words[0]),
          format_(session.arguments.text("format")),
          left_(session.arguments.number("count", INT64_MAX)) {}

    // How many of them were printed.
    size_t print_some(std::span<const ConsumedRecord> records) {
        std::string text;
        size_t printed = 0;
        for (const ConsumedRecord& record : records) {
            if (left_ == 0) break;
            left_--, printed++;
            if (format_)
                text += formatted(*format_, topic_, record);
            else if (session_.format == Format::json || session_.format == Format::jsonl)
                text += json_of(topic_, record) + "\n";
            else
                text += line_of(topic_, record);
        }
        print(text);
        return printed;
    }
    bool is_done() const { return left_ == 0; }

 private:
    Session& session_;
    std::string topic_;
    std::optional<std::string> format_;
    int64_t left_;
};

// --from: an offset, or the time that ListOffsets is asked for.
struct Place {
    std::optional<int64_t> offset;
    int64_t timestamp = latest;
};

std::optional<Place> parse_place(std::string_view text) {
    if (text == "start") return Place{.timestamp = earliest};
    if (text == "end") return Place{.timestamp = latest};
    const bool is_time = text.starts_with('@');
    if (is_time) text.remove_prefix(1);
    int64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
    return is_time ? Place{.timestamp = number} : Place{.offset = number};
}

Task<Result<int64_t>> offset_at(Session& session, int32_t partition, Place place) {
    if (place.offset) co_return *place.offset;
    const std::string topic = session.arguments.words[0];
    Result<int64_t> found = co_await session.client.list_offset(topic, partition, place.timestamp);
    if (found && *found < 0)
        found = co_await session.client.list_offset(topic, partition, latest);  // A time after all.
    co_return found;
}

Task<bool> is_at_end(Session& session, Consumer& consumer) {
    for (const auto& [partition, position] : consumer.positions()) {
        int64_t end = consumer.high_watermark(partition);
        if (end < 0) {
            const Result<int64_t> asked =
                co_await session.client.list_offset(session.arguments.words[0], partition, latest);
            if (!asked) co_return false;
            end = *asked;
        }
        if (position < end) co_return false;
    }
    co_return true;
}

// The common loop of both ways. `member` is null without a group.
Task<int> read(Session& session, Consumer& consumer, Printer& printer, GroupMember* member) {
    const std::string topic = session.arguments.words[0];
    uint64_t last_beat = session.io.now_ns();
    while (!session.interrupted()) {
        if (printer.is_done()) co_return exit_ok;
        const auto records = co_await consumer.poll();
        if (!records) co_return session.fail("cannot read " + topic, records.error());
        std::map<int32_t, int64_t> next = consumer.positions();
        const size_t printed = printer.print_some(*records);
        for (size_t i = printed; i < records->size(); i++)
            next[(*records)[i].partition] = std::min(next[(*records)[i].partition], (*records)[i].offset);
        if (member && printed > 0) {
            const Result<> committed = co_await member->commit({{topic, next}});
            if (!committed)
                co_return is_retriable(committed.error()) || committed.error() == Error::rebalance_in_progress
                    ? -1
                    : session.fail("cannot commit", committed.error());
        }
        if (session.arguments.has("exit-at-end") && records->empty()) {
            const bool at_end = co_await is_at_end(session, consumer);
            if (at_end) co_return exit_ok;
        }
        if (member && session.io.now_ns() - last_beat >= heartbeat_ns) {
            last_beat = session.io.now_ns();
            const Result<> alive = co_await member->heartbeat();
            if (!alive) co_return -1;  // Join again.
        }
    }
    co_return exit_interrupted;
}

Task<int> consume_alone(Session& session) {
    const std::string topic = session.arguments.words[0];
    const auto place = parse_place(session.arguments.text("from").value_or("end"));
    if (!place) co_return fail(exit_usage, "--from takes start, end, an offset, or @ and a time in ms");
    const Result<> ready = co_await session.client.ready(topic);
    if (!ready) co_return session.fail("cannot read " + topic, ready.error());
    std::map<int32_t, int64_t> positions;
    const auto partitions = static_cast<int32_t>(session.client.topic(topic)->partitions.size());
    for (int32_t partition = 0; partition < partitions; partition++) {
        if (session.arguments.has("partition") && session.arguments.number("partition", 0) != partition)
            continue;
        const Result<int64_t> offset = co_await offset_at(session, partition, *place);
        if (!offset) co_return session.fail("cannot read " + topic, offset.error());
        positions[partition] = *offset;
    }
    if (positions.empty())
        co_return session.fail("cannot read that partition", Error::unknown_topic_or_partition);
    Consumer consumer(session.client, topic);
    consumer.assign(positions);
    Printer printer(session);
    co_return co_await read(session, consumer, printer, nullptr);
}

// Positions of the assigned partitions: what the group committed, else where --from says (start).
Task<Result<std::map<int32_t, int64_t>>> group_positions(Session& session, std::string group,
                                                         std::vector<int32_t> partitions) {
    const std::string topic = session.arguments.words[0];
    const Result<TopicOffsets> offsets = co_await committed_offsets(session.client, group);
    if (!offsets) co_return offsets.error();
    const auto committed = offsets->find(topic);
    const Place place =
        parse_place(session.arguments.text("from").value_or("start")).value_or(Place{.timestamp = earliest});
    std::map<int32_t, int64_t> positions;
    for (int32_t partition : partitions) {
        if (committed != offsets->end() && committed->second.contains(partition)) {
            positions[partition] = committed->second.at(partition);
            continue;
        }
        const Result<int64_t> offset = co_await offset_at(session, partition, place);
        if (!offset) co_return offset.error();
        positions[partition] = *offset;
    }
    co_return positions;
}

Task<int> consume_as_member(Session& session) {
    const std::string topic = session.arguments.words[0];
    const std::string group = *session.arguments.text("group");
    const Result<> ready = co_await session.client.ready(topic);
    if (!ready) co_return session.fail("cannot read " + topic, ready.error());
    GroupMember member(session.client, {.group = group, .topics = {topic}});
    Printer printer(session);
    int code = -1;
    while (code < 0 && !session.interrupted()) {
        Result<TopicPartitions> assigned = co_await member.join();
        if (!assigned) co_return session.fail("cannot join group " + group, assigned.error());
        const auto positions = co_await group_positions(session, group, (*assigned)[topic]);
        if (!positions) co_return session.fail("cannot read offsets of " + group, positions.error());
        Consumer consumer(session.client, topic);
        consumer.assign(*positions);
        code = co_await read(session, consumer, printer, &member);
    }
    const Result<> left = co_await member.leave();  // If it fails, the session times out.
    if (!left && code == exit_ok)
        session.io.log().warn("cli", "left without goodbye", {{"error", left.error()}});
    co_return code < 0 ? static_cast<int>(exit_interrupted) : code;
}

Task<int> consume(Session& session) {
    if (!session.arguments.has("group")) return consume_alone(session);
    return consume_as_member(session);
}

}  // namespace

int run_consume(const Arguments& arguments) { return converse(arguments, OnInterrupt::tell, consume); }

}  // namespace millrace::cli
