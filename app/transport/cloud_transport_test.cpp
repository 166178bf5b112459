// SPDX-License-Identifier: Apache-2.0
// The app's end of HTTP and WebSocket against a cloud that plays a script, over loopback.
#include "app/transport/cloud_transport.hpp"

#include <cstdlib>
#include <fstream>
#include <future>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <gtest/gtest.h>

#include "core/framing/channel.hpp"
#include "ports/tls/certificate.hpp"

namespace sotto::app {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
namespace channel = framing::channel;
using Tcp = asio::ip::tcp;
using WebSocket = websocket::stream<Tcp::socket>;

constexpr Duration kLimit = seconds(20);
const AppId kAppId{0xab, 1, 2};
const framing::DeviceId kDevice{7, 7, 7};

// Accepts one connection and gives it to the script, in a thread of its own.
class FakeCloud {
  public:
    using Script = std::function<void(Tcp::socket)>;

    explicit FakeCloud(Script script)
        : done_(std::async(std::launch::async,
                           [this, script = std::move(script)] { script(acceptor_.accept()); })) {}
    // The end of the script; throws what it threw.
    void finish() { done_.get(); }
    CloudLogin login(const std::string& host = "127.0.0.1") const {
        return {.url = {.is_tls = false,
                        .endpoint = {host, std::to_string(acceptor_.local_endpoint().port())}},
                .token = "the-token"};
    }

  private:
    asio::io_context loop_;
    Tcp::acceptor acceptor_{loop_, {asio::ip::address_v4::loopback(), 0}};
    std::future<void> done_;
};

// Reads the head of a request, answers with these bytes.
template <class Stream>
std::string serve(Stream& stream, const std::string& reply) {
    std::string head;
    asio::read_until(stream, asio::dynamic_buffer(head), "\r\n\r\n");
    asio::write(stream, asio::buffer(reply));
    return head;
}

std::string reply_of(const std::string& status, const std::string& body) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

TEST(HttpRequest, CarriesTheTokenAndReturnsTheBody) {
    std::string head;
    FakeCloud cloud{[&](Tcp::socket socket) { head = serve(socket, reply_of("200 OK", "{}")); }};
    const auto reply = http_request(cloud.login(), HttpMethod::Post, "/sotto/v1/claims", kLimit);
    cloud.finish();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 200U);
    EXPECT_EQ(reply->body, "{}");
    EXPECT_EQ(head.find("POST /sotto/v1/claims HTTP/1.1\r\n"), 0U);
    EXPECT_NE(head.find("Authorization: Bearer the-token\r\n"), std::string::npos);
}

TEST(HttpRequest, TellsWhatIsWrong) {
    const struct {
        std::string reply;
        Trouble trouble;
    } cases[] = {
        {reply_of("401 Unauthorized", ""), Trouble::SignIn},
        {"", Trouble::Unreachable},
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n", Trouble::Unreachable},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", Trouble::Unreachable},
        {reply_of("200 OK", "{}").substr(0, 30), Trouble::Unreachable},
    };
    for (const auto& item : cases) {
        FakeCloud cloud{[&](Tcp::socket socket) { serve(socket, item.reply); }};
        const auto reply = http_request(cloud.login(), HttpMethod::Get, "/", kLimit);
        cloud.finish();
        ASSERT_FALSE(reply) << item.reply;
        EXPECT_EQ(reply.error().trouble, item.trouble) << item.reply;
        EXPECT_FALSE(reply.error().next.empty());
    }
}

TEST(HttpRequest, NobodyThereIsUnreachable) {
    CloudLogin login;
    {
        FakeCloud cloud{[](Tcp::socket) {}};
        login = cloud.login();
        ASSERT_FALSE(http_request(login, HttpMethod::Get, "/", kLimit));
        cloud.finish();
    }
    const auto reply = http_request(login, HttpMethod::Get, "/", kLimit);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().trouble, Trouble::Unreachable);
}

TEST(HttpRequest, ASilentCloudIsGivenUpOn) {
    std::promise<void> release;
    FakeCloud cloud{[&](Tcp::socket) { release.get_future().wait(); }};
    const auto reply = http_request(cloud.login(), HttpMethod::Get, "/", milliseconds(50));
    release.set_value();
    cloud.finish();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().trouble, Trouble::Unreachable);
}

TEST(HttpRequest, ATokenNeverCrossesAClearNetwork) {
    CloudLogin login{.url = {.is_tls = false, .endpoint = {"192.0.2.1", "80"}}, .token = "t"};
    const auto reply = http_request(login, HttpMethod::Get, "/", kLimit);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().trouble, Trouble::Usage);
    const auto transport = CloudTransport::connect(login, kAppId, kDevice, kLimit);
    ASSERT_FALSE(transport);
    EXPECT_EQ(transport.error().trouble, Trouble::Usage);
}

// As serve(), in TLS with the certificate of "localhost".
void serve_tls(Tcp::socket socket) {
    const std::string folder = std::string{SOTTO_SOURCE_DIR} + "/tests/vectors/tls/localhost";
    asio::ssl::context context{asio::ssl::context::tls_server};
    context.use_certificate_file(folder + ".crt", asio::ssl::context::pem);
    context.use_private_key_file(folder + ".key", asio::ssl::context::pem);
    asio::ssl::stream<Tcp::socket> stream{std::move(socket), context};
    boost::system::error_code refused;
    stream.handshake(asio::ssl::stream_base::server, refused);
    if (!refused) serve(stream, reply_of("200 OK", "in TLS"));
}

TEST(HttpRequest, TlsWantsATrustedCertificateOfTheRightName) {
    const std::string authority =
        std::string{SOTTO_SOURCE_DIR} + "/tests/vectors/tls/localhost.crt";
    const struct {
        const char* host;
        std::string authority;
        bool is_trusted;
    } cases[] = {
        {"localhost", authority, true},
        {"127.0.0.1", authority, false},
        {"localhost", "/dev/null", false},
    };
    for (const auto& item : cases) {
        ::setenv("SSL_CERT_FILE", item.authority.c_str(), 1);
        FakeCloud cloud{serve_tls};
        CloudLogin login = cloud.login(item.host);
        login.url.is_tls = true;
        const auto reply = http_request(login, HttpMethod::Get, "/", kLimit);
        cloud.finish();
        ASSERT_EQ(reply.has_value(), item.is_trusted) << item.host << item.authority;
        if (reply) {
            EXPECT_EQ(reply->body, "in TLS");
        } else {
            EXPECT_EQ(reply.error().trouble, Trouble::Unreachable);
        }
    }
    ::unsetenv("SSL_CERT_FILE");
}

TEST(HttpRequest, APinIsEnoughAndNothingElseCounts) {
    const std::string path = std::string{SOTTO_SOURCE_DIR} + "/tests/vectors/tls/localhost.crt";
    std::ifstream file{path};
    const std::string pem{std::istreambuf_iterator<char>{file}, {}};
    const ports::Fingerprint own = ports::read_certificate(pem)->fingerprint;
    const struct {
        ports::Fingerprint pin;
        bool is_trusted;
    } cases[] = {{own, true}, {ports::Fingerprint{{1}}, false}};
    for (const auto& item : cases) {
        ::setenv("SSL_CERT_FILE", path.c_str(), 1);
        FakeCloud cloud{serve_tls};
        CloudLogin login = cloud.login();
        login.url.is_tls = true;
        login.pin = item.pin;
        const auto reply = http_request(login, HttpMethod::Get, "/", kLimit);
        cloud.finish();
        ASSERT_EQ(reply.has_value(), item.is_trusted);
        if (reply) continue;
        EXPECT_EQ(reply.error().trouble, Trouble::Unreachable);
        EXPECT_NE(reply.error().what.find(to_string(own)), std::string::npos) << reply.error().what;
        EXPECT_NE(reply.error().next.find("--pin"), std::string::npos) << reply.error().next;
    }
    ::unsetenv("SSL_CERT_FILE");
}

TEST(HttpRequest, TlsAndClearTextAreNotMixedUp) {
    FakeCloud clear{[](Tcp::socket socket) {
        asio::write(socket, asio::buffer(reply_of("400 Bad Request", "")));
        std::string rest;
        boost::system::error_code end;
        asio::read(socket, asio::dynamic_buffer(rest), end);
    }};
    CloudLogin login = clear.login();
    login.url.is_tls = true;
    const auto reply = http_request(login, HttpMethod::Get, "/", kLimit);
    clear.finish();
    ASSERT_FALSE(reply);
    EXPECT_NE(reply.error().what.find("does not speak TLS"), std::string::npos)
        << reply.error().what;
    const auto refuse = [](Tcp::socket socket) {
        serve(socket,
              "HTTP/1.1 426 Upgrade Required\r\nUpgrade: TLS/1.2, HTTP/1.1\r\nContent-Length: "
              "0\r\n\r\n");
    };
    FakeCloud tls{refuse};
    const auto other = http_request(tls.login(), HttpMethod::Get, "/", kLimit);
    tls.finish();
    ASSERT_FALSE(other);
    EXPECT_NE(other.error().next.find("https://"), std::string::npos) << other.error().next;
    FakeCloud channel{refuse};
    const auto transport = CloudTransport::connect(channel.login(), kAppId, kDevice, kLimit);
    channel.finish();
    ASSERT_FALSE(transport);
    EXPECT_NE(transport.error().next.find("https://"), std::string::npos);
}

// A cloud's end of the app channel.
class Channel {
  public:
    explicit Channel(Tcp::socket socket) : socket_(std::move(socket)) {
        http::read(socket_.next_layer(), buffer_, request_);
        socket_.binary(true);
        socket_.accept(request_);
        buffer_.clear();
    }
    const http::request<http::string_body>& request() const { return request_; }
    channel::Record read() {
        buffer_.clear();
        socket_.read(buffer_);
        const auto data = buffer_.cdata();
        return channel::parse_record({static_cast<const std::uint8_t*>(data.data()), data.size()},
                                     channel::Side::App)
            .value();
    }
    void write(const channel::Record& record) {
        std::array<std::uint8_t, framing::kChannelRecordSizeMax> out{};
        const Bytes bytes = *channel::encode_record(out, record);
        socket_.write(asio::buffer(bytes.data(), bytes.size()));
    }
    WebSocket& socket() { return socket_; }
    // Reads until the app says good-bye.
    void wait_for_end() {
        boost::system::error_code error;
        while (!error) socket_.read(buffer_, error);
        EXPECT_EQ(error, websocket::error::closed);
    }

  private:
    WebSocket socket_;
    beast::flat_buffer buffer_;
    http::request<http::string_body> request_;
};

TEST(CloudTransport, CarriesMessagesBothWaysAndAcknowledgesStoredOnes) {
    FakeCloud cloud{[](Tcp::socket socket) {
        Channel app{std::move(socket)};
        EXPECT_EQ(app.request().target(), "/sotto/v1/channel?app=ab010200000000000000000000000000");
        EXPECT_EQ(app.request()[http::field::authorization], "Bearer the-token");
        const auto sent = std::get<channel::Send>(app.read());
        EXPECT_EQ(as_text(sent.message), "ping");
        EXPECT_EQ(sent.device_id, kDevice);
        EXPECT_EQ(sent.lifetime_s, 0);
        app.write(channel::Outcome{sent.reference, channel::OutcomeCode::HandedOn});
        app.write(channel::State{kDevice, true});
        app.write(channel::Deliver{{}, framing::DeviceId{8}, as_bytes("of another device")});
        app.write(channel::Deliver{channel::Sequence{5}, kDevice, as_bytes("pong")});
        EXPECT_EQ(std::get<channel::Ack>(app.read()).sequence, channel::Sequence{5});
        app.write(channel::Deliver{{}, kDevice, as_bytes("more")});
        app.wait_for_end();
    }};
    {
        auto transport = CloudTransport::connect(cloud.login(), kAppId, kDevice, kLimit);
        ASSERT_TRUE(transport) << transport.error().what;
        EXPECT_TRUE((*transport)->send(as_bytes("ping")));
        const Arrival first = (*transport)->wait(kLimit);
        EXPECT_EQ(as_text(std::get<Received>(first).message), "pong");
        (*transport)->acknowledge();
        const Arrival second = (*transport)->wait(kLimit);
        EXPECT_EQ(as_text(std::get<Received>(second).message), "more");
        (*transport)->acknowledge();  // not stored: nothing is sent
        EXPECT_TRUE(std::holds_alternative<TimedOut>((*transport)->wait(milliseconds(1))));
    }
    cloud.finish();
}

TEST(CloudTransport, ReportsWhatWasNotPassedOn) {
    using enum channel::OutcomeCode;
    const std::pair<channel::OutcomeCode, Trouble> cases[] = {{NotConnected, Trouble::Away},
                                                              {NotPermitted, Trouble::Refused},
                                                              {RateLimited, Trouble::Refused},
                                                              {MailboxFull, Trouble::Refused},
                                                              {TooLarge, Trouble::Refused}};
    FakeCloud cloud{[&](Tcp::socket socket) {
        Channel app{std::move(socket)};
        for (const auto& [code, trouble] : cases)
            app.write(channel::Outcome{std::get<channel::Send>(app.read()).reference, code});
        app.wait_for_end();
    }};
    auto transport = CloudTransport::connect(cloud.login(), kAppId, kDevice, kLimit);
    ASSERT_TRUE(transport) << transport.error().what;
    for (const auto& [code, trouble] : cases) {
        EXPECT_TRUE((*transport)->send(as_bytes("ping")));
        const Arrival arrival = (*transport)->wait(kLimit);
        EXPECT_EQ(std::get<NotPassedOn>(arrival).why.trouble, trouble);
    }
    transport->reset();
    cloud.finish();
}

TEST(CloudTransport, ALostCloudIsReportedOnceAndForAll) {
    FakeCloud cloud{[](Tcp::socket socket) {
        Channel app{std::move(socket)};
        app.write(channel::Deliver{{}, kDevice, as_bytes("last")});
    }};
    auto transport = CloudTransport::connect(cloud.login(), kAppId, kDevice, kLimit);
    ASSERT_TRUE(transport) << transport.error().what;
    cloud.finish();
    EXPECT_EQ(as_text(std::get<Received>((*transport)->wait(kLimit)).message), "last");
    EXPECT_TRUE(std::holds_alternative<Lost>((*transport)->wait(kLimit)));
    EXPECT_TRUE(std::holds_alternative<Lost>((*transport)->wait(kLimit)));
    EXPECT_EQ((*transport)->send(as_bytes("ping")).error(), Error::WrongState);
}

TEST(CloudTransport, ACloudThatBreaksTheFormatIsLeft) {
    FakeCloud cloud{[](Tcp::socket socket) {
        Channel app{std::move(socket)};
        app.socket().write(asio::buffer("\x7f what is this", 14));
        boost::system::error_code ignored;
        beast::flat_buffer buffer;
        app.socket().read(buffer, ignored);
    }};
    auto transport = CloudTransport::connect(cloud.login(), kAppId, kDevice, kLimit);
    ASSERT_TRUE(transport) << transport.error().what;
    EXPECT_TRUE(std::holds_alternative<Lost>((*transport)->wait(kLimit)));
    transport->reset();
    cloud.finish();
}

TEST(CloudTransport, ARefusedHandshakeTellsWhy) {
    const std::pair<const char*, Trouble> cases[] = {
        {"401 Unauthorized", Trouble::SignIn},
        {"404 Not Found", Trouble::Unreachable},
        {"200 OK", Trouble::Unreachable},
    };
    for (const auto& [status, trouble] : cases) {
        FakeCloud cloud{[&](Tcp::socket socket) { serve(socket, reply_of(status, "")); }};
        const auto transport = CloudTransport::connect(cloud.login(), kAppId, kDevice, kLimit);
        cloud.finish();
        ASSERT_FALSE(transport) << status;
        EXPECT_EQ(transport.error().trouble, trouble) << status;
    }
}

}  // namespace
}  // namespace sotto::app
