// Result, the table of errors, big-endian numbers and strong numbers.
#include <set>

#include <doctest/doctest.h>

#include "millrace/base.h"

namespace millrace {
namespace {

Result<int> half(int n) {
    if (n % 2) return Error::invalid_request;
    return n / 2;
}

Result<> even(int n) {
    const auto value = half(n);
    return value.error();
}

TEST_CASE("a result holds a value or says why not") {
    CHECK(half(8).ok());
    CHECK(*half(8) == 4);
    CHECK(half(8).error() == Error::none);
    CHECK(!half(7));
    CHECK(half(7).error() == Error::invalid_request);
}

TEST_CASE("errors pass through unchanged") {
    CHECK(even(2).ok());
    CHECK(even(3).error() == Error::invalid_request);
}

TEST_CASE("a result may hold what can only be moved") {
    Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
    const auto taken = std::move(*result);
    CHECK(*taken == 5);
}

TEST_CASE("every error code has a name of its own and one short sentence") {
    std::set<std::string_view> names;
    for (int code = -1; code <= 133; code++) {
        CAPTURE(code);
        const auto error = error_from_code(static_cast<int16_t>(code));
        REQUIRE(error);
        CHECK(static_cast<int>(*error) == code);
        CHECK(names.insert(error_name(*error)).second);
        const auto message = error_message(*error);
        CHECK(message.size() <= 100);
        CHECK(message.ends_with("."));
        CHECK((message[0] >= 'A' && message[0] <= 'Z'));
    }
    CHECK(names.size() == 135);
    CHECK(!error_from_code(134));
    CHECK(!error_from_code(-2));
    CHECK(error_name(static_cast<Error>(999)) == "UNKNOWN");
}

TEST_CASE("retriable errors are those that Kafka's client retries") {
    for (int code :
         {2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 74, 75, 78, 88, 89, 100, 133})
        CHECK(is_retriable(static_cast<Error>(code)));
    for (int code : {-1, 0, 1, 10, 17, 22, 25, 27, 32, 35, 45, 47, 87, 90})
        CHECK(!is_retriable(static_cast<Error>(code)));
}

TEST_CASE("numbers are big-endian at any alignment") {
    std::array<uint8_t, 16> bytes{};
    for (size_t at = 0; at < 8; at++) {
        store_big<int64_t>(bytes.data() + at, -2);
        CHECK(load_big<int64_t>(bytes.data() + at) == -2);
        store_big<uint32_t>(bytes.data() + at, 0x01020304);
        CHECK(bytes[at] == 1);
        CHECK(load_big<uint16_t>(bytes.data() + at) == 0x0102);
        CHECK(load_big<int8_t>(bytes.data() + at + 3) == 4);
    }
}

TEST_CASE("strong numbers count, compare and measure") {
    Offset offset{5};
    CHECK(offset + 3 == Offset{8});
    CHECK(Offset{8} - offset == 3);
    CHECK(++offset == Offset{6});
    CHECK(Offset{6} < Offset{7});
    CHECK(!std::is_convertible_v<Offset, Position>);
}

}  // namespace
}  // namespace millrace
