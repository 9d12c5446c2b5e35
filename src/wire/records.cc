// What stands before the body of an internal record: type and version.
#include "millrace/wire.h"
#include "millrace/wire/codec.h"

namespace millrace::wire {

std::optional<NumberedBody> parse_numbered(Bytes bytes) {
    if (bytes.size() < 2) return {};
    return NumberedBody{load_big<int16_t>(bytes.data()), bytes.subspan(2)};
}

std::optional<MetadataBody> parse_metadata_record(Bytes bytes) {
    Arena unused;
    Decoder decoder{bytes, 0, true, unused};
    const uint32_t frame_version = decoder.uvarint();
    const uint32_t type = decoder.uvarint();
    const uint32_t version = decoder.uvarint();
    const uint32_t last = std::numeric_limits<int16_t>::max();
    if (!decoder.ok() || frame_version != 1 || type > last || version > last) return {};
    return MetadataBody{static_cast<int16_t>(type), static_cast<int16_t>(version), decoder.rest()};
}

void Printer::print(String x) {
    static constexpr size_t shown_max = 200;
    out_ += '"';
    for (char c : x.substr(0, shown_max)) out_ += c < ' ' || c == '"' || c == 0x7f ? '?' : c;
    out_ += x.size() > shown_max ? "...\"" : "\"";
}

}  // namespace millrace::wire
