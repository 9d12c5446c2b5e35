// Uuid and Kafka's text form of it.
#include <doctest/doctest.h>

#include "millrace/base.h"

namespace millrace {
namespace {

TEST_CASE("the text form is URL-safe base64 without padding") {
    Uuid id;
    CHECK(id.is_zero());
    CHECK(id.to_text() == "AAAAAAAAAAAAAAAAAAAAAA");
    for (size_t i = 0; i < 16; i++) id.bytes[i] = static_cast<uint8_t>(0xff - i);
    CHECK(id.to_text() == "__79_Pv6-fj39vX08_Lx8A");
    CHECK(!id.is_zero());
}

TEST_CASE("every id comes back from its text") {
    for (int seed = 0; seed < 200; seed++) {
        Uuid id;
        for (size_t i = 0; i < 16; i++)
            id.bytes[i] = static_cast<uint8_t>(seed * 31 + static_cast<int>(i) * 77);
        CHECK(id.to_text().size() == 22);
        CHECK(Uuid::from_text(id.to_text()) == id);
    }
}

TEST_CASE("text of another length or with other letters is refused") {
    CHECK(!Uuid::from_text(""));
    CHECK(!Uuid::from_text("AAAAAAAAAAAAAAAAAAAAA"));
    CHECK(!Uuid::from_text("AAAAAAAAAAAAAAAAAAAAAAA"));
    CHECK(!Uuid::from_text("AAAAAAAAAAA+AAAAAAAAAA"));
    CHECK(!Uuid::from_text("AAAAAAAAAAAAAAAAAAAA=="));
}

}  // namespace
}  // namespace millrace
