// SPDX-License-Identifier: Apache-2.0
// Certificates of our own making, seen by OpenSSL's verification, and both ends of TLS over a pair
// of sockets: who is believed, and who is not.
#include "ports/authority/authority.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "ports/tls/connection.hpp"
#include "ports/tls/owned.hpp"
#include "ports/tls/server_context.hpp"
#include "testing/program.hpp"

namespace sotto::ports {
namespace {

using testing::has;

using State = TlsConnection::State;
constexpr std::int64_t kDay = 86'400;

std::int64_t now() { return std::time(nullptr); }
Validity from_days(int from, int to) { return {now() + from * kDay, now() + to * kDay}; }

const Authority& authority() {
    static const Authority made = Authority::create("Sotto at home").value();
    return made;
}

SecretText issue(const std::vector<std::string>& hosts = {"localhost", "127.0.0.1", "::1"},
                 Validity validity = from_days(-1, 90)) {
    return authority().issue(hosts, validity).value();
}

Owned<X509> first_of(std::string_view pem) {
    const Owned<BIO> bio = open_text(pem);
    return Owned<X509>{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
}

class Sockets {
  public:
    Sockets() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0); }
    ~Sockets() {
        for (const int end : ends) ::close(end);
    }
    std::array<int, 2> ends{-1, -1};
};

struct Ends {
    std::unique_ptr<Sockets> sockets = std::make_unique<Sockets>();
    TlsContext server_context;
    TlsContext client_context;
    std::unique_ptr<TlsConnection> server;
    std::unique_ptr<TlsConnection> client;
    State server_state = State::WantRead;
    State client_state = State::WantRead;

    bool shake_hands() {
        for (int i = 0; i < 10 && (server_state != State::Done || client_state != State::Done);
             ++i) {
            if (client_state == State::WantRead) client_state = client->shake_hands().state;
            if (server_state == State::WantRead) server_state = server->shake_hands().state;
        }
        return server_state == State::Done && client_state == State::Done;
    }
};

Ends connect(std::string_view server_pem,
             const Trust& trust,
             const std::string& host = "localhost",
             TlsVersion least = TlsVersion::Tls13) {
    Ends ends;
    ends.server_context = make_server_context(server_pem, server_pem).value();
    ends.client_context = make_client_context(trust, least).value();
    ends.server =
        std::make_unique<TlsConnection>(*ends.server_context, ends.sockets->ends[0], least);
    ends.client =
        std::make_unique<TlsConnection>(*ends.client_context, ends.sockets->ends[1], trust, host);
    return ends;
}

// What the client has against the server; nothing if it believes it.
std::string complaint(std::string_view server_pem,
                      const Trust& trust,
                      const std::string& host = "localhost") {
    Ends ends = connect(server_pem, trust, host);
    const bool is_up = ends.shake_hands();
    EXPECT_EQ(is_up, ends.client->complaint().empty());
    return ends.client->complaint();
}

Trust pinned(const Fingerprint& pin) { return {.pin = pin}; }

TEST(Authority, IsTheSameAfterItWasStored) {
    const SecretText pem = authority().pem();
    const Authority again = Authority::parse(pem.expose()).value();
    EXPECT_EQ(again.fingerprint(), authority().fingerprint());
    EXPECT_EQ(again.certificate_pem(), authority().certificate_pem());
    EXPECT_FALSE(has(authority().certificate_pem(), "PRIVATE"));
    EXPECT_EQ(read_certificate(authority().certificate_pem())->fingerprint,
              authority().fingerprint());
}

TEST(Authority, DamagedItIsNone) {
    const std::string pem{authority().pem().expose()};
    const std::string other{Authority::create("x")->pem().expose()};
    const std::size_t middle = pem.find("-----BEGIN CERTIFICATE");
    for (const std::string& text :
         {std::string{},
          pem.substr(0, middle),
          pem.substr(middle),
          pem.substr(0, pem.size() / 2),
          other.substr(0, other.find("-----BEGIN CERT")) + pem.substr(middle)})
        EXPECT_FALSE(Authority::parse(text)) << text;
}

TEST(Authority, ItsCertificatesAreRightByTheRulesOfRfc5280) {
    const SecretText pem = issue({"cloud.example", "192.0.2.1", "2001:db8::1"});
    const Owned<X509> server = first_of(pem.expose());
    const Owned<X509> root = first_of(authority().certificate_pem());
    const Owned<X509_STORE> store{X509_STORE_new()};
    const Owned<X509_STORE_CTX> context{X509_STORE_CTX_new()};
    X509_STORE_add_cert(store.get(), root.get());
    X509_STORE_CTX_init(context.get(), store.get(), server.get(), nullptr);
    X509_VERIFY_PARAM* const param = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
    EXPECT_EQ(X509_verify_cert(context.get()), 1)
        << X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
    for (const char* name : {"cloud.example"})
        EXPECT_EQ(X509_check_host(server.get(), name, 0, 0, nullptr), 1) << name;
    for (const char* address : {"192.0.2.1", "2001:db8::1"})
        EXPECT_EQ(X509_check_ip_asc(server.get(), address, 0), 1) << address;
    EXPECT_EQ(X509_check_ca(server.get()), 0);
    EXPECT_EQ(X509_check_ca(root.get()), 1);
    EXPECT_EQ(X509_get_pathlen(root.get()), 0);
}

TEST(Authority, NoTwoCertificatesShareKeyOrNumber) {
    const Owned<X509> a = first_of(issue().expose());
    const Owned<X509> b = first_of(issue().expose());
    EXPECT_NE(ASN1_INTEGER_cmp(X509_get0_serialNumber(a.get()), X509_get0_serialNumber(b.get())),
              0);
    EXPECT_NE(X509_cmp(a.get(), b.get()), 0);
    EXPECT_NE(EVP_PKEY_eq(X509_get0_pubkey(a.get()), X509_get0_pubkey(b.get())), 1);
}

TEST(Authority, WhatACertificateSaysIsReadBack) {
    const std::vector<std::string> hosts{"cloud.example", "127.0.0.1", "2001:db8::1"};
    const Validity validity = from_days(-1, 90);
    const auto facts = read_certificate(issue(hosts, validity).expose());
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->not_before, validity.from);
    EXPECT_EQ(facts->not_after, validity.to);
    EXPECT_EQ(facts->names,
              (std::vector<std::string>{"cloud.example", "127.0.0.1", "2001:db8::1"}));
    EXPECT_TRUE(std::ranges::all_of(facts->names, is_host));
    EXPECT_TRUE(facts->is_valid_at(validity.to));
    EXPECT_FALSE(facts->is_valid_at(validity.to + 1));
    EXPECT_FALSE(read_certificate("nothing"));
    // Far behind what 32 bits can count.
    EXPECT_GT(read_certificate(authority().certificate_pem())->not_after, now() + 100 * 365 * kDay);
}

TEST(Authority, HostsAreNamesAndAddresses) {
    for (const char* text : {"localhost", "a.b-c.example", "raspberry_pi", "10.0.0.1", "::1"})
        EXPECT_TRUE(is_host(text)) << text;
    for (const char* text :
         {"", "a b", "a,DNS:b", "*.example", "[::1]", "host:1", "a..b", ".a", "\xc3\xa4"})
        EXPECT_FALSE(is_host(text)) << text;
    EXPECT_FALSE(is_host(std::string(254, 'a')));
}

TEST(Tls, APinIsTheAuthorityOrTheServerItself) {
    const SecretText server = issue();
    EXPECT_EQ(complaint(server.expose(), pinned(authority().fingerprint())), "");
    EXPECT_EQ(complaint(server.expose(), pinned(read_certificate(server.expose())->fingerprint)),
              "");
    EXPECT_EQ(complaint(server.expose(), pinned(authority().fingerprint()), "any.other.name"), "")
        << "a home server has no public name";
}

TEST(Tls, AnotherPinIsToldWhatWasShown) {
    const std::string shown = to_string(authority().fingerprint());
    const std::string text = complaint(issue().expose(), pinned(Fingerprint{{1, 2, 3}}));
    EXPECT_TRUE(has(text, "another one than the pin says")) << text;
    EXPECT_TRUE(has(text, shown)) << text;
}

TEST(Tls, AStrangersChainDoesNotPassBehindThePinnedCertificate) {
    const Authority stranger = Authority::create("Sotto at home").value();
    std::string server{stranger.issue({"localhost"}, from_days(-1, 1))->expose()};
    server += authority().certificate_pem();  // public: anybody can send it along
    const std::string text = complaint(server, pinned(authority().fingerprint()));
    EXPECT_TRUE(has(text, "from nobody whom this machine trusts")) << text;
}

TEST(Tls, ValidityCountsUnderAPinToo) {
    const Trust trust = pinned(authority().fingerprint());
    const std::string late = complaint(issue({"localhost"}, from_days(-9, -1)).expose(), trust);
    EXPECT_TRUE(has(late, "valid no longer")) << late;
    const SecretText expired = issue({"localhost"}, from_days(-9, -1));
    const Fingerprint own = read_certificate(expired.expose())->fingerprint;
    EXPECT_TRUE(has(complaint(expired.expose(), pinned(own)), "valid no longer"));
    const std::string early = complaint(issue({"localhost"}, from_days(1, 9)).expose(), trust);
    EXPECT_TRUE(has(early, "not valid yet")) << early;
}

TEST(Tls, WithoutAPinAuthorityAndNameCount) {
    const SecretText server = issue({"cloud.example", "192.0.2.1"});
    const Trust known{.authorities = authority().certificate_pem()};
    EXPECT_EQ(complaint(server.expose(), known, "cloud.example"), "");
    EXPECT_EQ(complaint(server.expose(), known, "192.0.2.1"), "");
    EXPECT_TRUE(has(complaint(server.expose(), known, "192.0.2.2"), "for other names"));
    EXPECT_TRUE(has(complaint(server.expose(), known, "evil.example"), "for other names"));
    const Trust system;
    const std::string text = complaint(server.expose(), system, "cloud.example");
    EXPECT_TRUE(has(text, "from nobody whom this machine trusts")) << text;
    EXPECT_TRUE(has(text, to_string(authority().fingerprint()))) << text;
}

TEST(Tls, AClientThatWasNotToldWhomToTrustTrustsNobody) {
    Ends ends = connect(issue().expose(), pinned(authority().fingerprint()));
    const Owned<SSL> client{SSL_new(ends.client_context.get())};
    SSL_set_fd(client.get(), ends.sockets->ends[1]);
    EXPECT_EQ(SSL_connect(client.get()), -1);
    ends.server->shake_hands();
    EXPECT_NE(SSL_connect(client.get()), 1);
    EXPECT_NE(SSL_get_verify_result(client.get()), X509_V_OK);
}

TEST(Tls, AnOldVersionIsRefused) {
    const SecretText pem = issue();
    for (const auto least : {TlsVersion::Tls12, TlsVersion::Tls13}) {
        Ends ends = connect(pem.expose(), pinned(authority().fingerprint()), "localhost", least);
        SSL_CTX_set_max_proto_version(ends.client_context.get(), TLS1_2_VERSION);
        SSL_CTX_set_min_proto_version(ends.client_context.get(), TLS1_2_VERSION);
        ends.client = std::make_unique<TlsConnection>(*ends.client_context,
                                                      ends.sockets->ends[1],
                                                      pinned(authority().fingerprint()),
                                                      "localhost");
        EXPECT_EQ(ends.shake_hands(), least == TlsVersion::Tls12);
    }
}

TEST(Tls, CarriesBytesBothWaysAndSaysWhenItEnds) {
    Ends ends = connect(issue().expose(), pinned(authority().fingerprint()));
    ASSERT_TRUE(ends.shake_hands());
    std::array<std::uint8_t, 100> in{};
    EXPECT_EQ(ends.server->read(in).state, State::WantRead);
    EXPECT_EQ(ends.client->write(as_bytes("hello")).size, 5U);
    const auto read = ends.server->read(in);
    EXPECT_EQ(as_text(Bytes{in}.first(read.size)), "hello");
    EXPECT_EQ(ends.server->write(as_bytes("bye")).size, 3U);
    EXPECT_EQ(ends.client->read(in).size, 3U);
    ends.server->say_goodbye();
    EXPECT_EQ(ends.client->read(in).state, State::Ended);
}

TEST(Tls, AFullSocketIsWaitedForAndNothingIsLost) {
    Ends ends = connect(issue().expose(), pinned(authority().fingerprint()));
    ASSERT_TRUE(ends.shake_hands());
    const std::string text(3'000'000, 'x');
    Bytes rest = as_bytes(text);
    std::size_t received = 0;
    std::vector<std::uint8_t> in(50'000);
    bool was_full = false;
    while (received < text.size()) {
        if (!rest.empty()) {
            const auto step = ends.client->write(rest);
            ASSERT_TRUE(step.state == State::Done || step.state == State::WantWrite);
            was_full |= step.state == State::WantWrite;
            rest = rest.subspan(step.size);
            if (step.state == State::Done) continue;
        }
        const auto step = ends.server->read(in);
        ASSERT_EQ(step.state, State::Done);
        EXPECT_TRUE(std::all_of(in.begin(), in.begin() + static_cast<long>(step.size), [](auto b) {
            return b == 'x';
        }));
        received += step.size;
    }
    EXPECT_TRUE(was_full);
}

TEST(Tls, APeerThatHasGoneRaisesNoSignal) {
    Ends ends = connect(issue().expose(), pinned(authority().fingerprint()));
    ASSERT_TRUE(ends.shake_hands());
    ::close(std::exchange(ends.sockets->ends[0], -1));
    State state = State::Done;
    for (int i = 0; i < 10 && state == State::Done; ++i)
        state = ends.client->write(as_bytes("hello")).state;
    EXPECT_TRUE(state == State::Failed || state == State::Ended);
}

TEST(Tls, ClearTextIsNamed) {
    for (const std::string& text : {std::string{"HTTP/1.1 400 Bad Request\r\n\r\n"},
                                    std::string{"\x00\x05\x02\x10\x10\x00\x0f", 7}}) {
        Ends ends = connect(issue().expose(), pinned(authority().fingerprint()));
        EXPECT_EQ(ends.client->shake_hands().state, State::WantRead);
        ASSERT_EQ(::write(ends.sockets->ends[0], text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
        EXPECT_EQ(ends.client->shake_hands().state, State::Failed);
        EXPECT_EQ(ends.client->complaint(), "it does not speak TLS there");
    }
    Ends ends = connect(issue().expose(), pinned(authority().fingerprint()));
    ::close(std::exchange(ends.sockets->ends[0], -1));
    ends.client->shake_hands();
    EXPECT_NE(ends.client->complaint(), "");
}

TEST(ServerContext, SaysWhatIsWrongWithItsFiles) {
    const std::string good{issue().expose()};
    const std::string other{issue().expose()};
    const std::size_t end_of_key = good.find("-----BEGIN CERTIFICATE");
    const auto wrong = [](const std::string& certificates, const std::string& key) {
        const auto made = make_server_context(certificates, key);
        return made ? "" : made.error().text;
    };
    EXPECT_EQ(wrong(good, good), "");
    EXPECT_EQ(wrong("", good), "it holds no certificate in PEM");
    EXPECT_EQ(wrong(good.substr(0, good.size() - 40), good), "a certificate in it is damaged");
    EXPECT_EQ(wrong(good, good.substr(end_of_key)), "it holds no private key in PEM");
    EXPECT_EQ(wrong(good, other), "certificate and key do not belong together");
    EXPECT_TRUE(has(wrong(good,
                          "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                          "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj0\n"
                          "-----END ENCRYPTED PRIVATE KEY-----\n"),
                    "key"));
}

}  // namespace
}  // namespace sotto::ports
