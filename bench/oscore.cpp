// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "bench/figure.hpp"
#include "bench/measure.hpp"
#include "core/oscore/message.hpp"
#include "core/oscore/replay_window.hpp"

namespace sotto::bench {
namespace {

constexpr std::size_t kPayloadSize = 64;

oscore::Context make_context(Bytes sender_id, Bytes recipient_id) {
    constexpr std::array<std::uint8_t, 16> kSecret{1};
    auto context = oscore::derive_context({.master_secret = kSecret,
                                           .master_salt = {},
                                           .sender_id = sender_id,
                                           .recipient_id = recipient_id});
    return *std::move(context);
}

// A command on its whole way: composed, protected, parsed at the other end, checked for replay,
// verified and parsed.
class Channel {
  public:
    void run() {
        const oscore::Piv piv{next_++};
        std::array<std::uint8_t, 256> out;
        std::array<std::uint8_t, 128> scratch;
        const auto message = coap::parse_message(protect(piv, out));
        const auto option = oscore::find_option(*message);
        const auto request = oscore::unprotect_request(server_, *option, *message, scratch);
        SOTTO_ASSERT(request.has_value() && window_.check(request->piv));
        window_.accept(request->piv);
        SOTTO_ASSERT(request->body.payload.size() == kPayloadSize);
    }

  private:
    Bytes protect(oscore::Piv piv, MutBytes out) {
        coap::MessageWriter writer{out.subspan(oscore::kOutsideSizeMax), coap::Code::Post};
        writer.options().add_path("/f/led");
        const auto plaintext = writer.payload(payload_).finish();
        const auto message =
            oscore::protect_request(client_, {.piv = piv}, {.token = token_}, *plaintext, out);
        return *message;
    }

    std::array<std::uint8_t, 1> client_id_{0x01};
    std::array<std::uint8_t, 1> server_id_{0x02};
    std::array<std::uint8_t, 4> token_{};
    std::array<std::uint8_t, kPayloadSize> payload_{};
    oscore::Context client_ = make_context(client_id_, server_id_);
    oscore::Context server_ = make_context(server_id_, client_id_);
    oscore::ReplayWindow window_;
    std::uint64_t next_ = 0;
};

// The same cipher under the same port, keyed anew for each message, on 64 bytes and nothing else.
class Cipher {
  public:
    void run() {
        std::array<std::uint8_t, kPayloadSize + oscore::kTagSize> sealed;
        ++nonce_[0];
        SOTTO_ASSERT(crypto::aead_seal({key_, nonce_, {}, crypto::TagSize::Short}, text_, sealed)
                         .has_value());
        SOTTO_ASSERT(crypto::aead_open({key_, nonce_, {}, crypto::TagSize::Short}, sealed, text_)
                         .has_value());
    }

  private:
    crypto::AeadKey key_;
    crypto::Nonce nonce_{};
    std::array<std::uint8_t, kPayloadSize> text_{};
};

}  // namespace

Figures measure_oscore() {
    Channel channel;
    Cipher cipher;
    const auto result = compare([&] { channel.run(); }, [&] { cipher.run(); }, /*count=*/500);
    std::array<char, 128> against{};
    std::snprintf(against.data(),
                  against.size(),
                  "one seal + one open of 64 bytes, re-keyed, OpenSSL: %.2f us against %.2f us",
                  result.reference_seconds * 1e6,
                  result.work_seconds * 1e6);
    return {{.name = "oscore_ratio",
             .value = result.ratio,
             .unit = "times",
             .aim = Aim{.bound = Bound::AtMost, .value = 3},
             .against = against.data()}};
}

}  // namespace sotto::bench
