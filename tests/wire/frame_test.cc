// Headers, and the table of APIs.
#include "millrace/wire/frame.h"

#include <doctest/doctest.h>

#include "millrace/wire/api_versions.h"
#include "millrace/wire/produce.h"
#include "tests/wire/golden.h"

namespace millrace::wire::test {

TEST_CASE("a header that does not fit its frame is refused") {
    // Produce v9, correlation 1, client id "ab", no tags.
    const std::vector<uint8_t> frame = from_hex(
        "0000"
        "0009"
        "00000001"
        "0002"
        "6162"
        "00");
    CHECK(parse_request(frame));
    for (size_t size = 0; size < frame.size(); size++) CHECK(!parse_request(Bytes(frame).first(size)));
}

TEST_CASE("the client id keeps its old form in flexible versions, and may be null") {
    const auto named =
        parse_request(from_hex("0000"
                               "0009"
                               "00000001"
                               "0002"
                               "6162"
                               "00"));
    REQUIRE(named);
    CHECK(named->body.empty());
    const auto nameless =
        parse_request(from_hex("0000"
                               "0009"
                               "00000001"
                               "ffff"
                               "00"));
    REQUIRE(nameless);
    CHECK(!nameless->client_id);
}

TEST_CASE("an unknown API gives its number and no body") {
    const auto request =
        parse_request(from_hex("7fff"
                               "0001"
                               "00000005"
                               "ffff"));
    REQUIRE(request);
    CHECK(!request->api);
    CHECK(!request->is_supported());
    CHECK(request->key == 0x7fff);
    CHECK(request->correlation_id == 5);
    CHECK(!parse_request(from_hex("ffff"
                                  "0001"
                                  "00000005"
                                  "ffff"))
               ->api);
    CHECK(!parse_request(from_hex("0004"
                                  "0001"
                                  "00000005"
                                  "ffff"))
               ->api);  // LeaderAndIsr is gone.
}

TEST_CASE("a version from the future still has a header") {
    const auto request =
        parse_request(from_hex("0012"
                               "0063"
                               "00000005"
                               "ffff"
                               "00"
                               "0101"));
    REQUIRE(request);
    CHECK(request->api->key == ApiVersionsRequest::api.key);
    CHECK(!request->is_supported());
    CHECK(request->body.size() == 2);
}

TEST_CASE("the response to ApiVersions has header version 0 always") {
    for (const ApiEntry& api : api_table()) {
        INFO(api.name);
        for (int16_t v = api.versions.first; v <= api.versions.last; v++) {
            const bool flexible = v >= api.flexible_since;
            CHECK(request_header_version(api, v) == (flexible ? 2 : 1));
            CHECK(response_header_version(api, v) == (flexible && api.key != 18 ? 1 : 0));
        }
    }
}

TEST_CASE("the table has Kafka's 75 client APIs with 71 and 72, and its 12 for controllers") {
    size_t clients = 0, controllers = 0;
    for (const ApiEntry& api : api_table()) {
        CHECK(find_api(api.key) == &api);
        (api.is_for_clients() ? clients : controllers)++;
    }
    CHECK(clients == 77);
    CHECK(controllers == 12);
    CHECK(find_api(0)->advertised.first == 0);
    CHECK(find_api(0)->versions.first == 3);
    CHECK(find_api(22)->advertised.last == 5);
    CHECK(!find_api(-1));
    CHECK(!find_api(93));
}

}  // namespace millrace::wire::test
