// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "bench/figure.hpp"
#include "bench/measure.hpp"
#include "core/edhoc/initiator.hpp"
#include "core/edhoc/responder.hpp"
#include "core/keystore/private_key.hpp"
#include "ports/linux/system_entropy.hpp"

namespace sotto::bench {
namespace {

crypto::DhPrivateKey draw_key() {
    ports::SystemEntropy entropy;
    return *keystore::draw_private_key(entropy);
}

struct Party {
    explicit Party(std::string_view subject)
        : key(draw_key()), credential(*cose::Credential::create(subject, crypto::dh_public(key))) {}
    edhoc::Identity identity() const { return {credential, key}; }

    crypto::DhPrivateKey key;
    cose::Credential credential;
};

// Both ends of one handshake after the other: method 3, suite 2, credentials by kid, message_4 and
// the export of the OSCORE keys.
class Handshakes {
  public:
    void run() {
        edhoc::Initiator initiator{app_.identity()};
        edhoc::Responder responder{device_.identity()};
        const auto message_1 = initiator.compose_message_1(
            edhoc::EphemeralKey::from(draw_key()), {.suites = kSuites, .c_i = c_i_}, first_);
        SOTTO_ASSERT(message_1 && responder.on_message_1(*message_1, {}));
        const auto message_2 = responder.compose_message_2(
            edhoc::EphemeralKey::from(draw_key()), {.c_r = c_r_}, second_);
        SOTTO_ASSERT(message_2.has_value());
        const auto device = initiator.on_message_2(*message_2, scratch_, {});
        SOTTO_ASSERT(device && initiator.authenticate(*device, device_.credential));
        const auto message_3 = initiator.compose_message_3(cose::CredentialForm::Kid, {}, first_);
        SOTTO_ASSERT(message_3.has_value());
        const auto app = responder.on_message_3(*message_3, scratch_, {});
        SOTTO_ASSERT(app && responder.authenticate(*app, app_.credential));
        const auto message_4 = responder.compose_message_4({}, second_);
        SOTTO_ASSERT(message_4 && initiator.on_message_4(*message_4, scratch_, {}));
        SOTTO_ASSERT(initiator.export_oscore() && responder.export_oscore());
    }

  private:
    static constexpr std::array<edhoc::SuiteLabel, 1> kSuites{2};

    Party app_{"app"};
    Party device_{"device"};
    edhoc::ConnectionId c_i_ = *edhoc::ConnectionId::from(as_bytes("i"));
    edhoc::ConnectionId c_r_ = *edhoc::ConnectionId::from(as_bytes("r"));
    std::array<std::uint8_t, 256> first_{};
    std::array<std::uint8_t, 256> second_{};
    std::array<std::uint8_t, edhoc::kScratchSize> scratch_{};
};

// What method 3 asks of the curve on each side: one key pair, one import of the peer's ephemeral
// key, which is an x-coordinate, and three shared secrets.
class Operations {
  public:
    void run() {
        for (int side = 0; side < 2; ++side) {
            const crypto::DhPrivateKey key = draw_key();
            const crypto::DhPublicKey own = crypto::dh_public(key);
            const auto peer = crypto::dh_import_x(own.x);
            SOTTO_ASSERT(peer.has_value());
            for (int i = 0; i < 3; ++i) SOTTO_ASSERT(crypto::dh_agree(key, *peer).has_value());
        }
    }
};

}  // namespace

Figures measure_edhoc() {
    Handshakes handshakes;
    Operations operations;
    const auto result = compare([&] { handshakes.run(); }, [&] { operations.run(); }, /*count=*/2);
    std::array<char, 160> against{};
    std::snprintf(against.data(),
                  against.size(),
                  "per side one key generation, one x-only import, three derivations, OpenSSL: "
                  "%.0f against %.0f a second",
                  1 / result.reference_seconds,
                  1 / result.work_seconds);
    return {{.name = "edhoc_ratio",
             .value = 1 / result.ratio,
             .unit = "times",
             .aim = Aim{.bound = Bound::AtLeast, .value = 0.7},
             .against = against.data()}};
}

}  // namespace sotto::bench
