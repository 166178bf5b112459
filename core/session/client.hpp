// SPDX-License-Identifier: Apache-2.0
// The client's end of the sealed channel with one device: EDHOC as Initiator, OSCORE as client, and
// the rules of docs/protocol/session.md. For apps, and for a cloud that talks to a device itself.
//
// Sans-I/O: messages come in with receive(), time with advance(); what is to be sent is pulled with
// next_message() after each call, until there is none. One job at a time, beside observations that
// it keeps alive by itself. A session is begun, and begun again, as jobs need it.
//
// What does not fit one message goes in blocks (RFC 7959), each of them a request of its own, and
// the job has its time anew with each: at least as long as the device keeps what it has got. It
// goes on where it was when a way that was cut stands again.
//
// A command runs at most once. If its answer is lost the device is asked what it executed last
// [SES-45]; nothing is ever repeated on a guess. No allocation; borrows what Setup names.
#pragma once

#include <string_view>
#include <variant>

#include "core/coap/block.hpp"
#include "core/framing/limits.hpp"
#include "core/oscore/message.hpp"
#include "core/session/client_handshake.hpp"
#include "core/session/client_session.hpp"
#include "core/session/confirmable.hpp"
#include "core/session/last_result.hpp"
#include "core/session/resources.hpp"

namespace sotto::session {

using ObservationId = Strong<std::uint8_t, struct ObservationIdTag>;

// What one asks of a device: code, `/resource` or `/resource/name`, and what goes with it.
struct Request {
    coap::Code code = coap::Code::Get;
    std::string_view resource;
    std::string_view name = {};
    // Up to kBodySizeMax; over kPayloadSizeMax it is borrowed until the end of the job.
    std::optional<Content> content = std::nullopt;
    std::optional<Format> accept = std::nullopt;
    // Where an answer of several blocks is put together, borrowed until the end of the job and as
    // large as the largest that is taken. Empty: only what fits one message is.
    MutBytes room = {};
};

// What must be kept of a deferred command until its answer comes.
struct Deferred {
    oscore::Piv piv{};
    keystore::SessionTag tag{};
    Token token{};
};

// The end of a job. Views are valid until the next call of the client.
struct Answer {
    coap::Code code = coap::Code::Empty;
    Format format = Format::Text;
    Bytes payload;
    bool is_observed = false;     // to observe(): notifications will come
    bool is_result_lost = false;  // it was executed, and of its result only the code is known
};
struct Paired {
    PairingVerdict verdict = PairingVerdict::NotPermitted;
};
enum class Reason : std::uint8_t {
    Silence,       // nobody answered; nothing was executed
    NotTheDevice,  // another device answered
    NotAdmitted,   // the device does not know our key
    TimeUnknown,   // our token has an end, and the device does not know the time
    TokenOver,     // our token has ended, or its owner has revoked it
    NotExecuted,   // no answer came; the device says that it was not run, and now it never will be
    OutcomeUnknown,  // no answer came, and nobody can say whether it was run
    NoSession,       // each handshake was followed by a refusal that nothing proves
    OwnState,        // our storage or randomness failed; nothing was executed
    NotWhole,        // the answer changed while it was read, again and again, or has no room
};
struct Ended {
    Reason reason = Reason::Silence;
};
// Beside jobs.
struct Notified {
    ObservationId observation;
    Content content;
};
// A registration could not be renewed before its time was over [SES-51]: it is gone.
struct FellSilent {
    ObservationId observation;
};
using Event = std::variant<Answer, Paired, Ended, Notified, FellSilent>;

class Client {
  public:
    struct Setup {
        edhoc::Identity identity;
        // How our credential is sent where no proof wants it by value.
        cose::CredentialForm form = cose::CredentialForm::Value;
        hal::Storage& storage;
        hal::Entropy& entropy;
        // The first bytes of the SHA-256 of the device's credential, at least the id's 12.
        FixedBytes<crypto::kHashSize> device;
        // The whole of it, for a device that names itself by kid.
        const cose::Credential* known = nullptr;
        // What makes an Instant a time since 1970: then requests tell the device the time [SES-93].
        std::optional<Duration> since_1970 = std::nullopt;
    };
    explicit Client(const Setup& setup);

    // Loads the session; call it once, first. Error::StorageFailed.
    Status start(Instant now) { return session_.load(now); }

    // Jobs. Error::Busy while there is one. They end by one event: Paired or Ended; Answer or
    // Ended.
    Status pair(const keystore::PairingCode& code, Instant now, Instant until);
    // Error::TooLarge.
    Status request(const Request& request, Instant now, Instant until);
    // GET of an event with Observe. Error::NoSpace.
    Result<ObservationId> observe(const Request& request, Instant now, Instant until);
    // Asks the device what became of a deferred command, whose end is as that of its own job. It
    // can not run any more afterwards [SES-45].
    Status settle(const Deferred& deferred, Instant now, Instant until);
    // How far a job has come that takes more than one message; nothing if it is none.
    struct Progress {
        std::size_t done = 0;
        std::size_t total = 0;  // 0: not known
        bool is_answer = false;
    };
    std::optional<Progress> progress() const;
    // The way that was cut stands again, or another one does: what waits for an answer is sent at
    // once.
    void send_again(Instant now) { exchange_.send_again(now); }
    // Ends the job as if its time were over; nothing if there is none.
    std::optional<Event> give_up(Instant now);
    bool is_busy() const { return job_.kind != JobKind::None; }

    // A command that is sent later, by somebody else, at the front of `out` [SES-90]. Its number is
    // stored as used before it is there. Error::NotFound: there is no session to send it in, and
    // one has to be made by a job first; Error::TooLarge, NoSpace, StorageFailed, EntropyFailed.
    struct Sealed {
        Deferred deferred = {};
        Bytes message = {};
    };
    Result<Sealed> defer(const Request& request,
                         std::uint32_t not_after,
                         Instant now,
                         MutBytes out);
    // What the device says to it; a view until the next call. Error::Unauthenticated: the message
    // is not its answer; Error::NotFound: its session has ended.
    Result<Answer> open(const Deferred& deferred, Bytes message, Instant now);

    std::optional<Event> receive(Bytes message, Instant now);
    // To be called at wake_at(), or at any other time, until it has nothing to say.
    std::optional<Event> advance(Instant now);
    // The next message to be sent, valid until the next call.
    std::optional<Bytes> next_message(Instant now);
    // Nothing if there is nothing to wait for but messages.
    std::optional<Instant> wake_at() const;

    // Who has proved itself in a handshake since start(); nothing if the session is older.
    const std::optional<cose::Credential>& device() const { return device_; }

  private:
    enum class JobKind : std::uint8_t { None, Pair, Request, Register, Renew };
    enum class Step : std::uint8_t { Pause, Message1, Message3, Request, Last };
    // What stands to be asked, so that it can be written again under a new number.
    struct Spec {
        coap::Code code = coap::Code::Get;
        FixedBytes<kSegmentSizeMax> resource{};
        FixedBytes<kSegmentSizeMax> name{};
        std::optional<Format> format{};
        std::optional<Format> accept{};
    };
    // What of a job goes in blocks.
    struct Transfer {
        Bytes argument;
        coap::OutgoingBody out;
        FixedBytes<oscore::kPivSizeMax> request_tag;  // RFC 9175 §3
        coap::IncomingBody in;
        coap::Block wanted{};  // of the answer, once
        bool fetches = false;  // its first block has come:
        Answer first;          // without payload
        FixedBytes<coap::kTokenSizeMax> etag;
        std::size_t size2 = 0;
        std::uint8_t restart_count = 0;
    };
    struct Job {
        JobKind kind = JobKind::None;
        Step step = Step::Request;
        Instant until{};
        Instant resume_at{};  // of Step::Pause
        Spec spec;
        std::uint8_t observation = 0;
        std::uint8_t handshake_count = 0;
        std::uint8_t challenge_count = 0;
        std::uint8_t hint_count = 0;
        bool needs_handshake = false;
        bool is_at_risk = false;     // a command went out with an Echo: it may have been run
        oscore::Piv piv{};           // of that command,
        keystore::SessionTag tag{};  // in that session
        bool was_paired = false;
        Duration patience{};  // of the whole job, or of each of its blocks
        Transfer transfer;
        keystore::PairingSecret secret;
        FixedBytes<crypto::kHashSize> expected;
    };
    struct Observation {
        bool is_used = false;
        bool is_registered = false;
        Spec spec{};
        Token token{};
        oscore::RequestBinding binding{};
        std::optional<oscore::RequestBinding> pending{};  // of a registration under way
        std::optional<oscore::Piv> newest{};
        Instant renew_at{};
        Instant expires{};
    };

    struct Extras {
        std::string_view query = {};
        std::optional<std::uint32_t> observe = std::nullopt;
        bool brings_echo = false;
        std::optional<std::uint32_t> not_after = std::nullopt;
        std::optional<std::uint32_t> time = std::nullopt;
        std::optional<coap::Block> block1 = std::nullopt;
        std::optional<coap::Block> block2 = std::nullopt;
        std::uint32_t size1 = 0;  // 0: not said
        Bytes request_tag = {};
        Bytes payload = {};
    };

    static Result<Spec> make_spec(const Request& request);
    std::optional<std::uint32_t> time_at(Instant now) const;
    void begin(JobKind kind, Instant now, Instant until);
    std::optional<Event> proceed(Instant now);
    std::optional<Event> pause(Instant now, Duration duration);
    std::optional<Event> run_out(Instant now);
    std::optional<Event> end(const Event& event);
    std::optional<Event> fail(Reason reason, Instant now);

    std::optional<Event> begin_handshake(Instant now);
    std::optional<Event> post_edhoc(Step step, Bytes payload, Instant now);
    std::optional<Event> on_edhoc_answer(const coap::Message& message, Instant now);
    std::optional<Event> on_message_2(Bytes payload, Instant now);
    std::optional<Event> on_message_4(Bytes payload, Instant now);
    void on_new_session(Instant now);
    bool keep_peer(bool is_paired);
    bool keep_pairing(std::uint32_t generation);

    std::optional<Event> send_request(Instant now);
    std::optional<Event> send_last(Instant now);
    std::optional<Event> send_protected(const Spec& spec, Extras extras, Instant now);
    Result<Bytes> write_body(const Spec& spec, const Extras& extras);
    // Puts in the block whose turn it is.
    void add_block(Extras& extras, oscore::Piv piv);
    bool is_command() const;
    // The message whose turn it is may execute the command.
    bool may_run() const;
    std::optional<Event> on_response(const coap::Message& message, Instant now);
    std::optional<Event> on_answer(const coap::Message& message, Instant now);
    std::optional<Event> on_unprotected(const coap::Message& message, Instant now);
    std::optional<Event> on_last(const coap::Body& body, Instant now);
    std::optional<Event> on_result(const coap::Body& body, Instant now);
    std::optional<Event> on_continue(const coap::Body& body, Instant now);
    std::optional<Event> on_block(const coap::Body& body, const coap::Block& block, Instant now);
    // Asks for the next block, or ends with the answer.
    std::optional<Event> go_on_with_answer(const coap::Block& block, Instant now);
    // The answer changed, or has gone, while it was read.
    std::optional<Event> lose_answer(Instant now);
    // Sends the argument again, from the block at `offset` on: nothing was run.
    std::optional<Event> restart(Instant now, std::size_t offset);
    bool is_to_shrink(Instant now);
    // The argument goes in small blocks from now on. False: it does already, or a part was taken.
    bool shrink();
    void renew_patience(Instant now);
    bool keep_echo(const coap::Body& body, Instant now);
    void reply(const coap::EmptyMessage& message);

    std::optional<Event> tend_observations(Instant now);
    Observation* find_observation(Bytes token);
    std::optional<Event> on_registered(const oscore::Response& response, Instant now);
    std::optional<Event> on_notification(Observation& observation,
                                         const coap::Message& message,
                                         Instant now);

    Setup setup_;
    ClientSession session_;
    ClientHandshake handshake_;
    Confirmable exchange_;
    Job job_;
    oscore::RequestBinding binding_;
    std::array<Observation, kClientObservations> observations_;
    FixedVector<coap::EmptyMessage, 4> replies_;
    coap::EmptyMessage sent_reply_{};
    FixedBytes<kEchoSizeMax> echo_;
    Instant echo_until_{};
    std::optional<cose::Credential> device_;
    Scratch<kPayloadSizeMax> argument_;  // of the job, if it is short
    std::uint8_t block_exponent_ = coap::kBlockExponentMax;
    Scratch<kMessageSizeMax> plaintext_;
};

}  // namespace sotto::session
