// SPDX-License-Identifier: Apache-2.0
// An app made of EDHOC and OSCORE alone, so that what the server says is seen as it is. For the
// tests and fuzz targets of this folder; not part of the library.
#pragma once

#include "core/coap/block.hpp"
#include "core/edhoc/initiator.hpp"
#include "core/oscore/message.hpp"
#include "core/session/device_test.hpp"

namespace sotto::session {

struct App {
    App(const Party& self, SeededEntropy& chance) : party(self), entropy(chance) {}

    struct Spec {
        coap::Code code = coap::Code::Get;
        std::vector<std::string_view> path = {};
        std::string_view payload = {};
        std::optional<std::uint32_t> observe = {};
        Message echo = {};
        std::optional<std::uint32_t> format = {};
        std::optional<std::uint32_t> accept = {};
        std::optional<std::uint32_t> not_after = {};
        std::optional<std::uint32_t> time = {};
        std::optional<coap::Block> block1 = {};
        std::optional<coap::Block> block2 = {};
        std::optional<std::uint32_t> size1 = {};
        std::string_view tag = {};
    };
    struct Reply {
        coap::Code code = coap::Code::Empty;
        std::string payload = {};
        Message echo = {};
        std::optional<coap::Block> block1 = {};
        std::optional<coap::Block> block2 = {};
        std::optional<std::uint32_t> size1 = {};
        std::optional<std::uint32_t> size2 = {};
        std::optional<std::uint32_t> max_age = {};
        std::string etag = {};
    };

    Message edhoc_request(const Message& payload) {
        std::array<std::uint8_t, kMessageSizeMax> buffer;
        coap::MessageWriter writer{buffer, {.code = coap::Code::Post, .id = id++, .token = token}};
        writer.options().add_text(coap::kUriPath, ".well-known");
        writer.options().add_text(coap::kUriPath, "edhoc");
        writer.options().add_uint(coap::kContentFormat, 65);
        const Bytes bytes = *writer.payload(payload).finish();
        return {bytes.begin(), bytes.end()};
    }
    static Message payload_of(const Message& message) {
        const auto parsed = coap::parse_message(message);
        if (!parsed) return {};
        return {parsed->payload.begin(), parsed->payload.end()};
    }

    Message message_1() {
        initiator.emplace(party.identity());
        std::array<std::uint8_t, kMessageSizeMax> buffer;
        buffer[0] = 0xf5;
        const std::array<edhoc::SuiteLabel, 1> suites{2};
        const std::array<std::uint8_t, 1> c_i{0x05};
        const Bytes bytes = *initiator->compose_message_1(
            edhoc::EphemeralKey::from(*keystore::draw_private_key(entropy)),
            {.suites = suites, .c_i = *edhoc::ConnectionId::from(c_i)},
            MutBytes{buffer}.subspan(1));
        Message payload{buffer.begin(), buffer.begin() + 1 + std::ptrdiff_t(bytes.size())};
        return edhoc_request(payload);
    }

    // The request with message_3; with a proof of this secret, if there is one. Empty if the answer
    // is no message_2 of this device.
    Message message_3(const Message& answer_1, const Party& device, const Bytes secret) {
        const Message message_2 = payload_of(answer_1);
        std::array<std::uint8_t, edhoc::kScratchSize> scratch;
        const auto claim = initiator->on_message_2(message_2, scratch, {});
        if (!claim || !initiator->authenticate(*claim, device.credential)) return {};
        std::array<edhoc::EadItem, 1> ead;
        crypto::Hash proof{};
        if (!secret.empty()) {
            proof = pairing_proof(keystore::PairingSecret{secret.first<16>()},
                                  {.device_hash = device.credential.hash(),
                                   .th_3 = *initiator->th_3(),
                                   .id_cred_i = initiator->id_cred_i(cose::CredentialForm::Value),
                                   .credential_i = party.credential});
            ead[0] = {.label = -32769, .value = Bytes{proof}};
        } else if (!access_token.empty()) {
            ead[0] = {.label = -32771, .value = access_token.view()};
        }
        std::array<std::uint8_t, kMessageSizeMax> buffer;
        const std::span<const edhoc::EadItem> items{
            ead.data(), secret.empty() && access_token.empty() ? 0U : 1U};
        const Bytes message =
            *initiator->compose_message_3(cose::CredentialForm::Value, items, buffer);
        const auto keys = initiator->export_oscore();
        std::array<std::uint8_t, 16> c_r;
        cbor::Writer writer{c_r};
        keys->sender_id.write(writer);
        Message payload{c_r.begin(), c_r.begin() + std::ptrdiff_t(writer.size())};
        payload.insert(payload.end(), message.begin(), message.end());
        return edhoc_request(payload);
    }

    // What the device says to message_3, once it is verified; nothing if it is no message_4.
    std::optional<PairingAnswer> on_message_4(const Message& answer) {
        const std::array<std::uint16_t, 1> understood{kEadPairingAnswer};
        std::array<std::uint8_t, edhoc::kScratchSize> scratch;
        const Message message = payload_of(answer);
        const auto ead = initiator->on_message_4(message, scratch, understood);
        if (!ead) return std::nullopt;
        const auto keys = initiator->export_oscore();
        context = *oscore::derive_context({.master_secret = keys->master_secret.expose(),
                                           .master_salt = keys->master_salt.expose(),
                                           .sender_id = keys->sender_id.view(),
                                           .recipient_id = keys->recipient_id.view()});
        piv = 0;
        const auto item = ead->find(kEadPairingAnswer);
        if (!item) return PairingAnswer{.verdict = PairingVerdict::Accepted, .generation = 0};
        return *parse_pairing_answer(*item->value);
    }

    std::optional<PairingAnswer> pair(Device& device, const Party& as, const Bytes secret) {
        const Message answer_1 = device.receive(message_1());
        return on_message_4(device.receive(message_3(answer_1, as, secret)));
    }

    Message protect(const Spec& spec) {
        std::array<std::uint8_t, kMessageSizeMax> plaintext;
        coap::MessageWriter body{plaintext, spec.code};
        if (spec.observe) body.options().add_uint(coap::kObserve, *spec.observe);
        for (const auto segment : spec.path) body.options().add_text(coap::kUriPath, segment);
        if (spec.format) body.options().add_uint(coap::kContentFormat, *spec.format);
        if (spec.accept) body.options().add_uint(coap::kAccept, *spec.accept);
        if (spec.block2) {
            body.options().add_uint(coap::kBlock2, coap::block_value(*spec.block2));
        }
        if (spec.block1) {
            body.options().add_uint(coap::kBlock1, coap::block_value(*spec.block1));
        }
        if (spec.size1) body.options().add_uint(coap::kSize1, *spec.size1);
        if (!spec.echo.empty()) body.options().add(coap::kEcho, spec.echo);
        if (spec.not_after) body.options().add_uint(coap::kNotAfter, *spec.not_after);
        if (spec.time) body.options().add_uint(coap::kTime, *spec.time);
        if (!spec.tag.empty()) body.options().add_text(coap::kRequestTag, spec.tag);
        binding = oscore::bind_request(oscore::Piv{piv});
        std::array<std::uint8_t, kMessageSizeMax> buffer;
        const auto message =
            oscore::protect_request(*context,
                                    {.piv = oscore::Piv{piv++}, .kid_context = kid_context},
                                    {.id = id++, .token = token, .observe = spec.observe},
                                    *body.payload(as_bytes(spec.payload)).finish(),
                                    buffer);
        return {message->begin(), message->end()};
    }
    Reply unprotect(const Message& answer) {
        const auto message = coap::parse_message(answer);
        if (!message) return {};
        if (!message->options.find(coap::kOscore)) return {.code = message->header.code};
        std::array<std::uint8_t, kMessageSizeMax> scratch;
        const auto response = oscore::unprotect_response(*context, binding, *message, scratch);
        if (!response) return {};
        const coap::Options& options = response->body.options;
        const Bytes echo = options.find(coap::kEcho).value_or(Bytes{});
        return {.code = response->body.code,
                .payload = std::string{as_text(response->body.payload)},
                .echo = {echo.begin(), echo.end()},
                .block1 = *coap::find_block(options, coap::kBlock1),
                .block2 = *coap::find_block(options, coap::kBlock2),
                .size1 = options.find_uint(coap::kSize1),
                .size2 = options.find_uint(coap::kSize2),
                .max_age = options.find_uint(coap::kMaxAge),
                .etag = std::string{as_text(options.find(coap::kETag).value_or(Bytes{}))}};
    }
    Reply ask(Device& device, const Spec& spec) { return unprotect(device.receive(protect(spec))); }
    // A command as a client sends it: challenged if need be, then run.
    Reply command(Device& device, std::string_view argument) {
        Spec spec{.code = coap::Code::Post, .path = {"f", "lamp"}, .payload = argument};
        Reply reply = ask(device, spec);
        if (reply.code == coap::Code::Unauthorized && !reply.echo.empty()) {
            spec.echo = reply.echo;
            reply = ask(device, spec);
        }
        return reply;
    }

    const Party& party;
    SeededEntropy& entropy;
    std::optional<edhoc::Initiator> initiator;
    std::optional<oscore::Context> context;
    std::optional<Bytes> kid_context;
    keystore::TokenBytes access_token;
    oscore::RequestBinding binding;
    std::uint64_t piv = 0;
    std::uint16_t id = 1;
    const std::array<std::uint8_t, 8> token{1, 2, 3, 4, 5, 6, 7, 8};
};

}  // namespace sotto::session
