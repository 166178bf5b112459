// SPDX-License-Identifier: Apache-2.0
// The client's side of one handshake with a device (docs/protocol/session.md, SES-10 to SES-24):
// EDHOC as Initiator in the form of RFC 9528 A.2, with message_4 and, to pair, the proof. Payloads
// in and out; whoever carries them is the client's business. No allocation.
#pragma once

#include "core/edhoc/initiator.hpp"
#include "core/hal/entropy.hpp"
#include "core/keystore/pairing_code.hpp"
#include "core/session/pairing.hpp"

namespace sotto::session {

class ClientHandshake {
  public:
    struct Setup {
        edhoc::Identity identity;
        hal::Entropy& entropy;
    };
    explicit ClientHandshake(const Setup& setup) : setup_(setup) {}

    // The payload with message_1, at the front of `out`. Error::EntropyFailed, NoSpace.
    Result<Bytes> begin(MutBytes out);

    // Who has to answer.
    struct Expected {
        Bytes hash_prefix;                        // of the SHA-256 of the device's credential
        const cose::Credential* known = nullptr;  // for a device that names itself by kid
    };
    // Takes the payload that answers begin(). Afterwards credential() is that of the device.
    // Error::Refused: another device has proved itself, and the handshake is over; any other: this
    // was not the answer, which may still come.
    Status on_message_2(Bytes payload, const Expected& expected);
    // Precondition: on_message_2() has succeeded.
    const cose::Credential& credential() const { return *credential_; }

    // What the device is shown, beside our key.
    struct Shown {
        const keystore::PairingSecret* secret = nullptr;  // a proof of it, to pair
        Bytes token = {};                                 // an access token; empty: none
    };
    // The payload with message_3, at the front of `out`. Error::NoSpace, WrongState.
    Result<Bytes> compose_message_3(cose::CredentialForm form, const Shown& shown, MutBytes out);

    // Takes the payload that answers message_3: what the device says to the proof or token, or to a
    // key that it does not know; nothing if it had nothing to say. Afterwards the keys are good. An
    // error: this was not the answer, which may still come.
    Result<std::optional<PairingAnswer>> on_message_4(Bytes payload);
    Result<edhoc::OscoreKeys> keys() const { return initiator_->export_oscore(); }
    // K_tok of an accepted pairing [SES-26].
    Result<keystore::TokenKey> token_key(std::uint32_t generation) const;

    // An EDHOC error message came instead. True: begin() would do better now.
    bool on_error(Bytes payload);

    // Forgets everything under way.
    void end() { initiator_.reset(); }

  private:
    Setup setup_;
    edhoc::SuiteList suites_;
    std::optional<edhoc::Initiator> initiator_;
    std::optional<cose::Credential> credential_;
};

}  // namespace sotto::session
