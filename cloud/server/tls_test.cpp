// SPDX-License-Identifier: Apache-2.0
// The cloud's certificate, and its ports in TLS: good, bad and slow clients side by side.
#include <array>
#include <filesystem>
#include <fstream>
#include <future>
#include <list>
#include <poll.h>
#include <sys/stat.h>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "cloud/server/hop_security.hpp"
#include "cloud/server/limits.hpp"
#include "cloud/server/own_authority.hpp"
#include "cloud/server/running_cloud_test.hpp"
#include "cloud/server/state.hpp"
#include "ports/linux/system_clock.hpp"
#include "testing/program.hpp"

namespace sotto::cloud::server {
namespace {

namespace fs = std::filesystem;
using ports::TlsVersion;
using testing::has;
using testing::read_text;

constexpr std::int64_t kDay = 86'400;

std::int64_t unix_now() { return ports::SystemClock::unix_seconds(); }

// A client in TLS that waits for everything.
class TlsClient {
  public:
    TlsClient(const Endpoint& endpoint, const ports::Fingerprint& pin, int newest = TLS1_3_VERSION)
        : socket_(loop_),
          context_(ports::make_client_context({.pin = pin}, TlsVersion::Tls12).value()) {
        SSL_CTX_set_max_proto_version(context_.get(), newest);
        socket_.connect(endpoint);
        socket_.native_non_blocking(true);
        tls_ = std::make_unique<ports::TlsConnection>(
            *context_, socket_.native_handle(), ports::Trust{.pin = pin}, "cloud");
        is_open_ = until_done([this] { return tls_->shake_hands(); }) == State::Done;
    }

    bool is_open() const { return is_open_; }
    const std::string& complaint() const { return tls_->complaint(); }
    bool send(std::string_view text) {
        std::size_t size = 0;
        Bytes rest = as_bytes(text);
        while (!rest.empty()) {
            if (until_done([&] { return note(tls_->write(rest), size); }) != State::Done)
                return false;
            rest = rest.subspan(size);
        }
        return true;
    }
    // What comes until this is in it, or until the end.
    std::string read_until(const std::string& part) {
        std::string text;
        std::array<std::uint8_t, 4'096> buffer{};
        std::size_t size = 0;
        while (!has(text, part) &&
               until_done([&] { return note(tls_->read(buffer), size); }) == State::Done)
            text += as_text(Bytes{buffer}.first(size));
        return text;
    }
    std::string read_all() { return read_until("\x01 never"); }

  private:
    using State = ports::TlsConnection::State;

    static ports::TlsConnection::Step note(ports::TlsConnection::Step step, std::size_t& size) {
        size = step.size;
        return step;
    }
    template <class Try>
    State until_done(Try attempt) {
        while (true) {
            const auto step = attempt();
            if (step.state != State::WantRead && step.state != State::WantWrite) return step.state;
            pollfd wanted{socket_.native_handle(),
                          static_cast<short>(step.state == State::WantRead ? POLLIN : POLLOUT),
                          0};
            ::poll(&wanted, 1, -1);
        }
    }

    boost::asio::io_context loop_;
    Socket socket_;
    ports::TlsContext context_;
    std::unique_ptr<ports::TlsConnection> tls_;
    bool is_open_ = false;
};

std::string record_of(const uplink::Record& record) {
    std::array<std::uint8_t, framing::kUplinkBytesMax> out{};
    return std::string{as_text(*uplink::encode_record(out, record))};
}

std::string request_of(const std::string& target, const std::string& more = {}) {
    return "GET " + target + " HTTP/1.1\r\nHost: cloud\r\nAuthorization: Bearer " + kToken +
           "\r\n" + more + "\r\n";
}

class CertificatesTest : public ::testing::Test {
  protected:
    std::string state() const { return folder_ / "cloud"; }
    void SetUp() override {
        ASSERT_TRUE(issue_own_certificate(state(), {"home.example"}, unix_now()));
    }
    ports::Fingerprint authority() const { return read_own_certificate(state())->authority; }
    // Another authority's certificate, as a file of its operator.
    std::string make_files(const std::string& name) {
        EXPECT_TRUE(issue_own_certificate(folder_ / name, {name}, unix_now()));
        return own_certificate_path(folder_ / name);
    }
    // As editors and certificate tools do it: the new file takes the place of the old one.
    static void replace(const std::string& path, const std::string& text) {
        std::ofstream{path + ".tmp"} << text;
        fs::rename(path + ".tmp", path);
    }

    testing::Folder folder_;
};

TEST_F(CertificatesTest, TheKeysAreForTheirUserAlone) {
    for (const char* name : {"/tls", "/tls/authority.pem", "/tls/server.pem"}) {
        struct stat status{};
        ASSERT_EQ(::stat((state() + name).c_str(), &status), 0) << name;
        EXPECT_EQ(status.st_mode & 077, 0U) << name;
    }
    EXPECT_FALSE(has(read_text(own_authority_path(state())), "PRIVATE"));
}

TEST_F(CertificatesTest, AnAuthorityStaysAndItsCertificateIsForLoopbackToo) {
    const auto before = authority();
    ASSERT_TRUE(issue_own_certificate(state(), {"other.example", "192.0.2.1"}, unix_now()));
    EXPECT_EQ(authority(), before);
    const auto names = read_own_certificate(state())->server.names;
    EXPECT_EQ(
        names,
        (std::vector<std::string>{"localhost", "127.0.0.1", "::1", "other.example", "192.0.2.1"}));
    const auto bad = issue_own_certificate(state(), {"host:1"}, unix_now());
    ASSERT_FALSE(bad);
    EXPECT_TRUE(has(bad.error().detail, "--host host:1"));
}

TEST_F(CertificatesTest, TheOwnOneIsRenewedInTime) {
    const std::int64_t now = unix_now();
    auto certificates = Certificates::open({.state = state()}, now).value();
    const auto first = certificates.facts();
    EXPECT_FALSE(certificates.look_again(now + 59 * kDay));
    const auto news = certificates.look_again(now + 61 * kDay);
    ASSERT_TRUE(news);
    EXPECT_TRUE(news->is_good) << news->text;
    EXPECT_FALSE(certificates.facts().fingerprint == first.fingerprint);
    EXPECT_EQ(certificates.facts().names, first.names) << "for the same hosts";
    EXPECT_GT(certificates.facts().not_after, first.not_after + 60 * kDay);
    EXPECT_FALSE(certificates.look_again(now + 62 * kDay));
    // So is one that is not valid yet: the clock was wrong and is right again.
    EXPECT_TRUE(certificates.look_again(now));
}

TEST_F(CertificatesTest, WhatOfTheOwnOneIsLostIsMadeAgainButNotTheAuthority) {
    const auto before = authority();
    fs::remove(own_certificate_path(state()));
    EXPECT_TRUE(Certificates::open({.state = state()}, unix_now()));
    EXPECT_EQ(authority(), before);
    replace(state() + "/tls/authority.pem", "damaged");
    fs::remove(own_certificate_path(state()));
    const auto opened = Certificates::open({.state = state()}, unix_now());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Error::Malformed);
    EXPECT_EQ(read_text(state() + "/tls/authority.pem"), "damaged");
}

TEST_F(CertificatesTest, FilesAreReadAgainWhenTheyChange) {
    const std::string a = make_files("a.example");
    const std::string b = read_text(make_files("b.example"));
    auto certificates =
        Certificates::open({.state = state(), .certificate_file = a, .key_file = a}, unix_now())
            .value();
    EXPECT_TRUE(has(certificates.describe(), "a.example"));
    EXPECT_FALSE(certificates.look_again(unix_now()));
    const auto asked = certificates.look_again(unix_now(), true);
    ASSERT_TRUE(asked);
    EXPECT_TRUE(asked->is_good && has(asked->text, "read again"));
    replace(a, b);
    const auto news = certificates.look_again(unix_now());
    ASSERT_TRUE(news);
    EXPECT_TRUE(news->is_good && has(news->text, "replaced"));
    EXPECT_TRUE(has(certificates.describe(), "b.example"));
}

TEST_F(CertificatesTest, ABrokenFileLeavesTheOldCertificateAndIsToldOnce) {
    const std::string path = make_files("a.example");
    const std::string good = read_text(path);
    const std::string other = read_text(make_files("b.example"));
    ASSERT_TRUE(issue_own_certificate(folder_ / "old", {"old.example"}, unix_now() - 200 * kDay));
    const std::string expired = read_text(own_certificate_path(folder_ / "old"));
    auto certificates =
        Certificates::open({.certificate_file = path, .key_file = path}, unix_now()).value();
    const std::string mixed =
        good.substr(0, good.find("-----BEGIN CERT")) + other.substr(other.find("-----BEGIN CERT"));
    for (const std::string& text : {std::string{}, good.substr(0, 300), mixed, expired}) {
        replace(path, text);
        const auto news = certificates.look_again(unix_now());
        ASSERT_TRUE(news);
        EXPECT_FALSE(news->is_good);
        EXPECT_TRUE(has(news->text, "the old one stays")) << news->text;
        EXPECT_TRUE(has(news->text, path)) << news->text;
        EXPECT_FALSE(certificates.look_again(unix_now()));
        EXPECT_TRUE(has(certificates.describe(), "a.example"));
    }
    fs::remove(path);
    EXPECT_FALSE(certificates.look_again(unix_now())->is_good);
    replace(path, good);
    EXPECT_TRUE(certificates.look_again(unix_now())->is_good);
}

TEST_F(CertificatesTest, WhatCannotBeUsedAtTheStartIsSaid) {
    const std::string good = make_files("a.example");
    const auto missing =
        Certificates::open({.certificate_file = folder_ / "no", .key_file = good}, unix_now());
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Error::NotFound);
    std::ofstream{folder_ / "text"} << "no key";
    const auto keyless =
        Certificates::open({.certificate_file = good, .key_file = folder_ / "text"}, unix_now());
    ASSERT_FALSE(keyless);
    EXPECT_TRUE(has(keyless.error().detail, "no private key")) << keyless.error().detail;
    std::ofstream{folder_ / "huge"} << std::string(kCertificateFileMax + 1, 'x');
    EXPECT_FALSE(
        Certificates::open({.certificate_file = folder_ / "huge", .key_file = good}, unix_now()));
}

// A cloud with both ports.
class TlsPorts : public CertificatesTest {
  protected:
    void SetUp() override {
        CertificatesTest::SetUp();
        certificates_.emplace(Certificates::open({.state = state()}, unix_now()).value());
        cloud_.emplace(&*certificates_);
        http_at_ = cloud_->http_at();
        gateways_at_ = cloud_->gateways_at();
    }
    void expect_good_service() {
        TlsClient app{http_at_, authority()};
        app.send(request_of("/sotto/v1/cloud", "Connection: close\r\n"));
        EXPECT_EQ(reply_of(app.read_all()).status, 200);
        TlsClient gateway{gateways_at_, authority()};
        gateway.send(record_of(uplink::Hello{.token = kGatewayToken}));
        EXPECT_EQ(gateway.read_until("\x02").substr(0, 3), std::string("\0\5\2", 3));
    }

    std::optional<Certificates> certificates_;
    std::optional<RunningCloud> cloud_;
    Endpoint http_at_;
    Endpoint gateways_at_;
};

TEST_F(TlsPorts, ServeAppsAndGateways) {
    expect_good_service();
    TlsClient client{http_at_, authority()};
    for (int i = 0; i < 3; ++i) {
        client.send(request_of("/sotto/v1/health"));
        EXPECT_EQ(reply_of(client.read_until("}")).status, 200);
    }
    // As long as a request may be, and in as many pieces as it likes.
    const std::string request = request_of("/nowhere", "X: " + std::string(7'000, 'x') + "\r\n");
    for (std::size_t i = 0; i < request.size(); i += 100) client.send(request.substr(i, 100));
    EXPECT_EQ(reply_of(client.read_until("}")).status, 404);
}

TEST_F(TlsPorts, AChannelOpensAndEndsInTls) {
    TlsClient app{http_at_, authority()};
    app.send(request_of(kAppTarget,
                        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
    const std::string head = app.read_until("\r\n\r\n");
    EXPECT_EQ(reply_of(head).status, 101) << head;
    // RFC 6455 §5: a binary message of SEND, masked with zeros, is answered by OUTCOME.
    std::array<std::uint8_t, framing::kChannelRecordSizeMax> out{};
    const std::string record{as_text(*channel::encode_record(
        out,
        channel::Send{
            .reference = channel::Reference{1}, .device_id = {9}, .message = as_bytes("x")}))};
    app.send("\x82" + std::string(1, static_cast<char>(0x80 | record.size())) +
             std::string(4, '\0') + record);
    EXPECT_TRUE(has(app.read_until("\x82\x06\x02"), "\x82\x06\x02"));
    // A close frame is answered, and the connection ends.
    app.send(std::string("\x88\x82\0\0\0\0\x03\xe8", 8));
    EXPECT_TRUE(has(app.read_all(), "\x88"));
}

TEST_F(TlsPorts, WhoSpeaksInTheClearIsTold) {
    RawClient app{http_at_};
    app.send(request_of("/sotto/v1/cloud"));
    const HttpReply reply = reply_of(app.read_all());
    EXPECT_EQ(reply.status, 426);
    EXPECT_TRUE(has(reply.text, "Upgrade: TLS/1.2, HTTP/1.1\r\n")) << reply.text;
    EXPECT_TRUE(has(reply.text, "https://")) << reply.text;
    RawClient gateway{gateways_at_};
    gateway.send(record_of(uplink::Hello{.token = kGatewayToken}));
    EXPECT_EQ(gateway.read_all(), std::string("\x15\x03\x01\x00\x02\x02\x46", 7));
    expect_good_service();
}

TEST_F(TlsPorts, GatewaysSpeakTheNewestVersionOnly) {
    EXPECT_TRUE((TlsClient{http_at_, authority(), TLS1_2_VERSION}.is_open()));
    EXPECT_FALSE((TlsClient{gateways_at_, authority(), TLS1_2_VERSION}.is_open()));
}

TEST_F(TlsPorts, AnotherPinIsRefusedByTheClient) {
    TlsClient client{http_at_, ports::Fingerprint{{1}}};
    EXPECT_FALSE(client.is_open());
    EXPECT_TRUE(has(client.complaint(), to_string(authority()))) << client.complaint();
    expect_good_service();
}

TEST_F(TlsPorts, HandshakesThatStopHalfwayHinderNobody) {
    // RFC 8446 §5.1: the head of a handshake record of 256 bytes, of which one comes.
    const std::string part("\x16\x03\x01\x01\x00\x01", 6);
    std::list<RawClient> silent;
    std::list<RawClient> stuck;
    for (int i = 0; i < 40; ++i) {
        for (const Endpoint& at : {http_at_, gateways_at_}) {
            silent.emplace_back(at);
            stuck.emplace_back(at).send(part);
        }
    }
    expect_good_service();
}

TEST_F(CertificatesTest, APortIsInTlsBeyondLoopbackOrWhenToldTo) {
    const Settings usual;
    EXPECT_FALSE(speaks_tls(usual, "127.0.0.1:1") || speaks_tls(usual, "localhost:1"));
    EXPECT_FALSE(speaks_tls(usual, "[::1]:1"));
    EXPECT_TRUE(speaks_tls(usual, "0.0.0.0:1") && speaks_tls(usual, "[::]:1"));
    EXPECT_TRUE(speaks_tls(usual, "192.0.2.1:1"));
    Settings insecure;
    insecure.insecure = true;
    EXPECT_FALSE(speaks_tls(insecure, "0.0.0.0:1"));
    for (const bool has_files : {false, true}) {
        Settings told = insecure;
        told.tls = !has_files;
        told.certificate_file = has_files ? "file" : "";
        EXPECT_TRUE(speaks_tls(told, "0.0.0.0:1") && speaks_tls(told, "127.0.0.1:1"));
    }
}

TEST_F(CertificatesTest, AreOpenedWhereAPortNeedsThem) {
    Settings settings;
    EXPECT_FALSE(open_certificates(state(), settings, unix_now())->has_value());
    settings.devices = "0.0.0.0:1";
    EXPECT_TRUE(open_certificates(state(), settings, unix_now())->has_value());
    EXPECT_EQ(open_certificates(folder_ / "none", settings, unix_now()).error().code,
              Error::NotFound);
    settings.certificate_file = make_files("a.example");
    EXPECT_EQ(open_certificates(state(), settings, unix_now()).error().code,
              Error::InvalidArgument);
    settings.key_file = settings.certificate_file;
    const auto opened = open_certificates(folder_ / "none", settings, unix_now());
    ASSERT_TRUE(opened && *opened);
    EXPECT_TRUE(has((*opened)->describe(), "a.example"));
}

TEST_F(CertificatesTest, AHandshakeThatTakesTooLongEndsWithItsConnection) {
    boost::asio::io_context loop;
    Acceptor acceptor = listen(loop, {"--http", "127.0.0.1:0"}).value();
    RawClient client{acceptor.local_endpoint()};
    client.send("\x16\x03");
    const auto certificates = Certificates::open({.state = state()}, unix_now()).value();
    Stream stream = stream_of(acceptor.accept(), &certificates, TlsVersion::Tls13);
    std::optional<boost::system::error_code> ended;
    stream.async_shake_hands(
        [&](boost::system::error_code error, std::size_t /*size*/) { ended = error; });
    loop.poll();
    EXPECT_FALSE(ended);
    stream.expires_after(std::chrono::seconds{0});
    loop.restart();
    loop.run();
    ASSERT_TRUE(ended);
    EXPECT_TRUE(*ended);
    EXPECT_FALSE(stream.socket().is_open());
    EXPECT_EQ(client.read_all(), "");
}

TEST_F(TlsPorts, TheOldestHalfOpenHandshakeMakesRoom) {
    std::list<RawClient> silent;
    for (std::size_t i = 0; i < kConnectionsMax; ++i) silent.emplace_back(http_at_);
    expect_good_service();
    EXPECT_EQ(silent.front().read_all(), "");  // closed
}

TEST_F(TlsPorts, NoiseIsNotAnsweredAndHindersNobody) {
    std::string noise = "\x16\x03\x01\x02";
    for (int i = 0; i < 600; ++i) noise.push_back(static_cast<char>(i * 37));
    for (const Endpoint& at : {http_at_, gateways_at_}) {
        RawClient client{at};
        client.send(noise);
        client.end();
        client.read_all();
        RawClient gone{at};
        gone.send(noise.substr(0, 3));
    }
    expect_good_service();
}

TEST_F(TlsPorts, ANewCertificateIsForNewConnections) {
    TlsClient before{http_at_, certificates_->facts().fingerprint};
    ASSERT_TRUE(before.is_open());
    const auto old = certificates_->facts().fingerprint;
    ASSERT_TRUE(issue_own_certificate(state(), {}, unix_now()));
    std::promise<bool> replaced;
    boost::asio::post(cloud_->loop(), [&] {
        replaced.set_value(certificates_->look_again(unix_now()).has_value());
    });
    EXPECT_TRUE(replaced.get_future().get());
    EXPECT_FALSE((TlsClient{http_at_, old}.is_open()));
    EXPECT_TRUE((TlsClient{http_at_, certificates_->facts().fingerprint}.is_open()));
    before.send(request_of("/sotto/v1/health"));
    EXPECT_EQ(reply_of(before.read_until("}")).status, 200);
    expect_good_service();
}

}  // namespace
}  // namespace sotto::cloud::server
