// SPDX-License-Identifier: Apache-2.0
// Streams of events and REST over real sockets.
#include <boost/asio/read_until.hpp>
#include <nlohmann/json.hpp>

#include "cloud/server/limits.hpp"
#include "cloud/server/passwords.hpp"
#include "cloud/server/running_cloud_test.hpp"
#include "ports/linux/system_entropy.hpp"

namespace sotto::cloud::server {
namespace {

using nlohmann::json;

// One that reads a stream.
class Reader {
  public:
    Reader(const Endpoint& endpoint, const std::string& target, const std::string& more = {})
        : socket_(loop_) {
        socket_.connect(endpoint);
        const std::string request = "GET " + target + " HTTP/1.1\r\nHost: cloud\r\n" + more +
                                    "Authorization: Bearer " + kToken + "\r\n\r\n";
        boost::asio::write(socket_, boost::asio::buffer(request));
    }
    // Up to the next empty line.
    std::string next() {
        const std::size_t size = boost::asio::read_until(
            socket_, boost::asio::dynamic_buffer(text_), head_is_read_ ? "\n\n" : "\r\n\r\n");
        head_is_read_ = true;
        std::string taken = text_.substr(0, size);
        text_.erase(0, size);
        return taken;
    }

  private:
    boost::asio::io_context loop_;
    Socket socket_;
    std::string text_;
    bool head_is_read_ = false;
};

std::string id_of(const std::string& event) { return event.substr(4, event.find('\n') - 4); }

TEST(Streams, HeadersAndGreetingComeAtOnceAndThenEachEventWhole) {
    RunningCloud cloud;
    Reader reader{cloud.http_at(), "/v1/devices/events/te?nonce=1"};
    const std::string head = reader.next();
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
    EXPECT_NE(head.find("Content-Type: text/event-stream"), std::string::npos);
    EXPECT_EQ(reader.next(), ":ok\n\n");
    cloud.publish("other", "0");
    cloud.publish("temp", "25.0");
    const std::string event = reader.next();
    EXPECT_NE(event.find("\nevent: temp\n"), std::string::npos) << event;
    const json data = json::parse(event.substr(event.find("data: ") + 6));
    EXPECT_EQ(data["data"], "25.0");
    EXPECT_EQ(data["coreid"], "api");
}

TEST(Streams, WhoComesBackWithTheLastIdMissesNothing) {
    RunningCloud cloud;
    std::string last;
    {
        Reader reader{cloud.http_at(), "/v1/events"};
        reader.next();
        reader.next();
        cloud.publish("e", "1");
        last = id_of(reader.next());
    }
    cloud.publish("e", "2");
    cloud.publish("e", "3");
    Reader again{cloud.http_at(), "/v1/events", "Last-Event-ID: " + last + "\r\n"};
    again.next();
    EXPECT_EQ(again.next(), ":ok\n\n");
    EXPECT_NE(again.next().find("\"2\""), std::string::npos);
    EXPECT_NE(again.next().find("\"3\""), std::string::npos);
}

TEST(Streams, WithoutATokenThereIsNone) {
    RunningCloud cloud;
    EXPECT_EQ(ask(cloud.http_at(), "GET /v1/events", "token-of-eve").status, 401);
    EXPECT_EQ(ask(cloud.http_at(), "GET /v1/events", "token-of-gateway").status, 401);
    EXPECT_EQ(ask(cloud.http_at(), "GET /v1/events").status, 400);
}

TEST(Streams, ManyReadersGetAllAndLeaveNothingBehind) {
    RunningCloud cloud;
    std::vector<std::unique_ptr<Reader>> readers;
    for (int i = 0; i < 90; ++i) {
        readers.push_back(std::make_unique<Reader>(cloud.http_at(), "/v1/events"));
        readers.back()->next();
        readers.back()->next();
    }
    for (int i = 0; i < 20; ++i) cloud.publish("e", std::to_string(i));
    for (const auto& reader : readers) {
        for (int i = 0; i < 20; ++i)
            EXPECT_NE(reader->next().find("\"" + std::to_string(i) + "\""), std::string::npos);
    }
    readers.clear();
    // A hundred again: those before were let go.
    for (int i = 0; i < 90; ++i) {
        Reader reader{cloud.http_at(), "/v1/events"};
        EXPECT_TRUE(reader.next().starts_with("HTTP/1.1 200"));
    }
}

TEST(Rest, OptionsAndUnknownMethodsAreAnswered) {
    RunningCloud cloud;
    const HttpReply preflight = ask(cloud.http_at(), "DELETE /v1/devices", kToken);
    EXPECT_EQ(preflight.status, 405);
    EXPECT_NE(preflight.text.find("Allow: GET, POST"), std::string::npos);
    EXPECT_NE(preflight.text.find("Access-Control-Allow-Origin: *"), std::string::npos);
    EXPECT_EQ(ask(cloud.http_at(), "PATCH /v1/devices", kToken).status, 405);
    EXPECT_EQ(ask(cloud.http_at(), "GET //v1//devices", kToken).status, 200);
}

TEST(Passwords, APasswordMoreThanMayWaitIsToldSo) {
    boost::asio::io_context loop;
    ports::SystemEntropy entropy;
    int busy = 0;
    int answered = 0;
    {
        Passwords passwords{
            entropy, [&loop](auto function) { boost::asio::post(loop, std::move(function)); }};
        for (std::size_t i = 0; i < kPasswordsWaitingMax + 2; ++i) {
            passwords.check("x", "", [&](const Result<bool>& is_good) {
                ++answered;
                if (!is_good && is_good.error() == Error::Busy) ++busy;
            });
        }
        const auto guard = boost::asio::make_work_guard(loop);
        while (busy == 0 && answered < 3) loop.run_one();
    }
    EXPECT_GE(busy, 1);
}

TEST(Passwords, AreHashedAndKnownAgain) {
    boost::asio::io_context loop;
    const auto guard = boost::asio::make_work_guard(loop);
    ports::SystemEntropy entropy;
    Passwords passwords{entropy,
                        [&loop](auto function) { boost::asio::post(loop, std::move(function)); }};
    std::optional<std::string> line;
    passwords.hash("correct horse", [&line](const auto& made) { line = *made; });
    while (!line) loop.run_one();
    int good = 0;
    int answered = 0;
    for (const char* password : {"correct horse", "wrong"}) {
        passwords.check(password, *line, [&](const Result<bool>& is_good) {
            ++answered;
            good += *is_good ? 1 : 0;
        });
    }
    while (answered < 2) loop.run_one();
    EXPECT_EQ(good, 1);
}

}  // namespace
}  // namespace sotto::cloud::server
