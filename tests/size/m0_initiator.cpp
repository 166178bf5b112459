// SPDX-License-Identifier: Apache-2.0
// The role of EDHOC that a device lacks, for the size report: what a chip would pay to be an app.
#include "core/edhoc/initiator.hpp"
#include "core/keystore/private_key.hpp"
#include "core/keystore/records.hpp"
#include "tests/size/m0_firmware.hpp"

namespace sotto {
namespace {

constexpr std::array<edhoc::SuiteLabel, 1> kSuites{2};
constexpr std::array<std::uint8_t, 1> kConnectionId{0x05};

Status shake_hands(firmware::Flash& flash, firmware::Noise& noise) {
    SOTTO_TRY_ASSIGN(const keystore::Identity self, keystore::load_identity(flash));
    SOTTO_TRY_ASSIGN(const cose::Credential credential, cose::Credential::parse(self.credential));
    SOTTO_TRY_ASSIGN(const keystore::PeerRecord record, keystore::load_peer(flash));
    SOTTO_TRY_ASSIGN(const cose::Credential peer, cose::Credential::parse(record.credential));
    edhoc::Initiator initiator{{.credential = credential, .private_key = self.private_key}};
    Scratch<edhoc::kScratchSize> scratch;
    std::array<std::uint8_t, edhoc::kScratchSize> out;

    SOTTO_TRY_ASSIGN(crypto::DhPrivateKey key, keystore::draw_private_key(noise));
    SOTTO_TRY_ASSIGN(const edhoc::ConnectionId c_i, edhoc::ConnectionId::from(kConnectionId));
    SOTTO_TRY_ASSIGN(
        const Bytes message_1,
        initiator.compose_message_1(
            edhoc::EphemeralKey::from(std::move(key)), {.suites = kSuites, .c_i = c_i}, out));
    firmware::send({}, message_1);
    SOTTO_TRY_ASSIGN(const edhoc::Claim claim,
                     initiator.on_message_2(firmware::wait().message, scratch.bytes(), {}));
    SOTTO_TRY(initiator.authenticate(claim, peer));
    SOTTO_TRY_ASSIGN(const Bytes message_3,
                     initiator.compose_message_3(cose::CredentialForm::Value, {}, out));
    firmware::send({}, message_3);
    SOTTO_TRY(initiator.on_message_4(firmware::wait().message, scratch.bytes(), {}));
    SOTTO_TRY_ASSIGN(const edhoc::OscoreKeys keys, initiator.export_oscore());
    firmware::send({}, keys.sender_id.view());
    return {};
}

firmware::Flash flash;
firmware::Noise noise;

}  // namespace

void panic() {
    for (;;) {
    }
}

}  // namespace sotto

extern "C" [[noreturn]] void start() {
    if (!sotto::shake_hands(sotto::flash, sotto::noise)) sotto::panic();
    for (;;) {
    }
}
