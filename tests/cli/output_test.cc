// Tables in every format, JSON, and the exit code of every error.
#include "output.h"

#include <doctest/doctest.h>

using namespace millrace;
using namespace millrace::cli;

namespace {

const Table table{.columns = {{"topic"}, {"end_offset", true}}, .rows = {{"clicks", "12"}, {"a,\"b\"", "-"}}};

}  // namespace

TEST_CASE("a table is aligned on a terminal and separated by tabs elsewhere") {
    CHECK(format_table(table, Format::table, 80) ==
          "TOPIC   END-OFFSET\nclicks          12\na,\"b\"            -\n");
    CHECK(format_table(table, Format::table, 0) == "TOPIC\tEND-OFFSET\nclicks\t12\na,\"b\"\t-\n");
}

TEST_CASE("a table is cut to the terminal's width") {
    const std::string text = format_table(table, Format::table, 10);
    CHECK(text.starts_with("TOPIC   E…\n"));
}

TEST_CASE("json, jsonl, csv and name") {
    CHECK(format_table(table, Format::json, 80) ==
          "[\n  {\"topic\": \"clicks\", \"end_offset\": 12},\n  {\"topic\": \"a,\\\"b\\\"\", \"end_offset\": "
          "null}\n]\n");
    CHECK(
        format_table(table, Format::jsonl, 80) ==
        "{\"topic\": \"clicks\", \"end_offset\": 12}\n{\"topic\": \"a,\\\"b\\\"\", \"end_offset\": null}\n");
    CHECK(format_table(table, Format::csv, 80) == "topic,end_offset\nclicks,12\n\"a,\"\"b\"\"\",-\n");
    CHECK(format_table(table, Format::name, 80) == "clicks\na,\"b\"\n");
    CHECK(format_table({.columns = {{"x"}}}, Format::json, 80) == "[]\n");
}

TEST_CASE("tabs and line ends in a cell do not break a table") {
    CHECK(format_table({.columns = {{"x"}, {"y"}}, .rows = {{"a\tb", "c\nd"}}}, Format::table, 0) ==
          "X\tY\na b\tc d\n");
}

TEST_CASE("json text is always valid") {
    CHECK(json_text("a\"b\\c\n\t\x01") == "\"a\\\"b\\\\c\\n\\t\\u0001\"");
    CHECK(json_text("ä€") == "\"ä€\"");
    CHECK(json_text("\xff\xc3") == "\"\\ufffd\\ufffd\"");
    CHECK(JsonObject{}.text("a", "b").number("c", int64_t{1}).number("d", 0.5).done() ==
          "{\"a\": \"b\", \"c\": 1, \"d\": 0.5}");
}

TEST_CASE("exit codes follow the kind of the error") {
    CHECK(exit_code_of(Error::none) == 0);
    CHECK(exit_code_of(Error::unknown_server_error) == 1);
    CHECK(exit_code_of(Error::network_exception) == 3);
    CHECK(exit_code_of(Error::topic_authorization_failed) == 4);
    CHECK(exit_code_of(Error::unknown_topic_or_partition) == 5);
    CHECK(exit_code_of(Error::group_id_not_found) == 5);
    CHECK(exit_code_of(Error::request_timed_out) == 6);
}

TEST_CASE("numbers for people") {
    CHECK(with_commas(0) == "0");
    CHECK(with_commas(999) == "999");
    CHECK(with_commas(1234567) == "1,234,567");
}
