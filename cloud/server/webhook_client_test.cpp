// SPDX-License-Identifier: Apache-2.0
// Which addresses webhooks call, and what targets of every kind do to who calls them.
#include "cloud/server/webhook_client.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>

#include <gtest/gtest.h>

#include "cloud/server/limits.hpp"
#include "cloud/server/own_authority.hpp"
#include "cloud/server/running_cloud_test.hpp"
#include "cloud/server/webhook_target_test.hpp"
#include "ports/linux/system_clock.hpp"
#include "testing/program.hpp"

namespace sotto::cloud::server {
namespace {

using testing::has;

WebhookNetworks allowing(const std::vector<std::string>& networks) {
    return WebhookNetworks::parse(networks).value();
}

bool may_call(const WebhookNetworks& networks, const std::string& address) {
    return networks.may_call(boost::asio::ip::make_address(address));
}

TEST(WebhookNetworks, OnlyPublicAddressesAreCalled) {
    const WebhookNetworks none;
    for (const char* address : {"8.8.8.8",
                                "1.1.1.1",
                                "172.15.0.1",
                                "172.32.0.1",
                                "100.63.0.1",
                                "2606:4700::1111",
                                "2a00:1450::1",
                                "::ffff:8.8.8.8",
                                "64:ff9b::808:808"})
        EXPECT_TRUE(may_call(none, address)) << address;
    for (const char* address : {"0.0.0.0",      "10.1.2.3",         "100.64.0.1",
                                "127.0.0.1",    "127.255.0.1",      "169.254.169.254",
                                "172.16.0.1",   "172.31.255.255",   "192.0.0.1",
                                "192.0.2.1",    "192.168.1.1",      "198.18.0.1",
                                "198.51.100.1", "203.0.113.9",      "224.0.0.1",
                                "239.1.1.1",    "255.255.255.255",  "::",
                                "::1",          "::ffff:127.0.0.1", "::ffff:10.0.0.1",
                                "::127.0.0.1",  "64:ff9b::7f00:1",  "64:ff9b:1::1",
                                "fe80::1",      "fec0::1",          "fd00::1",
                                "fc00::1",      "ff02::1",          "2001::1",
                                "2001:db8::1",  "2002:7f00:1::1",   "100::1",
                                "3fff::1",      "4000::1"})
        EXPECT_FALSE(may_call(none, address)) << address;
}

TEST(WebhookNetworks, TheOperatorAllowsOthers) {
    const WebhookNetworks some = allowing({"192.168.1.0/24", "127.0.0.1", "fd00::/8"});
    EXPECT_TRUE(may_call(some, "192.168.1.77"));
    EXPECT_TRUE(may_call(some, "::ffff:192.168.1.77"));
    EXPECT_FALSE(may_call(some, "192.168.2.77"));
    EXPECT_TRUE(may_call(some, "127.0.0.1"));
    EXPECT_FALSE(may_call(some, "127.0.0.2"));
    EXPECT_TRUE(may_call(some, "fd12::1"));
    EXPECT_FALSE(may_call(some, "::1"));
    EXPECT_TRUE(may_call(some, "8.8.8.8"));
    for (const char* text : {"", "x", "10.0.0.0/33", "fd00::/200", "10.0.0.0/8/8", "10.0.0"})
        EXPECT_FALSE(WebhookNetworks::parse({text})) << text;
}

TEST(WebhookNetworks, AddressesInDisguiseAreKnown) {
    const WebhookNetworks none;
    for (const char* host : {"127.0.0.1",
                             "127.1",
                             "0x7f000001",
                             "2130706433",
                             "017700000001",
                             "localhost",
                             "a.localhost",
                             "::1",
                             "10.1"})
        EXPECT_FALSE(none.may_name(host)) << host;
    for (const char* host : {"example.com", "8.8.8.8", "localhost.example.com", "127.0.0.1.nip.io"})
        EXPECT_TRUE(none.may_name(host)) << host;
    EXPECT_TRUE(allowing({"127.0.0.0/8"}).may_name("localhost"));
}

// A client and what it has told.
class Caller {
  public:
    explicit Caller(WebhookNetworks networks, NameLookups::LookUp look_up = server::look_up)
        : client_({.networks = std::move(networks),
                   .post =
                       [this](const std::function<void()>& function) {
                           const std::scoped_lock lock{mutex_};
                           function();
                           changed_.notify_all();
                       },
                   .on_sent = [this](hooks::JobId job) { sent_[job] = true; },
                   .on_answered =
                       [this](hooks::JobId job, hooks::Answer answer) {
                           EXPECT_FALSE(answers_.contains(job)) << "answered twice";
                           answers_.emplace(job, std::move(answer));
                       },
                   .look_up = std::move(look_up)}) {}

    hooks::JobId send(const std::string& url, std::int64_t account = 1, bool has_checked = true) {
        const hooks::JobId job{++last_};
        hooks::WebRequest request{.origin = hooks::origin_of(url).value(),
                                  .has_checked_peer = has_checked,
                                  .target = url.substr(url.find('/', 8)),
                                  .headers = {{"User-Agent", "x"}},
                                  .body = "a=b"};
        client_.send({.job = job, .account = model::AccountId{account}, .request = request});
        return job;
    }
    hooks::Answer wait(hooks::JobId job) {
        std::unique_lock lock{mutex_};
        const bool is_there = changed_.wait_for(
            lock, std::chrono::seconds{40}, [&] { return answers_.contains(job); });
        return is_there ? answers_.at(job) : hooks::Answer{hooks::Failure{.text = "never"}};
    }
    // Status and body, or the words of the failure.
    std::string ask(const std::string& url) { return text_of(wait(send(url))); }
    static std::string text_of(const hooks::Answer& answer) {
        if (const auto* failure = std::get_if<hooks::Failure>(&answer))
            return failure->text + (failure->is_final ? " (final)" : "");
        const auto& response = std::get<hooks::WebResponse>(answer);
        return std::to_string(response.status) + " " + response.body;
    }
    bool was_sent(hooks::JobId job) {
        const std::scoped_lock lock{mutex_};
        return sent_.contains(job);
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<hooks::JobId, bool> sent_;
    std::map<hooks::JobId, hooks::Answer> answers_;
    std::uint64_t last_ = 0;
    WebhookClient client_;
};

const WebhookNetworks kHere = allowing({"127.0.0.0/8"});

TEST(WebhookClient, TargetsGetTheRequestAndTheirAnswerComes) {
    WebhookTarget target;
    Caller caller{kHere};
    const std::string url = "http://" + target.place();
    const auto job = caller.send(url + "/ok?x=1");
    EXPECT_EQ(Caller::text_of(caller.wait(job)), "200 ok");
    EXPECT_TRUE(caller.was_sent(job));
    const std::string request = target.requests().at(0);
    EXPECT_TRUE(request.starts_with("POST /ok?x=1 HTTP/1.1\r\n")) << request;
    EXPECT_TRUE(has(request, "\r\nHost: " + target.place() + "\r\n")) << request;
    EXPECT_TRUE(has(request, "\r\nConnection: close\r\n")) << request;
    EXPECT_TRUE(request.ends_with("\r\n\r\na=b")) << request;
    EXPECT_EQ(caller.ask("http://localhost:" + std::to_string(target.port()) + "/ok"), "200 ok");
}

TEST(WebhookClient, WhateverTargetsAnswerItIsBoundedAndHasAnEnd) {
    WebhookTarget target;
    Caller caller{kHere};
    const std::string url = "http://" + target.place();
    EXPECT_EQ(caller.ask(url + "/redirect"), "302 ");
    EXPECT_EQ(target.count(), 1U) << "nobody follows it";
    EXPECT_EQ(caller.ask(url + "/fails"), "500 no");
    EXPECT_EQ(caller.ask(url + "/interim"), "200 late");
    EXPECT_EQ(caller.ask(url + "/open"), "200 until the end");
    EXPECT_EQ(caller.ask(url + "/full").size(), 4 + hooks::kResponseSizeMax);
    EXPECT_EQ(caller.ask(url + "/big"), "answered with more than 100 KB (final)");
    EXPECT_EQ(caller.ask(url + "/heads"), "answered with what is no HTTP");
    EXPECT_EQ(caller.ask(url + "/garbage"), "answered with what is no HTTP");
    EXPECT_EQ(caller.ask(url + "/gone"), "hung up before it had answered");
    EXPECT_EQ(caller.ask(url + "/hints"), "103 ") << "answers 1xx without end";
}

TEST(WebhookClient, WhoIsNotThereIsToldOf) {
    std::string url;
    {
        WebhookTarget gone;
        url = "http://" + gone.place() + "/ok";
    }
    Caller caller{kHere};
    EXPECT_TRUE(has(caller.ask(url), "cannot be called: ")) << caller.ask(url);
    EXPECT_TRUE(has(caller.ask("http://no-such-host.invalid/"), "no such host"));
}

TEST(WebhookClient, WhatANameLeadsToIsJudgedAndThatIsCalled) {
    WebhookTarget target;
    int count = 0;
    // Says something else the second time, as who wants in would.
    const auto look_up = [&count](const std::string& host) {
        ++count;
        const auto make = [](const char* text) { return boost::asio::ip::make_address(text); };
        if (host == "inside.example") return Addresses{make("127.0.0.1"), make("::1")};
        if (host == "both.example") return Addresses{make("10.0.0.1"), make("127.0.0.1")};
        return Addresses{};
    };
    const std::string port = ":" + std::to_string(target.port());
    {
        Caller caller{WebhookNetworks{}, look_up};
        EXPECT_TRUE(has(caller.ask("http://inside.example" + port + "/ok"), "webhook-allow"));
        EXPECT_TRUE(has(caller.ask("http://inside.example" + port + "/ok"), "(final)"));
        EXPECT_TRUE(has(caller.ask("http://127.0.0.1" + port + "/ok"), "webhook-allow"));
        EXPECT_EQ(count, 2) << "looked up once for each";
        EXPECT_EQ(target.count(), 0U);
    }
    Caller caller{kHere, look_up};
    EXPECT_EQ(caller.ask("http://both.example" + port + "/ok"), "200 ok")
        << "those that may be called are";
}

TEST(WebhookClient, ATargetThatHangsHoldsUpNobody) {
    WebhookTarget target;
    std::atomic<bool> is_over = false;
    Caller caller{kHere, [&is_over](const std::string& host) {
                      while (host == "silent.example" && !is_over)
                          std::this_thread::sleep_for(std::chrono::milliseconds{10});
                      return Addresses{boost::asio::ip::address_v4::loopback()};
                  }};
    const std::string url = "http://" + target.place();
    const auto start = std::chrono::steady_clock::now();
    std::vector<hooks::JobId> hanging{caller.send(url + "/hang"), caller.send(url + "/drip")};
    for (std::size_t i = 0; i < 2 * kLookupsPerAccountMax; ++i)
        hanging.push_back(caller.send("http://silent.example/"));
    EXPECT_EQ(caller.ask(url + "/ok"), "200 ok");
    const auto other =
        caller.send("http://name.example:" + std::to_string(target.port()) + "/ok", 2);
    EXPECT_EQ(Caller::text_of(caller.wait(other)), "200 ok")
        << "the names of one account hold up no other";
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{10});
    for (const auto job : hanging)
        EXPECT_EQ(Caller::text_of(caller.wait(job)), "did not answer within 20 s");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{25});
    is_over = true;
    EXPECT_EQ(caller.ask("http://name.example:" + std::to_string(target.port()) + "/ok"), "200 ok")
        << "and those who gave up are in nobody's way";
}

TEST(WebhookClient, LookupsAreSoManyAtOnceForEachAndForAll) {
    boost::asio::io_context loop;
    const auto guard = boost::asio::make_work_guard(loop);
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t begun = 0;
    bool is_over = false;
    NameLookups names{loop, [&](const std::string&) {
                          std::unique_lock lock{mutex};
                          ++begun;
                          changed.notify_all();
                          changed.wait(lock, [&] { return is_over; });
                          return Addresses{};
                      }};
    const auto wait_for = [&](std::size_t count) {
        std::unique_lock lock{mutex};
        return changed.wait_for(lock, std::chrono::seconds{20}, [&] { return begun == count; });
    };
    const auto who = std::make_shared<int>(1);
    std::size_t done = 0;
    for (std::size_t i = 0; i <= kLookupsPerAccountMax; ++i)
        names.find(model::AccountId{1}, "a", who, [&](const Addresses&) { ++done; });
    EXPECT_TRUE(wait_for(kLookupsPerAccountMax));
    for (std::size_t i = 0; i < kLookupsMax; ++i)
        names.find(
            model::AccountId{static_cast<std::int64_t>(i + 2)}, "a", who, [&](const Addresses&) {
                ++done;
            });
    EXPECT_TRUE(wait_for(kLookupsMax));
    {
        const std::scoped_lock lock{mutex};
        is_over = true;
        changed.notify_all();
    }
    const std::size_t count = kLookupsPerAccountMax + 1 + kLookupsMax;
    while (done < count) loop.run_one();
    EXPECT_EQ(begun, count);
}

TEST(WebhookClient, InTlsTargetsAreCheckedUnlessToldOtherwise) {
    const testing::Folder folder;
    const std::int64_t now = ports::SystemClock::unix_seconds();
    ASSERT_TRUE(issue_own_certificate(folder / "cloud", {"home.example"}, now));
    const auto certificates = Certificates::open({.state = folder / "cloud"}, now).value();
    RunningCloud cloud{&certificates};
    Caller caller{kHere};
    const std::string place = "127.0.0.1:" + std::to_string(cloud.http_at().port());
    const std::string url = "https://" + place + "/sotto/v1/health";
    EXPECT_TRUE(has(caller.ask(url), "its certificate is from nobody whom this machine trusts"));
    EXPECT_TRUE(has(Caller::text_of(caller.wait(caller.send(url, 1, false))), "405"))
        << "it was understood";
}

}  // namespace
}  // namespace sotto::cloud::server
