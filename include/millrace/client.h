// A Kafka client on the seam: connections, metadata, producing, consuming, groups. The command line, the load
// generator and the simulator's workload use it, on UringIo and SimIo alike.
//
// Everything belongs to the shard whose Io it was made with. Whoever owns a ClientConnection or a Client
// awaits its close() before destroying it. Failures to reach a broker are network_exception (with the reason
// in failure()) and request_timed_out; all else is what the broker answered.
#pragma once
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "millrace/base.h"
#include "millrace/batch.h"
#include "millrace/io.h"
#include "millrace/task.h"
#include "millrace/wire.h"
#include "millrace/wire/api_versions.h"
#include "millrace/wire/frame.h"
#include "millrace/wire/metadata.h"

namespace millrace::client {

// ---- One connection ------------------------------------------------------------------------------------

struct ClientConnectionOptions {
    std::string client_id = "millrace";
    uint32_t frame_size_max = 512u << 20;  // A longer response breaks the connection.
    uint64_t connect_timeout_ms = 5000;
    uint64_t request_timeout_ms = 40000;  // The broker's own waiting included.
};

// A decoded response together with what it points into.
template <class T> struct Reply {
    std::vector<uint8_t> frame;
    Arena memory;
    T message;
    const T* operator->() const { return &message; }
    const T& operator*() const { return message; }
};

// Requests are sent in the order of the calls and may overlap; responses come in that order. The first
// failure breaks the connection: everything under way and everything later fails with it.
class ClientConnection {
 public:
    explicit ClientConnection(Io& io, ClientConnectionOptions options = {});
    ClientConnection(const ClientConnection&) = delete;
    ~ClientConnection();

    // Connects ("HOST:PORT", see resolve_address) and asks for ApiVersions. Once per object.
    Task<Result<>> open(std::string address);
    // Ends it; what is under way fails with network_exception. May be awaited more than once.
    Task<> close();
    bool is_open() const { return state_ == State::open; }
    // Why it is not open: "127.0.0.1:9092: connection refused".
    const std::string& failure() const { return failure_; }
    size_t under_way() const { return pending_.size(); }
    // As the response to ApiVersions had it; meaningful once open.
    std::span<const wire::ApiVersionsResponse::ApiVersion> api_versions() const { return versions_; }

    // The highest version that both sides speak; nothing when there is none.
    std::optional<int16_t> version_of(const wire::Api& api) const;

    // Sends at once; the task awaits the answer. The request need not outlive the call, but records in it
    // must live until the answer. unsupported_version: the broker does not serve it.
    template <class Response, class Request> Task<Result<Reply<Response>>> call(const Request& request) {
        const auto version = version_of(Request::api);
        auto exchange = std::make_unique<Exchange>(*this);
        if (!version) {
            exchange->finish(Error::unsupported_version);
        } else {
            wire::Writer frame;
            const int32_t correlation_id = next_correlation_id_++;
            wire::encode_request(frame, request, *version, correlation_id,
                                 std::string_view(options_.client_id));
            enqueue(std::move(frame), correlation_id, exchange.get());
        }
        return decode_answer<Response>(std::move(exchange), version.value_or(0));
    }
    // For Produce with acks=0, which has no answer. The records must live until drained() has ended.
    template <class Request> Result<> send_only(const Request& request) {
        const auto version = version_of(Request::api);
        if (!version) return Error::unsupported_version;
        wire::Writer frame;
        wire::encode_request(frame, request, *version, next_correlation_id_++,
                             std::string_view(options_.client_id));
        enqueue(std::move(frame), 0, nullptr);
        return is_open() ? Result<>{} : Result<>{Error::network_exception};
    }

    // Until everything is handed to the kernel, or the connection is broken.
    Task<> drained();

 private:
    enum class State : uint8_t { idle, connecting, open, broken };
    using Frame = std::vector<uint8_t>;

    // One request under way; owned by the coroutine that awaits it.
    struct Exchange {
        explicit Exchange(ClientConnection& owner) : connection(&owner) {}
        ~Exchange() {
            if (connection) connection->abandon(*this);
        }
        void finish(Result<Frame> result) {
            connection = nullptr;
            answer.set(std::move(result));
        }
        ClientConnection* connection;  // Null once it is answered.
        Eventual<Result<Frame>> answer;
    };
    struct Pending {
        int32_t correlation_id;
        uint64_t sent_ns;
        Exchange* exchange;  // Null when nobody waits any more.
    };
    template <void (ClientConnection::*handle)(Outcome)> struct Operation final : Op {
        Operation(ClientConnection& owner, Kind kind) : Op(kind), connection(owner) {}
        void done(Outcome outcome) override { (connection.*handle)(outcome); }
        ClientConnection& connection;
    };

    template <class Response>
    static Task<Result<Reply<Response>>> decode_answer(std::unique_ptr<Exchange> exchange, int16_t version) {
        Result<Frame> frame = co_await exchange->answer;
        if (!frame) co_return frame.error();
        Reply<Response> reply{.frame = std::move(*frame)};
        const auto response = wire::parse_response(reply.frame, Response::api.key, version);
        if (!response) co_return Error::network_exception;
        auto message = wire::decode<Response>(response->body, version, reply.memory);
        if (!message) co_return Error::network_exception;
        reply.message = *message;
        co_return reply;
    }

    Task<Result<>> negotiate();
    Task<Result<Frame>> ask_versions(int16_t version);
    bool take_versions(Bytes frame, int16_t version);
    void enqueue(wire::Writer frame, int32_t correlation_id, Exchange* exchange);
    void abandon(Exchange& exchange);
    void send_more();
    void on_connected(Outcome outcome);
    void on_sent(Outcome outcome);
    void on_received(Outcome outcome);
    void on_timer(Outcome outcome);
    void arm_timer();
    void take_frames();
    void answer_front(Frame frame);
    void break_off(std::string reason, Error error);
    bool is_quiet() const;

    Io& io_;
    ClientConnectionOptions options_;
    State state_ = State::idle;
    std::string address_;
    std::string failure_;
    int fd_ = -1;
    int32_t next_correlation_id_ = 1;
    std::vector<wire::ApiVersionsResponse::ApiVersion> versions_;

    Operation<&ClientConnection::on_connected> connect_;
    Operation<&ClientConnection::on_sent> send_;
    Operation<&ClientConnection::on_received> receive_;
    Operation<&ClientConnection::on_timer> timer_;
    bool handling_ = false;  // Inside one of the above.

    std::deque<wire::Writer> out_;    // Not yet sent; the first `sending_` of them are under way.
    std::vector<Bytes> pieces_left_;  // Of what is under way.
    std::vector<Piece> pieces_;
    size_t sending_ = 0;
    std::vector<uint8_t> in_;  // Received and not yet a whole frame.
    std::deque<Pending> pending_;
    Eventual<Result<>>* connected_ = nullptr;
    uint64_t connect_deadline_ns_ = 0;
    Signal quiet_;     // No operation is under way.
    Signal progress_;  // Something was sent, or never will be.
};

// "HOST:PORT" with the host as an IP address: literals stay, `localhost` is 127.0.0.1, other names are looked
// up in /etc/hosts. Nothing for a name that is not there.
Task<std::optional<std::string>> resolve_address(Io& io, std::string address);

// ---- A cluster -----------------------------------------------------------------------------------------

struct ClientOptions {
    std::vector<std::string> seeds{"127.0.0.1:9092"};
    ClientConnectionOptions connection;
    uint64_t retry_ms = 30000;  // How long retriable errors are tried again.
    uint64_t backoff_ms = 100;  // Between two tries.
};

struct PartitionInfo {
    int32_t index = 0;
    int32_t leader = -1;
    int32_t leader_epoch = -1;
    std::vector<int32_t> replicas, isr;
    Error error = Error::none;
};
struct TopicInfo {
    std::string name;
    Uuid id;
    bool is_internal = false;
    std::vector<PartitionInfo> partitions;  // By index.
};
struct BrokerInfo {
    int32_t id = -1;
    std::string address;
    std::string rack;
};

enum class AutoCreate : uint8_t { no, yes };

// Connections to the brokers of one cluster, and what its metadata said last.
class Client {
 public:
    explicit Client(Io& io, ClientOptions options = {});
    Client(const Client&) = delete;
    ~Client();

    Task<> close();

    // Connects to the first seed that answers, if not yet connected, and reads metadata of these topics (all
    // of them without any). The first topic's error, if one has one.
    Task<Result<>> refresh(std::vector<std::string> topics, AutoCreate auto_create = AutoCreate::no);
    // The same, trying again while the topic has no leader; up to retry_ms.
    Task<Result<>> ready(std::string topic, AutoCreate auto_create = AutoCreate::no);

    const TopicInfo* topic(std::string_view name) const;
    const std::map<std::string, TopicInfo, std::less<>>& topics() const { return topics_; }
    const std::map<int32_t, BrokerInfo>& brokers() const { return brokers_; }
    const std::string& cluster_id() const { return cluster_id_; }
    int32_t controller() const { return controller_; }
    const std::string& failure() const { return failure_; }
    Io& io() { return io_; }
    const ClientOptions& options() const { return options_; }

    // An open connection, shared by all who ask; owned by the client. Valid until the next co_await.
    Task<Result<ClientConnection*>> any();
    Task<Result<ClientConnection*>> node(int32_t id);
    Task<Result<ClientConnection*>> leader(std::string topic, int32_t partition);
    Task<Result<ClientConnection*>> coordinator(std::string group);
    void forget_coordinator(std::string_view group);

    // One request to any broker, to the controller, or to a group's coordinator. What the request points to
    // must outlive the task.
    template <class Response, class Request> Task<Result<Reply<Response>>> ask_any(Request request) {
        Result<ClientConnection*> connection = co_await any();
        if (!connection) co_return connection.error();
        Task<Result<Reply<Response>>> answer = (*connection)->call<Response>(request);
        co_return co_await answer;
    }
    template <class Response, class Request> Task<Result<Reply<Response>>> ask_controller(Request request) {
        if (controller_ < 0) {
            Result<> known = co_await refresh({});
            if (!known) co_return known.error();
        }
        Result<ClientConnection*> connection = co_await node(controller_);
        if (!connection) co_return connection.error();
        Task<Result<Reply<Response>>> answer = (*connection)->call<Response>(request);
        co_return co_await answer;
    }
    template <class Response, class Request>
    Task<Result<Reply<Response>>> ask_coordinator(std::string group, Request request) {
        Result<ClientConnection*> connection = co_await coordinator(group);
        if (!connection) co_return connection.error();
        Task<Result<Reply<Response>>> answer = (*connection)->call<Response>(request);
        co_return co_await answer;
    }

    // The first offset at or after a time in ms; -1 latest (the next offset), -2 earliest.
    Task<Result<int64_t>> list_offset(std::string topic, int32_t partition, int64_t timestamp);

 private:
    Task<Result<ClientConnection*>> open(std::string address);
    void take_metadata(const wire::MetadataResponse& metadata);

    Io& io_;
    ClientOptions options_;
    std::string failure_;
    std::map<std::string, std::unique_ptr<ClientConnection>> connections_;  // By address.
    std::vector<std::unique_ptr<ClientConnection>> broken_;                 // Closed by close().
    std::map<int32_t, BrokerInfo> brokers_;
    std::map<std::string, TopicInfo, std::less<>> topics_;
    std::map<std::string, std::string, std::less<>> coordinators_;  // Group -> address.
    std::string cluster_id_;
    int32_t controller_ = -1;
};

// The partition that Java's default partitioner gives a key: murmur2 mod count.
int32_t partition_of_key(Bytes key, int32_t partition_count);
uint32_t murmur2(Bytes bytes);

// ---- Producing -----------------------------------------------------------------------------------------

struct ProducerOptions {
    int16_t acks = -1;
    size_t batch_size = 16384;  // A batch is closed when the next record would make it longer.
    Codec codec = Codec::none;
    bool idempotent = false;  // Sequence numbers, so that a repeated batch is stored once. Needs acks = -1.
    AutoCreate auto_create = AutoCreate::no;
    int32_t timeout_ms = 30000;  // The broker's.
};

struct OutgoingRecord {
    std::optional<Bytes> key, value;
    std::span<const RecordHeader> headers;
    std::optional<int64_t> timestamp;  // Else now.
    std::optional<int32_t> partition;  // Else by key, else one batch after another by turns.
};

// What became of one batch.
struct Produced {
    int32_t partition = 0;
    int64_t base_offset = -1;  // -1 with acks = 0.
    int32_t count = 0;
    Error error = Error::none;
    std::string message;  // The broker's, if it gave one.
};

// Collects records of one topic in batches and sends them. A record is in exactly one batch; batches of a
// partition are sent one after the other, of different partitions at once.
class Producer {
 public:
    Producer(Client& client, std::string topic, ProducerOptions options = {});

    // Metadata, and a producer id if idempotent.
    Task<Result<>> open();
    int32_t partition_count() const;
    // Copies the record. invalid_partitions: there is no such partition.
    Result<> add(const OutgoingRecord& record);
    // Bytes that wait to be sent.
    size_t waiting() const { return waiting_; }
    // Sends everything. Retriable errors are tried again for Client::options().retry_ms; without idempotence
    // a batch whose answer was lost may be stored twice.
    Task<std::vector<Produced>> flush();

 private:
    struct Batch {
        std::vector<uint8_t> bytes;
        int32_t count;
    };
    struct Lane {  // One partition's.
        BatchBuilder builder;
        std::deque<Batch> closed;
        int32_t next_sequence = 0;
    };
    int32_t choose_partition(const OutgoingRecord& record);
    void close_batch(Lane& lane);
    Task<std::vector<Produced>> send_lane(int32_t partition);
    Task<Produced> send_batch(int32_t partition, Batch batch);
    Task<Produced> send_once(int32_t partition, const Batch& batch);

    Client& client_;
    std::string topic_;
    ProducerOptions options_;
    std::vector<Lane> lanes_;
    Compressor compressor_;
    ProducerId producer_id_{-1};
    int16_t producer_epoch_ = -1;
    int32_t turn_ = 0;  // The partition for records without a key.
    size_t waiting_ = 0;
};

// ---- Consuming -----------------------------------------------------------------------------------------

struct FetchOptions {
    int32_t max_wait_ms = 500;
    int32_t min_bytes = 1;
    int32_t max_bytes = 50 << 20;
    int32_t partition_max_bytes = 1 << 20;
    bool read_committed = false;
};

// What one partition gave.
struct Fetched {
    int32_t partition = 0;
    Error error = Error::none;
    int64_t high_watermark = -1;
    int64_t log_start_offset = -1;
    std::vector<uint8_t> records;  // Whole batches back to back, perhaps a cut-off one last.
};

// One record as a consumer sees it; owns its bytes.
struct ConsumedRecord {
    int32_t partition = 0;
    int64_t offset = 0;
    int64_t timestamp = -1;
    std::optional<std::string> key, value;
    std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

// Reads partitions of one topic from positions on. Control batches are left out.
class Consumer {
 public:
    Consumer(Client& client, std::string topic, FetchOptions options = {});

    void assign(std::map<int32_t, int64_t> positions);  // Partition -> the offset to read next.
    const std::map<int32_t, int64_t>& positions() const { return positions_; }

    // One fetch per leader, at once. Positions move behind what is returned. Retriable errors give nothing
    // and are tried again by the next poll; offset_out_of_range and others are returned.
    Task<Result<std::vector<ConsumedRecord>>> poll();
    // Where the partition ended at the last poll; -1 when not known.
    int64_t high_watermark(int32_t partition) const;

 private:
    Task<Result<std::vector<Fetched>>> fetch_from(int32_t node, std::vector<int32_t> partitions);
    Error take(const Fetched& fetched, std::vector<ConsumedRecord>& out);

    Client& client_;
    std::string topic_;
    FetchOptions options_;
    std::map<int32_t, int64_t> positions_;
    std::map<int32_t, int64_t> high_watermarks_;
    Decompressor decompressor_;
};

// ---- Groups --------------------------------------------------------------------------------------------

struct GroupOptions {
    std::string group;
    std::vector<std::string> topics;
    int32_t session_timeout_ms = 45000;
    int32_t rebalance_timeout_ms = 60000;
    std::optional<std::string> instance_id;  // KIP-345: a static member.
};

using TopicPartitions = std::map<std::string, std::vector<int32_t>>;
using TopicOffsets = std::map<std::string, std::map<int32_t, int64_t>>;

// One member of a classic group (range assignor). Its owner calls heartbeat() at least every third of the
// session timeout, and join() when that says rebalance_in_progress, unknown_member_id or illegal_generation.
class GroupMember {
 public:
    GroupMember(Client& client, GroupOptions options);

    // Enters the group, again if need be; ends when this member has its assignment.
    Task<Result<TopicPartitions>> join();
    Task<Result<>> heartbeat();
    Task<Result<>> leave();
    // Offsets are those to read next. The first partition's error, if one has one.
    Task<Result<>> commit(TopicOffsets offsets);

    const std::string& member_id() const { return member_id_; }
    int32_t generation() const { return generation_; }
    bool is_leader() const { return leader_ == member_id_; }

 private:
    Task<Result<>> enter();
    Task<Result<TopicPartitions>> synchronise();
    bool is_over(Error error);

    Client& client_;
    GroupOptions options_;
    std::string member_id_;
    std::string leader_;
    std::string protocol_;
    int32_t generation_ = -1;
    std::map<std::string, std::vector<std::string>> members_;  // Member -> its topics; for the leader.
};

// Member -> topic -> partitions, as Java's RangeAssignor: per topic, consecutive ranges, the first members
// one more where it does not divide.
std::map<std::string, TopicPartitions> assign_ranges(
    const std::map<std::string, std::vector<std::string>>& members,
    const std::map<std::string, int32_t>& partition_counts);

// What a member's assignment bytes say; nothing where they are not of the consumer protocol.
TopicPartitions parse_assignment(Bytes bytes);

// What the group committed, of every partition that it has an offset for.
Task<Result<TopicOffsets>> committed_offsets(Client& client, std::string group);

// ---- Administration ------------------------------------------------------------------------------------

// Kafka's error with the broker's own words, if it gave any.
struct AdminOutcome {
    Error error = Error::none;
    std::string message;
    bool ok() const { return error == Error::none; }
};

struct NewTopic {
    std::string name;
    int32_t partitions = -1;  // -1: the broker's default.
    int16_t replication_factor = -1;
    std::vector<std::pair<std::string, std::string>> configs;
};
struct CreatedTopic {
    AdminOutcome outcome;
    int32_t partitions = -1;
    int16_t replication_factor = -1;
};
enum class ValidateOnly : uint8_t { no, yes };

Task<CreatedTopic> create_topic(Client& client, NewTopic topic,
                                ValidateOnly validate_only = ValidateOnly::no);
Task<AdminOutcome> delete_topic(Client& client, std::string name);

struct DescribedConfig {
    std::string name;
    std::optional<std::string> value;
    int8_t source = 0;  // As ConfigSource in config.h.
};
Task<Result<std::vector<DescribedConfig>>> topic_configs(Client& client, std::string name);

struct ListedGroup {
    std::string group, protocol_type, state, type;
};
// Of every broker.
Task<Result<std::vector<ListedGroup>>> list_groups(Client& client);

struct DescribedMember {
    std::string id, client_id, host;
    std::optional<std::string> instance_id;
    TopicPartitions assignment;
};
struct DescribedGroup {
    AdminOutcome outcome;
    std::string state, protocol_type, protocol;
    std::vector<DescribedMember> members;
};
Task<DescribedGroup> describe_group(Client& client, std::string group);

}  // namespace millrace::client
