// Scratch directories for tests.
#include "run.h"

#include <filesystem>

#include <stdlib.h>

namespace millrace::test {

ScratchDirectory::ScratchDirectory(const std::string& parent) : path_(parent + "/millrace-test-XXXXXX") {
    REQUIRE(mkdtemp(path_.data()) != nullptr);
}

ScratchDirectory::~ScratchDirectory() { std::filesystem::remove_all(path_); }

}  // namespace millrace::test
