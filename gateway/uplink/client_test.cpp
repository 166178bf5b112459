// SPDX-License-Identifier: Apache-2.0
// The client against a scripted server in the same event loop.
#include "gateway/uplink/client.hpp"

#include <chrono>
#include <optional>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "core/framing/limits.hpp"

namespace sotto::gateway::uplink {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Buffer = std::vector<std::uint8_t>;

class Log final : public ClientHandler {
  public:
    void on_up() override { texts.push_back("up"); }
    void on_record(Bytes record) override { texts.push_back(std::string{as_text(record)}); }
    void on_down(const std::string& reason) override {
        texts.push_back("down");
        why = reason;
    }
    std::vector<std::string> texts;
    std::string why;
};

class UplinkClient : public ::testing::Test {
  protected:
    UplinkClient() : acceptor(loop, tcp::endpoint{asio::ip::address_v4::loopback(), 0}) {}

    std::string port() const { return std::to_string(acceptor.local_endpoint().port()); }
    Client make_client(const std::string& host = "127.0.0.1", bool insecure = false) {
        return {loop,
                {host, port()},
                [this, insecure] { return make_plain_stream(loop, insecure); },
                log};
    }
    template <class Condition>
    bool until(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
        while (!condition() && std::chrono::steady_clock::now() < end) {
            loop.restart();
            loop.run_one_for(std::chrono::milliseconds{100});
        }
        return condition();
    }
    void accept() {
        acceptor.async_accept([this](boost::system::error_code, tcp::socket socket) {
            server.emplace(std::move(socket));
        });
    }
    void open(Client& client) {
        accept();
        client.connect();
        ASSERT_TRUE(until([&] { return server && !log.texts.empty(); }));
    }

    asio::io_context loop{1};
    tcp::acceptor acceptor;
    std::optional<tcp::socket> server;
    Log log;
};

TEST_F(UplinkClient, CarriesRecordsBothWays) {
    Client client = make_client();
    client.send(Buffer{0, 1, 'x'});  // nothing: not connected
    open(client);
    asio::write(*server, asio::buffer(Buffer{0, 2, 'a', 'b', 0, 1}));
    EXPECT_TRUE(until([&] { return log.texts.size() == 2; }));
    asio::write(*server, asio::buffer(Buffer{'c'}));
    EXPECT_TRUE(until([&] { return log.texts.size() == 3; }));
    EXPECT_EQ(log.texts, (std::vector<std::string>{"up", "ab", "c"}));
    client.send(Buffer{0, 1, 'y'});
    client.send(Buffer{0, 1, 'z'});
    Buffer got(6);
    bool done = false;
    asio::async_read(*server, asio::buffer(got), [&](boost::system::error_code error, std::size_t) {
        done = !error;
    });
    EXPECT_TRUE(until([&] { return done; }));
    EXPECT_EQ(got, (Buffer{0, 1, 'y', 0, 1, 'z'}));
}

TEST_F(UplinkClient, ReportsEveryEndOnceAndCanConnectAgain) {
    Client client = make_client();
    open(client);
    server.reset();
    EXPECT_TRUE(until([&] { return log.texts.back() == "down"; }));
    open(client);
    ASSERT_TRUE(until([&] { return log.texts.back() == "up"; }));
    client.close("enough");
    client.close("enough");
    EXPECT_EQ(log.texts.back(), "up") << "not from within the call";
    EXPECT_TRUE(until([&] { return log.texts.back() == "down"; }));
    EXPECT_EQ(log.why, "enough");
    loop.restart();
    loop.poll();
    EXPECT_EQ(log.texts.size(), 4U);
}

TEST_F(UplinkClient, ClosesOnASizeThatIsNone) {
    for (const Buffer& bad : {Buffer{0, 0}, Buffer{0xff, 0xff, 1, 2, 3}}) {
        Client client = make_client();
        log.texts.clear();
        server.reset();
        open(client);
        asio::write(*server, asio::buffer(bad));
        EXPECT_TRUE(until([&] { return log.texts.back() == "down"; }));
    }
}

TEST_F(UplinkClient, SaysWhyItCannotConnect) {
    const std::string free_port = port();
    acceptor.close();
    Client nobody{
        loop, {"127.0.0.1", free_port}, [this] { return make_plain_stream(loop, false); }, log};
    nobody.connect();
    EXPECT_TRUE(until([&] { return !log.texts.empty(); }));
    EXPECT_EQ(log.texts, std::vector<std::string>{"down"});
    EXPECT_FALSE(log.why.empty());
}

TEST_F(UplinkClient, LeavesLoopbackOnlyWhenToldTo) {
    Client client = make_client("192.0.2.1");
    client.connect();
    EXPECT_TRUE(until([&] { return !log.texts.empty(); }));
    EXPECT_NE(log.why.find("--insecure"), std::string::npos);
}

TEST_F(UplinkClient, GivesUpAServerThatTakesNothing) {
    Client client = make_client();
    open(client);
    const Buffer record(framing::kUplinkBytesMax, 1);
    for (int i = 0; i < 20'000 && log.texts.back() != "down"; ++i) {
        client.send(record);
        loop.restart();
        loop.poll();
    }
    EXPECT_EQ(log.texts.back(), "down");
}

TEST_F(UplinkClient, MayBeDestroyedAtAnyTime) {
    {
        Client client = make_client();
        client.connect();
    }
    {
        Client client = make_client();
        open(client);
        client.send(Buffer{0, 1, 'x'});
    }
    loop.restart();
    loop.poll();
    EXPECT_EQ(log.texts, std::vector<std::string>{"up"});
}

}  // namespace
}  // namespace sotto::gateway::uplink
