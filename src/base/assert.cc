// Prints the broken condition and aborts: a process that is wrong about itself must not go on.
#include <cstdio>
#include <cstdlib>

#include "millrace/base.h"

namespace millrace {

void assert_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    std::abort();
}

}  // namespace millrace
