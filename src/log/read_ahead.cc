// Fetching ahead of readers.
#include "read_ahead.h"

namespace millrace {

const ReadAhead::Stream* ReadAhead::stream_at(const BlockCache::Place& place) const {
    const auto is_it = [&](const Stream& stream) {
        return stream.used > 0 && stream.key == place.key && stream.position == place.position;
    };
    const auto found = std::ranges::find_if(streams_, is_it);
    return found == streams_.end() ? nullptr : &*found;
}

// Those that went on lately share an eighth of the cache.
uint64_t ReadAhead::window_limit() const {
    constexpr uint64_t share = 8, lately = 2 * streams_max;
    const auto is_active = [&](const Stream& stream) {
        return stream.window > 0 && stream.used + lately > uses_;
    };
    const auto active = static_cast<uint64_t>(std::ranges::count_if(streams_, is_active));
    const uint64_t each = cache_.bytes_max() / share / std::max<uint64_t>(active, 1);
    return std::clamp<uint64_t>(each, Block::size_max, window_max);
}

void ReadAhead::fetch(const BlockCache::Place& place, uint64_t bytes) {
    const uint64_t until = std::min(place.file_end, place.position + bytes);
    BlockCache::Place ahead = place;
    for (; ahead.position < until; ahead.position = (ahead.position / Block::size_max + 1) * Block::size_max)
        if (!cache_.fetch_ahead(ahead)) return;
}

void ReadAhead::begins(const BlockCache::Place& place, uint64_t bytes) {
    const Stream* stream = stream_at(place);
    if (stream && stream->window > 0) fetch(place, std::min(bytes, window_max) + stream->window);
}

void ReadAhead::went_on(const BlockCache::Place& place, uint64_t from, Offset next) {
    constexpr uint64_t window_min = Block::size_max;
    BlockCache::Place began = place;
    began.position = from;
    const Stream* known = stream_at(began);
    Stream* stream = known ? &streams_[static_cast<size_t>(known - streams_.data())]
                           : &*std::ranges::min_element(streams_, {}, &Stream::used);
    const uint64_t grown = std::clamp(stream->window * 2, window_min, window_limit());
    const uint64_t window = known ? grown : from == 0 ? window_min : 0;
    *stream = {.key = place.key, .position = place.position, .window = window, .used = ++uses_, .next = next};
    fetch(place, window);
}

std::optional<uint64_t> ReadAhead::place_of(FileKey key, Offset offset) const {
    for (const Stream& known : streams_)
        if (known.used > 0 && known.next == offset && known.key == key) return known.position;
    return {};
}

void ReadAhead::forget(FileKey key) {
    for (Stream& stream : streams_)
        if (stream.key == key) stream = {};
}

}  // namespace millrace
