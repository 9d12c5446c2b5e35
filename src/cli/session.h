// A command that talks to brokers: one shard, one client, an interrupt that can be looked at.
#pragma once
#include "command.h"
#include "millrace/client.h"
#include "output.h"

namespace millrace::cli {

using namespace client;

struct Session {
    Io& io;
    const Arguments& arguments;
    Format format;
    Client client;
    const unsigned& interrupts;  // SIGINT and SIGTERM so far.

    bool interrupted() const { return interrupts > 0; }
    // What stands in a failure when no broker answers: why.
    int fail(const std::string& what, Error error) const;
};

using Conversation = Task<int> (*)(Session&);
enum class OnInterrupt : uint8_t { die, tell };  // Tell: Session::interrupted(); a second one dies.

// Runs it; the exit code.
int converse(const Arguments& arguments, OnInterrupt on_interrupt, Conversation conversation);

std::vector<std::string> bootstrap_servers(const Arguments& arguments);
std::string joined(std::span<const std::string> words, std::string_view separator);

}  // namespace millrace::cli
