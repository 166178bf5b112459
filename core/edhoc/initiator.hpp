// SPDX-License-Identifier: Apache-2.0
// The Initiator of EDHOC (RFC 9528), method 3 (static Diffie-Hellman), suites 2 and 3. Sans-I/O: a
// handshake is
//
//   compose_message_1()                         send it, wait
//   on_message_2() -> Claim                     the caller finds the credential and permits it
//   authenticate(claim, credential)             th_3() is known from here on
//   compose_message_3()                         send it, wait
//   on_message_4() -> Ead, export_oscore()
//
// No allocation, no clock. Scratch memory is the caller's: what a Claim or Ead points to is in
// there, and it held plaintext, so wipe it when done. A call that fails leaves the state as it was
// unless it says otherwise; a call out of turn is Error::WrongState and changes nothing. Messages
// are resent by sending the same bytes again, never by composing again.
#pragma once

#include "core/edhoc/error_message.hpp"
#include "core/edhoc/exporter.hpp"
#include "core/edhoc/machine.hpp"
#include "core/edhoc/role.hpp"

namespace sotto::edhoc {

namespace initiator {

enum class State : std::uint8_t {
    Start,
    WaitMessage2,
    CheckMessage2,  // message_2 is decrypted; who sent it is not yet proved
    Authenticated,
    WaitMessage4,
    Done,
    Failed,
};

enum class Event : std::uint8_t {
    ComposeMessage1,
    Message2,
    Authenticate,
    ComposeMessage3,
    Message4,
};

inline constexpr std::array<Edge<State, Event>, 6> kEdges{{
    {State::Start, Event::ComposeMessage1, State::WaitMessage2},
    {State::WaitMessage2, Event::Message2, State::CheckMessage2},
    {State::CheckMessage2, Event::Message2, State::CheckMessage2},
    {State::CheckMessage2, Event::Authenticate, State::Authenticated},
    {State::Authenticated, Event::ComposeMessage3, State::WaitMessage4},
    {State::WaitMessage4, Event::Message4, State::Done},
}};

}  // namespace initiator

class Initiator {
  public:
    explicit Initiator(Identity identity) : identity_(identity) {}

    struct Message1 {
        std::span<const SuiteLabel> suites;  // by preference, the selected one last
        ConnectionId c_i;
        std::span<const EadItem> ead_1 = {};
    };
    // message_1, at the front of `out`. Error::Unsupported if we don't speak the selected suite,
    // Error::NoSpace.
    Result<Bytes> compose_message_1(EphemeralKey x, const Message1& options, MutBytes out);

    // Decrypts message_2 into `scratch`. May be called again with another message until
    // authenticate() succeeds. Error::Malformed, Truncated, TooLarge, Unsupported (critical EAD,
    // kind of credential); Error::Refused if C_R equals C_I; Error::NoSpace.
    Result<Claim> on_message_2(Bytes message, MutBytes scratch, EadLabels understood);

    // Verifies MAC_2 of the last message_2 with the credential that its ID_CRED_R was resolved to.
    // Error::Unauthenticated if it does not verify (after kVerifyFailureCountMax times this ends
    // the handshake); Error::Refused if the credential is our own.
    Status authenticate(const Claim& claim, const cose::Credential& credential_r);

    // TH_3, from authenticate() until message_3 is composed: for a proof in EAD_3. Null before and
    // after.
    const crypto::Hash* th_3() const {
        return machine_.is(State::Authenticated) ? &transcript_ : nullptr;
    }
    // Our ID_CRED_I.
    cose::IdCred id_cred_i(cose::CredentialForm form) const {
        return cose::IdCred::of(identity_.credential, form);
    }

    // message_3, at the front of `out`. Error::NoSpace.
    Result<Bytes> compose_message_3(cose::CredentialForm form,
                                    std::span<const EadItem> ead_3,
                                    MutBytes out);

    // Decrypts message_4 into `scratch`; afterwards the Responder is known to have the same keys.
    // Error::Unauthenticated, Malformed, Truncated, TooLarge, NoSpace. An authentic message_4 that
    // breaks the format or has critical EAD that is not understood (Error::Unsupported) ends the
    // handshake.
    Result<Ead> on_message_4(Bytes message, MutBytes scratch, EadLabels understood);

    bool is_done() const { return machine_.is(State::Done); }
    bool has_failed() const { return machine_.is(State::Failed); }

    // Since message_3 was composed. RFC 9528 §5.4.2: until message_4 or an OSCORE message of the
    // Responder has been verified, store nothing that comes from here.
    Status exporter(std::uint32_t label, Bytes context, MutBytes out) const;
    Result<OscoreKeys> export_oscore() const;

  private:
    using State = initiator::State;
    using Event = initiator::Event;

    bool has_exporter() const { return machine_.is(State::WaitMessage4) || is_done(); }
    // Wipes what is secret.
    Status fail(Error why);

    Identity identity_;
    Machine<State, initiator::kEdges> machine_;
    std::uint8_t failure_count_ = 0;  // of authenticate()
    Terms terms_;
    crypto::Hash h_message_1_{};
    crypto::DhPublicKey g_y_;    // CheckMessage2, Authenticated
    crypto::Hash transcript_{};  // CheckMessage2: TH_2; Authenticated: TH_3; WaitMessage4: TH_4
    crypto::DhPrivateKey x_;     // until Authenticated: a message_2 may turn out forged
    crypto::Prk prk_;    // CheckMessage2: PRK_2e; Authenticated: PRK_3e2m; WaitMessage4: PRK_4e3m
    Exporter exporter_;  // WaitMessage4, Done
};

}  // namespace sotto::edhoc
