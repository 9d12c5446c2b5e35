// Log lines: format, escaping, bounds, and the counting of repeats.
#include "millrace/log_line.h"

#include <doctest/doctest.h>

namespace millrace {
namespace {

class Captured : public LogSink {
 public:
    int64_t wall_ms() const override { return now_ms; }
    void write(Level level, std::string_view line) override {
        levels.push_back(level);
        lines.emplace_back(line);
    }
    int64_t now_ms = 1'795'367'400'130;
    std::vector<Level> levels;
    std::vector<std::string> lines;
};

TEST_CASE("a line has time, level, shard, module, event and fields") {
    Captured sink;
    Logger logger(sink, "1");
    logger.info("net", "listening", {{"addr", "127.0.0.1:9092"}});
    logger.error("log", "cannot write",
                 {{"error", Error::kafka_storage_error}, {"offset", Offset{7}}, {"n", -3}});
    REQUIRE(sink.lines.size() == 2);
    CHECK(sink.lines[0] == "2026-11-22T17:10:00.130Z INFO  shard=1 net  listening addr=127.0.0.1:9092");
    CHECK(sink.lines[1] ==
          "2026-11-22T17:10:00.130Z ERROR shard=1 log  cannot write error=KAFKA_STORAGE_ERROR offset=7 n=-3");
    CHECK(sink.levels[1] == Level::error);
}

TEST_CASE("dates are right in leap years, at the ends of months and before 1970") {
    Captured sink;
    Logger logger(sink, "0");
    const auto at = [&](int64_t ms) {
        sink.now_ms = ms;
        logger.info("io", std::to_string(ms));
        return sink.lines.back().substr(0, 24);
    };
    CHECK(at(0) == "1970-01-01T00:00:00.000Z");
    CHECK(at(-1) == "1969-12-31T23:59:59.999Z");
    CHECK(at(951'782'400'000) == "2000-02-29T00:00:00.000Z");
    CHECK(at(951'868'799'999) == "2000-02-29T23:59:59.999Z");
    CHECK(at(4'107'542'400'000) == "2100-03-01T00:00:00.000Z");
    CHECK(at(1'704'067'199'000) == "2023-12-31T23:59:59.000Z");
}

TEST_CASE("debug lines are silent until asked for") {
    Captured sink;
    Logger logger(sink, "0");
    logger.debug("io", "turn");
    CHECK(sink.lines.empty());
    logger.set_level(Level::debug);
    logger.debug("io", "turn");
    CHECK(sink.lines.size() == 1);
}

TEST_CASE("values from outside cannot forge a line") {
    Captured sink;
    Logger logger(sink, "0");
    logger.warn("net", "bad client",
                {{"id", "a\nERROR forged"}, {"name", "say \"hi\""}, {"raw", std::string(1, 1)}});
    REQUIRE(sink.lines.size() == 1);
    CHECK(sink.lines[0].ends_with(R"(bad client id="a\nERROR forged" name="say \"hi\"" raw="\x01")"));
}

TEST_CASE("empty values, spaces, equals signs and backslashes are quoted") {
    Captured sink;
    Logger logger(sink, "0");
    logger.info("cli", "values", {{"a", ""}, {"b", "x y"}, {"c", "k=v"}, {"d", "c:\\"}, {"e", "grün"}});
    CHECK(sink.lines[0].ends_with(R"(values a="" b="x y" c="k=v" d="c:\\" e=grün)"));
}

TEST_CASE("a line is bounded and ends on a whole character") {
    Captured sink;
    Logger logger(sink, "0");
    std::string value;
    for (int i = 0; i < 20'000; i++) value += "ü";
    logger.info("net", "long", {{"value", value}, {"more", value}});
    const std::string& line = sink.lines[0];
    CHECK(line.size() <= Logger::line_size_max + 25);
    CHECK(line.ends_with("ü..."));
}

TEST_CASE("identical lines in a row are written once, then counted") {
    Captured sink;
    Logger logger(sink, "0");
    for (int i = 0; i < 1000; i++) logger.warn("net", "refused", {{"peer", "10.0.0.1"}});
    CHECK(sink.lines.size() == 1);
    logger.info("net", "other");
    REQUIRE(sink.lines.size() == 3);
    CHECK(sink.lines[1].ends_with("WARN  shard=0 net  refused peer=10.0.0.1 repeated=999"));
    CHECK(sink.levels[1] == Level::warn);
    CHECK(sink.lines[2].ends_with("other"));
    logger.info("net", "another");
    CHECK(sink.lines.size() == 4);
}

TEST_CASE("a line that never stops is told of again after a while") {
    Captured sink;
    Logger logger(sink, "0");
    for (int i = 0; i <= 25; i++) {
        logger.warn("net", "refused");
        sink.now_ms += 1000;
    }
    REQUIRE(sink.lines.size() == 3);
    CHECK(sink.lines[1].ends_with("refused repeated=10"));
    CHECK(sink.lines[2].ends_with("refused repeated=10"));
    logger.flush();
    CHECK(sink.lines[3].ends_with("refused repeated=5"));
    logger.flush();
    CHECK(sink.lines.size() == 4);
}

}  // namespace
}  // namespace millrace
