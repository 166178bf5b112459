// SPDX-License-Identifier: Apache-2.0
#include "testing/vectors.hpp"

#include <gtest/gtest.h>

#include "core/oscore/aad.hpp"
#include "core/oscore/peers_test.hpp"

namespace sotto::oscore {
namespace {

using testing::load_vectors;
using testing::to_hex;
using testing::Vector;

std::string hex(Bytes bytes) { return to_hex({bytes.begin(), bytes.end()}); }

std::string text(const std::optional<Bytes>& bytes) { return bytes ? hex(*bytes) : "none"; }

Buffer optional_bytes(const Vector& vector, const std::string& name) {
    return vector.has(name) ? vector.bytes(name) : Buffer{};
}

// The context of the sender or, with the ids exchanged, of the recipient.
struct Ends {
    explicit Ends(const Vector& vector)
        : secret(vector.bytes("master_secret")),
          salt(optional_bytes(vector, "master_salt")),
          sender_id(vector.bytes("sender_id")),
          recipient_id(vector.bytes("recipient_id")),
          id_context(optional_bytes(vector, "id_context")),
          has_id_context(vector.has("id_context")) {}

    std::optional<Bytes> id_context_view() const {
        return has_id_context ? std::optional<Bytes>{id_context} : std::nullopt;
    }
    Context sender() const { return derive(sender_id, recipient_id); }
    Context recipient() const { return derive(recipient_id, sender_id); }
    Context derive(Bytes own, Bytes other) const {
        auto context = derive_context({.master_secret = secret,
                                       .master_salt = salt,
                                       .sender_id = own,
                                       .recipient_id = other,
                                       .id_context = id_context_view()});
        return *std::move(context);
    }

    Buffer secret;
    Buffer salt;
    Buffer sender_id;
    Buffer recipient_id;
    Buffer id_context;
    bool has_id_context;
};

Piv piv_of(const Vector& vector, const std::string& name = "piv") {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : vector.bytes(name)) value = value << 8 | byte;
    return Piv{value};
}

std::string info_of(const Ends& ends, Bytes id, std::string_view type, std::size_t size) {
    std::array<std::uint8_t, kInfoSizeMax> out{};
    return hex(encode_info(
        {.id = id, .id_context = ends.id_context_view(), .type = type, .output_size = size}, out));
}

TEST(Vectors, ContextsAreDerivedWithAllThatIsOnTheWay) {
    for (const Vector& vector : load_vectors("oscore/contexts.txt")) {
        const Ends ends{vector};
        EXPECT_EQ(info_of(ends, ends.sender_id, "Key", 16), vector.text("info_sender_key"));
        EXPECT_EQ(info_of(ends, ends.recipient_id, "Key", 16), vector.text("info_recipient_key"));
        EXPECT_EQ(info_of(ends, {}, "IV", 13), vector.text("info_common_iv"));
        const Context context = ends.sender();
        EXPECT_EQ(hex(context.sender_key.expose()), vector.text("sender_key"));
        EXPECT_EQ(hex(context.recipient_key.expose()), vector.text("recipient_key"));
        EXPECT_EQ(hex(context.common_iv.expose()), vector.text("common_iv"));
        const auto zero = encode_piv(Piv{0});
        EXPECT_EQ(hex(make_nonce(context.common_iv, ends.sender_id, zero)),
                  vector.text("sender_nonce"));
        EXPECT_EQ(hex(make_nonce(context.common_iv, ends.recipient_id, zero)),
                  vector.text("recipient_nonce"));
    }
}

TEST(Vectors, OptionsAreReadAndWritten) {
    for (const Vector& vector : load_vectors("oscore/options.txt")) {
        const Buffer value = vector.bytes("value");
        const auto option = parse_option(value);
        ASSERT_TRUE(option) << vector.text("value");
        EXPECT_EQ(hex(option->piv), vector.text("piv"));
        EXPECT_EQ(text(option->kid), vector.has("kid") ? vector.text("kid") : "none");
        EXPECT_EQ(text(option->kid_context),
                  vector.has("kid_context") ? vector.text("kid_context") : "none");
        std::array<std::uint8_t, kOptionSizeMax> out{};
        EXPECT_EQ(hex(*encode_option(*option, out)), hex(value));
    }
}

// The values that stand between a message and its protected form.
void check_steps(const Vector& vector, const Ends& ends, const Context& context) {
    const bool is_request = vector.text("kind") == "request";
    const auto request_piv = encode_piv(piv_of(vector, is_request ? "piv" : "request_piv"));
    const auto& request_kid = is_request ? ends.sender_id : ends.recipient_id;
    EXPECT_EQ(hex(Aad{request_kid, request_piv}.view()), vector.text("aad"));
    EXPECT_EQ(hex(context.sender_key.expose()), vector.text("key"));
    const bool has_own = vector.has("piv");
    EXPECT_EQ(hex(make_nonce(context.common_iv,
                             has_own ? ends.sender_id : request_kid,
                             has_own ? encode_piv(piv_of(vector)) : request_piv)),
              vector.text("nonce"));
    const Buffer bytes = vector.bytes("protected");
    const auto message = coap::parse_message(bytes);
    EXPECT_EQ(text(message->options.find(coap::kOscore)), vector.text("option"));
    EXPECT_EQ(hex(message->payload), vector.text("ciphertext"));
}

std::string protect(const Vector& vector,
                    const Ends& ends,
                    const Outside& outside,
                    Bytes plaintext) {
    const Context context = ends.sender();
    Buffer out(512);
    if (vector.text("kind") == "request") {
        return hex(*protect_request(context,
                                    {.piv = piv_of(vector), .kid_context = ends.id_context_view()},
                                    outside,
                                    plaintext,
                                    out));
    }
    const RequestBinding binding = bind_request(piv_of(vector, "request_piv"));
    const auto piv = vector.has("piv") ? std::optional{piv_of(vector)} : std::nullopt;
    return hex(*protect_response(context, binding, piv, outside, plaintext, out));
}

// The plaintext as it comes out at the other end.
std::string unprotect(const Vector& vector, const Ends& ends) {
    const Context context = ends.recipient();
    Buffer bytes = vector.bytes("protected");
    const auto message = coap::parse_message(bytes);
    const std::size_t size = message->payload.size() - kTagSize;
    const std::size_t place = bytes.size() - message->payload.size();
    const MutBytes in_place = MutBytes{bytes}.subspan(place, size);
    if (vector.text("kind") == "request") {
        const auto option = find_option(*message);
        const auto request = unprotect_request(context, *option, *message, in_place);
        if (!request) return std::string{to_string(request.error())};
        EXPECT_EQ(request->piv, piv_of(vector));
        EXPECT_EQ(option->kid_context.has_value(), ends.has_id_context);
    } else {
        const RequestBinding binding = bind_request(piv_of(vector, "request_piv"));
        const auto response = unprotect_response(context, binding, *message, in_place);
        if (!response) return std::string{to_string(response.error())};
        EXPECT_EQ(response->piv.has_value(), vector.has("piv"));
    }
    return hex(in_place);
}

TEST(Vectors, MessagesAreProtectedWithAllThatIsOnTheWay) {
    for (const Vector& vector : load_vectors("oscore/messages.txt")) {
        const Ends ends{vector};
        check_steps(vector, ends, ends.sender());
        const Buffer unprotected = vector.bytes("unprotected");
        const auto message = coap::parse_message(unprotected);
        Buffer plaintext(64);
        const Bytes encoded = *encode_plaintext(*message, plaintext);
        EXPECT_EQ(hex(encoded), vector.text("plaintext"));
        EXPECT_EQ(protect(vector, ends, outside_of(*message), encoded), vector.text("protected"));
        EXPECT_EQ(unprotect(vector, ends), vector.text("plaintext"));
    }
}

TEST(Vectors, AllSizesOfPartialIvsAndIds) {
    for (const Vector& vector : load_vectors("oscore/sizes.txt")) {
        const Ends ends{vector};
        const Buffer plaintext = vector.bytes("plaintext");
        const Buffer bytes = vector.bytes("protected");
        const auto message = coap::parse_message(bytes);
        EXPECT_EQ(protect(vector, ends, outside_of(*message), plaintext), vector.text("protected"));
        EXPECT_EQ(unprotect(vector, ends), vector.text("plaintext"));
    }
}

}  // namespace
}  // namespace sotto::oscore
