// SPDX-License-Identifier: Apache-2.0
// The cloud's sockets: good and bad clients side by side.
#include <list>

#include "cloud/server/limits.hpp"
#include "cloud/server/running_cloud_test.hpp"

namespace sotto::cloud::server {
namespace {

class SocketsTest : public testing::Test {
  protected:
    HttpReply ask(const std::string& line, const std::string& token = kToken) {
        return server::ask(http_at_, line, token);
    }
    void expect_good_service() {
        EXPECT_EQ(ask("GET /sotto/v1/cloud").status, 200);
        GatewayClient gateway{gateways_at_};
        EXPECT_TRUE(gateway.sign_in(kGatewayToken));
    }
    // A device that waits to be paired with.
    static void link_up(GatewayClient& gateway, std::uint32_t link) {
        gateway.write(
            uplink::LinkUp{.link = uplink::LinkId{link}, .attach = {.device_id = kDevice}});
    }

    RunningCloud cloud_;
    const Endpoint& http_at_ = cloud_.http_at();
    const Endpoint& gateways_at_ = cloud_.gateways_at();
};

using Http = SocketsTest;
using Channel = SocketsTest;
using Uplink = SocketsTest;

std::string get(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: cloud\r\n\r\n";
}

TEST_F(Http, AnswersRequestAfterRequestOnOneConnection) {
    RawClient client{http_at_};
    for (int i = 0; i < 3; ++i) {
        client.send(get("/sotto/v1/health"));
        EXPECT_EQ(reply_of(client.read_reply()).status, 200);
    }
    client.send(get("/sotto/v1/health") + get("/sotto/v1/cloud") + get("/nowhere"));
    EXPECT_EQ(reply_of(client.read_reply()).status, 200);
    EXPECT_EQ(reply_of(client.read_reply()).status, 401);
    EXPECT_EQ(reply_of(client.read_reply()).status, 404);
}

TEST_F(Http, IsSpokenAtItsAddressAndAtNoOther) {
    boost::asio::io_context loop;
    boost::asio::ip::tcp::socket socket{loop};
    boost::system::error_code error;
    socket.connect({boost::asio::ip::make_address("127.0.0.2"), http_at_.port()}, error);
    EXPECT_EQ(error, boost::asio::error::connection_refused);
}

TEST_F(Http, AHeadIsRefusedWithoutABodyAndTheConnectionGoesOn) {
    RawClient client{http_at_};
    client.send("HEAD /v1/devices HTTP/1.1\r\nHost: cloud\r\n\r\n" + get("/sotto/v1/health"));
    EXPECT_TRUE(client.read_reply(false).starts_with("HTTP/1.1 405"));
    EXPECT_TRUE(client.read_reply().starts_with("HTTP/1.1 200"));
}

TEST_F(Http, ARefusalSaysWhatToDo) {
    const HttpReply wrong_token = ask("GET /sotto/v1/cloud", "token-of-eve");
    EXPECT_EQ(wrong_token.status, 401);
    EXPECT_NE(wrong_token.text.find("WWW-Authenticate: Bearer"), std::string::npos);
    EXPECT_NE(wrong_token.text.find("\"next\":"), std::string::npos);
    const HttpReply wrong_method = ask("DELETE /sotto/v1/claims");
    EXPECT_EQ(wrong_method.status, 405);
    EXPECT_NE(wrong_method.text.find("Allow: POST"), std::string::npos);
}

TEST_F(Http, WhatIsNoRequestIsRefusedAndHurtsNobodyElse) {
    const std::string length = "Content-Length: ";
    const std::pair<std::string, int> cases[] = {
        {"\r\n\r\n\r\n", 400},
        {"hello\r\n\r\n", 400},
        {std::string(300, '\0'), 400},
        {"GET /sotto/v1/health HTTP/9.9\r\n\r\n", 400},
        {"GET /sotto/v1/health HTTP/1.1\r\nno colon\r\n\r\n", 400},
        {"POST /sotto/v1/claims HTTP/1.1\r\n" + length + "-1\r\n\r\n", 400},
        {"POST /sotto/v1/claims HTTP/1.1\r\n" + length + "1\r\n" + length + "2\r\n\r\n", 400},
        {"POST /sotto/v1/claims HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"POST /sotto/v1/claims HTTP/1.1\r\n" + length + "99999999\r\n\r\n", 413},
        {"POST /sotto/v1/claims HTTP/1.1\r\n" + length + "99999999999999999999999\r\n\r\n", 400},
        {"POST /sotto/v1/claims HTTP/1.1\r\n" + length + "20000\r\n\r\n" + std::string(20'000, 'x'),
         413},
        // Its sender has room to send all of it, and reads the reply then.
        {"PUT /v1/devices/x HTTP/1.1\r\n" + length + "8000000\r\n\r\n" +
             std::string(8'000'000, 'x'),
         413},
        {"GET / HTTP/1.1\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n", 431},
        {"GET /" + std::string(200'000, 'x') + " HTTP/1.1\r\n\r\n", 431},
    };
    for (const auto& [text, status] : cases) {
        RawClient client{http_at_};
        EXPECT_TRUE(client.send(text)) << text.substr(0, 80);
        client.end();
        EXPECT_EQ(reply_of(client.read_all()).status, status) << text.substr(0, 80);
    }
    expect_good_service();
}

TEST_F(Http, ARequestMayBreakOffAnywhere) {
    const std::string request = "POST /sotto/v1/claims HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd";
    for (std::size_t size = 0; size < request.size(); ++size) {
        RawClient client{http_at_};
        client.send(request.substr(0, size));
    }
    expect_good_service();
}

TEST_F(Http, SilentConnectionsKeepNobodyOut) {
    std::list<RawClient> silent;
    for (std::size_t i = 0; i < kConnectionsMax + 50; ++i)
        silent.emplace_back(http_at_).send("GET /sotto/v1/he");
    expect_good_service();
    AppClient app{http_at_, kToken};
    EXPECT_TRUE(app.is_open());
    EXPECT_EQ(silent.front().read_all(), "");  // it has made room
}

TEST_F(Http, AnUpgradeThatIsNoneIsRefused) {
    const std::string channel = std::string{"GET "} + kAppTarget;
    EXPECT_EQ(ask(channel).status, 426);
    const auto upgrade = [&](const std::string& line, const std::string& more) {
        return server::ask(http_at_, line, kToken, "Connection: Upgrade\r\n" + more).status;
    };
    const std::string good = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    EXPECT_EQ(upgrade("GET /sotto/v1/channel", good), 400);
    EXPECT_EQ(upgrade("GET /sotto/v1/channel?app=00", good), 400);
    EXPECT_EQ(AppClient(http_at_, "token-of-eve").status(), 401);
    EXPECT_EQ(AppClient(http_at_, kGatewayToken).status(), 401);
    EXPECT_EQ(AppClient(http_at_, kToken, "/sotto/v1/health").status(), 200);
    EXPECT_EQ(AppClient(http_at_, kToken, "/sotto/v1/chanel").status(), 404);
    EXPECT_EQ(upgrade(channel, good), 400);  // no key
    EXPECT_EQ(upgrade(channel,
                      "Upgrade: websocket\r\nSec-WebSocket-Version: 99\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
              426);
    expect_good_service();
    EXPECT_TRUE(AppClient(http_at_, kToken).is_open());
}

TEST_F(Channel, CarriesMessagesToADeviceAndBack) {
    GatewayClient gateway{gateways_at_};
    ASSERT_TRUE(gateway.sign_in(kGatewayToken));
    link_up(gateway, 1);
    AppClient app{http_at_, kToken};
    ASSERT_TRUE(app.is_open());
    // What two sockets say has no order between them.
    while (true) {
        app.send(kDevice, "ping");
        const auto outcome = app.read<channel::Outcome>();
        if (outcome.code == channel::OutcomeCode::HandedOn) break;
        ASSERT_EQ(outcome.code, channel::OutcomeCode::NotConnected);
    }
    const auto message = gateway.read<uplink::Message>();
    EXPECT_EQ(message.link, uplink::LinkId{1});
    EXPECT_EQ(as_text(message.message), "ping");
    const Buffer pong = buffer_of("pong");
    gateway.write(
        uplink::Message{.link = uplink::LinkId{1}, .label = message.label, .message = pong});
    const auto delivery = app.read<channel::Deliver>();
    EXPECT_EQ(delivery.device_id, kDevice);
    EXPECT_EQ(as_text(delivery.message), "pong");
    app.send(framing::DeviceId{0xee}, "nobody");
    EXPECT_EQ(app.read<channel::Outcome>().code, channel::OutcomeCode::NotConnected);
}

TEST_F(Channel, ARecordThatBreaksTheFormatEndsItsChannelOnly) {
    AppClient other{http_at_, kToken, "/sotto/v1/channel?app=ffffffffffffffffffffffffffffffff"};
    const Buffer cases[] = {{},
                            {0x01},
                            {0x7f, 1, 2, 3},
                            {0x02, 0, 0, 0, 1, 0},                 // an OUTCOME of an app
                            {0x04, 0, 0, 0, 0, 0, 0, 0, 0},        // ACK of nothing
                            {0x04, 0, 0, 0, 0, 0, 0, 0, 1, 9},     // and one byte more
                            Buffer(kChannelMessageSizeMax, 0xff),  // no record has this type
                            Buffer(kChannelMessageSizeMax + 1, 0x01)};
    for (const Buffer& bytes : cases) {
        AppClient app{http_at_, kToken};
        ASSERT_TRUE(app.is_open());
        app.write_raw(bytes);
        EXPECT_TRUE(app.is_ended());
    }
    AppClient text{http_at_, kToken};
    text.socket().text(true);
    text.write(channel::Ack{.sequence = channel::Sequence{1}});
    EXPECT_TRUE(text.is_ended());
    other.send(kDevice, "still here");
    EXPECT_EQ(other.read<channel::Outcome>().code, channel::OutcomeCode::NotConnected);
}

TEST_F(Channel, ASendThatIsTooLargeIsToldSo) {
    AppClient app{http_at_, kToken};
    Buffer bytes(2'000, 0);
    bytes[0] = 0x01;
    bytes[4] = 9;  // its reference
    app.write_raw(bytes);
    const auto outcome = app.read<channel::Outcome>();
    EXPECT_EQ(outcome.reference, channel::Reference{9});
    EXPECT_EQ(outcome.code, channel::OutcomeCode::TooLarge);
}

TEST_F(Channel, BytesThatAreNoWebSocketEndIt) {
    for (const char* bytes : {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                              "\x82\x05hello",
                              "GET / HTTP/1.1\r\n\r\n",
                              "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xffmask"}) {
        AppClient app{http_at_, kToken};
        ASSERT_TRUE(app.is_open());
        boost::asio::write(boost::beast::get_lowest_layer(app.socket()).socket(),
                           boost::asio::buffer(std::string_view{bytes}));
        EXPECT_TRUE(app.is_ended());
    }
    expect_good_service();
}

TEST_F(Channel, TheSecondOfAnAppEndsTheFirst) {
    AppClient first{http_at_, kToken};
    AppClient second{http_at_, kToken};
    EXPECT_TRUE(first.is_ended());
    second.send(kDevice, "mine");
    EXPECT_EQ(second.read<channel::Outcome>().code, channel::OutcomeCode::NotConnected);
}

TEST_F(Channel, AReaderThatIsTooSlowIsLetGoAndHoldsNobodyUp) {
    AppClient slow{http_at_, kToken};
    AppClient other{http_at_, kToken, "/sotto/v1/channel?app=ffffffffffffffffffffffffffffffff"};
    constexpr int kSends = 200'000;
    constexpr std::size_t kOutcomeSize = 6;
    // More than may be kept for it.
    static_assert(kSends * kOutcomeSize >
                  3 * services::kAppOutputBytesMax + 2 * kAppSendBuffer + 2 * kAppBuffer);
    constexpr int kBatch = 1'000;
    for (int i = 0; i < kSends && slow.is_open(); i += kBatch) slow.send_many(kDevice, "x", kBatch);
    other.send(kDevice, "x");
    EXPECT_EQ(other.read<channel::Outcome>().code, channel::OutcomeCode::NotConnected);
    int outcomes = 0;
    while (std::holds_alternative<channel::Outcome>(slow.read())) ++outcomes;
    EXPECT_LT(outcomes, kSends);
}

TEST_F(Uplink, ARecordThatBreaksTheFormatEndsIt) {
    using namespace std::string_view_literals;
    const std::string_view cases[] = {
        "\x00\x00"sv,  // a size of nothing
        "\x08\x01"sv,  // 2,049
        "\xff\xff"sv,
        "\x00\x01\x77"sv,          // no such type
        "\x00\x03\x02\x00\x20"sv,  // WELCOME of a gateway
        "\x00\x05\x30\x00\x00\x00"sv
        "\x01\x01"sv,                               // PING, and then nonsense
        "\x00\x02\x01\x01"sv,                       // HELLO again, without a token
        "\x00\x05\x11\x00\x00\x00\x09"sv,           // LINK_DOWN of a link that is not
        "\x00\x08\x20\x00\x00\x00\x01\x00\x00x"sv,  // MESSAGE with label 0
        "GET / HTTP/1.1\r\n\r\n"sv};
    for (const std::string_view bytes : cases) {
        GatewayClient gateway{gateways_at_};
        ASSERT_TRUE(gateway.sign_in(kGatewayToken));
        gateway.write_raw(bytes);
        gateway.raw().end();
        while (!gateway.is_ended()) {
        }
        GatewayClient stranger{gateways_at_};
        stranger.write_raw(bytes);
        stranger.raw().end();
        EXPECT_TRUE(stranger.is_ended());  // without a word
    }
    expect_good_service();
}

TEST_F(Uplink, AWrongTokenOrVersionIsToldSo) {
    GatewayClient wrong{gateways_at_};
    wrong.write(uplink::Hello{.token = kToken});  // an account's
    EXPECT_EQ(wrong.read<uplink::Refused>().reason, uplink::Reason::BadToken);
    EXPECT_TRUE(wrong.is_ended());
    GatewayClient other{gateways_at_};
    other.write_raw({"\x00\x03\x01\x02t", 5});
    EXPECT_EQ(other.read<uplink::Refused>().reason, uplink::Reason::Version);
    EXPECT_TRUE(other.is_ended());
}

TEST_F(Uplink, SilentConnectionsKeepNobodyOut) {
    std::list<RawClient> silent;
    for (std::size_t i = 0; i < services::kGatewayStrangersMax + 10; ++i)
        silent.emplace_back(gateways_at_).send(std::string_view{"\x00", 1});
    expect_good_service();
    EXPECT_EQ(silent.front().read_all(), "");
}

}  // namespace
}  // namespace sotto::cloud::server
