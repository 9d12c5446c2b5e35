// Running a command that talks to brokers.
#include "session.h"

#include <cstdlib>

#include "millrace/address.h"
#include "millrace/host.h"

namespace millrace::cli {

namespace {

ClientOptions client_options(const Arguments& arguments) {
    const auto patience_ms = static_cast<uint64_t>(arguments.seconds("timeout", 30) * 1000);
    ClientOptions options{.seeds = bootstrap_servers(arguments), .retry_ms = patience_ms};
    options.connection.client_id = "millrace-cli";
    options.connection.connect_timeout_ms = std::min<uint64_t>(patience_ms, 5000);
    options.connection.request_timeout_ms = patience_ms + 10000;
    return options;
}

struct Plan {
    const Arguments& arguments;
    Conversation conversation;
    unsigned interrupts = 0;
};

Task<int> conduct(Io& io, Plan& plan) {
    Session session{.io = io,
                    .arguments = plan.arguments,
                    .format = format_of(plan.arguments).value_or(Format::table),
                    .client = Client(io, client_options(plan.arguments)),
                    .interrupts = plan.interrupts};
    const int code = co_await plan.conversation(session);
    co_await session.client.close();
    co_return code;
}

}  // namespace

int Session::fail(const std::string& what, Error error) const {
    const bool unreached = error == Error::network_exception || error == Error::request_timed_out;
    return fail_with(what, error, unreached ? client.failure() : "");
}

int converse(const Arguments& arguments, OnInterrupt on_interrupt, Conversation conversation) {
    if (const auto reason = check_host()) return fail(exit_failed, *reason);
    StreamLogSink sink;
    AloneOptions options{.log_sink = &sink};
    Plan plan{.arguments = arguments, .conversation = conversation};
    if (on_interrupt == OnInterrupt::tell)
        options.on_signal = [&plan](Io&, unsigned nth) {
            plan.interrupts = nth;
            if (nth > 1) std::_Exit(exit_interrupted);
        };
    const int code = run_alone(options, [&plan](Io& io) { return conduct(io, plan); });
    return code < 0 ? static_cast<int>(exit_failed) : code;
}

std::vector<std::string> bootstrap_servers(const Arguments& arguments) {
    std::string list = arguments.text("bootstrap-server")
                           .value_or(environment("MILLRACE_BOOTSTRAP").value_or("127.0.0.1:9092"));
    std::vector<std::string> servers;
    for (size_t at = 0; at <= list.size();) {
        const size_t comma = std::min(list.find(',', at), list.size());
        std::string server = list.substr(at, comma - at);
        const bool is_host_alone = server.find(':') == std::string::npos || server.ends_with(']');
        if (is_host_alone && !parse_host_port(server)) server += ":9092";
        if (comma > at) servers.push_back(server);
        at = comma + 1;
    }
    return servers;
}

std::string joined(std::span<const std::string> words, std::string_view separator) {
    std::string text;
    for (size_t i = 0; i < words.size(); i++) text.append(i == 0 ? "" : separator).append(words[i]);
    return text;
}

}  // namespace millrace::cli
