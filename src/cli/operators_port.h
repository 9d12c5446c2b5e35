// One question to a node's operators' port (HTTP/1.0, a connection of its own).
#pragma once
#include <string>

#include "millrace/io.h"

namespace millrace::cli {

struct HttpAnswer {
    int status = 0;  // 0: nobody answered, and `body` says why.
    std::string body;
};
Task<HttpAnswer> ask_operators_port(Io& io, std::string address, std::string method, std::string path);

}  // namespace millrace::cli
