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

struct Start {};
struct HaveMessage1 {
    crypto::DhPublicKey g_x;
    crypto::Hash h_message_1{};
};
// Half open: what waits in RAM for an Initiator that may never come back.
struct WaitMessage3 {
    crypto::DhPrivateKey y;
    crypto::Prk prk_3e2m;
    std::uint8_t failure_count = 0;
};
struct Authenticated {
    crypto::Prk prk_4e3m;
    crypto::Hash th_4{};
    Exporter exporter;
};
struct Done {
    Exporter exporter;
};

using State = std::variant<Start, HaveMessage1, WaitMessage3, Authenticated, Done, Failed>;

enum class Event : std::uint8_t {
    Message1,
    ComposeMessage2,
    Authenticate,
    ComposeMessage4,
};

inline constexpr std::array<Edge, 4> kEdges{
    edge<State, Start, HaveMessage1>(Event::Message1),
    edge<State, HaveMessage1, WaitMessage3>(Event::ComposeMessage2),
    edge<State, WaitMessage3, Authenticated>(Event::Authenticate),
    edge<State, Authenticated, Done>(Event::ComposeMessage4),
};

}  // namespace responder

class Responder {
  public:
    explicit Responder(Identity identity) : identity_(identity) {}

    struct Message1 {
        ConnectionId c_i;
        Suite suite;
        Ead ead_1;  // points into the message
    };
    // Costs the import of a point: limit the rate before. Any error ends the handshake:
    // Error::Malformed, Truncated, TooLarge; Error::Unsupported (method, suite, critical EAD).
    Result<Message1> on_message_1(Bytes message, EadLabels understood);

    struct Message2 {
        ConnectionId c_r;
        cose::CredentialForm form = cose::CredentialForm::Kid;
        std::span<const EadItem> ead_2 = {};
    };
    // message_2, at the front of `out`. Error::InvalidArgument if C_R equals C_I: choose another;
    // Error::NoSpace.
    Result<Bytes> compose_message_2(EphemeralKey y, const Message2& options, MutBytes out);

    // Decrypts message_3 into `scratch`; as often as need be, since anybody can send a bad one.
    // Error::Unauthenticated, Malformed, Truncated, TooLarge, NoSpace. A message_3 that decrypts
    // and then breaks the format or has critical EAD that is not understood (Error::Unsupported)
    // ends the handshake: only our Initiator can have made it.
    Result<Claim> on_message_3(Bytes message, MutBytes scratch, EadLabels understood);

    // Verifies MAC_3 of a message_3 with the credential that its ID_CRED_I was resolved to.
    // Error::Unauthenticated if it does not verify (after kVerifyFailureCountMax times this ends
    // the handshake); Error::Refused if the credential is our own.
    Status authenticate(const Claim& claim, const cose::Credential& credential_i);

    // TH_3, from compose_message_2() until message_4 is composed: for a proof in EAD_3.
    Result<crypto::Hash> th_3() const;

    // message_4, at the front of `out`. Error::NoSpace.
    Result<Bytes> compose_message_4(std::span<const EadItem> ead_4, MutBytes out);

    // The error message for what a call has just returned: with SUITES_R if message_1 was refused
    // for its suite, else as encode_error_message(). Error::NoSpace.
    Result<Bytes> compose_error(Error why, MutBytes out) const;

    bool is_authenticated() const { return established() != nullptr; }
    bool is_done() const { return machine_.in<responder::Done>() != nullptr; }
    bool has_failed() const { return machine_.in<Failed>() != nullptr; }

    // Since authenticate() succeeded.
    Status exporter(std::uint32_t label, Bytes context, MutBytes out) const;
    Result<OscoreKeys> export_oscore() const;

  private:
    using Machine = edhoc::Machine<responder::State, responder::kEdges>;

    // Null until authenticate() has succeeded.
    const Exporter* established() const;
    Result<Message1> read_message_1(Bytes message, EadLabels understood);

    Identity identity_;
    bool is_wrong_suite_ = false;
    Terms terms_;          // what is public needs no wiping: of message_1, then of message_2
    crypto::Hash th_3_{};  // since compose_message_2()
    Machine machine_;
};

// The suites of a Responder.
inline constexpr std::array<SuiteLabel, 2> kResponderSuites{2, 3};

}  // namespace sotto::edhoc
