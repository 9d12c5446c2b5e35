// What Apache Kafka wrote, we read and write again to the same bytes.
#include "tests/wire/golden.h"

#include <cstdio>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "millrace/wire/frame.h"

namespace millrace::wire::test {
namespace {

constexpr int32_t correlation_id = 0x01020304;  // In every frame of the golden files.

Bytes without_size(const Golden& g) { return Bytes(g.frame).subspan(4); }
bool is_request(const Golden& g) { return g.message.ends_with("Request"); }

// Unknown tags are skipped, not kept: such a message becomes the one of its version that has none.
const Golden& expected(const std::vector<Golden>& all, const Golden& g) {
    if (g.kind != "unknown_tag") return g;
    return *std::ranges::find_if(all, [&](const Golden& other) {
        return other.message == g.message && other.version == g.version && other.kind == "populated";
    });
}

size_t count_identical(const std::vector<Golden>& all) {
    Arena memory;
    Writer out;
    size_t identical = 0;
    for (const Golden& g : all) {
        memory.reset();
        out.clear();
        const bool decoded = all_messages().at(g.message).recode(g.body, g.version, memory, out);
        const bool same = decoded && std::ranges::equal(out.copy(), expected(all, g).body);
        CHECK_MESSAGE(same, g.title(), " ", to_hex(out.copy()), " is not ", to_hex(g.body));
        identical += same;
    }
    return identical;
}

// Kafka's JSON with the names of fields in lower case, ours without underscores: then they are the same.
nlohmann::json with_plain_names(const nlohmann::json& json) {
    if (!json.is_structured()) return json;
    nlohmann::json plain = json.is_array() ? nlohmann::json::array() : nlohmann::json::object();
    for (const auto& [key, value] : json.items()) {
        if (json.is_array()) {
            plain.push_back(with_plain_names(value));
            continue;
        }
        std::string name;
        for (char c : key) {
            if (c != '_') name += static_cast<char>(std::tolower(c));
        }
        plain[name] = with_plain_names(value);
    }
    return plain;
}

bool is_same_json(const std::string& ours, const std::string& kafkas) {
    return with_plain_names(nlohmann::json::parse(ours)) == with_plain_names(nlohmann::json::parse(kafkas));
}

// An error message of ours begins as null, Kafka's as empty or null.
std::string with_null_message(std::string json) {
    const std::string empty = "\"errorMessage\":\"\"";
    const size_t at = json.find(empty);
    return at == std::string::npos ? json : json.replace(at, empty.size(), "\"errorMessage\":null");
}

}  // namespace

TEST_CASE("every request and response of Kafka is decoded and encoded to the same bytes") {
    const auto& all = golden(Which::protocol);
    CHECK(all.size() == 1680);
    const size_t identical = count_identical(all);
    std::printf("golden: %zu of %zu protocol messages\n", identical, all.size());
    CHECK(identical == all.size());
}

TEST_CASE("every internal record of Kafka is decoded and encoded to the same bytes") {
    const auto& all = golden(Which::internal);
    CHECK(all.size() == 352);
    const size_t identical = count_identical(all);
    std::printf("golden: %zu of %zu internal records\n", identical, all.size());
    CHECK(identical == all.size());
}

TEST_CASE("every field has the value that Kafka says") {
    size_t equal = 0, count = 0;
    for (Which which : {Which::protocol, Which::internal}) {
        for (const Golden& g : golden(which)) {
            const std::string json = all_messages().at(g.message).json(g.body, g.version);
            const bool same = is_same_json(json, g.json);
            CHECK_MESSAGE(same, g.title(), ": ", json, " is not ", g.json);
            equal += same, count++;
        }
    }
    std::printf("golden: fields of %zu of %zu messages\n", equal, count);
}

TEST_CASE("a fresh message has Kafka's defaults, but null for an error message") {
    for (Which which : {Which::protocol, Which::internal}) {
        for (const Golden& g : golden(which)) {
            if (g.kind != "default") continue;
            const std::string json = all_messages().at(g.message).default_json(g.version);
            CHECK_MESSAGE(is_same_json(json, with_null_message(g.json)), g.title(), ": ", json, " is not ",
                          g.json);
        }
    }
}

TEST_CASE("every frame of Kafka has the header that we read and write") {
    for (const Golden& g : golden(Which::protocol)) {
        INFO(g.title());
        Writer out;
        const Writer::Frame frame = out.begin_frame();
        if (is_request(g)) {
            const auto request = parse_request(without_size(g));
            REQUIRE(request);
            CHECK(request->key == g.key);
            CHECK(request->version == g.version);
            CHECK(request->correlation_id == correlation_id);
            CHECK(request->client_id == "millrace");
            CHECK(request->is_supported());
            CHECK(std::ranges::equal(request->body, g.body));
            encode_request_header(out, *request);
        } else {
            const auto response = parse_response(without_size(g), g.key, g.version);
            REQUIRE(response);
            CHECK(response->correlation_id == correlation_id);
            CHECK(std::ranges::equal(response->body, g.body));
            encode_response_header(out, g.key, g.version, correlation_id);
        }
        out.raw(g.body);
        out.end_frame(frame);
        CHECK(std::ranges::equal(out.view(), g.frame));
        CHECK(frame_size(out.view()) == static_cast<int32_t>(g.frame.size()) - 4);
    }
}

TEST_CASE("every version that we decode has a golden message, and no other has") {
    std::map<std::string, std::pair<int16_t, int16_t>> seen;
    for (Which which : {Which::protocol, Which::internal}) {
        for (const Golden& g : golden(which)) {
            auto [at, fresh] = seen.try_emplace(g.message, g.version, g.version);
            at->second = {std::min(at->second.first, g.version), std::max(at->second.second, g.version)};
        }
    }
    CHECK(seen.size() == all_messages().size());
    for (const auto& [name, uses] : all_messages()) {
        INFO(name);
        CHECK(seen[name].first == uses.api.versions.first);
        CHECK(seen[name].second == uses.api.versions.last);
    }
}

}  // namespace millrace::wire::test
