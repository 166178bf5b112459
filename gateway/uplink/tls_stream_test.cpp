// SPDX-License-Identifier: Apache-2.0
// The uplink in TLS against a scripted server, in the same event loop.
#include <chrono>
#include <ctime>
#include <optional>

#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include "gateway/uplink/client.hpp"
#include "gateway/uplink/security.hpp"
#include "ports/authority/authority.hpp"
#include "ports/tls/connection.hpp"
#include "ports/tls/server_context.hpp"

namespace sotto::gateway::uplink {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ports::TlsConnection;

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

class TlsUplink : public ::testing::Test {
  protected:
    TlsUplink() : acceptor(loop, tcp::endpoint{asio::ip::address_v4::loopback(), 0}) {}

    Client make_client(const Security& security) {
        return {loop,
                {"127.0.0.1", std::to_string(acceptor.local_endpoint().port())},
                [this, security] { return security.make_stream(loop); },
                log};
    }
    Security pinned(const ports::Fingerprint& pin) {
        return Security::parse({.host = "127.0.0.1", .pin = to_string(pin)}).value();
    }
    template <class Condition>
    bool until(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (!condition() && std::chrono::steady_clock::now() < end) {
            loop.restart();
            loop.run_one_for(std::chrono::milliseconds{10});
            if (server) step();
        }
        return condition();
    }
    void accept() {
        acceptor.async_accept([this](boost::system::error_code, tcp::socket socket) {
            server.emplace(std::move(socket));
            server->non_blocking(true);
            tls.emplace(*context, server->native_handle(), ports::TlsVersion::Tls13);
        });
    }
    // Answers every byte with itself.
    void step() {
        if (!is_up) is_up = tls->shake_hands().state == TlsConnection::State::Done;
        std::array<std::uint8_t, 4'096> buffer{};
        while (is_up) {
            const auto read = tls->read(buffer);
            if (read.state != TlsConnection::State::Done) return;
            received += read.size;
            tls->write(Bytes{buffer}.first(read.size));
        }
    }

    asio::io_context loop{1};
    tcp::acceptor acceptor;
    ports::Authority authority = ports::Authority::create("test").value();
    ports::SecretText pem =
        authority.issue({"127.0.0.1"}, {std::time(nullptr) - 60, std::time(nullptr) + 600}).value();
    ports::TlsContext context = ports::make_server_context(pem.expose(), pem.expose()).value();
    std::optional<tcp::socket> server;
    std::optional<TlsConnection> tls;
    bool is_up = false;
    std::size_t received = 0;
    Log log;
};

TEST_F(TlsUplink, CarriesRecordsBothWays) {
    for (const Security& security :
         {pinned(authority.fingerprint()),
          Security::parse({.host = "127.0.0.1", .authorities = authority.certificate_pem()})
              .value()}) {
        log.texts.clear();
        is_up = false;
        Client client = make_client(security);
        accept();
        client.connect();
        ASSERT_TRUE(until([&] { return !log.texts.empty(); }));
        ASSERT_EQ(log.texts, std::vector<std::string>{"up"}) << log.why;
        client.send(as_bytes(std::string("\0\2ab", 4)));
        client.send(as_bytes(std::string("\0\1c", 3)));
        EXPECT_TRUE(until([&] { return log.texts.size() == 3; }));
        EXPECT_EQ(log.texts, (std::vector<std::string>{"up", "ab", "c"}));
    }
}

TEST_F(TlsUplink, MuchAtOnceArrivesWhole) {
    Client client = make_client(pinned(authority.fingerprint()));
    accept();
    client.connect();
    ASSERT_TRUE(until([&] { return !log.texts.empty(); }));
    const std::string record = std::string("\x07\xd0", 2) + std::string(2'000, 'x');
    for (int i = 0; i < 20; ++i) client.send(as_bytes(record));
    EXPECT_TRUE(until([&] { return log.texts.size() == 21; }));
    EXPECT_EQ(received, 20 * record.size());
    EXPECT_EQ(log.texts.back(), record.substr(2));
}

TEST_F(TlsUplink, AStrangerIsRefusedBeforeAnythingIsSaid) {
    Client client = make_client(pinned(ports::Fingerprint{{1}}));
    accept();
    client.connect();
    ASSERT_TRUE(until([&] { return !log.texts.empty(); }));
    EXPECT_EQ(log.texts, std::vector<std::string>{"down"});
    EXPECT_NE(log.why.find(to_string(authority.fingerprint())), std::string::npos) << log.why;
    EXPECT_EQ(received, 0U);
}

TEST_F(TlsUplink, ReportsTheEndOnceAndConnectsAgain) {
    Client client = make_client(pinned(authority.fingerprint()));
    for (int round = 0; round < 2; ++round) {
        log.texts.clear();
        is_up = false;
        accept();
        client.connect();
        ASSERT_TRUE(until([&] { return !log.texts.empty() && is_up; }));
        server.reset();
        ASSERT_TRUE(until([&] { return log.texts.size() == 2; }));
        EXPECT_EQ(log.texts, (std::vector<std::string>{"up", "down"}));
    }
}

TEST_F(TlsUplink, MayBeDestroyedAtAnyTime) {
    {
        Client client = make_client(pinned(authority.fingerprint()));
        accept();
        client.connect();
        until([&] { return server.has_value(); });
    }
    for (int i = 0; i < 20; ++i) loop.poll();
    EXPECT_TRUE(log.texts.empty());
}

TEST_F(TlsUplink, ClearTextInTheirAnswerIsNamed) {
    Client client = make_client(pinned(authority.fingerprint()));
    std::optional<tcp::socket> plain;
    acceptor.async_accept([&](boost::system::error_code, tcp::socket socket) {
        plain.emplace(std::move(socket));
        plain->write_some(asio::buffer(std::string{"HTTP/1.1 400 Bad Request\r\n\r\n"}));
    });
    client.connect();
    ASSERT_TRUE(until([&] { return !log.texts.empty(); }));
    EXPECT_EQ(log.why, "it does not speak TLS there");
}

TEST_F(TlsUplink, AnAlertInAnswerToClearTextIsNamed) {
    Client client = make_client(Security::parse({.host = "127.0.0.1"}).value());
    std::optional<tcp::socket> plain;
    acceptor.async_accept([&](boost::system::error_code, tcp::socket socket) {
        plain.emplace(std::move(socket));
        plain->write_some(asio::buffer(std::string("\x15\3\1\0\2\2\x46", 7)));
    });
    client.connect();
    ASSERT_TRUE(until([&] { return log.texts.size() == 2; }));
    EXPECT_NE(log.why.find("speaks TLS only"), std::string::npos) << log.why;
}

TEST(Security, SaysWhatIsNoPinAndNoAuthority) {
    EXPECT_FALSE(Security::parse({.host = "a", .pin = "12"}));
    EXPECT_FALSE(Security::parse({.host = "a", .authorities = "12"}));
}

}  // namespace
}  // namespace sotto::gateway::uplink
