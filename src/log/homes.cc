// The file `homes`: a head, one pair of numbers for every partition that was moved, XXH3 of all before it.
#include "millrace/homes.h"

#include "files.h"
#include "layout.h"

namespace millrace {

namespace {

constexpr uint64_t homes_magic = 0x73656d6f682e726d;  // "mr.homes"
constexpr size_t moved_max = 16'000'000;

struct Head {
    uint64_t magic = homes_magic;
    uint32_t format = 1;
    uint32_t shards = 0;
    uint64_t generation = 0;
    uint32_t has_newest = 0;
    uint32_t slot = 0, from = 0, to = 0;  // Of the newest move.
    uint64_t count = 0;
};
static_assert(sizeof(Head) == 48);

struct Pair {
    uint32_t slot = 0, home = 0;
};
static_assert(sizeof(Pair) == 8);

std::string path_of(std::string_view directory) { return std::string{directory} + "/homes"; }

std::vector<uint8_t> encode(const Homes& homes) {
    Head head{.shards = homes.shards, .generation = homes.generation, .count = homes.moved.size()};
    if (homes.newest)
        head.has_newest = 1, head.slot = homes.newest->slot.value, head.from = homes.newest->from.value,
        head.to = homes.newest->to.value;
    std::vector<uint8_t> bytes(sizeof head + homes.moved.size() * sizeof(Pair) + sizeof(uint64_t));
    std::memcpy(bytes.data(), &head, sizeof head);
    uint8_t* at = bytes.data() + sizeof head;
    for (const auto& [slot, home] : homes.moved) {
        const Pair pair{.slot = slot.value, .home = home.value};
        std::memcpy(at, &pair, sizeof pair);
        at += sizeof pair;
    }
    const uint64_t hash = hash64({bytes.data(), bytes.size() - sizeof hash});
    std::memcpy(at, &hash, sizeof hash);
    return bytes;
}

std::optional<Homes> decode(Bytes bytes) {
    Head head;
    uint64_t hash;
    if (bytes.size() < sizeof head + sizeof hash) return {};
    std::memcpy(&hash, bytes.data() + bytes.size() - sizeof hash, sizeof hash);
    if (hash != hash64(bytes.first(bytes.size() - sizeof hash))) return {};
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.magic != homes_magic || head.format != 1 || head.count > moved_max) return {};
    if (bytes.size() != sizeof head + head.count * sizeof(Pair) + sizeof hash) return {};
    Homes homes{.shards = static_cast<uint16_t>(head.shards), .generation = head.generation};
    const auto shard = [](uint32_t number) { return ShardId{static_cast<uint16_t>(number)}; };
    if (head.has_newest) homes.newest = {Slot{head.slot}, shard(head.from), shard(head.to)};
    for (size_t i = 0; i < head.count; i++) {
        Pair pair;
        std::memcpy(&pair, bytes.data() + sizeof head + i * sizeof pair, sizeof pair);
        homes.moved.emplace(Slot{pair.slot}, shard(pair.home));
    }
    return homes;
}

}  // namespace

Task<Result<Homes>> read_homes(Io& io, std::string directory, uint16_t shards) {
    const auto bytes = co_await read_file(io, path_of(directory), moved_max * sizeof(Pair) + block_size);
    if (!bytes && bytes.error() == Error::resource_not_found) co_return Homes{.shards = shards};
    if (!bytes) co_return bytes.error();
    auto homes = decode(*bytes);
    if (!homes) {
        io.log().error("log", "the file homes is damaged: every shard reads all journals",
                       {{"directory", directory}});
        co_return Homes{.shards = shards, .is_lost = true};
    }
    if (homes->shards != shards) co_return Homes{.shards = shards, .generation = homes->generation};
    co_return std::move(*homes);
}

Task<Result<>> write_homes(Io& io, std::string directory, Homes homes) {
    auto result = co_await write_file(io, path_of(directory), encode(homes), Sync::yes);
    if (result) result = co_await sync_directory(io, directory);
    if (!result) co_return told_outside(result.error());
    co_return result;
}

}  // namespace millrace
