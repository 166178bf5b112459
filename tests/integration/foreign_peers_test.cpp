// SPDX-License-Identifier: Apache-2.0
// sotto-device, the real program, and a client over CoAP/UDP that knows nothing of pairing.
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>

#include <gtest/gtest.h>

#include "app/client/edhoc_client.hpp"
#include "app/client/oscore_client.hpp"
#include "app/transport/udp_transport.hpp"
#include "app/transport/url.hpp"
#include "core/cbor/writer.hpp"
#include "core/keystore/private_key.hpp"
#include "ports/linux/system_clock.hpp"
#include "testing/program.hpp"
#include "testing/seeded_entropy.hpp"

namespace sotto {
namespace {

namespace fs = std::filesystem;
using app::CoapReply;
using app::CoapRequest;
using app::OscoreClient;
using coap::Code;
using testing::eventually;
using testing::Folder;
using testing::Program;
using testing::read_text;
using testing::SeededEntropy;
using Arguments = std::vector<std::string>;
using Datagram = std::vector<std::uint8_t>;

const std::string kProgram = SOTTO_BINARY_DIR "/bin/sotto-device";

// A key with a credential that others might have made: with a kid in its COSE_Key, or without.
struct Party {
    crypto::DhPrivateKey key;
    cose::Credential credential;
    cose::CredentialForm form;

    static Party make(SeededEntropy& entropy, std::optional<std::uint8_t> kid) {
        crypto::DhPrivateKey key = *keystore::draw_private_key(entropy);
        const crypto::DhPublicKey point = crypto::dh_public(key);
        std::array<std::uint8_t, cose::kCredentialSizeMax> buffer;
        cbor::Writer out{buffer};
        out.map(2).uint(2).text("42-50-31-FF-EF-37-32-39").uint(8).map(1).uint(1);
        out.map(kid ? 5 : 4).uint(1).uint(2);
        if (kid) out.uint(2).bytes(Bytes{&*kid, 1});
        out.integer(-1).uint(1).integer(-2).bytes(point.x).integer(-3).bytes(point.y);
        return {.key = std::move(key),
                .credential = *cose::Credential::parse(*out.finish()),
                .form = kid ? cose::CredentialForm::Kid : cose::CredentialForm::Value};
    }
    edhoc::Identity identity() const { return {.credential = credential, .private_key = key}; }
};

void write_file(const std::string& path, Bytes content) {
    std::ofstream{path, std::ios::binary} << as_text(content);
}

CoapRequest get_of(std::vector<std::string> path, std::optional<std::uint16_t> accept = {}) {
    CoapRequest request;
    request.path = std::move(path);
    request.accept = accept;
    return request;
}

// One socket to the device, and a session over it.
struct Client {
    explicit Client(const app::Endpoint& endpoint)
        : transport(*app::UdpTransport::connect(endpoint)),
          exchange(*transport, entropy, ports::SystemClock::now) {}

    app::Outcome<> shake_hands(const Party& self, const cose::Credential& device) {
        SOTTO_TRY_ASSIGN(
            context,
            app::shake_hands(exchange,
                             entropy,
                             {.identity = self.identity(), .form = self.form, .peer = device}));
        open();
        return {};
    }
    void open() { client.emplace(OscoreClient::Setup{exchange, numbers, context, {}}); }

    // The code, and the payload behind it.
    std::string ask(const CoapRequest& request) { return text_of(client->request(request)); }
    static std::string text_of(const app::Outcome<CoapReply>& reply) {
        if (!reply) return reply.error().what;
        return std::to_string(coap::code_class(reply->code)) + "." +
               std::to_string(coap::code_detail(reply->code)) + " " +
               std::string{as_text(reply->payload)};
    }
    std::string get(const std::string& kind, const std::string& name) {
        return ask(get_of({kind, name}));
    }
    std::string call(const std::string& name, std::string_view argument) {
        CoapRequest request = get_of({"f", name});
        request.code = Code::Post;
        request.payload.assign(argument.begin(), argument.end());
        return ask(request);
    }
    // What comes back for any bytes; nothing if it is silence.
    Datagram send(const Datagram& datagram, Duration limit = seconds(10)) {
        EXPECT_TRUE(transport->send(datagram));
        const app::Arrival arrival = transport->wait(limit);
        const auto* received = std::get_if<app::Received>(&arrival);
        if (received == nullptr) return {};
        return {received->message.begin(), received->message.end()};
    }

    std::unique_ptr<app::UdpTransport> transport;
    SeededEntropy entropy{99};
    app::CoapExchange exchange;
    app::FreshSequenceNumbers numbers;
    oscore::Context context;
    std::optional<OscoreClient> client;
};

class ForeignPeersTest : public ::testing::Test {
  protected:
    ForeignPeersTest() {
        write_file(folder_ / "key", device_.key.expose());
        write_file(folder_ / "cred", device_.credential.bytes());
        write_file(folder_ / "trust_kid", kid_.credential.bytes());
        write_file(folder_ / "trust_value", value_.credential.bytes());
    }

    Arguments identity() const {
        return {"--identity", folder_ / "key", "--cred", folder_ / "cred"};
    }
    Arguments arguments(const Arguments& more) const {
        Arguments all{
            "--state", state_, "--air", folder_ / "air", "--coap-udp", "0", "--function", "repeat"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    void start(const Arguments& more) {
        fs::remove(log_);
        Arguments all = arguments(more);
        all.insert(all.end(), {"--code-file", folder_ / "code"});
        fs::remove(folder_ / "code");
        program_ = std::make_unique<Program>(kProgram, all, log_);
        ASSERT_TRUE(eventually([&] { return fs::exists(folder_ / "code"); })) << read_text(log_);
    }
    void start_trusting() {
        Arguments all = identity();
        all.insert(all.end(),
                   {"--trust", folder_ / "trust_kid", "--trust", folder_ / "trust_value"});
        start(all);
    }
    void restart_after_kill(const Arguments& more) {
        program_->stop(SIGKILL);
        start(more);
    }
    app::Endpoint endpoint() const {
        const std::string log = read_text(log_);
        const std::string scheme = "coap://127.0.0.1:";
        const std::size_t at = log.find(scheme) + scheme.size();
        return {"127.0.0.1", log.substr(at, log.find('\n', at) - at)};
    }
    std::size_t count_in_log(const std::string& words) const {
        const std::string log = read_text(log_);
        std::size_t count = 0;
        for (std::size_t at = log.find(words); at != std::string::npos;
             at = log.find(words, at + 1))
            ++count;
        return count;
    }

    const Folder folder_;
    const std::string state_ = folder_ / "state";
    const std::string log_ = folder_ / "log";
    SeededEntropy entropy_{5};
    const Party device_ = Party::make(entropy_, 0x32);
    const Party kid_ = Party::make(entropy_, 0x2b);
    const Party value_ = Party::make(entropy_, std::nullopt);
    const Party stranger_ = Party::make(entropy_, 0x2b);
    std::unique_ptr<Program> program_;
};

TEST_F(ForeignPeersTest, TrustedCredentialsUseFunctionsVariablesAndEvents) {
    start_trusting();
    for (const Party* party : {&kid_, &value_}) {
        Client client{endpoint()};
        const auto met = client.shake_hands(*party, device_.credential);
        ASSERT_TRUE(met) << met.error().what;
        EXPECT_EQ(client.call("lamp", "on"), "2.4 on");
        EXPECT_EQ(client.get("v", "lamp"), "2.5 on");
        EXPECT_EQ(client.ask(get_of({"v", "switched"}, 60)).size(), 5U);
        EXPECT_EQ(client.ask(get_of({"v", "switched"}, 50)), "4.6 ");
        EXPECT_EQ(client.call("purple", ""), "4.4 ");
        EXPECT_EQ(client.ask(get_of({"n"})), "4.3 ") << "never ownership";
    }
}

TEST_F(ForeignPeersTest, LongArgumentsAndValuesGoInBlocks) {
    start_trusting();
    Client client{endpoint()};
    ASSERT_TRUE(client.shake_hands(kid_, device_.credential));
    for (const std::size_t size : {1'024, 1'025, 5'000, 65'536}) {
        std::string text(size, ' ');
        for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i / 37 % 26);
        const std::string digest = client.call("note", text);
        EXPECT_EQ(digest.size(), 4U + 64U) << digest;
        EXPECT_EQ(client.get("v", "note"), "2.5 " + text);
        EXPECT_EQ(client.call("note", text), digest);
    }
    EXPECT_EQ(client.call("note", std::string(65'537, 'x')), "4.13 ");
    EXPECT_EQ(client.call("lamp", std::string(2'000, 'x')), "4.13 ");
    EXPECT_EQ(client.call("lamp", "on"), "2.4 on");
}

TEST_F(ForeignPeersTest, StrangersGetNothing) {
    start_trusting();
    Client client{endpoint()};
    const auto met = client.shake_hands(stranger_, device_.credential);
    ASSERT_FALSE(met);
    EXPECT_EQ(met.error().trouble, app::Trouble::Refused);
    Client good{endpoint()};
    ASSERT_TRUE(good.shake_hands(kid_, device_.credential));
    EXPECT_EQ(good.get("v", "lamp"), "2.5 off");
}

TEST_F(ForeignPeersTest, ASessionGoesOnAfterAKillUntilItsTrustIsTaken) {
    start_trusting();
    Client before{endpoint()};
    ASSERT_TRUE(before.shake_hands(kid_, device_.credential));
    EXPECT_EQ(before.call("lamp", "on"), "2.4 on");

    restart_after_kill({"--trust", folder_ / "trust_value", "--trust", folder_ / "trust_kid"});
    Client after{endpoint()};
    after.context = std::move(before.context);
    after.numbers = before.numbers;
    after.open();
    EXPECT_EQ(after.call("lamp", "on"), "2.4 on");

    restart_after_kill({"--trust", folder_ / "trust_value"});
    Client late{endpoint()};
    late.context = std::move(after.context);
    late.numbers = after.numbers;
    late.open();
    const auto reply = late.client->request(get_of({"v", "lamp"}));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().trouble, app::Trouble::Refused);
}

TEST_F(ForeignPeersTest, TellsAnObserverUntilItResetsANotification) {
    start_trusting();
    Client client{endpoint()};
    ASSERT_TRUE(client.shake_hands(kid_, device_.credential));
    const auto first = client.client->observe(get_of({"e", "lamp"}));
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->is_observed);
    program_->signal(SIGUSR1);
    const auto told = client.client->next(seconds(10));
    ASSERT_TRUE(told && *told);
    EXPECT_EQ(Client::text_of(**told), "2.5 on");

    program_->signal(SIGUSR1);
    const app::Arrival arrival = client.transport->wait(seconds(10));
    const auto* second = std::get_if<app::Received>(&arrival);
    ASSERT_NE(second, nullptr);
    ASSERT_TRUE(client.transport->send(Datagram{0x70, 0, second->message[2], second->message[3]}));
    const Datagram ping{0x40, 0, 1, 2};
    const Datagram reset{0x70, 0, 1, 2};
    EXPECT_EQ(client.send(ping), reset);  // so the one before has been taken as well
    program_->signal(SIGUSR1);
    ASSERT_TRUE(eventually([&] { return count_in_log("button") == 3; }));
    EXPECT_EQ(client.send(ping), reset) << "and no notification before it";
}

class ContextTest : public ForeignPeersTest {
  protected:
    ContextTest() {
        std::ofstream{file_} << "master_secret = '0102030405060708090a0b0c0d0e0f10'\n"
                                "master_salt = '9e7ca92223786340'\n"
                                "sender_id = ''\nrecipient_id = '01'\n"
                                "id_context = '37cbf3210017a2d3'\n";
    }
    // As the peer sees it: RFC 8613 C.3.
    void open(Client& client) const {
        const std::array<std::uint8_t, 16> secret{
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
        const std::array<std::uint8_t, 8> salt{0x9e, 0x7c, 0xa9, 0x22, 0x23, 0x78, 0x63, 0x40};
        const std::array<std::uint8_t, 8> id{0x37, 0xcb, 0xf3, 0x21, 0x00, 0x17, 0xa2, 0xd3};
        const std::array<std::uint8_t, 1> sender_id{1};
        client.context = *oscore::derive_context({.master_secret = secret,
                                                  .master_salt = salt,
                                                  .sender_id = sender_id,
                                                  .recipient_id = {},
                                                  .id_context = id});
        client.open();
    }

    const std::string file_ = folder_ / "context.toml";
};

TEST_F(ContextTest, GoesOnAfterAKillWithoutBeingCalledNew) {
    const testing::Run run = testing::run(kProgram, arguments({"--oscore", file_}));
    EXPECT_EQ(run.code, 1);
    EXPECT_NE(run.output.find("--new-context"), std::string::npos) << run.output;

    start({"--oscore", file_, "--new-context"});
    Client client{endpoint()};
    open(client);
    EXPECT_EQ(client.call("lamp", "on"), "2.4 on");
    EXPECT_EQ(client.get("v", "lamp"), "2.5 on");

    restart_after_kill({"--oscore", file_});
    Client again{endpoint()};
    again.numbers = client.numbers;
    open(again);
    EXPECT_EQ(again.get("v", "switched"), "2.5 0");
    EXPECT_EQ(again.call("repeat", "marker"), "2.4 marker");

    program_->stop(SIGTERM);
    fs::rename(state_ + "/oscore", state_ + "/old");
    fs::copy(state_ + "/old", state_ + "/oscore", fs::copy_options::recursive);
    const testing::Run copy = testing::run(kProgram, arguments({"--oscore", file_}));
    EXPECT_EQ(copy.code, 1);
    EXPECT_NE(copy.output.find("are a copy"), std::string::npos) << copy.output;
}

TEST_F(ContextTest, AnswersADatagramThatComesAgainWithoutRunningItAgain) {
    start({"--oscore", file_, "--new-context"});
    Client client{endpoint()};
    open(client);
    const Datagram get = [&] {
        std::array<std::uint8_t, 64> body;
        coap::MessageWriter writer{body, Code::Get};
        writer.options().add_text(coap::kUriPath, "v");
        writer.options().add_text(coap::kUriPath, "lamp");
        std::array<std::uint8_t, 128> out;
        const Bytes bytes = *oscore::protect_request(client.context,
                                                     {.piv = oscore::Piv{900}},
                                                     {.id = 77, .token = as_bytes("token")},
                                                     *writer.finish(),
                                                     out);
        return Datagram{bytes.begin(), bytes.end()};
    }();
    const Datagram answer = client.send(get);
    EXPECT_FALSE(answer.empty());
    EXPECT_EQ(client.send(get), answer);
    Client other{endpoint()};
    const Datagram elsewhere = other.send(get);
    ASSERT_GE(elsewhere.size(), 2U);
    EXPECT_EQ(elsewhere[1], static_cast<std::uint8_t>(Code::Unauthorized)) << "a replay";
    Datagram once = get;
    once[0] = static_cast<std::uint8_t>(once[0] | 0x10);  // non-confirmable
    client.send(once);
    const Datagram ping{0x40, 0, 1, 2};
    ASSERT_TRUE(client.transport->send(once));
    EXPECT_EQ(client.send(ping), (Datagram{0x70, 0, 1, 2})) << "silence, then the ping's Reset";
}

TEST_F(ForeignPeersTest, BadDatagramsGetADefinedAnswerOrSilence) {
    start_trusting();
    Client client{endpoint()};
    Datagram large(1'400, 0x61);
    const std::array<std::uint8_t, 7> front{0x41, 0x02, 0, 9, 0x61, 0xff, 0x61};
    std::copy(front.begin(), front.end(), large.begin());
    struct Case {
        Datagram datagram;
        Datagram reply;  // empty: silence
    };
    const std::vector<Case> cases{
        {{0x40, 0, 1, 2}, {0x70, 0, 1, 2}},                       // ping
        {{0x50, 0, 1, 2}, {}},                                    // empty, non-confirmable
        {{0x60, 0, 1, 2}, {}},                                    // an ACK of nothing
        {{0x40}, {}},                                             // no header
        {{0x80, 1, 1, 2}, {}},                                    // another version
        {{0x49, 1, 1, 2}, {0x70, 0, 1, 2}},                       // token size 9
        {{0x40, 0x45, 1, 2}, {0x70, 0, 1, 2}},                    // a response to nothing
        {{0x40, 0xe1, 1, 2}, {0x70, 0, 1, 2}},                    // a reserved class
        {{0x40, 1, 1, 2, 0xff}, {0x70, 0, 1, 2}},                 // a marker, and nothing behind it
        {{0x40, 1, 1, 2, 0xbd, 5}, {0x70, 0, 1, 2}},              // an option that ends too early
        {{0x41, 1, 1, 2, 7, 0xb1, 0x76}, {0x61, 0x81, 1, 2, 7}},  // unprotected: 4.01
        {{0x40, 1, 1, 2, 0xd1, 26, 0x78}, {0x60, 0xa5, 1, 2}},    // Proxy-Scheme: 5.05
        {large, {0x61, 0x8d, 0, 9, 0x61}},                        // 4.13
    };
    const Datagram ping{0x40, 0, 9, 9};
    const Datagram pong{0x70, 0, 9, 9};
    for (const Case& item : cases) {
        if (!item.reply.empty()) {
            EXPECT_EQ(client.send(item.datagram), item.reply) << int{item.datagram[0]};
            continue;
        }
        ASSERT_TRUE(client.transport->send(item.datagram));
        EXPECT_EQ(client.send(ping), pong) << "silence before it";
    }
    std::array<std::uint8_t, 64> noise;
    for (int i = 0; i < 500; ++i) {
        ASSERT_TRUE(entropy_.fill(noise));
        noise[0] = static_cast<std::uint8_t>(0x50 | (noise[0] & 0x0f));  // asks for no Reset
        ASSERT_TRUE(client.transport->send(noise));
    }
    Client good{endpoint()};
    const auto met = good.shake_hands(kid_, device_.credential);
    ASSERT_TRUE(met) << met.error().what;
    EXPECT_EQ(good.call("lamp", "on"), "2.4 on");
}

TEST_F(ForeignPeersTest, SaysWhatIsWrongWithKeysAndPorts) {
    start_trusting();
    write_file(folder_ / "junk", as_bytes("junk"));
    const Arguments key_of_another{"--identity", folder_ / "key", "--cred", folder_ / "trust_kid"};
    struct Case {
        std::string state;
        Arguments more;
        int code;
        std::string words;
    };
    const std::string other = folder_ / "other";
    const std::vector<Case> cases{
        {other, {"--coap-udp", endpoint().port}, 1, "in use"},
        {other, {"--coap-udp", "70000"}, 2, "--coap-udp"},
        {other, {"--coap-udp", "0", "--coap-bind", "here"}, 1, "no address"},
        {other, {"--coap-bind", "127.0.0.1"}, 2, "--coap-udp"},
        {other, {"--identity", folder_ / "key"}, 2, "--cred"},
        {other, key_of_another, 1, "belong together"},
        {other, {"--trust", folder_ / "junk"}, 1, "holds no credential"},
        {other, {"--trust", folder_ / "none"}, 1, "cannot open"},
        {other, {"--oscore", folder_ / "junk"}, 1, "it is no TOML"},
        {other, {"--new-context"}, 2, "--oscore"},
    };
    for (const Case& item : cases) {
        Arguments all{"--state", item.state, "--air", folder_ / "air"};
        all.insert(all.end(), item.more.begin(), item.more.end());
        const testing::Run run = testing::run(kProgram, all);
        EXPECT_EQ(run.code, item.code) << run.output;
        EXPECT_NE(run.output.find(item.words), std::string::npos) << run.output;
    }
    // A folder that belongs to another identity stays what it is.
    testing::Run run = testing::run(kProgram, {"reset", "--state", other});
    EXPECT_EQ(run.code, 0) << run.output;
    Arguments all = identity();
    all.insert(all.end(), {"--state", other, "--air", folder_ / "air"});
    run = testing::run(kProgram, all);
    EXPECT_EQ(run.code, 1);
    EXPECT_NE(run.output.find("another identity"), std::string::npos) << run.output;
}

}  // namespace
}  // namespace sotto
