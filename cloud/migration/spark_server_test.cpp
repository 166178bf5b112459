// SPDX-License-Identifier: Apache-2.0
#include "cloud/migration/spark_server.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "cloud/hooks/hook.hpp"
#include "cloud/migration/limits.hpp"
#include "cloud/store/limits.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::migration {
namespace {

using nlohmann::json;

constexpr Instant kNow{1'795'990'400'000};  // a minute after the data was written

std::string read(const std::string& name) {
    std::ifstream file{std::string{SOTTO_SOURCE_DIR} + "/tests/spark_server/db/" + name};
    return {std::istreambuf_iterator<char>{file}, {}};
}

model::TokenHash hash(std::string_view text) {
    model::TokenHash result;
    for (std::size_t i = 0; i < text.size(); ++i)
        result.bytes[i % 32] = static_cast<std::uint8_t>(result.bytes[i % 32] * 7 + text[i]);
    return result;
}

SparkServerTools tools() {
    return {.hash = hash,
            .read_device_key = [](std::string_view pem) -> Result<std::vector<std::uint8_t>> {
                if (!pem.starts_with("-----BEGIN PUBLIC KEY")) return Error::Malformed;
                return std::vector<std::uint8_t>(pem.begin(), pem.end());
            },
            .now = kNow};
}

// One document in each line.
std::string file(const std::vector<json>& documents) {
    std::string text;
    for (const json& document : documents) text += document.dump() + "\n";
    return text;
}

json user(const std::string& id, const std::string& name) {
    return {{"_id", id}, {"username", name}, {"salt", "s"}, {"passwordHash", "h"}};
}

json device(const std::string& id, const std::string& owner, const std::string& name) {
    return {{"_id", id + owner}, {"deviceID", id}, {"ownerID", owner}, {"name", name}};
}

json key(const std::string& id, const std::string& tail) {
    return {{"_id", id + tail}, {"deviceID", id}, {"key", "-----BEGIN PUBLIC KEY" + tail}};
}

json hook(const std::string& owner, const std::string& event) {
    return {{"_id", "hook of " + event},
            {"ownerID", owner},
            {"event", event},
            {"url", "https://example.com/"},
            {"requestType", "POST"}};
}

json token(const std::string& text, std::int64_t end_ms) {
    return {{"accessToken", text}, {"accessTokenExpiresAt", {{"$$date", end_ms}}}};
}

const std::string kOne = "0123456789abcdef00000001";
const std::string kTwo = "0123456789abcdef00000002";

std::vector<std::string> about(const SparkServer& server, const std::string& what) {
    std::vector<std::string> lines;
    for (const Remark& remark : server.remarks) {
        if (remark.what == what) lines.push_back(remark.name + ": " + remark.why);
    }
    return lines;
}

bool says(const SparkServer& server, const std::string& what, const std::string& part) {
    for (const std::string& line : about(server, what)) {
        if (line.find(part) != std::string::npos) return true;
    }
    return false;
}

TEST(SparkServer, WhatARealOneKeepsIsUnderstood) {
    const SparkServer server = read_spark_server({.users = read("users.db"),
                                                  .device_attributes = read("deviceAttributes.db"),
                                                  .device_keys = read("deviceKeys.db"),
                                                  .webhooks = read("webhooks.db"),
                                                  .products = read("products.db")},
                                                 tools())
                                   .value();
    const auto& users = server.arrivals.users;
    ASSERT_EQ(users.size(), 3U);
    EXPECT_EQ(users[0].name, "__admin__");
    EXPECT_TRUE(users[0].tokens.empty());
    EXPECT_TRUE(says(server, "tokens", "__admin__: 1 left out: good for centuries"));
    EXPECT_EQ(users[1].name, "ann@example.com");
    ASSERT_EQ(users[1].tokens.size(), 1U);
    EXPECT_EQ(users[1].tokens[0].hash, hash("d961efc8b857a7cb92096c2fb077208b9540d3d4"));
    EXPECT_EQ(users[1].tokens[0].expires_at, Instant{1'803'766'316'567});
    EXPECT_EQ(server.passwords[1].hash.size(), 88U);
    ASSERT_EQ(users[1].devices.size(), 2U);
    const model::OpenDeviceRecord& lamp = users[1].devices[0];
    EXPECT_EQ(to_hex<std::string>(lamp.device), kOne);
    EXPECT_EQ(lamp.name, "lamp");
    EXPECT_EQ(lamp.traces.heard_at, Instant{1'795'990'317'219});
    EXPECT_EQ(lamp.traces.address, "127.0.0.1");
    EXPECT_EQ(lamp.traces.platform_id, 103);
    EXPECT_EQ(lamp.traces.firmware_version, 8);
    EXPECT_EQ(users[2].devices.at(0).name,
              "K\xc3\xbc"
              "che");
    EXPECT_EQ(server.arrivals.keys.size(), 3U);
    ASSERT_EQ(users[1].hooks.size(), 1U);
    const auto temp = hooks::parse_hook(json::parse(users[1].hooks[0].definition)).value();
    EXPECT_EQ(temp.event, "temp");
    EXPECT_FALSE(temp.has_checked_peer);
    EXPECT_EQ(temp.login->second, "p");
    ASSERT_EQ(users[2].hooks.size(), 1U);
    EXPECT_EQ(server.hook_names[1].host, "192.168.1.5");
    EXPECT_TRUE(says(server, "webhook", "old: left out: url: an event cannot say which host"));
    EXPECT_TRUE(about(server, "file").empty());
}

TEST(SparkServer, UsersKeepTheirNamesOrGetThoseThatTheOperatorGives) {
    SparkServerTools with_names = tools();
    with_names.names = {{"__admin__", "owner"}};
    const SparkServerFiles files{.users = file({user("1", "__admin__"),
                                                user("2", "ann"),
                                                user("3", "ann"),
                                                user("4", std::string(kUserNameSizeMax + 1, 'a')),
                                                user("5", "a\nb"),
                                                user("6", std::string(kUserNameSizeMax, 'a'))})};
    const SparkServer server = read_spark_server(files, with_names).value();
    ASSERT_EQ(server.arrivals.users.size(), 3U);
    EXPECT_EQ(server.arrivals.users[0].name, "owner");
    EXPECT_TRUE(server.arrivals.users[0].is_same_as_here);
    EXPECT_FALSE(server.arrivals.users[1].is_same_as_here);
    EXPECT_EQ(about(server, "user").size(), 3U);
    EXPECT_TRUE(says(server, "user", "another of this name before"));
    with_names.names = {{"__admin__", "ann"}};
    EXPECT_FALSE(read_spark_server(files, with_names)) << "two users would be one account";
    with_names.names = {{"nobody", "ann"}};
    EXPECT_FALSE(read_spark_server(files, with_names));
}

TEST(SparkServer, ThereAreNotTooManyUsers) {
    std::vector<json> users;
    for (std::size_t i = 0; i < kUsersMax; ++i)
        users.push_back(user(std::to_string(i), "user" + std::to_string(i)));
    EXPECT_TRUE(read_spark_server({.users = file(users)}, tools()));
    users.push_back(user("x", "one more"));
    EXPECT_FALSE(read_spark_server({.users = file(users)}, tools()));
}

TEST(SparkServer, TokensThatAreOverOrGoOnForCenturiesDoNotCome) {
    json ann = user("1", "ann");
    ann["accessTokens"] = {token("good", kNow.ms + 1),
                           token("over", kNow.ms),
                           token("endless", kNow.ms + days(3'651).ms),
                           token("", kNow.ms + 1),
                           "nonsense",
                           json::object()};
    const SparkServer server = read_spark_server({.users = file({ann})}, tools()).value();
    ASSERT_EQ(server.arrivals.users[0].tokens.size(), 1U);
    EXPECT_EQ(server.arrivals.users[0].tokens[0].hash, hash("good"));
    EXPECT_TRUE(says(server, "tokens", "3 left out: they have expired"));
    EXPECT_TRUE(says(server, "tokens", "1 left out: good for centuries"));
}

TEST(SparkServer, OfTooManyTokensTheLastToExpireCome) {
    json ann = user("1", "ann");
    for (std::size_t i = 0; i <= store::kTokensPerAccountMax; ++i)
        ann["accessTokens"].push_back(
            token("token " + std::to_string(i), kNow.ms + 1'000 + static_cast<std::int64_t>(i)));
    const SparkServer server = read_spark_server({.users = file({ann})}, tools()).value();
    const auto& tokens = server.arrivals.users[0].tokens;
    ASSERT_EQ(tokens.size(), store::kTokensPerAccountMax);
    EXPECT_EQ(tokens.back().hash, hash("token 1"));
}

TEST(SparkServer, ADeviceComesWithItsOwnerAndContestedOnesDoNot) {
    const std::string three = "0123456789ABCDEF00000003";
    const SparkServer server =
        read_spark_server(
            {.users = file({user("1", "ann"), user("2", "ben")}),
             .device_attributes = file(
                 {device(kOne, "1", "first"),
                  device(kTwo, "1", "x"),
                  device(kTwo, "2", "y"),
                  device(three, "2", std::string(kDeviceNameSizeMax, 'n')),
                  device("0123456789abcdef00000004", "9", "z"),
                  device("0123456789abcdef00000005", "", "z"),
                  device("0123456789abcdef00000006", "2", std::string(kDeviceNameSizeMax + 1, 'n')),
                  device("nonsense", "2", "z")})},
            tools())
            .value();
    const auto& users = server.arrivals.users;
    ASSERT_EQ(users[0].devices.size(), 1U);
    EXPECT_EQ(users[0].devices[0].name, "first");
    ASSERT_EQ(users[1].devices.size(), 2U);
    EXPECT_EQ(users[1].devices[0].name.size(), kDeviceNameSizeMax);
    EXPECT_EQ(users[1].devices[1].name, "");
    EXPECT_TRUE(says(server, "device", kTwo + ": left out: it has several owners"));
    EXPECT_TRUE(says(server, "device", "04: left out: its user does not come"));
    EXPECT_TRUE(says(server, "device", "05: left out: nobody owns it"));
    EXPECT_TRUE(says(server, "device", "06: comes without its name"));
    EXPECT_TRUE(says(server, "device", "nonsense: left out: that is no id"));
}

TEST(SparkServer, OfSeveralDocumentsOfOneOwnerTheLastCounts) {
    json again = device(kOne, "1", "second");
    again["_id"] = "another";
    again["particleProductId"] = 9'000;
    again["platformId"] = 6;
    const SparkServer server =
        read_spark_server({.users = file({user("1", "ann")}),
                           .device_attributes = file({device(kOne, "1", "first"), again})},
                          tools())
            .value();
    ASSERT_EQ(server.arrivals.users[0].devices.size(), 1U);
    EXPECT_EQ(server.arrivals.users[0].devices[0].name, "second");
    EXPECT_TRUE(says(server, "device", "comes without its product"));
}

TEST(SparkServer, KeysThatAreOfNoUseDoNotCome) {
    json ecc = key("0123456789abcdef00000003", "");
    ecc["key"] = "EC";
    ecc["algorithm"] = "ecc";
    const SparkServer server =
        read_spark_server(
            {.device_keys =
                 file({key(kOne, "a"), key(kTwo, "a"), key(kTwo, "b"), ecc, key("nonsense", "a")})},
            tools())
            .value();
    ASSERT_EQ(server.arrivals.keys.size(), 1U);
    EXPECT_EQ(to_hex<std::string>(server.arrivals.keys[0].device), kOne);
    EXPECT_EQ(about(server, "key").size(), 3U);
    EXPECT_TRUE(says(server, "key", "devices on UDP"));
    EXPECT_TRUE(says(server, "key", kTwo + ": left out: there are several"));
}

TEST(SparkServer, WebhooksThatThisCloudCannotHaveDoNotCome) {
    json of_product = hook("1", "fleet");
    of_product["productIdOrSlug"] = "7";
    json odd = hook("1", "odd");
    odd["requestType"] = "BREW";
    const SparkServerFiles files{
        .users = file({user("1", "ann")}),
        .webhooks = file({hook("1", "good"), of_product, odd, hook("9", "theirs")})};
    const SparkServer server = read_spark_server(files, tools()).value();
    ASSERT_EQ(server.arrivals.users[0].hooks.size(), 1U);
    EXPECT_EQ(server.hook_names.at(0).event, "good");
    EXPECT_EQ(about(server, "webhook").size(), 3U);
    EXPECT_EQ(read_spark_server(files, tools())->arrivals.users[0].hooks[0].id,
              server.arrivals.users[0].hooks[0].id)
        << "it is known when it comes again";
}

TEST(SparkServer, DamageIsTold) {
    const SparkServer server =
        read_spark_server({.users = file({user("1", "ann")}) + "{\"_id\":\"2\",\"user"}, tools())
            .value();
    EXPECT_EQ(server.arrivals.users.size(), 1U);
    EXPECT_TRUE(says(server, "file", "users.db: 1 damaged lines left out; the last one was cut"));
    EXPECT_FALSE(read_spark_server({.webhooks = "x\ny\nz\n"}, tools()));
}

TEST(SparkServer, ProductsAreNamedAndDoNotCome) {
    const SparkServer server =
        read_spark_server({.products = file({{{"_id", "1"}, {"name", "kettle"}}})}, tools())
            .value();
    EXPECT_TRUE(says(server, "product", "kettle: left out"));
}

}  // namespace
}  // namespace sotto::cloud::migration
