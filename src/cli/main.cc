// The millrace binary: its arguments go to the table of commands.
#include "command.h"

int main(int argc, char** argv) {
    return millrace::cli::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
