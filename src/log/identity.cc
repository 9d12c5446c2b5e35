// node.meta: whose data directory this is, twice with a checksum each, in one file.
//
// Each copy fills a block: magic, format, node id, directory id, length and text of the cluster id, XXH3.
#include "identity.h"

#include <cerrno>

#include "files.h"
#include "layout.h"

namespace millrace {

namespace {

constexpr uint64_t identity_magic = 0x61746d2e65646f6e;  // "node.mta"
constexpr size_t text_max = 255, hash_at = block_size - 8;

struct Copy {
    uint64_t magic = identity_magic;
    uint32_t format = 1;
    int32_t node = -1;
    std::array<uint8_t, 16> directory{};
    uint8_t text_size = 0;
    std::array<char, text_max> text{};
};
static_assert(sizeof(Copy) <= hash_at);

std::string path_of(std::string_view directory) { return std::string{directory} + "/node.meta"; }

std::vector<uint8_t> encode(const NodeIdentity& identity) {
    ASSERT(identity.cluster_id.size() <= text_max);
    Copy copy{.node = identity.node.value,
              .directory = identity.directory_id.bytes,
              .text_size = static_cast<uint8_t>(identity.cluster_id.size())};
    std::copy(identity.cluster_id.begin(), identity.cluster_id.end(), copy.text.begin());
    std::vector<uint8_t> bytes(2 * block_size);
    std::memcpy(bytes.data(), &copy, sizeof copy);
    const uint64_t hash = hash64({bytes.data(), hash_at});
    std::memcpy(bytes.data() + hash_at, &hash, sizeof hash);
    std::copy_n(bytes.data(), block_size, bytes.data() + block_size);
    return bytes;
}

std::optional<NodeIdentity> decode(Bytes block) {
    uint64_t hash;
    std::memcpy(&hash, block.data() + hash_at, sizeof hash);
    if (hash != hash64(block.first(hash_at))) return {};
    Copy copy;
    std::memcpy(&copy, block.data(), sizeof copy);
    if (copy.magic != identity_magic || copy.format != 1) return {};
    return NodeIdentity{.node = NodeId{copy.node},
                        .directory_id = Uuid{copy.directory},
                        .cluster_id = std::string{copy.text.data(), copy.text_size}};
}

}  // namespace

Task<Result<IdentityCopies>> read_identity_copies(Io& io, std::string directory) {
    const auto bytes = co_await read_file(io, path_of(directory), 1 << 20);
    if (!bytes) co_return bytes.error();
    const auto copy = [&](size_t at) {
        return at + block_size <= bytes->size() ? decode(Bytes{*bytes}.subspan(at, block_size))
                                                : std::nullopt;
    };
    co_return IdentityCopies{copy(0), copy(block_size)};
}

Task<Result<std::optional<NodeIdentity>>> read_identity(Io& io, std::string directory) {
    auto bytes = co_await read_file(io, path_of(directory), 1 << 20);
    if (!bytes && bytes.error() == Error::resource_not_found) co_return std::optional<NodeIdentity>{};
    if (!bytes) co_return bytes.error();
    std::optional<NodeIdentity> identity;
    bool is_intact = bytes->size() == 2 * block_size;
    for (size_t at = 0; at + block_size <= bytes->size(); at += block_size) {
        auto copy = decode(Bytes{*bytes}.subspan(at, block_size));
        is_intact = is_intact && copy;
        if (copy && !identity) identity = std::move(copy);
    }
    if (identity && !is_intact) {
        io.log().warn("log", "a copy in node.meta is damaged and made anew", {{"directory", directory}});
        auto mended = co_await write_identity(io, directory, *identity);
        if (!mended) co_return mended.error();
    }
    if (identity) co_return identity;
    io.log().error("log", "node.meta is damaged: whose directory this is cannot be told",
                   {{"directory", directory}});
    co_return Error::kafka_storage_error;
}

Task<Result<>> write_identity(Io& io, std::string directory, NodeIdentity identity) {
    if (identity.cluster_id.size() > text_max) co_return Error::invalid_request;
    auto result = co_await make_root(io, directory);
    if (result) result = co_await write_file(io, path_of(directory), encode(identity), Sync::yes);
    if (result) result = co_await sync_directory(io, directory);
    if (!result) co_return told_outside(result.error());
    co_return result;
}

}  // namespace millrace
