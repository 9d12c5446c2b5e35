// Directories that no metadata names.
#include "millrace/strays.h"

#include <doctest/doctest.h>

#include "storage_world.h"

namespace millrace {

TEST_CASE("a partition's directory that no metadata names is set aside, said, and never deleted") {
    SimWorld world{{.seed = 1}};
    SimNode& node = world.add_node();
    const std::vector<uint8_t> bytes(100, 7);
    for (const char* path :
         {"data/known-0/0.log", "data/lost-12/0.log", "data/old-1.5-delete/x", "data/old-1.9-stray/x",
          "data/journal/0/0", "data/notes/x", "data/-3/x", "data/__cluster_metadata-0/0.log"})
        node.disk().put(path, bytes);
    const std::set<std::string> known{"known-0", "__cluster_metadata-0"};
    const auto count = run_on(world, node, set_aside_unknown(node.io(), "data", known));
    REQUIRE(count->ok());
    CHECK(**count == 1);
    CHECK(world.has_line("a directory that no metadata names is set aside"));
    CHECK_FALSE(node.disk().exists("data/lost-12"));
    CHECK(node.disk().exists("data/known-0/0.log"));
    CHECK(node.disk().exists("data/journal/0/0"));
    CHECK(node.disk().exists("data/-3/x"));
    CHECK(node.disk().exists("data/__cluster_metadata-0/0.log"));
    size_t strays = 0;
    for (const std::string& name : node.disk().names("data"))
        if (name.starts_with("lost-12.") && name.ends_with("-stray"))
            strays += node.disk().contents("data/" + name + "/0.log") == bytes;
    CHECK(strays == 1);
    node.crash(Crash::power_cut);  // The name is durable.
    node.restart();
    CHECK_FALSE(node.disk().exists("data/lost-12"));
}

}  // namespace millrace
