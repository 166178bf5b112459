// SPDX-License-Identifier: Apache-2.0
// The Responder of EDHOC (RFC 9528), method 3 (static Diffie-Hellman), suites 2 and 3. Sans-I/O: a
// handshake is
//
//   on_message_1() -> Message1                  if it fails: send compose_error()
//   compose_message_2()                         send it, wait
//   on_message_3() -> Claim                     the caller finds the credential and permits it
//   authenticate(claim, credential)             th_3() and the exporters are known from here on
//   compose_message_4()                         send it
//
// No allocation, no clock. Scratch memory is the caller's: what a Claim points to is in there, and
// it held plaintext, so wipe it when done. A call that fails leaves the state as it was unless it
// says otherwise; a call out of turn is Error::WrongState and changes nothing. Messages are resent
// by sending the same bytes again, never by composing again.
#pragma once

#include "core/edhoc/error_message.hpp"
#include "core/edhoc/exporter.hpp"
#include "core/edhoc/machine.hpp"
#include "core/edhoc/role.hpp"

namespace sotto::edhoc {

namespace responder {

enum class State : std::uint8_t {
    Start,
    HaveMessage1,
    WaitMessage3,  // half open: it may wait for an Initiator that never comes back
    Authenticated,
    Done,
    Failed,
};

enum class Event : std::uint8_t {
    Message1,
    ComposeMessage2,
    Authenticate,
    ComposeMessage4,
};

inline constexpr std::array<Edge<State, Event>, 4> kEdges{{
    {State::Start, Event::Message1, State::HaveMessage1},
    {State::HaveMessage1, Event::ComposeMessage2, State::WaitMessage3},
    {State::WaitMessage3, Event::Authenticate, State::Authenticated},
    {State::Authenticated, Event::ComposeMessage4, State::Done},
}};

}  // namespace responder

class Responder {
  public:
    explicit Responder(Identity identity) : identity_(identity) {}

    struct Message1 {
        ConnectionId c_i;
        Suite suite = Suite::Two;
        Ead ead_1;  // points into the message
    };
    // Costs the import of a point: limit the rate before. Any error ends the handshake:
    // Error::Malformed, Truncated, TooLarge; Error::Unsupported (method, suite, critical EAD).
    Status on_message_1(Bytes message, EadLabels understood, Message1& parsed);
    Result<Message1> on_message_1(Bytes message, EadLabels understood) {
        Message1 parsed;
        SOTTO_TRY(on_message_1(message, understood, parsed));
        return parsed;
    }

    struct Message2 {
        ConnectionId c_r;
        cose::CredentialForm form = cose::CredentialForm::Kid;
        std::span<const EadItem> ead_2 = {};
    };
    // message_2, at the front of `out`; takes the private key. Error::InvalidArgument if C_R equals
    // C_I: choose another; Error::NoSpace.
    Result<Bytes> compose_message_2(EphemeralKey&& y, const Message2& options, MutBytes out);

    // Decrypts message_3 into `scratch`; as often as need be, since anybody can send a bad one.
    // Error::Unauthenticated, Malformed, Truncated, TooLarge, NoSpace. A message_3 that decrypts
    // and then breaks the format or has critical EAD that is not understood (Error::Unsupported)
    // ends the handshake: only our Initiator can have made it.
    Status on_message_3(Bytes message, MutBytes scratch, EadLabels understood, Claim& claim);
    Result<Claim> on_message_3(Bytes message, MutBytes scratch, EadLabels understood) {
        Claim claim;
        SOTTO_TRY(on_message_3(message, scratch, understood, claim));
        return claim;
    }

    // Verifies MAC_3 of a message_3 with the credential that its ID_CRED_I was resolved to.
    // Error::Unauthenticated if it does not verify (after kVerifyFailureCountMax times this ends
    // the handshake); Error::Refused if the credential is our own.
    Status authenticate(const Claim& claim, const cose::Credential& credential_i);

    // TH_3, from compose_message_2() until message_4 is composed: for a proof in EAD_3. Null before
    // and after.
    const crypto::Hash* th_3() const;

    // message_4, at the front of `out`. Error::NoSpace.
    Result<Bytes> compose_message_4(std::span<const EadItem> ead_4, MutBytes out);

    // The error message for what a call has just returned: with SUITES_R if message_1 was refused
    // for its suite, else as encode_error_message(). Error::NoSpace.
    Result<Bytes> compose_error(Error why, MutBytes out) const;

    bool is_authenticated() const {
        return machine_.is(State::Authenticated) || machine_.is(State::Done);
    }
    bool is_done() const { return machine_.is(State::Done); }
    bool has_failed() const { return machine_.is(State::Failed); }

    // Since authenticate() succeeded.
    Status exporter(std::uint32_t label, Bytes context, MutBytes out) const;
    Status export_oscore(OscoreKeys& keys) const;
    Result<OscoreKeys> export_oscore() const {
        OscoreKeys keys;
        SOTTO_TRY(export_oscore(keys));
        return keys;
    }

  private:
    using State = responder::State;
    using Event = responder::Event;

    Status read_message_1(Bytes message, Message1& parsed, EadLabels understood);
    // Wipes what is secret.
    Status fail(Error why);

    Machine<State, responder::kEdges> machine_;
    bool is_wrong_suite_ = false;
    std::uint8_t failure_count_ = 0;  // of authenticate()
    Identity identity_;
    Terms terms_;
    crypto::DhPublicKey g_x_;    // HaveMessage1
    crypto::Hash transcript_{};  // HaveMessage1: H(message_1); Authenticated: TH_4
    crypto::Hash th_3_{};        // WaitMessage3, Authenticated
    crypto::DhPrivateKey y_;     // WaitMessage3
    crypto::Prk prk_;            // WaitMessage3: PRK_3e2m; Authenticated: PRK_4e3m
    Exporter exporter_;          // Authenticated, Done
};

// The suites of a Responder.
inline constexpr std::array<SuiteLabel, 2> kResponderSuites{2, 3};

}  // namespace sotto::edhoc
