// SPDX-License-Identifier: Apache-2.0
#include "app/client/edhoc_client.hpp"

#include "core/cbor/writer.hpp"
#include "core/cose/identifier.hpp"
#include "core/keystore/private_key.hpp"

namespace sotto::app {
namespace {

constexpr std::uint16_t kCidEdhocFormat = 65;  // application/cid-edhoc+cbor-seq
constexpr std::uint8_t kMessage1Mark = 0xf5;   // RFC 9528 A.2: true in the place of a C_R
constexpr std::size_t kPayloadSizeMax = edhoc::kMessageSizeMax + 16;
constexpr edhoc::SuiteLabel kSuites[] = {2, 3};
constexpr int kTryMax = 4;

Failure no_randomness() {
    return {Trouble::State, "the system gives no random numbers", "Try again later"};
}

Failure not_the_peer() {
    return {Trouble::NotTheDevice,
            "who answered is not the holder of the expected credential",
            "Check the address, and the file given with --peer"};
}

Failure strange_answer() {
    return {Trouble::Refused,
            "the server's answer is no EDHOC message",
            "Check that the server speaks EDHOC at /.well-known/edhoc"};
}

Failure refused_by(const edhoc::ErrorMessage& error) {
    const bool unknown =
        error.code == static_cast<std::int64_t>(edhoc::ErrorCode::UnknownCredential);
    std::string text;
    for (const char c : error.text) text.push_back(c >= ' ' && c <= '~' ? c : '?');
    return {Trouble::Refused,
            unknown ? "the server does not know our credential"
                    : "the server ended the handshake" + (text.empty() ? "" : ": " + text),
            "Name our credential to the server, with its --trust"};
}

// One byte that travels as one (RFC 9528 §3.3.2).
Result<edhoc::ConnectionId> draw_connection_id(hal::Entropy& entropy) {
    std::array<std::uint8_t, 1> byte{};
    do {
        SOTTO_TRY(entropy.fill(byte));
    } while (!cose::is_integer_identifier(byte));
    return edhoc::ConnectionId::from(byte);
}

// What a whole handshake has in common.
class Handshake {
  public:
    Handshake(CoapExchange& exchange, hal::Entropy& entropy, const EdhocSetup& setup)
        : exchange_(exchange), entropy_(entropy), setup_(setup) {
        suites_.emplace_back(kSuites[0]);
    }

    // Nothing: the server wants another suite, which has been noted.
    Outcome<std::optional<oscore::Context>> run() {
        edhoc::Initiator initiator{setup_.identity};
        SOTTO_TRY_ASSIGN(const bool goes_on, exchange_messages_1_and_2(initiator));
        if (!goes_on) return std::optional<oscore::Context>{};
        SOTTO_TRY(exchange_messages_3_and_4(initiator));
        const auto keys = initiator.export_oscore();
        SOTTO_ASSERT(keys);
        auto context = oscore::derive_context({.master_secret = keys->master_secret.expose(),
                                               .master_salt = keys->master_salt.expose(),
                                               .sender_id = keys->sender_id.view(),
                                               .recipient_id = keys->recipient_id.view()});
        if (!context) return strange_answer();
        return std::optional<oscore::Context>{*std::move(context)};
    }

  private:
    Outcome<bool> exchange_messages_1_and_2(edhoc::Initiator& initiator) {
        auto key = keystore::draw_private_key(entropy_);
        const auto c_i = draw_connection_id(entropy_);
        if (!key || !c_i) return no_randomness();
        std::array<std::uint8_t, edhoc::kMessageSizeMax> buffer{};
        buffer[0] = kMessage1Mark;
        const auto message_1 =
            initiator.compose_message_1(edhoc::EphemeralKey::from(*std::move(key)),
                                        {.suites = {suites_.data(), suites_.size()}, .c_i = *c_i},
                                        MutBytes{buffer}.subspan(1));
        SOTTO_ASSERT(message_1);
        SOTTO_TRY_ASSIGN(const Bytes answer, post(Bytes{buffer}.first(1 + message_1->size())));
        if (edhoc::is_error_message(answer)) return on_error(answer);
        const auto claim = initiator.on_message_2(answer, scratch_.bytes(), {});
        if (!claim) {
            if (claim.error() == Error::Refused) return false;  // C_R equals our C_I: others, then
            return strange_answer();
        }
        if (!claim->id_cred.matches(setup_.peer)) return not_the_peer();
        if (!initiator.authenticate(*claim, setup_.peer)) return not_the_peer();
        return true;
    }

    Outcome<> exchange_messages_3_and_4(edhoc::Initiator& initiator) {
        std::array<std::uint8_t, edhoc::kMessageSizeMax> buffer{};
        const auto message_3 = initiator.compose_message_3(setup_.form, {}, buffer);
        SOTTO_ASSERT(message_3);
        const auto keys = initiator.export_oscore();
        SOTTO_ASSERT(keys);
        std::array<std::uint8_t, kPayloadSizeMax> payload{};
        cbor::Writer out{payload};
        keys->sender_id.write(out);  // C_R
        const auto whole = out.raw(*message_3).finish();
        SOTTO_ASSERT(whole);
        SOTTO_TRY_ASSIGN(const Bytes answer, post(*whole));
        // A server without message_4 is confirmed by its first OSCORE message (RFC 9528 §5.4.2).
        if (answer.empty()) return {};
        if (edhoc::is_error_message(answer)) {
            const auto error = edhoc::parse_error_message(answer);
            return error ? refused_by(*error) : strange_answer();
        }
        if (!initiator.on_message_4(answer, scratch_.bytes(), {})) return not_the_peer();
        return {};
    }

    // Whether an error message is one after which to begin again.
    Outcome<bool> on_error(Bytes message) {
        const auto error = edhoc::parse_error_message(message);
        if (!error) return strange_answer();
        if (error->code != static_cast<std::int64_t>(edhoc::ErrorCode::WrongSuite))
            return refused_by(*error);
        const auto suites =
            edhoc::retry_suites(kSuites, {error->suites_r.data(), error->suites_r.size()});
        if (!suites)
            return Failure{Trouble::Refused,
                           "the server speaks none of our cipher suites",
                           "It needs suite 2 or 3"};
        suites_ = *suites;
        return false;
    }

    // The payload of the answer, valid until the next call.
    Outcome<Bytes> post(Bytes payload) {
        SOTTO_TRY_ASSIGN(const coap::Header header, exchange_.begin(coap::Code::Post));
        std::array<std::uint8_t, kPayloadSizeMax + 64> buffer{};
        coap::MessageWriter message{buffer, header};
        message.options().add_path("/.well-known/edhoc");
        message.options().add_uint(coap::kContentFormat, kCidEdhocFormat);
        const auto encoded = message.payload(payload).finish();
        SOTTO_ASSERT(encoded);
        SOTTO_TRY_ASSIGN(const coap::Message answer,
                         exchange_.send(*encoded, CoapExchange::Effect::None, setup_.patience));
        const bool is_edhoc =
            coap::is_success(answer.header.code) || edhoc::is_error_message(answer.payload);
        if (!is_edhoc) return strange_answer();
        return answer.payload;
    }

    CoapExchange& exchange_;
    hal::Entropy& entropy_;
    const EdhocSetup& setup_;
    edhoc::SuiteList suites_;
    Scratch<edhoc::kMessageSizeMax> scratch_;
};

}  // namespace

Outcome<oscore::Context> shake_hands(CoapExchange& exchange,
                                     hal::Entropy& entropy,
                                     const EdhocSetup& setup) {
    Handshake handshake{exchange, entropy, setup};
    for (int i = 0; i < kTryMax; ++i) {
        SOTTO_TRY_ASSIGN(std::optional<oscore::Context> context, handshake.run());
        if (context) return *std::move(context);
    }
    return strange_answer();
}

}  // namespace sotto::app
