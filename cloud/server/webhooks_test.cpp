// SPDX-License-Identifier: Apache-2.0
// Webhooks of a cloud that runs, from REST to the target and back into the stream of events.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <poll.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cloud/hooks/limits.hpp"
#include "cloud/server/clients_test.hpp"
#include "cloud/server/webhook_target_test.hpp"
#include "testing/program.hpp"

namespace sotto::cloud::server {
namespace {

using nlohmann::json;
using testing::eventually;
using testing::Folder;
using testing::has;
using testing::Program;
using testing::read_text;

const std::string kCloud = std::string{SOTTO_BINARY_DIR} + "/bin/sotto-cloud";

class Webhooks : public ::testing::Test {
  protected:
    Webhooks() {
        EXPECT_EQ(operate({"init"}).code, 0);
        for (const char* name : {"ann", "bob"}) {
            EXPECT_EQ(operate({"account", "add", name}).code, 0);
            std::ofstream{folder_ / "password"} << "pass of " << name;
            const std::string file = folder_ / "password";
            EXPECT_EQ(operate({"account", "password", name, "--password-file", file}).code, 0);
        }
    }
    testing::Run operate(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--state", folder_ / "cloud"});
        return testing::run(kCloud, arguments);
    }
    void start(const std::vector<std::string>& more = {"--webhook-allow", "127.0.0.0/8"}) {
        const std::string ports = folder_ / "ports";
        std::filesystem::remove(ports);
        std::vector<std::string> arguments{"run",
                                           "--state",
                                           folder_ / "cloud",
                                           "--http",
                                           "127.0.0.1:0",
                                           "--devices",
                                           "127.0.0.1:0",
                                           "--log-level",
                                           "debug",
                                           "--ports-file",
                                           ports};
        arguments.insert(arguments.end(), more.begin(), more.end());
        program_ = std::make_unique<Program>(kCloud, arguments, folder_ / "log");
        ASSERT_TRUE(eventually([&] { return has(read_text(ports), "devices="); }))
            << read_text(folder_ / "log");
        const std::string text = read_text(ports);
        http_ = {boost::asio::ip::address_v4::loopback(),
                 static_cast<std::uint16_t>(std::stoi(text.substr(text.find("127.0.0.1:") + 10)))};
        ann_ = log_in("ann");
        bob_ = log_in("bob");
    }

    HttpReply send(const std::string& line,
                   const std::string& token,
                   const std::string& type,
                   const std::string& body) const {
        RawClient client{http_};
        client.send(
            line + " HTTP/1.1\r\nHost: cloud\r\nConnection: close\r\nContent-Type: " + type +
            "\r\nContent-Length: " + std::to_string(body.size()) +
            (token.empty() ? "" : "\r\nAuthorization: Bearer " + token) + "\r\n\r\n" + body);
        return reply_of(client.read_reply());
    }
    HttpReply send_json(const std::string& line, const std::string& token, const json& body) const {
        return send(line, token, "application/json", body.dump());
    }
    HttpReply publish(const std::string& token, const std::string& name, const std::string& data) {
        return send_json("POST /v1/devices/events", token, {{"name", name}, {"data", data}});
    }
    std::string log_in(const std::string& user) const {
        const HttpReply reply = send("POST /oauth/token",
                                     {},
                                     "application/x-www-form-urlencoded",
                                     "grant_type=password&client_id=particle&username=" + user +
                                         "&password=pass+of+" + user);
        return body_of(reply)["access_token"];
    }
    static json body_of(const HttpReply& reply) {
        return json::parse(reply.text.substr(reply.text.find("\r\n\r\n")));
    }
    std::string create(json hook, const std::string& token) {
        const HttpReply reply = send_json("POST /v1/integrations", token, hook);
        EXPECT_EQ(reply.status, 201) << reply.text;
        return body_of(reply)["id"];
    }
    json told(const std::string& id) const {
        return body_of(ask(http_, "GET /v1/integrations/" + id, ann_));
    }

    // A stream of events from now on.
    class Events {
      public:
        Events(const Endpoint& endpoint, const std::string& token) : client_(endpoint) {
            client_.send("GET /v1/events HTTP/1.1\r\nHost: cloud\r\nAuthorization: Bearer " +
                         token + "\r\n\r\n");
            read_until({":ok\n\n"});
        }
        // What came until all of these did, and no more.
        std::string read_until(const std::vector<std::string>& parts) {
            std::size_t end = 0;
            for (const std::string& part : parts) {
                while (text_.find(part) == std::string::npos && read_more()) {
                }
                EXPECT_TRUE(has(text_, part)) << part << " in " << text_;
                end = std::max(end, std::min(text_.find(part), text_.size()) + part.size());
            }
            std::string taken = text_.substr(0, end);
            text_.erase(0, end);
            return taken;
        }

      private:
        bool read_more() {
            pollfd waiting{.fd = client_.socket().native_handle(), .events = POLLIN, .revents = 0};
            if (::poll(&waiting, 1, 20'000) != 1) return false;
            std::array<char, 4'096> piece{};
            boost::system::error_code error;
            text_.append(piece.data(),
                         client_.socket().read_some(boost::asio::buffer(piece), error));
            return !error;
        }

        RawClient client_;
        std::string text_;
    };

    Folder folder_;
    std::unique_ptr<Program> program_;
    Endpoint http_;
    std::string ann_;
    std::string bob_;
};

TEST_F(Webhooks, AnEventGoesToItsTargetAndTheAnswerComesBackIntoTheStream) {
    start();
    WebhookTarget target;
    const std::string id = create({{"event", "temp"},
                                   {"url", "http://" + target.place() + "/ok"},
                                   {"json", {{"room", "{{{room}}}"}}},
                                   {"headers", {{"X-Key", "s3cret-of-a-header"}}},
                                   {"auth", {{"username", "u"}, {"password", "s3cret-of-auth"}}}},
                                  ann_);
    create({{"event", "temp"}, {"url", "http://" + target.place() + "/fails"}}, ann_);
    Events events{http_, ann_};
    Events of_bob{http_, bob_};
    publish(ann_, "temperature", R"({"room": "kitchen"})");
    events.read_until({"event: hook-sent/temperature\n",
                       "event: hook-response/temperature/0\n",
                       "event: hook-error/temperature/0\n",
                       "error status 500 from 127.0.0.1"});
    ASSERT_TRUE(eventually([&] { return target.count() == 2; }));
    for (const std::string& request : target.requests()) {
        if (!has(request, "/ok ")) continue;
        EXPECT_TRUE(has(request, "\r\nX-Key: s3cret-of-a-header\r\n")) << request;
        EXPECT_EQ(json::parse(request.substr(request.find("\r\n\r\n")))["room"], "kitchen");
    }
    EXPECT_EQ(told(id)["counters"]["succeeded"], 1);
    // Nothing of it is anybody else's.
    publish(bob_, "temperature", "of bob");
    EXPECT_FALSE(has(of_bob.read_until({"of bob"}), "kitchen"));
    EXPECT_EQ(target.count(), 2U);
    EXPECT_FALSE(has(read_text(folder_ / "log"), "s3cret"));
    EXPECT_TRUE(has(operate({"audit"}).output, "integration-create"));
    EXPECT_FALSE(has(operate({"audit"}).output, "s3cret"));
}

TEST_F(Webhooks, LeadOutOfThisMachineOnlyUnlessTheOperatorAllowsIt) {
    start({});
    for (const char* url : {"http://127.0.0.1/",
                            "http://localhost:80/",
                            "http://10.0.0.1/",
                            "https://[::1]/",
                            "http://2130706433/",
                            "http://169.254.169.254/x"}) {
        const HttpReply refused =
            send_json("POST /v1/integrations", ann_, {{"event", "e"}, {"url", url}});
        EXPECT_EQ(refused.status, 400) << url;
        EXPECT_TRUE(has(refused.text, "webhook-allow")) << refused.text;
    }
    program_->stop(SIGTERM);
    const testing::Run wrong = operate({"run", "--webhook-allow", "nowhere"});
    EXPECT_EQ(wrong.code, 1);
    EXPECT_TRUE(has(wrong.output, "--webhook-allow nowhere")) << wrong.output;
}

TEST_F(Webhooks, WhatWasAllowedOnceIsToldOfWhenItIsNotAnyMore) {
    WebhookTarget target;
    start();
    const std::string id =
        create({{"event", "e"}, {"url", "http://" + target.place() + "/ok"}}, ann_);
    program_->stop(SIGTERM);
    start({});
    Events events{http_, ann_};
    publish(ann_, "e", "1");
    events.read_until({"hook-error/e/0\n"});
    EXPECT_TRUE(has(events.read_until({"\n\n"}), "webhook-allow"));
    EXPECT_TRUE(has(told(id)["last_error"], "webhook-allow")) << "and it was kept over the restart";
    EXPECT_EQ(target.count(), 0U);
}

TEST_F(Webhooks, OneThatLoopsBackRunsOnce) {
    start();
    const std::string place = "127.0.0.1:" + std::to_string(http_.port());
    const std::string id = create({{"event", "round"},
                                   {"url", "http://" + place + "/v1/devices/events"},
                                   {"headers", {{"Authorization", "Bearer " + ann_}}},
                                   {"noDefaults", true},
                                   {"form", {{"name", "round"}, {"data", "again"}}}},
                                  ann_);
    Events events{http_, ann_};
    publish(ann_, "round", "first");
    events.read_until({"again"});
    events.read_until({"hook-response/round/0\n"});
    publish(ann_, "end", "1");
    const std::string rest = events.read_until({"event: end\n"});
    EXPECT_FALSE(has(rest, "event: round\n")) << rest;
    EXPECT_EQ(told(id)["counters"]["sent"], 1);
}

TEST_F(Webhooks, AThousandOnOneEventAllRunAndHoldUpNobody) {
    start();
    WebhookTarget target;
    constexpr std::size_t kCount = 1'000;
    for (std::size_t i = 0; i < kCount; ++i)
        create({{"event", "e"}, {"url", "http://" + target.place() + "/ok"}}, ann_);
    create({{"event", "e"}, {"url", "http://" + target.place() + "/ok?bob"}}, bob_);
    publish(ann_, "e", "1");
    const auto begin = std::chrono::steady_clock::now();
    publish(bob_, "e", "1");
    EXPECT_TRUE(eventually([&] {
        const auto requests = target.requests();
        return std::ranges::any_of(requests, [](const auto& text) { return has(text, "?bob"); });
    }));
    EXPECT_EQ(ask(http_, "GET /v1/user", bob_).status, 200);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{5});
    EXPECT_TRUE(eventually([&] { return target.count() == kCount + 1; })) << target.count();
    program_->stop(SIGTERM);
    start();
    EXPECT_EQ(body_of(ask(http_, "GET /v1/integrations", ann_)).size(), kCount)
        << "nothing that was stored is lost";
}

TEST_F(Webhooks, OfHangingTargetsNobodyElseNoticesAnything) {
    start();
    WebhookTarget target;
    for (std::size_t i = 0; i < 64; ++i)
        create({{"event", "e"},
                {"url",
                 "http://127.0.0." + std::to_string(i + 1) + ":" + std::to_string(target.port()) +
                     "/hang"}},
               ann_);
    create({{"event", "e"}, {"url", "http://" + target.place() + "/ok"}}, bob_);
    publish(ann_, "e", "1");
    Events events{http_, bob_};
    const auto begin = std::chrono::steady_clock::now();
    publish(bob_, "e", "1");
    events.read_until({"hook-response/e/0\n"});
    EXPECT_EQ(ask(http_, "GET /v1/user", ann_).status, 200);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{5});
    EXPECT_EQ(program_->stop(SIGTERM), 0) << "also while they hang";
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{15});
}

}  // namespace
}  // namespace sotto::cloud::server
