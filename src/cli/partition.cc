// `millrace partition`: where the partitions of a node live, and moving one.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "millrace/address.h"
#include "millrace/host.h"
#include "operators_port.h"
#include "output.h"

namespace millrace::cli {

namespace {

struct Question {
    const Arguments& arguments;
    std::string method, path;
    HttpAnswer answer = {};
};

Task<int> ask(Io& io, Question& question) {
    const std::string address = question.arguments.text("admin").value_or("127.0.0.1:9644");
    question.answer = co_await ask_operators_port(io, address, question.method, question.path);
    co_return exit_ok;
}

// The failure's code, or exit_ok with an answer that says 200.
int put(Question& question) {
    if (const auto reason = check_host()) return fail(exit_failed, *reason);
    StreamLogSink sink;
    AloneOptions options{.log_sink = &sink};
    const int code = run_alone(options, [&question](Io& io) { return ask(io, question); });
    if (code < 0) return exit_failed;
    std::string body = question.answer.body;
    if (body.ends_with('\n')) body.pop_back();
    switch (question.answer.status) {
        case 0:
            return fail(exit_unreachable, body, "--admin says where the node has its millrace.admin.listen");
        case 200: return exit_ok;
        case 400: return fail(exit_usage, body);
        case 404: return fail(exit_not_found, body);
        case 409: return fail(exit_timed_out, body);
        default: return fail(exit_failed, body);
    }
}

// Lines of fields, separated by tabs.
std::vector<std::vector<std::string>> rows_of(std::string_view text) {
    std::vector<std::vector<std::string>> rows;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        auto& row = rows.emplace_back();
        for (size_t at = 0; at <= line.size();) {
            const size_t tab = std::min(line.find('\t', at), line.size());
            row.emplace_back(line.substr(at, tab - at));
            at = tab + 1;
        }
    }
    return rows;
}

}  // namespace

int run_partition_list(const Arguments& arguments) {
    const auto format = format_of(arguments);
    if (!format) return fail(exit_usage, "--output: there are table, json, jsonl, csv and name");
    Question question{.arguments = arguments, .method = "GET", .path = "/partitions"};
    if (const int code = put(question); code != exit_ok) return code;
    Table table{.columns = {{"topic"},
                            {"partition", true},
                            {"slot", true},
                            {"shard", true},
                            {"bytes", true},
                            {"start_offset", true},
                            {"end_offset", true}}};
    const auto& words = arguments.words;
    auto rows = rows_of(question.answer.body);
    for (size_t i = 1; i < rows.size(); i++) {  // The first one names the columns.
        const bool is_wanted = words.empty() || std::ranges::count(words, rows[i][0]) > 0;
        if (is_wanted && rows[i].size() == table.columns.size()) table.rows.push_back(std::move(rows[i]));
    }
    print_table(table, *format);
    return exit_ok;
}

int run_partition_move(const Arguments& arguments) {
    const std::string &topic = arguments.words[0], &partition = arguments.words[1];
    const bool is_number =
        !partition.empty() && std::ranges::all_of(partition, [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number) return fail(exit_usage, "partition move: '" + partition + "' is no partition's number");
    if (!arguments.has("shard"))
        return fail(exit_usage, "partition move: no shard is named", "--shard N says which, from 0 on");
    if (topic.find_first_of("/ ?%\r\n") != topic.npos)
        return fail(exit_usage, "partition move: '" + topic + "' is no topic's name");
    Question question{
        .arguments = arguments,
        .method = "POST",
        .path = fmt::format("/partitions/{}/{}/shard/{}", topic, partition, arguments.number("shard", 0))};
    if (const int code = put(question); code != exit_ok) return code;
    print(question.answer.body);
    return exit_ok;
}

}  // namespace millrace::cli
