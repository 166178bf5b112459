// SPDX-License-Identifier: Apache-2.0
#include "core/oscore/message.hpp"

#include <string>

#include <gtest/gtest.h>

#include "core/oscore/peers_test.hpp"
#include "testing/vectors.hpp"

namespace sotto::oscore {
namespace {

using testing::from_hex;
using testing::to_hex;

std::string hex(Bytes bytes) { return to_hex({bytes.begin(), bytes.end()}); }

Buffer encode_body(coap::Code code, std::string_view path, Bytes payload) {
    Buffer out(2'048);
    coap::MessageWriter writer{out, code};
    if (!path.empty()) writer.options().add_path(path);
    const Bytes bytes = *writer.payload(payload).finish();
    return {bytes.begin(), bytes.end()};
}

const Buffer kToken{0xc0, 0xff, 0xee, 0x01};
const Outside kOutside{.id = 0x1234, .token = kToken};

Buffer protect(const Context& client, Piv piv, Bytes plaintext, const Outside& outside = kOutside) {
    Buffer out(4'096);
    const Bytes bytes = *protect_request(client, {.piv = piv}, outside, plaintext, out);
    return {bytes.begin(), bytes.end()};
}

// What became of a protected request: the plaintext in hex, or the error.
std::string receive(const Context& server, Bytes bytes) {
    const auto message = coap::parse_message(bytes);
    if (!message) return std::string{to_string(message.error())};
    const auto option = find_option(*message);
    if (!option) return std::string{to_string(option.error())};
    Buffer scratch(4'096, 0xaa);
    const auto request = unprotect_request(server, *option, *message, scratch);
    if (!request) {
        for (std::size_t i = 0; i + kTagSize < message->payload.size(); ++i)
            EXPECT_TRUE(scratch[i] == 0 || scratch[i] == 0xaa) << "plaintext left";
        return std::string{to_string(request.error())};
    }
    return hex(Bytes{scratch}.first(message->payload.size() - kTagSize));
}

std::string receive_response(const Context& client, Piv request, Bytes bytes) {
    const auto message = coap::parse_message(bytes);
    if (!message) return std::string{to_string(message.error())};
    Buffer scratch(4'096);
    const auto response = unprotect_response(client, bind_request(request), *message, scratch);
    if (!response) return std::string{to_string(response.error())};
    return hex(Bytes{scratch}.first(message->payload.size() - kTagSize));
}

bool is_error(const std::string& outcome) {
    return outcome == "Unauthenticated" || outcome == "Malformed" || outcome == "Truncated" ||
           outcome == "NotFound";
}

const Peers kIdTable[] = {
    {.client_id = {}, .server_id = {0x01}},
    {.client_id = {0x07}, .server_id = {}},
    {.client_id = {1, 2, 3, 4, 5, 6, 7}, .server_id = {7, 6, 5, 4, 3, 2, 1}},
    {.client_id = {0x00}, .server_id = {0x00, 0x00}},
};

void expect_round_trip(const Peers& peers, Piv piv) {
    const Buffer plaintext = encode_body(coap::Code::Post, "/f/led", as_bytes("on"));
    const Buffer request = protect(peers.client, piv, plaintext);
    EXPECT_EQ(receive(peers.server, request), hex(plaintext));

    const Buffer answer = encode_body(coap::Code::Changed, "", as_bytes("1"));
    for (const auto own : {std::optional<Piv>{}, std::optional{piv}}) {
        Buffer out(128);
        const auto response =
            protect_response(peers.server, bind_request(piv), own, kOutside, answer, out);
        ASSERT_TRUE(response);
        EXPECT_EQ(receive_response(peers.client, piv, *response), hex(answer));
        const Piv another{piv.value() ^ 1};
        EXPECT_EQ(receive_response(peers.client, another, *response), "Unauthenticated")
            << "bound to its request";
    }
}

TEST(Message, RoundTripsWithAllIdsAndPartialIvs) {
    for (const Peers& peers : kIdTable) {
        for (std::uint64_t piv = 0xfe; piv <= kPivMax; piv = piv << 8 | 0xfe)
            expect_round_trip(peers, Piv{piv});
        expect_round_trip(peers, Piv{0});
        expect_round_trip(peers, Piv{kPivMax});
    }
}

TEST(Message, RoundTripsWithAllSizes) {
    const Peers& peers = kIdTable[0];
    for (std::size_t size = 0; size < 70; ++size) {
        const Buffer payload(size, static_cast<std::uint8_t>(size));
        const Buffer plaintext = encode_body(coap::Code::Put, "", payload);
        EXPECT_EQ(receive(peers.server, protect(peers.client, Piv{size}, plaintext)),
                  hex(plaintext));
    }
}

TEST(Message, PlaintextMayBeWrittenWhereItWillBeSealed) {
    const Peers& peers = kIdTable[2];
    const Buffer payload(64, 0x55);
    const Buffer plaintext = encode_body(coap::Code::Post, "/f/led", payload);
    Buffer out(kOutsideSizeMax + plaintext.size() + kTagSize);
    std::copy(plaintext.begin(), plaintext.end(), out.begin() + kOutsideSizeMax);
    const Buffer token(coap::kTokenSizeMax, 1);
    const Outside outside{.id = 1, .token = token, .observe = 0xffffff};
    const auto request = protect_request(peers.client,
                                         {.piv = Piv{kPivMax}},
                                         outside,
                                         Bytes{out}.subspan(kOutsideSizeMax, plaintext.size()),
                                         out);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->size(), out.size()) << "kOutsideSizeMax is exact";
    EXPECT_EQ(receive(peers.server, *request), hex(plaintext));
}

TEST(Message, NoSpaceIsAnError) {
    const Peers& peers = kIdTable[0];
    const Buffer plaintext = encode_body(coap::Code::Get, "/v/t", {});
    const Buffer whole = protect(peers.client, Piv{9}, plaintext);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        Buffer out(size);
        EXPECT_EQ(protect_request(peers.client, {.piv = Piv{9}}, kOutside, plaintext, out).error(),
                  Error::NoSpace);
    }
    const auto message = coap::parse_message(whole);
    Buffer scratch(plaintext.size() - 1);
    EXPECT_EQ(unprotect_request(peers.server, *find_option(*message), *message, scratch).error(),
              Error::NoSpace);
    const Buffer kid_context(kIdContextSizeMax + 1);
    Buffer out(512);
    EXPECT_EQ(
        protect_request(
            peers.client, {.piv = Piv{9}, .kid_context = kid_context}, kOutside, plaintext, out)
            .error(),
        Error::TooLarge);
}

// Flips every bit of a message in turn. `outcome_of` tells what becomes of it; only of what lies in
// front of `first`, type, token, message id and outer code, may it be the original.
template <class OutcomeOf>
void expect_flips_refused(const Buffer& whole,
                          std::size_t first,
                          const std::string& original,
                          OutcomeOf outcome_of) {
    EXPECT_EQ(outcome_of(whole), original);
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        Buffer flipped = whole;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        const std::string outcome = outcome_of(flipped);
        if (outcome == original && bit / 8 < first) continue;
        EXPECT_TRUE(is_error(outcome)) << "bit " << bit << ": " << outcome;
    }
}

// Of the value of the OSCORE option in these tests, which have no option before it.
constexpr std::size_t kOptionPlace = coap::kHeaderSize + 4 + 1;

TEST(Message, EveryFlippedBitOfARequestIsHarmlessOrRefused) {
    const Buffer plaintext = encode_body(coap::Code::Post, "/f/led", as_bytes("on"));
    for (const Peers& peers : kIdTable) {
        const Buffer whole = protect(peers.client, Piv{0x1402}, plaintext);
        expect_flips_refused(whole, kOptionPlace, hex(plaintext), [&](Bytes message) {
            return receive(peers.server, message);
        });
    }
}

Buffer protect_content(const Peers& peers, std::optional<Piv> own, Bytes plaintext) {
    Buffer out(128);
    const Bytes bytes =
        *protect_response(peers.server, bind_request(Piv{7}), own, kOutside, plaintext, out);
    return {bytes.begin(), bytes.end()};
}

TEST(Message, EveryFlippedBitOfAResponseIsHarmlessOrRefused) {
    const Buffer plaintext = encode_body(coap::Code::Content, "", as_bytes("21.5"));
    for (const Peers& peers : kIdTable) {
        const auto outcome_of = [&](Bytes message) {
            return receive_response(peers.client, Piv{7}, message);
        };
        // With the kid flag on, a server without id says the same in more words: not a case here.
        const bool has_id = !peers.server_id.empty();
        for (const auto own : {std::optional<Piv>{}, std::optional{Piv{0x1402}}}) {
            if (own && !has_id) continue;
            const Buffer whole = protect_content(peers, own, plaintext);
            expect_flips_refused(whole, kOptionPlace, hex(plaintext), outcome_of);
        }
    }
}

TEST(Message, AServerWithoutIdMayBeNamedInAResponse) {
    const Peers& peers = kIdTable[1];
    const Buffer plaintext = encode_body(coap::Code::Content, "", as_bytes("21.5"));
    Buffer whole = protect_content(peers, Piv{0x1402}, plaintext);
    whole[kOptionPlace] ^= 0x08;
    EXPECT_EQ(receive_response(peers.client, Piv{7}, whole), hex(plaintext));
}

TEST(Message, EveryTruncationIsRefused) {
    const Peers& peers = kIdTable[2];
    const Buffer plaintext = encode_body(coap::Code::Post, "/f/led", as_bytes("on"));
    Buffer whole = protect(peers.client, Piv{0x1402}, plaintext);
    while (!whole.empty()) {
        whole.pop_back();
        EXPECT_TRUE(is_error(receive(peers.server, whole))) << whole.size();
    }
}

TEST(Message, TheRequestOfAnotherContextIsRefused) {
    const Peers& peers = kIdTable[2];
    const Buffer plaintext = encode_body(coap::Code::Get, "", {});
    const Buffer whole = protect(peers.client, Piv{1}, plaintext);
    EXPECT_EQ(receive(kIdTable[0].server, whole), "Unauthenticated");
    EXPECT_EQ(receive(peers.client, whole), "Unauthenticated") << "reflected";
    const auto other = derive_context({.master_secret = kMasterSecret,
                                       .master_salt = kToken,
                                       .sender_id = peers.server_id,
                                       .recipient_id = peers.client_id});
    EXPECT_EQ(receive(*other, whole), "Unauthenticated") << "the same ids, another key";
}

// A sealed plaintext that its sender should not have made.
std::string receive_odd(const std::string& plaintext) {
    const Peers& peers = kIdTable[0];
    return receive(peers.server, protect(peers.client, Piv{1}, from_hex(plaintext)));
}

TEST(Message, AuthenticNonsenseIsMalformed) {
    EXPECT_EQ(receive_odd(""), "Malformed");
    EXPECT_EQ(receive_odd("00"), "Malformed") << "Empty";
    EXPECT_EQ(receive_odd("45"), "Malformed") << "a response in a request";
    EXPECT_EQ(receive_odd("e1"), "Malformed");
    EXPECT_EQ(receive_odd("01ff"), "Malformed") << "marker without payload";
    EXPECT_EQ(receive_odd("01d0"), "Malformed") << "options that end too early";
    EXPECT_EQ(receive_odd("01"), "01");
}

TEST(Message, OptionsOfAMessageAreFoundStrictly) {
    const auto found = [](const std::string& bytes) {
        const Buffer message = from_hex(bytes);
        const auto option = find_option(*coap::parse_message(message));
        return std::string{option ? "ok" : to_string(option.error())};
    };
    EXPECT_EQ(found("40020001920914ff01"), "ok");
    EXPECT_EQ(found("4002000190ff01"), "ok");
    EXPECT_EQ(found("40020001ff01"), "NotFound");
    EXPECT_EQ(found("40020001920914"), "Malformed") << "no payload";
    EXPECT_EQ(found("40020001920914020914ff01"), "Malformed") << "two";
    EXPECT_EQ(found("4002000192e914ff01"), "Malformed") << "reserved bits";
}

TEST(Message, RequestsNeedPartialIvAndKid) {
    const Peers& peers = kIdTable[0];
    for (const std::string option : {"90", "9108", "920114"}) {
        const Buffer bytes = from_hex("40020001" + option + "ff00112233445566778899");
        EXPECT_EQ(receive(peers.server, bytes), "Malformed") << option;
    }
}

TEST(Message, ResponsesMayNameTheirSenderOnly) {
    const Peers& peers = kIdTable[0];  // the server is 01
    const Buffer plaintext = encode_body(coap::Code::Content, "", as_bytes("x"));
    Buffer out(128);
    const auto response =
        protect_response(peers.server, bind_request(Piv{7}), {}, kOutside, plaintext, out);
    const std::string whole = hex(*response);
    const std::string front = whole.substr(0, 16);
    const std::string back = whole.substr(18);  // behind the empty option
    const auto outcome = [&](const std::string& option) {
        return receive_response(peers.client, Piv{7}, from_hex(front + option + back));
    };
    EXPECT_EQ(outcome("90"), hex(plaintext));
    EXPECT_EQ(outcome("920801"), hex(plaintext));
    EXPECT_EQ(outcome("920802"), "Unauthenticated");
    EXPECT_EQ(outcome("9108"), "Unauthenticated");
    EXPECT_EQ(outcome("921000"), "Malformed");
}

TEST(Message, ObserveIsInsideAndOutside) {  // RFC 8613 §4.1.3.5
    const Peers& peers = kIdTable[0];
    const Buffer registration = from_hex("41010001aa6051658162");
    const auto message = coap::parse_message(registration);
    Buffer plaintext(64);
    const Bytes inner = *encode_plaintext(*message, plaintext);
    EXPECT_EQ(hex(inner), "016051658162") << "with the value of the message";
    const Buffer request = protect(peers.client, Piv{1}, inner, outside_of(*message));
    EXPECT_EQ(hex(request).substr(0, 18), "41050001aa60320901") << "FETCH, Observe, OSCORE";

    const Buffer notification = from_hex("51450002aa6107ff78");
    const auto notified = coap::parse_message(notification);
    const Bytes content = *encode_plaintext(*notified, plaintext);
    EXPECT_EQ(hex(content), "4560ff78") << "empty";
    Buffer out(64);
    const auto response = protect_response(
        peers.server, bind_request(Piv{1}), Piv{5}, outside_of(*notified), content, out);
    EXPECT_EQ(hex(*response).substr(0, 20), "51450002aa6107320105") << "2.05, its value, own PIV";
    const auto received = coap::parse_message(*response);
    Buffer scratch(64);
    const auto opened = unprotect_response(peers.client, bind_request(Piv{1}), *received, scratch);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->piv, Piv{5});
    EXPECT_EQ(opened->body.code, coap::Code::Content);
    EXPECT_EQ(opened->body.options.find_uint(coap::kObserve), 0U);
    EXPECT_EQ(as_text(opened->body.payload), "x");
}

TEST(MessageDeathTest, ANotificationUnderTheNonceOfTheRequestIsABug) {
    const Peers& peers = kIdTable[0];
    const Outside outside{.token = kToken, .observe = 1};
    Buffer out(64);
    EXPECT_DEATH((void)protect_response(
                     peers.server, bind_request(Piv{1}), {}, outside, from_hex("45"), out),
                 "");
}

// RFC 8613 §4.1, Figure 5.
TEST(Message, OptionsGoWhereTheirClassSays) {
    struct Row {
        coap::OptionNumber number;
        bool is_inside;
        bool is_outside;
    };
    const Row table[] = {
        {coap::kIfMatch, true, false},       {coap::kUriHost, false, true},
        {coap::kETag, true, false},          {coap::kIfNoneMatch, true, false},
        {coap::kObserve, true, true},        {coap::kUriPort, false, true},
        {coap::kLocationPath, true, false},  {coap::kUriPath, true, false},
        {coap::kContentFormat, true, false}, {coap::kMaxAge, true, false},
        {coap::kUriQuery, true, false},      {coap::kAccept, true, false},
        {coap::kLocationQuery, true, false}, {coap::kBlock2, true, false},
        {coap::kBlock1, true, false},        {coap::kSize2, true, false},
        {coap::kProxyScheme, false, true},   {coap::kSize1, true, false},
        {coap::kEcho, true, false},          {coap::kNoResponse, true, false},
        {coap::kRequestTag, true, false},    {coap::OptionNumber{65'000}, true, false},
    };
    const Peers& peers = kIdTable[0];
    Buffer unprotected(256);
    coap::MessageWriter writer{unprotected, {.code = coap::Code::Get, .token = kToken}};
    for (const Row& row : table) writer.options().add_uint(row.number, 1);
    const auto message = coap::parse_message(*writer.finish());
    Buffer plaintext(256);
    const Bytes inner = *encode_plaintext(*message, plaintext);
    const Buffer whole = protect(peers.client, Piv{1}, inner, outside_of(*message));
    const auto outer = coap::parse_message(whole);
    ASSERT_TRUE(outer);
    const auto body = coap::parse_body(inner);
    for (const Row& row : table) {
        EXPECT_EQ(body->options.count(row.number), row.is_inside) << value_of(row.number);
        EXPECT_EQ(outer->options.count(row.number), row.is_outside) << value_of(row.number);
    }
    EXPECT_EQ(outer->options.count(coap::kOscore), 1U);
    EXPECT_EQ(receive(peers.server, whole), hex(inner));
}

TEST(Message, ProxyUriAndNestedProtectionAreRefused) {
    Buffer plaintext(64);
    const Buffer proxied = from_hex("40010001d11661");
    EXPECT_EQ(encode_plaintext(*coap::parse_message(proxied), plaintext).error(),
              Error::Unsupported);
    const Buffer nested = from_hex("4002000190ff01");
    EXPECT_EQ(encode_plaintext(*coap::parse_message(nested), plaintext).error(),
              Error::Unsupported);
}

TEST(Context, BadInputIsRefused) {
    const auto error = [](std::size_t sender, std::size_t recipient, std::size_t id_context) {
        const Buffer a(sender, 1);
        const Buffer b(recipient, 2);
        const Buffer c(id_context);
        return derive_context({.master_secret = kMasterSecret,
                               .master_salt = {},
                               .sender_id = a,
                               .recipient_id = b,
                               .id_context = c})
            .error();
    };
    EXPECT_EQ(error(kIdSizeMax + 1, 1, 1), Error::TooLarge);
    EXPECT_EQ(error(1, kIdSizeMax + 1, 1), Error::TooLarge);
    EXPECT_EQ(error(1, 1, kIdContextSizeMax + 1), Error::TooLarge);
    EXPECT_EQ(error(0, 0, 0), Error::InvalidArgument) << "equal ids make equal keys";
}

}  // namespace
}  // namespace sotto::oscore
