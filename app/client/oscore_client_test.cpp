// SPDX-License-Identifier: Apache-2.0
// The app as client of a CoAP server that knows EDHOC and OSCORE and nothing of ours.
#include "app/client/oscore_client.hpp"

#include <gtest/gtest.h>

#include "app/client/edhoc_client.hpp"
#include "app/client/scripted_test.hpp"
#include "core/cbor/writer.hpp"
#include "core/edhoc/responder.hpp"
#include "testing/seeded_entropy.hpp"

namespace sotto::app {
namespace {

using coap::Code;
using Message = ScriptedTransport::Message;

struct Person {
    explicit Person(std::uint8_t seed, std::string_view name)
        : key(*crypto::dh_private_from_candidate(scalar(seed))),
          credential(*cose::Credential::create(name, crypto::dh_public(key))) {}
    static std::array<std::uint8_t, 32> scalar(std::uint8_t seed) {
        std::array<std::uint8_t, 32> bytes{};
        bytes.fill(seed);
        return bytes;
    }
    edhoc::Identity identity() const { return {credential, key}; }

    crypto::DhPrivateKey key;
    cose::Credential credential;
};

// A server of one client: /.well-known/edhoc in the clear, and behind OSCORE a resource whose GET
// answers with its text and whose POST sets it.
class Server {
  public:
    Server(const Person& self, const Person& client) : self_(self), client_(client) {}

    std::vector<Message> operator()(Bytes bytes) {
        const auto message = coap::parse_message(bytes);
        if (!message || !coap::is_request(message->header.code)) return {};
        coap::Header header{
            coap::Type::Acknowledgement, Code::Changed, message->header.id, message->header.token};
        if (const auto option = oscore::find_option(*message)) return serve(*message, *option);
        std::array<std::uint8_t, 600> out{};
        const auto answer = on_edhoc(message->payload);
        if (!answer) header.code = Code::BadRequest;
        coap::MessageWriter writer{out, header};
        if (answer) writer.payload(*answer);
        return {copy(*writer.finish())};
    }

    // A notification of the present text.
    Message notification() { return protect(last_, Code::Content, text, oscore::Piv{piv_++}, 5); }
    void use(oscore::Context context) { context_ = std::move(context); }

    std::string text = "off";
    bool sends_message_4 = true;
    bool challenges = false;
    bool wants_suite_3 = false;
    std::vector<Message> selected_suites;
    std::size_t block_size = 0;
    std::size_t request_count = 0;
    std::vector<std::uint64_t> seen;

  private:
    static Message copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

    Result<Message> on_edhoc(Bytes payload) {
        std::array<std::uint8_t, 512> out{};
        if (wants_suite_3 && payload[0] == 0xf5) {
            selected_suites.push_back(copy(payload.subspan(2, payload[2] == 2 ? 1 : 3)));
            const edhoc::SuiteLabel suites[] = {3};
            return copy(*edhoc::encode_wrong_suite(suites, out));
        }
        if (payload[0] == 0xf5) {
            responder_.emplace(self_.identity());
            SOTTO_TRY(responder_->on_message_1(payload.subspan(1), {}));
            auto y = crypto::dh_private_from_candidate(Person::scalar(0x33));
            SOTTO_TRY_ASSIGN(const Bytes message,
                             responder_->compose_message_2(
                                 edhoc::EphemeralKey::from(*std::move(y)),
                                 {.c_r = *edhoc::ConnectionId::from(as_bytes("server"))},
                                 out));
            return copy(message);
        }
        cbor::Reader in{payload};
        edhoc::ConnectionId::read(in);
        SOTTO_TRY(in.status());
        std::array<std::uint8_t, 512> scratch{};
        SOTTO_TRY_ASSIGN(const auto claim, responder_->on_message_3(in.rest(), scratch, {}));
        SOTTO_TRY(responder_->authenticate(claim, client_.credential));
        SOTTO_TRY_ASSIGN(const auto keys, responder_->export_oscore());
        SOTTO_TRY_ASSIGN(context_,
                         oscore::derive_context({.master_secret = keys.master_secret.expose(),
                                                 .master_salt = keys.master_salt.expose(),
                                                 .sender_id = keys.sender_id.view(),
                                                 .recipient_id = keys.recipient_id.view()}));
        if (!sends_message_4) return Message{};
        SOTTO_TRY_ASSIGN(const Bytes message, responder_->compose_message_4({}, out));
        return copy(message);
    }

    std::vector<Message> serve(const coap::Message& message, const oscore::OptionValue& option) {
        ++request_count;
        std::array<std::uint8_t, 600> scratch{};
        const auto request = oscore::unprotect_request(context_, option, message, scratch);
        if (!request) return {};
        seen.push_back(request->piv.value());
        last_ = {request->binding, message.header.id, copy(message.header.token)};
        const coap::Body& body = request->body;
        is_observed_ = body.options.find(coap::kObserve).has_value();
        if (challenges && !body.options.find(coap::kEcho))
            return {protect(last_, Code::Unauthorized, "", std::nullopt, 0)};
        if (!body.options.path_is("/v/lamp"))
            return {protect(last_, Code::NotFound, "", std::nullopt, 0)};
        if (body.code == Code::Post) text = as_text(body.payload);
        block_ = coap::Block{};
        if (const auto block2 = body.options.find(coap::kBlock2))
            block_ = *coap::parse_block(*block2);
        return {protect(last_,
                        body.code == Code::Post ? Code::Changed : Code::Content,
                        text,
                        is_observed_ ? std::optional{oscore::Piv{piv_++}} : std::nullopt,
                        0)};
    }

    struct Asked {
        oscore::RequestBinding binding;
        std::uint16_t id = 0;
        Message token;
    };
    Message protect(const Asked& asked,
                    Code code,
                    std::string content,
                    std::optional<oscore::Piv> piv,
                    std::uint16_t own_id) const {
        std::array<std::uint8_t, 600> plain{};
        coap::MessageWriter writer{plain, code};
        if (is_observed_) writer.options().add_uint(coap::kObserve, 0);
        if (block_size != 0) {
            coap::Block block = block_;
            block.size_exponent = 0;
            block.has_more = block.offset() + block.size() < content.size();
            content = content.substr(block.offset(), block.size());
            writer.options().add_uint(coap::kBlock2, coap::block_value(block));
        }
        if (code == Code::Unauthorized) writer.options().add(coap::kEcho, as_bytes("echo"));
        const Bytes plaintext = *writer.payload(as_bytes(content)).finish();
        std::array<std::uint8_t, 600> out{};
        const bool is_notification = own_id != 0;
        return copy(*oscore::protect_response(
            context_,
            asked.binding,
            piv,
            {.type = is_notification ? coap::Type::Confirmable : coap::Type::Acknowledgement,
             .id = is_notification ? own_id : asked.id,
             .token = asked.token,
             .observe = is_observed_ ? std::optional{std::uint32_t{0}} : std::nullopt},
            plaintext,
            out));
    }

    const Person& self_;
    const Person& client_;
    std::optional<edhoc::Responder> responder_;
    oscore::Context context_;
    std::uint64_t piv_ = 0;
    Asked last_;
    bool is_observed_ = false;
    coap::Block block_;
};

class ForeignServer : public ::testing::Test {
  protected:
    Outcome<oscore::Context> handshake() {
        return shake_hands(
            exchange, entropy, {.identity = app.identity(), .peer = device.credential});
    }
    static CoapRequest get() {
        return {.code = Code::Get,
                .path = {"v", "lamp"},
                .query = {},
                .content_format = {},
                .accept = {},
                .payload = {}};
    }
    static CoapRequest post(std::string_view text) {
        CoapRequest request = get();
        request.code = Code::Post;
        request.payload = {text.begin(), text.end()};
        return request;
    }

    Person app{0x11, "app"};
    Person device{0x22, "device"};
    Server server{device, app};
    ScriptedTransport transport{[this](Bytes bytes) { return server(bytes); }};
    testing::SeededEntropy entropy{7};
    CoapExchange exchange{transport, entropy, ScriptedTransport::now};
    FreshSequenceNumbers numbers;
};

TEST_F(ForeignServer, HandshakesAndAnswersWithAndWithoutMessage4) {
    for (const bool sends_message_4 : {true, false}) {
        server.sends_message_4 = sends_message_4;
        const auto context = handshake();
        ASSERT_TRUE(context) << context.error().what;
        FreshSequenceNumbers fresh;
        OscoreClient client{{exchange, fresh, *context, {}}};
        const auto set = client.request(post("on"));
        ASSERT_TRUE(set) << set.error().what;
        EXPECT_EQ(set->code, Code::Changed);
        const auto value = client.request(get());
        ASSERT_TRUE(value);
        EXPECT_EQ(as_text(value->payload), "on");
    }
}

TEST_F(ForeignServer, OffersTheSuiteThatTheServerWantsAndGivesUpInTheEnd) {
    server.wants_suite_3 = true;
    const auto context = handshake();
    ASSERT_FALSE(context);
    EXPECT_EQ(context.error().trouble, Trouble::Refused);
    ASSERT_GE(server.selected_suites.size(), 2U);
    EXPECT_EQ(server.selected_suites[0], (Message{2}));
    EXPECT_EQ(server.selected_suites[1], (Message{0x82, 2, 3}));
}

TEST_F(ForeignServer, AnotherKeyIsNotTheDevice) {
    const Person stranger{0x44, "device"};
    Server other{stranger, app};
    ScriptedTransport astray{[&](Bytes bytes) { return other(bytes); }};
    CoapExchange lost{astray, entropy, ScriptedTransport::now};
    const auto context =
        shake_hands(lost, entropy, {.identity = app.identity(), .peer = device.credential});
    ASSERT_FALSE(context);
    EXPECT_EQ(context.error().trouble, Trouble::NotTheDevice);
}

TEST_F(ForeignServer, AStrangerIsRefused) {
    const Person stranger{0x44, "app"};
    const auto context = shake_hands(
        exchange, entropy, {.identity = stranger.identity(), .peer = device.credential});
    ASSERT_FALSE(context);
    EXPECT_EQ(context.error().trouble, Trouble::Refused);
}

TEST_F(ForeignServer, RepeatsAnEchoUnderANewNumber) {
    const auto context = handshake();
    ASSERT_TRUE(context);
    server.challenges = true;
    OscoreClient client{{exchange, numbers, *context, {}}};
    const auto set = client.request(post("on"));
    ASSERT_TRUE(set);
    EXPECT_EQ(set->code, Code::Changed);
    EXPECT_EQ(server.seen, (std::vector<std::uint64_t>{0, 1}));
}

TEST_F(ForeignServer, ObservesInOrderOnly) {
    const auto context = handshake();
    ASSERT_TRUE(context);
    OscoreClient client{{exchange, numbers, *context, {}}};
    const auto first = client.observe(get());
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->is_observed);
    server.text = "on";
    const Message older = server.notification();
    server.text = "bright";
    const Message newer = server.notification();
    transport.arrivals = {newer, older, newer};
    const auto next = client.next(seconds(1));
    ASSERT_TRUE(next && *next);
    EXPECT_EQ(as_text((*next)->payload), "bright");
    EXPECT_FALSE(*client.next(seconds(1)));  // it is late
    EXPECT_FALSE(*client.next(seconds(1)));  // it was there
}

TEST_F(ForeignServer, PutsBlocksTogether) {
    const auto context = handshake();
    ASSERT_TRUE(context);
    server.block_size = 16;
    server.text = "a value that does not fit into two of its blocks";
    OscoreClient client{{exchange, numbers, *context, {}}};
    const auto value = client.request(get());
    ASSERT_TRUE(value) << value.error().what;
    EXPECT_EQ(as_text(value->payload), server.text);
}

TEST_F(ForeignServer, AnAnswerOfOtherKeysIsNotTaken) {
    const auto context = handshake();
    ASSERT_TRUE(context);
    auto altered = *oscore::derive_context({.master_secret = as_bytes("something else"),
                                            .master_salt = {},
                                            .sender_id = context->recipient_id,
                                            .recipient_id = context->sender_id});
    altered.recipient_key = context->sender_key.clone();
    altered.common_iv = context->common_iv.clone();
    server.use(std::move(altered));
    OscoreClient client{{exchange, numbers, *context, {}}};
    EXPECT_EQ(client.request(get()).error().trouble, Trouble::NotTheDevice);
}

TEST_F(ForeignServer, AnUnprotectedAnswerIsAHintOnly) {
    const auto context = handshake();
    ASSERT_TRUE(context);
    ScriptedTransport forgetful{[](Bytes bytes) {
        const auto message = coap::parse_message(bytes);
        std::array<std::uint8_t, 32> out{};
        coap::MessageWriter writer{out,
                                   {coap::Type::Acknowledgement,
                                    Code::Unauthorized,
                                    message->header.id,
                                    message->header.token}};
        const Bytes answer = *writer.finish();
        return std::vector<Message>{{answer.begin(), answer.end()}};
    }};
    CoapExchange lost{forgetful, entropy, ScriptedTransport::now};
    OscoreClient client{{lost, numbers, *context, {}}};
    EXPECT_EQ(client.request(get()).error().trouble, Trouble::Refused);
}

}  // namespace
}  // namespace sotto::app
