// SPDX-License-Identifier: Apache-2.0
// Which tags a gateway is given, and when, over the cloud's own router. With devices:
// tests/integration/tags_test.cpp.
#include "cloud/server/tags.hpp"

#include <deque>
#include <set>

#include <gtest/gtest.h>

#include "cloud/server/limits.hpp"
#include "cloud/store/memory_store.hpp"
#include "core/session/tag_key.hpp"

namespace sotto::cloud::server {
namespace {

namespace uplink = framing::uplink;
using framing::Tag;

class GatewayLine final : public services::Line {
  public:
    void on_ready() override { is_ready = true; }
    void on_time(Instant /*now*/) override {}
    bool is_ready = false;
};

class TagsTest : public ::testing::Test {
  protected:
    TagsTest() {
        for (const char* name : {"ann", "bob"}) store_.create_account(name, now_, [](auto) {});
        for (const std::uint8_t account : {1, 2})
            store_.add_token({.hash = {{account}},
                              .kind = model::TokenKind::Gateway,
                              .account = model::AccountId{account},
                              .name = "gateway"},
                             now_,
                             [](const Status& added) { EXPECT_TRUE(added); });
        settle();
        say(uplink::Hello{"1"});
    }
    ~TagsTest() override {
        if (is_connected_) hub_.disconnect(line_);
    }

    void settle() {
        while (!posted_.empty()) {
            const auto function = std::move(posted_.front());
            posted_.pop_front();
            function();
            hub_.pump();
        }
    }
    void say(const uplink::Record& record) {
        if (!is_connected_) is_connected_ = hub_.connect_gateway(line_);
        std::array<std::uint8_t, framing::kUplinkBytesMax> buffer{};
        hub_.on_bytes(line_, *uplink::encode_record(buffer, record));
        settle();
    }
    static model::TagKey key_of(std::uint64_t account, std::uint8_t device) {
        return {model::DeviceId{device},
                model::AccountId{static_cast<std::int64_t>(account)},
                std::array<std::uint8_t, session::kTagKeySize>{device}};
    }
    // A device of this account, whose owner has given the key of its tags.
    void give_key(std::uint8_t account, std::uint8_t device) {
        const model::ClaimCode claim{{device}};
        store_.create_claim(
            {.code = claim, .account = model::AccountId{account}, .expires_at = now_ + seconds(9)},
            2'000,
            now_,
            [](const Status& created) { EXPECT_TRUE(created); });
        store_.redeem_claim(claim, model::DeviceId{device}, {device}, now_, [](const auto& done) {
            EXPECT_TRUE(done);
        });
        store_.set_tag_key(key_of(account, device), [](const Status& set) { EXPECT_TRUE(set); });
        settle();
    }
    // What the gateway is given in this turn: the tags of each period.
    std::map<framing::TagPeriod, std::multiset<Tag>> given() {
        tags_.on_time();
        settle();
        services::Output output;
        hub_.take_output(line_, output);
        EXPECT_FALSE(output.close);
        std::map<framing::TagPeriod, std::multiset<Tag>> periods;
        uplink::Splitter splitter;
        Bytes input = output.bytes;
        while (const auto bytes = splitter.next(input).value()) {
            const auto record = uplink::parse_record(*bytes, uplink::Side::Cloud).value();
            const auto* tags = std::get_if<uplink::Tags>(&record);
            if (tags == nullptr) continue;
            EXPECT_EQ(tags->is_first, record_count_++ == 0);
            EXPECT_EQ(tags->unix_seconds, now_.ms / 1'000);
            auto& of_period = periods[tags->period];
            for (Bytes rest = tags->tags; !rest.empty(); rest = rest.subspan(sizeof(Tag))) {
                Tag tag{};
                std::copy_n(rest.begin(), tag.size(), tag.begin());
                of_period.insert(tag);
            }
        }
        return periods;
    }
    static Tag tag_of(std::uint8_t device, framing::TagPeriod period) {
        return session::tag_of(session::TagKey{key_of(1, device).key.expose()}, period);
    }

    Instant now_ = Instant{} + seconds(1'796'000'500);
    const framing::TagPeriod period_ = framing::tag_period_at(1'796'000'500);
    std::deque<std::function<void()>> posted_;
    store::MemoryStore store_{[this](auto function) { posted_.push_back(std::move(function)); }};
    services::Hub hub_{
        store_,
        {.router = {
             .credential = {},
             .hash_token =
                 [](std::string_view token) {
                     return model::TokenHash{{static_cast<std::uint8_t>(token.front() - '0')}};
                 },
             .on_tags_wanted = [this](auto id, auto account) { tags_.on_wanted(id, account); }},
         .now = [this] { return now_; },
         .on_device_event = nullptr}};
    Tags tags_{{.store = store_, .hub = hub_, .now = [this] { return now_; }}};
    GatewayLine line_;
    bool is_connected_ = false;
    std::size_t record_count_ = 0;  // of those that were given together
};

TEST_F(TagsTest, AGatewayThatAsksForThemGetsThoseOfItsAccountForTheNextHours) {
    give_key(1, 10);
    give_key(1, 11);
    give_key(2, 12);
    EXPECT_TRUE(given().empty()) << "it has not asked";
    say(uplink::TagsWanted{});
    const auto periods = given();
    ASSERT_EQ(periods.size(), kTagPeriods);
    EXPECT_EQ(periods.begin()->first, period_ - 1) << "clocks differ";
    for (const auto& [period, tags] : periods)
        EXPECT_EQ(tags, (std::multiset<Tag>{tag_of(10, period), tag_of(11, period)}));
    EXPECT_EQ(tags_.gateway_count(), 1U);
    say(uplink::TagsWanted{});
    EXPECT_TRUE(given().empty()) << "once is enough";
}

TEST_F(TagsTest, TheyAreRenewedBeforeTheyEndAndWhenAKeyComesOrGoes) {
    give_key(1, 10);
    say(uplink::TagsWanted{});
    EXPECT_EQ(given().size(), kTagPeriods);
    record_count_ = 0;
    now_ = now_ + kTagsInterval;
    EXPECT_EQ(given().begin()->first, period_);
    EXPECT_TRUE(given().empty());

    record_count_ = 0;
    give_key(1, 11);
    tags_.on_keys_changed(model::AccountId{2});
    EXPECT_TRUE(given().empty()) << "another's";
    tags_.on_keys_changed(model::AccountId{1});
    EXPECT_EQ(given().begin()->second.size(), 2U);

    record_count_ = 0;
    for (const std::uint8_t device : {10, 11})
        store_.erase_tag_key(model::AccountId{1}, model::DeviceId{device}, [](const auto&) {});
    tags_.on_keys_changed(model::AccountId{1});
    const auto none = given();
    ASSERT_EQ(none.size(), 1U) << "that there are none is said";
    EXPECT_TRUE(none.begin()->second.empty());
}

TEST_F(TagsTest, AWholeAccountFitsIntoWhatWaitsForAGateway) {
    for (std::size_t i = 0; i < store::kTagKeysPerAccountMax; ++i) {
        model::ClaimCode claim{
            {1, static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8U)}};
        model::TagKey key = key_of(1, 9);
        key.device[1] = static_cast<std::uint8_t>(i);
        key.device[2] = static_cast<std::uint8_t>(i >> 8U);
        store_.create_claim(
            {.code = claim, .account = key.account, .expires_at = now_ + seconds(9)},
            2'000,
            now_,
            [](const auto&) {});
        store_.redeem_claim(claim, key.device, {}, now_, [](const auto&) {});
        store_.set_tag_key(key, [](const Status& set) { EXPECT_TRUE(set); });
        settle();
    }
    say(uplink::TagsWanted{});
    const auto periods = given();
    ASSERT_EQ(periods.size(), kTagPeriods);
    for (const auto& [period, tags] : periods) EXPECT_EQ(tags.size(), store::kTagKeysPerAccountMax);
}

TEST_F(TagsTest, AStoreThatFailsIsAskedAgainAndWhoIsGoneIsForgotten) {
    give_key(1, 10);
    say(uplink::TagsWanted{});
    store_.fail_with(Error::StorageFailed);
    EXPECT_TRUE(given().empty());
    store_.fail_with(std::nullopt);
    EXPECT_TRUE(given().empty());
    now_ = now_ + services::kRetryInterval;
    EXPECT_EQ(given().size(), kTagPeriods);
    hub_.disconnect(line_);
    is_connected_ = false;
    tags_.on_time();
    EXPECT_EQ(tags_.gateway_count(), 0U);
}

}  // namespace
}  // namespace sotto::cloud::server
