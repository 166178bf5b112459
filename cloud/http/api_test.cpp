// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/api.hpp"

#include <deque>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cloud/http/limits.hpp"
#include "cloud/services/limits.hpp"
#include "cloud/store/memory_store.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::http {
namespace {

using nlohmann::json;

constexpr model::DeviceId kDevice{0xd1};
constexpr model::CredentialHash kCredential{0xd1};

model::TokenHash hash(std::string_view text) {
    model::TokenHash hash;
    std::copy_n(text.begin(), std::min(text.size(), hash.bytes.size()), hash.bytes.begin());
    return hash;
}

class ApiTest : public testing::Test {
  protected:
    ApiTest() {
        for (const char* name : {"ann", "bob"}) {
            store_.create_account(name, now_, [](const auto&) {});
        }
        const auto add = [this](const char* token, model::TokenKind kind, std::int64_t account) {
            store_.add_token({.hash = hash(token),
                              .kind = kind,
                              .account = model::AccountId{account},
                              .name = token},
                             now_,
                             [](const auto&) {});
        };
        add("token-of-ann", model::TokenKind::Account, 1);
        add("token-of-bob", model::TokenKind::Account, 2);
        add("token-of-gateway", model::TokenKind::Gateway, 1);
        settle();
    }

    void settle() {
        while (!posted_.empty()) {
            const auto function = std::move(posted_.front());
            posted_.pop_front();
            function();
        }
    }
    Answer ask(const Request& request) {
        std::optional<Answer> answer;
        api_.handle(request, [&answer](Answer given) {
            EXPECT_FALSE(answer) << "answered twice";
            answer = std::move(given);
        });
        settle();
        return answer.value_or(Reply{.status = 0, .body = {}});
    }
    Reply reply(Method method,
                const std::string& target,
                const std::string& authorization = "Bearer token-of-ann") {
        return std::get<Reply>(
            ask({.method = method, .target = target, .authorization = authorization}));
    }
    json body(Method method, const std::string& target) {
        const Reply got = reply(method, target);
        EXPECT_EQ(got.status, 200U);
        return json::parse(got.body);
    }
    Reply put_opening(const std::string& content,
                      const std::string& device = to_hex<std::string>(kDevice),
                      const std::string& authorization = "Bearer token-of-ann") {
        return std::get<Reply>(ask({.method = Method::Put,
                                    .target = "/sotto/v1/devices/" + device + "/opening",
                                    .authorization = authorization,
                                    .body = content}));
    }
    Reply put_tag_key(const std::string& content,
                      const std::string& device = to_hex<std::string>(kDevice),
                      const std::string& authorization = "Bearer token-of-ann") {
        return std::get<Reply>(ask({.method = Method::Put,
                                    .target = "/sotto/v1/devices/" + device + "/tag-key",
                                    .authorization = authorization,
                                    .body = content}));
    }
    void claim_device() {
        const auto claim = body(Method::Post, "/sotto/v1/claims")["claim"].get<std::string>();
        ASSERT_EQ(claim, to_hex<std::string>(last_claim_.bytes));
        store_.redeem_claim(last_claim_, kDevice, kCredential, now_, [](const auto& registered) {
            EXPECT_TRUE(registered);
        });
        settle();
    }

    Instant now_{1'000};
    std::deque<std::function<void()>> posted_;
    store::MemoryStore store_{[this](auto function) { posted_.push_back(std::move(function)); }};
    model::ClaimCode last_claim_;
    bool has_entropy_ = true;
    bool is_connected_ = false;
    std::optional<model::Opening> opened_;
    std::optional<model::DeviceId> closed_;
    std::vector<model::AccountId> changed_;  // whose tags of devices
    Api api_{store_,
             {.credential = "c0ffee",
              .guest = "decaf",
              .address = "cloud.example:5684",
              .hash_token = hash,
              .draw_claim = [this]() -> Result<model::ClaimCode> {
                  if (!has_entropy_) return Error::EntropyFailed;
                  ++last_claim_.bytes[0];
                  return last_claim_;
              },
              .is_connected = [this](const model::DeviceId&) { return is_connected_; },
              .now = [this] { return now_; },
              .on_opened = [this](const model::Opening& opening) { opened_ = opening; },
              .on_closed = [this](const model::DeviceId& device) { closed_ = device; },
              .on_tag_keys_changed = [this](auto account) { changed_.push_back(account); }}};
};

constexpr const char* kOpening = R"({"name": "lamp", "token": "0a0b", "scope": "f/lamp,v/lamp"})";

TEST_F(ApiTest, AnOwnerOpensAndClosesHisDevice) {
    EXPECT_EQ(put_opening(kOpening).status, 404U) << "it is not registered";
    claim_device();
    EXPECT_EQ(put_opening(kOpening).status, 200U);
    ASSERT_TRUE(opened_);
    EXPECT_EQ(*opened_,
              (model::Opening{.device = kDevice,
                              .account = model::AccountId{1},
                              .name = "lamp",
                              .token = {0x0a, 0x0b},
                              .scope = "f/lamp,v/lamp",
                              .credential = kCredential}));
    const std::string target = "/sotto/v1/devices/" + to_hex<std::string>(kDevice) + "/opening";
    EXPECT_EQ(reply(Method::Get, target).status, 405U);
    EXPECT_EQ(reply(Method::Get, target).allow, "PUT, DELETE");
    EXPECT_EQ(reply(Method::Delete, target, "Bearer token-of-bob").status, 404U);
    EXPECT_FALSE(closed_);
    EXPECT_EQ(reply(Method::Delete, target).status, 200U);
    EXPECT_EQ(closed_, kDevice);
    EXPECT_EQ(reply(Method::Delete, target).status, 404U);
}

TEST_F(ApiTest, AnOwnerGivesTheKeyOfHisTagsAndTakesItBack) {
    const std::string key = R"({"key": "000102030405060708090a0b0c0d0e0f"})";
    EXPECT_EQ(put_tag_key(key).status, 404U) << "it is not registered";
    claim_device();
    const std::string device = to_hex<std::string>(kDevice);
    EXPECT_EQ(put_tag_key(key, device, "Bearer token-of-bob").status, 404U);
    EXPECT_EQ(put_tag_key(key, device, "Bearer token-of-gateway").status, 401U);
    for (const char* wrong : {"",
                              "{}",
                              R"({"key": ""})",
                              R"({"key": 1})",
                              R"({"key": "000102030405060708090a0b0c0d0e"})",
                              R"({"key": "000102030405060708090a0b0c0d0e0x"})",
                              R"({"key": "000102030405060708090a0b0c0d0e0f", "more": ""})"})
        EXPECT_EQ(put_tag_key(wrong).status, 400U) << wrong;
    EXPECT_EQ(put_tag_key(key, "0102").status, 404U);
    EXPECT_TRUE(changed_.empty());

    EXPECT_EQ(put_tag_key(key).status, 200U);
    EXPECT_EQ(changed_, std::vector{model::AccountId{1}});
    std::vector<model::TagKey> keys;
    store_.list_tag_keys(model::AccountId{1}, [&](const auto& list) { keys = *list; });
    settle();
    ASSERT_EQ(keys.size(), 1U);
    EXPECT_EQ(keys[0].device, kDevice);
    EXPECT_EQ(to_hex<std::string>(keys[0].key.expose()), "000102030405060708090a0b0c0d0e0f");

    const std::string target = "/sotto/v1/devices/" + device + "/tag-key";
    EXPECT_EQ(reply(Method::Get, target).allow, "PUT, DELETE") << "nobody gets it back";
    EXPECT_EQ(reply(Method::Delete, target, "Bearer token-of-bob").status, 404U);
    EXPECT_EQ(reply(Method::Delete, target).status, 200U);
    EXPECT_EQ(reply(Method::Delete, target).status, 404U);
    EXPECT_EQ(changed_.size(), 2U);
}

TEST_F(ApiTest, NobodyOpensTheDeviceOfAnother) {
    claim_device();
    const std::string device = to_hex<std::string>(kDevice);
    EXPECT_EQ(put_opening(kOpening, device, "Bearer token-of-bob").status, 404U);
    EXPECT_EQ(put_opening(kOpening, device, "Bearer token-of-gateway").status, 401U);
    EXPECT_EQ(put_opening(kOpening, device, "").status, 401U);
    EXPECT_FALSE(opened_);
}

TEST_F(ApiTest, AnOpeningThatIsNoneIsRefused) {
    claim_device();
    const std::string long_token(2 * kAccessTokenSizeMax + 2, '0');
    for (const std::string& content :
         {std::string{},
          std::string{"{}"},
          std::string{"[1, 2, 3]"},
          std::string{R"({"name": "lamp", "token": "0a0", "scope": "f/lamp"})"},
          std::string{R"({"name": "lamp", "token": "", "scope": "f/lamp"})"},
          std::string{R"({"name": "lamp", "token": "xy", "scope": "f/lamp"})"},
          std::string{R"({"name": "lamp", "token": "0a", "scope": ""})"},
          std::string{R"({"name": "lamp", "token": "0a", "scope": "everything"})"},
          std::string{R"({"name": 7, "token": "0a", "scope": "f/lamp"})"},
          std::string{R"({"name": "la\nmp", "token": "0a", "scope": "f/lamp"})"},
          std::string{R"({"name": "lamp", "token": "0a", "scope": "f/lamp", "more": 1})"},
          R"({"name": "lamp", "scope": "f/lamp", "token": ")" + long_token + "\"}"})
        EXPECT_EQ(put_opening(content).status, 400U) << content;
    EXPECT_EQ(put_opening(kOpening, "none").status, 404U);
    EXPECT_FALSE(opened_);
}

TEST_F(ApiTest, HealthNeedsNoToken) {
    const Reply got = reply(Method::Get, "/sotto/v1/health", "");
    EXPECT_EQ(got.status, 200U);
    EXPECT_EQ(json::parse(got.body)["status"], "ok");
}

TEST_F(ApiTest, HealthIsThatOfTheStore) {
    const auto health = [this] { return reply(Method::Get, "/sotto/v1/health", "").status; };
    EXPECT_EQ(health(), 200U);
    store_.fail_with(Error::StorageFailed);
    EXPECT_EQ(health(), 200U) << "asked a moment ago: whoever asks often costs no more";
    now_ = now_ + kHealthLife;
    EXPECT_EQ(health(), 503U);
    const Reply failing = reply(Method::Get, "/sotto/v1/health", "");
    EXPECT_EQ(json::parse(failing.body)["status"], "failing");
    store_.fail_with(std::nullopt);
    EXPECT_EQ(health(), 503U);
    now_ = now_ + kHealthLife;
    EXPECT_EQ(health(), 200U);
}

TEST_F(ApiTest, HealthIsAskedOnceForAllWhoWaitForIt) {
    int answers = 0;
    for (int i = 0; i < 3; ++i) {
        api_.handle({.method = Method::Get, .target = "/sotto/v1/health", .authorization = {}},
                    [&answers](const Answer&) { ++answers; });
    }
    EXPECT_EQ(posted_.size(), 1U);
    settle();
    EXPECT_EQ(answers, 3);
}

TEST_F(ApiTest, EverythingElseNeedsTheTokenOfAnAccount) {
    const char* const wrong[] = {"",
                                 "Bearer",
                                 "Bearer ",
                                 "Bearer  token-of-ann",
                                 "Bearer token-of-eve",
                                 "Bearer token-of-gateway",
                                 "Basic token-of-ann",
                                 "token-of-ann",
                                 "Bearer token-of-ann and more"};
    for (const char* authorization : wrong) {
        EXPECT_EQ(reply(Method::Get, "/sotto/v1/cloud", authorization).status, 401U);
        EXPECT_EQ(reply(Method::Get, "/sotto/v1/devices", authorization).status, 401U);
        EXPECT_EQ(reply(Method::Post, "/sotto/v1/claims", authorization).status, 401U);
        const Answer channel =
            ask({.target = "/sotto/v1/channel?app=00112233445566778899aabbccddeeff",
                 .authorization = authorization,
                 .is_upgrade = true});
        EXPECT_EQ(std::get<Reply>(channel).status, 401U) << authorization;
    }
    EXPECT_EQ(reply(Method::Get, "/sotto/v1/cloud", "bEARER token-of-ann").status, 200U);
}

TEST_F(ApiTest, SaysWhatTheCloudIs) {
    EXPECT_EQ(body(Method::Get, "/sotto/v1/cloud"),
              (json{{"version", 1},
                    {"credential", "c0ffee"},
                    {"guest", "decaf"},
                    {"address", "cloud.example:5684"}}));
}

TEST_F(ApiTest, AClaimedDeviceIsListedForItsAccountOnly) {
    EXPECT_EQ(body(Method::Get, "/sotto/v1/devices"), (json{{"devices", json::array()}}));
    claim_device();
    is_connected_ = true;
    EXPECT_EQ(body(Method::Get, "/sotto/v1/devices")["devices"],
              (json{{{"id", to_hex<std::string>(kDevice)},
                     {"credential_hash", to_hex<std::string>(kCredential)},
                     {"connected", true},
                     {"registered_ms", 1'000}}}));
    EXPECT_EQ(reply(Method::Get, "/sotto/v1/devices", "Bearer token-of-bob").body,
              R"({"devices":[]})");
}

TEST_F(ApiTest, OpenClaimsAreLimitedUntilTheyExpire) {
    for (std::size_t i = 0; i < services::kOpenClaimsPerAccountMax; ++i)
        EXPECT_EQ(reply(Method::Post, "/sotto/v1/claims").status, 200U);
    EXPECT_EQ(reply(Method::Post, "/sotto/v1/claims").status, 429U);
    EXPECT_EQ(reply(Method::Post, "/sotto/v1/claims", "Bearer token-of-bob").status, 200U);
    now_ = now_ + services::kClaimLife;
    EXPECT_EQ(reply(Method::Post, "/sotto/v1/claims").status, 200U);
}

TEST_F(ApiTest, AChannelIsOfAnAccountAndAnInstallation) {
    Request request{.target = "/sotto/v1/channel?app=00112233445566778899AABBccddeeff",
                    .authorization = "Bearer token-of-bob",
                    .is_upgrade = true};
    const auto open = std::get<OpenChannel>(ask(request));
    EXPECT_EQ(open.app.account, model::AccountId{2});
    EXPECT_EQ(to_hex<std::string>(open.app.app.bytes), "00112233445566778899aabbccddeeff");
    request.is_upgrade = false;
    EXPECT_EQ(std::get<Reply>(ask(request)).status, 426U);
    for (const char* query : {"",
                              "?",
                              "?app=",
                              "?app=0011",
                              "?app=zz112233445566778899aabbccddeeff",
                              "?App=00112233445566778899aabbccddeeff",
                              "?app=00112233445566778899aabbccddeeff&",
                              "?app=00112233445566778899aabbccddeeff00"}) {
        request.target = std::string{"/sotto/v1/channel"} + query;
        EXPECT_EQ(std::get<Reply>(ask(request)).status, 400U) << query;
    }
}

TEST_F(ApiTest, UnknownAddressesAndMethodsAreToldApart) {
    for (const char* target : {"",
                               "/",
                               "*",
                               "/sotto/v1",
                               "/sotto/v1/",
                               "/sotto/v1/cloud/",
                               "/sotto/v1/../v1/cloud",
                               "/SOTTO/v1/cloud",
                               "/sotto/v2/cloud"})
        EXPECT_EQ(reply(Method::Get, target).status, 404U) << target;
    const Reply put = reply(Method::Other, "/sotto/v1/claims");
    EXPECT_EQ(put.status, 405U);
    EXPECT_EQ(put.allow, "POST");
    EXPECT_EQ(reply(Method::Post, "/sotto/v1/health").allow, "GET");
    EXPECT_EQ(reply(Method::Post, "/sotto/v1/channel").allow, "GET");
    EXPECT_EQ(reply(Method::Get, "/sotto/v1/claims").status, 405U);
}

TEST_F(ApiTest, AFailingStoreIsNotTheAppsFault) {
    store_.fail_with(Error::StorageFailed);
    EXPECT_EQ(reply(Method::Get, "/sotto/v1/cloud").status, 500U);
    store_.fail_with(Error::Busy);
    EXPECT_EQ(reply(Method::Get, "/sotto/v1/devices").status, 503U);
    store_.fail_with(std::nullopt);
    has_entropy_ = false;
    EXPECT_EQ(reply(Method::Post, "/sotto/v1/claims").status, 500U);
}

TEST(Problems, EachHasAStatusAndTellsWhatToDo) {
    for (int i = 0; i < kProblemCount; ++i) {
        const Reply reply = to_reply(static_cast<Problem>(i));
        EXPECT_GE(reply.status, 400U);
        const json body = json::parse(reply.body);
        for (const char* key : {"error", "what", "next"})
            EXPECT_FALSE(body[key].get<std::string>().empty()) << i;
    }
    EXPECT_EQ(to_reply(Problem::Malformed).status, 400U);
    EXPECT_EQ(to_reply(Problem::Busy).status, 503U);
}

TEST(Problems, EveryErrorOfTheStoreMeansOne) {
    for (int i = 0; i < kErrorCount; ++i) {
        const auto error = static_cast<Error>(i);
        Problem expected = Problem::Failed;
        if (error == Error::NotFound) expected = Problem::NotSignedIn;
        if (error == Error::NoSpace) expected = Problem::TooMany;
        if (error == Error::Busy) expected = Problem::Busy;
        EXPECT_EQ(to_problem(error), expected) << to_string(error);
    }
}

}  // namespace
}  // namespace sotto::cloud::http
