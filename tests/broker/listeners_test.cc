// A listener for each shard: what clients are told then.
#include "lab.h"
#include "millrace/wire/describe_cluster.h"
#include "millrace/wire/describe_configs.h"
#include "millrace/wire/find_coordinator.h"
#include "millrace/wire/metadata.h"

namespace millrace {

namespace {

constexpr int32_t second_id = 1'000'001;

void show_shards(Lab& lab) {
    for (uint16_t i = 0; i < 2; i++) lab.shard(i).set_ports({{"PLAINTEXT", {9092, 9093}}});
}

}  // namespace

TEST_CASE("each shard is a broker with a port of its own, and leads the partitions that live on it") {
    Lab lab{1, 2};
    lab.create("t", 4);
    wire::MetadataRequest::Topic topic{.topic_id = {}, .name = "t"};
    const wire::MetadataRequest request{.topics = wire::List<wire::MetadataRequest::Topic>{&topic, 1},
                                        .allow_auto_topic_creation = false};
    CHECK(lab.call<wire::MetadataResponse>(request, 9)->brokers.size() == 1);
    show_shards(lab);
    for (uint16_t shard = 0; shard < 2; shard++) {
        const auto told = lab.call<wire::MetadataResponse>(request, 9, shard);
        REQUIRE(told->brokers.size() == 2);
        CHECK(told->controller_id == 1);
        for (size_t i = 0; i < 2; i++) {
            CHECK(told->brokers[i].node_id == (i == 0 ? 1 : second_id));
            CHECK(told->brokers[i].port == 9092 + static_cast<int32_t>(i));
            CHECK(told->brokers[i].host == told->brokers[0].host);
        }
        REQUIRE(told->topics.size() == 1);
        for (const auto& partition : told->topics[0].partitions) {
            const Slot slot = lab.shard(0).metadata().topic("t")->partitions[partition.partition_index].slot;
            const int32_t home = lab.shard(0).home(slot).value == 0 ? 1 : second_id;
            CHECK(partition.leader_id == home);
            REQUIRE(partition.replica_nodes.size() == 1);
            CHECK(partition.replica_nodes[0] == home);
            CHECK(partition.isr_nodes[0] == home);
        }
    }
    const auto cluster = lab.call<wire::DescribeClusterResponse>(wire::DescribeClusterRequest{}, 0);
    CHECK(cluster->brokers.size() == 2);
}

TEST_CASE("a group's coordinator is the shard where it lives") {
    Lab lab{2, 2};
    show_shards(lab);
    std::set<int32_t> ids;
    for (int i = 0; i < 20; i++) {
        const std::string group = "group" + std::to_string(i);
        const auto found =
            lab.call<wire::FindCoordinatorResponse>(wire::FindCoordinatorRequest{.key = group}, 2);
        CHECK(found->error_code == Error::none);
        CHECK(found->port == (found->node_id == 1 ? 9092 : 9093));
        ids.insert(found->node_id);
    }
    CHECK(ids == std::set<int32_t>{1, second_id});
}

TEST_CASE("every shard's id names the node to administrators") {
    Lab lab{3, 2};
    show_shards(lab);
    for (const char* id : {"1", "1000001", "2000001", "1000002"}) {
        wire::DescribeConfigsRequest::Resource resource{.resource_type = 4, .resource_name = id};
        const wire::DescribeConfigsRequest request{.resources = {&resource, 1}};
        const auto told = lab.call<wire::DescribeConfigsResponse>(request, 2);
        const bool is_ours = std::string_view(id) == "1" || std::string_view(id) == "1000001";
        CHECK(told->results[0].error_code == (is_ours ? Error::none : Error::invalid_request));
    }
}

}  // namespace millrace
