// Untrusted bytes: every length is checked against what is left.
#include "subscription.h"

namespace millrace::coordinator {

bool add_subscribed_topics(Bytes metadata, std::set<std::string, std::less<>>& topics) {
    constexpr size_t header_size = 2 + 4;  // int16 version, int32 count.
    if (metadata.size() < header_size || load_big<int16_t>(metadata.data()) < 0) return false;
    const auto count = load_big<int32_t>(metadata.data() + 2);
    Bytes rest = metadata.subspan(header_size);
    for (int32_t i = 0; i < count; i++) {
        if (rest.size() < 2) return false;
        const auto size = load_big<int16_t>(rest.data());
        rest = rest.subspan(2);
        if (size < 0 || rest.size() < static_cast<size_t>(size)) return false;
        topics.emplace(as_text(rest.first(static_cast<size_t>(size))));
        rest = rest.subspan(static_cast<size_t>(size));
    }
    return count >= 0;
}

}  // namespace millrace::coordinator
