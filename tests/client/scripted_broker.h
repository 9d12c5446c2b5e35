// A broker in a hundred lines for the client's tests: one node, one topic "t" with two partitions in memory,
// one group with one member. Runs on a simulated node; its faults are switched by the test.
#pragma once
#include <doctest/doctest.h>

#include "millrace/client.h"
#include "millrace/sim.h"
#include "millrace/wire/fetch.h"
#include "millrace/wire/find_coordinator.h"
#include "millrace/wire/heartbeat.h"
#include "millrace/wire/join_group.h"
#include "millrace/wire/list_offsets.h"
#include "millrace/wire/metadata.h"
#include "millrace/wire/offset_commit.h"
#include "millrace/wire/produce.h"
#include "millrace/wire/sync_group.h"

namespace millrace::client_test {

using namespace client;

class ScriptedBroker {
 public:
    explicit ScriptedBroker(SimNode& node) : io_(node.io()), address_(node.address()) {}

    Task<> serve() {
        const std::string address = address_ + ":9092";
        Once listening{io_, Op::Kind::listen, {.path = address.c_str()}};
        const int listener = co_await listening;
        REQUIRE(listener >= 0);
        Many accepts(io_, Op::Kind::accept, listener);
        for (;;) {
            const Outcome outcome = co_await accepts.next();
            if (outcome.value >= 0) connections++, talk(outcome.value).detach();
        }
    }

    // What the test sees and switches.
    int connections = 0;
    std::vector<int16_t> asked;   // The keys of all requests.
    std::vector<uint8_t> log[2];  // Batches as produced, offsets patched.
    int64_t next_offset[2] = {0, 0};
    int refuse_produces = 0;           // So many with not_leader_or_follower.
    bool silent = false;               // Answers nothing.
    int cut_after = -1;                // So many answers, then it hangs up.
    int16_t versions_max = INT16_MAX;  // Of every API.
    std::map<int32_t, int64_t> committed;

 private:
    Task<> talk(int fd) {
        Many receives(io_, Op::Kind::receive, fd);
        std::vector<uint8_t> in;
        for (bool open = true; open;) {
            const Outcome outcome = co_await receives.next();
            if (outcome.value > 0)
                in.insert(in.end(), outcome.data.begin(), outcome.data.end()), io_.give_back(outcome.buffer);
            if (outcome.value == 0 || (outcome.value < 0 && outcome.value != -ENOBUFS)) break;
            while (open && in.size() >= 4 && in.size() - 4 >= load_big<uint32_t>(in.data())) {
                const size_t size = load_big<uint32_t>(in.data());
                const std::vector<uint8_t> frame(in.begin() + 4,
                                                 in.begin() + 4 + static_cast<ptrdiff_t>(size));
                in.erase(in.begin(), in.begin() + 4 + static_cast<ptrdiff_t>(size));
                if (silent) continue;
                wire::Writer out;
                Arena memory;
                answer(frame, out, memory);
                if (cut_after >= 0 && cut_after-- == 0)
                    open = false;
                else
                    open = co_await send(fd, out.copy());
            }
        }
        Once shutting{io_, Op::Kind::shutdown, {.fd = fd}};
        co_await shutting;
        while (receives.armed()) {
            const Outcome outcome = co_await receives.next();
            if (outcome.value > 0) io_.give_back(outcome.buffer);
        }
        Once closing{io_, Op::Kind::close, {.fd = fd}};
        co_await closing;
    }

    Task<bool> send(int fd, std::vector<uint8_t> bytes) {
        for (size_t sent = 0; sent < bytes.size();) {
            const Piece piece{bytes.data() + sent, bytes.size() - sent};
            Once sending{io_, Op::Kind::send, {.fd = fd, .pieces = &piece, .piece_count = 1}};
            const int n = co_await sending;
            if (n <= 0) co_return false;
            sent += static_cast<size_t>(n);
        }
        co_return true;
    }

    template <class Request, class Response>
    void reply(const wire::Request& request, wire::Writer& out, Arena& memory,
               Response (ScriptedBroker::*handle)(const Request&, Arena&)) {
        const auto message = wire::decode<Request>(request.body, request.version, memory);
        REQUIRE(message.has_value());
        const Response response = (this->*handle)(*message, memory);
        wire::encode_response(out, response, request.version, request.correlation_id);
    }

    void answer(Bytes frame, wire::Writer& out, Arena& memory) {
        const auto request = wire::parse_request(frame);
        REQUIRE(request.has_value());
        asked.push_back(request->key);
        if (request->key == 18 && request->version > versions_max) {  // As Kafka: version 0, error 35.
            wire::encode_response(out, wire::ApiVersionsResponse{.error_code = Error::unsupported_version}, 0,
                                  request->correlation_id);
            return;
        }
        switch (request->key) {
            case 0: return reply(*request, out, memory, &ScriptedBroker::produce);
            case 1: return reply(*request, out, memory, &ScriptedBroker::fetch);
            case 2: return reply(*request, out, memory, &ScriptedBroker::list_offsets);
            case 3: return reply(*request, out, memory, &ScriptedBroker::metadata);
            case 8: return reply(*request, out, memory, &ScriptedBroker::commit);
            case 10: return reply(*request, out, memory, &ScriptedBroker::find_coordinator);
            case 11: return reply(*request, out, memory, &ScriptedBroker::join);
            case 12: return reply(*request, out, memory, &ScriptedBroker::heartbeat);
            case 14: return reply(*request, out, memory, &ScriptedBroker::sync);
            case 18: return reply(*request, out, memory, &ScriptedBroker::api_versions);
            default: FAIL("unexpected request");
        }
    }

    wire::ApiVersionsResponse api_versions(const wire::ApiVersionsRequest&, Arena& memory) {
        const int16_t keys[] = {0, 1, 2, 3, 8, 10, 11, 12, 14, 18};
        const auto list = memory.make<wire::ApiVersionsResponse::ApiVersion>(std::size(keys));
        for (size_t i = 0; i < list.size(); i++) {
            const auto& versions = wire::find_api(keys[i])->versions;
            list[i] = {keys[i], versions.first,
                       std::max(versions.first, std::min(versions.last, versions_max))};
        }
        return {.api_keys = list};
    }

    wire::MetadataResponse metadata(const wire::MetadataRequest& request, Arena& memory) {
        const auto brokers = memory.make<wire::MetadataResponse::Broker>(1);
        brokers[0] = {.node_id = 1, .host = address_, .port = 9092};
        const size_t count = request.topics ? request.topics->size() : 1;
        const auto topics = memory.make<wire::MetadataResponse::Topic>(count);
        for (size_t i = 0; i < count; i++) {
            const auto name = request.topics ? *(*request.topics)[i].name : "t";
            topics[i].name = memory.copy(name);
            if (name != "t")
                topics[i].error_code = Error::unknown_topic_or_partition;
            else
                topics[i].topic_id = topic_id, topics[i].partitions = partitions(memory);
        }
        return {
            .brokers = brokers, .cluster_id = std::string_view("c"), .controller_id = 1, .topics = topics};
    }
    std::span<wire::MetadataResponse::Partition> partitions(Arena& memory) {
        const auto list = memory.make<wire::MetadataResponse::Partition>(2);
        for (int32_t i = 0; i < 2; i++)
            list[static_cast<size_t>(i)] = {.partition_index = i, .leader_id = 1, .leader_epoch = 0};
        return list;
    }

    wire::ProduceResponse produce(const wire::ProduceRequest& request, Arena& memory) {
        const auto& data = request.topic_data[0].partition_data[0];
        const auto p = static_cast<size_t>(data.index);
        const auto told = memory.make<wire::ProduceResponse::Partition>(1);
        told[0] = {.index = data.index, .base_offset = next_offset[p]};
        if (refuse_produces > 0) {
            refuse_produces--;
            told[0].error_code = Error::not_leader_or_follower;
        } else {
            const Bytes sent = data.records->whole();
            std::vector<uint8_t> batch(sent.begin(), sent.end());
            REQUIRE(BatchView::parse(batch)->crc_matches());
            patch_placement(batch, {.base_offset = Offset{next_offset[p]}, .leader_epoch = Epoch{0}});
            next_offset[p] = BatchView::parse(batch)->next_offset().value;
            log[p].insert(log[p].end(), batch.begin(), batch.end());
        }
        const auto topics = memory.make<wire::ProduceResponse::Topic>(1);
        topics[0] = {.name = "t", .topic_id = topic_id, .partition_responses = told};
        return {.responses = topics};
    }

    wire::FetchResponse fetch(const wire::FetchRequest& request, Arena& memory) {
        const auto& asked_partitions = request.topics[0].partitions;
        const auto told = memory.make<wire::FetchResponse::Partition>(asked_partitions.size());
        for (size_t i = 0; i < told.size(); i++) {
            const auto p = static_cast<size_t>(asked_partitions[i].partition);
            told[i].partition_index = asked_partitions[i].partition;
            told[i].high_watermark = next_offset[p];
            if (asked_partitions[i].fetch_offset < next_offset[p])
                told[i].records = wire::Records(Bytes(log[p]));
        }
        const auto topics = memory.make<wire::FetchResponse::Topic>(1);
        topics[0] = {.topic = "t", .topic_id = topic_id, .partitions = told};
        return {.responses = topics};
    }

    wire::ListOffsetsResponse list_offsets(const wire::ListOffsetsRequest& request, Arena& memory) {
        const auto& asked_partition = request.topics[0].partitions[0];
        const auto told = memory.make<wire::ListOffsetsResponse::Partition>(1);
        const bool first = asked_partition.timestamp == -2;
        told[0] = {.partition_index = asked_partition.partition_index,
                   .offset = first ? 0 : next_offset[asked_partition.partition_index]};
        const auto topics = memory.make<wire::ListOffsetsResponse::Topic>(1);
        topics[0] = {.name = "t", .partitions = told};
        return {.topics = topics};
    }

    wire::FindCoordinatorResponse find_coordinator(const wire::FindCoordinatorRequest&, Arena& memory) {
        const auto told = memory.make<wire::FindCoordinatorResponse::Coordinator>(1);
        told[0] = {.key = "g", .node_id = 1, .host = address_, .port = 9092};
        return {.node_id = 1, .host = address_, .port = 9092, .coordinators = told};
    }
    wire::JoinGroupResponse join(const wire::JoinGroupRequest& request, Arena& memory) {
        if (request.member_id.empty()) return {.error_code = Error::member_id_required, .member_id = "m-1"};
        const auto members = memory.make<wire::JoinGroupResponse::Member>(1);
        members[0] = {.member_id = "m-1", .metadata = memory.copy(request.protocols[0].metadata)};
        return {.generation_id = 1,
                .protocol_type = std::string_view("consumer"),
                .protocol_name = std::string_view("range"),
                .leader = "m-1",
                .member_id = "m-1",
                .members = members};
    }
    wire::SyncGroupResponse sync(const wire::SyncGroupRequest& request, Arena& memory) {
        REQUIRE(request.assignments.size() == 1);
        return {.assignment = memory.copy(request.assignments[0].assignment)};
    }
    wire::HeartbeatResponse heartbeat(const wire::HeartbeatRequest&, Arena&) { return {}; }
    wire::OffsetCommitResponse commit(const wire::OffsetCommitRequest& request, Arena&) {
        for (const auto& p : request.topics[0].partitions) committed[p.partition_index] = p.committed_offset;
        return {};
    }

    static constexpr Uuid topic_id{{1, 2, 3}};
    Io& io_;
    std::string address_;
};

}  // namespace millrace::client_test
