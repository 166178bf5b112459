// SPDX-License-Identifier: Apache-2.0
// A session of a device with a server of the legacy Particle protocol, from its nonce on
// (docs/protocol/particle.md), as bluz firmware has it: one message at a time. Takes any bytes.
// Sans-I/O; allocates within limits.hpp; owns its key.
#pragma once

#include <optional>
#include <vector>

#include "core/base/time.hpp"
#include "core/base/token_bucket.hpp"
#include "core/coap/message.hpp"
#include "device/particle/channel.hpp"
#include "device/particle/handshake.hpp"
#include "device/particle/members.hpp"

namespace sotto::device::particle {

// Why a session is over; there is no other way to tell a server that something is wrong.
enum class Ending : std::uint8_t {
    None,
    NoHandshake,   // nonce or answer have not come in time
    NotTheServer,  // the answer is not of the server whose key is known
    NoHello,       // no Hello of the server in time, or something else first
    Unreadable,    // a frame that cannot be one, or was changed
    Overflow,      // more came than can be kept
    Silence,       // not even a ping was answered
    NoRandomness,  // the system gives none
};
// For a log.
std::string_view to_string(Ending ending);

class Session {
  public:
    // `crypto` and `members` are borrowed.
    struct Setup {
        Crypto& crypto;
        Members& members;
        DeviceId id{};
        Instant now{};
    };
    explicit Session(const Setup& setup);

    // What the server sent, in any pieces.
    void receive(Bytes bytes, Instant now);
    void on_time(Instant now);

    // What is to be sent to it, and how much of that has been taken.
    Bytes output() const { return out_; }
    void take_output(std::size_t size, Instant now);

    bool is_connected() const { return stage_ == Stage::Connected && ending_ == Ending::None; }
    Ending ending() const { return ending_; }

    // A private event that lives for 60 s. Also from within a call of a function.
    // Error::WrongState before the session stands, Error::InvalidArgument without a name,
    // Error::TooLarge, Error::RateLimited over the burst of firmware, Error::Busy while the link is
    // behind.
    Status publish(std::string_view name, std::string_view data, Instant now);

  private:
    enum class Stage : std::uint8_t { Nonce, Answer, Hello, Connected };

    void advance(Instant now);
    bool step(Instant now);
    void take_nonce();
    void take_answer(Instant now);
    bool take_frame(Instant now);
    void on_message(Bytes bytes);
    void on_request(const coap::Message& request);
    void on_get(char topic, const coap::Message& request);
    void on_post(char topic, const coap::Message& request);
    void on_put(char topic, const coap::Message& request);
    void describe(const coap::Message& request);
    void read(const coap::Message& request);
    void call(const coap::Message& request);
    void answer(const coap::Message& request, coap::Code code, Bytes payload = {});
    void acknowledge(std::uint16_t id, coap::Code code = coap::Code::Empty);
    void send_hello();
    void send_ping();
    void send(const coap::Header& header, Bytes payload, std::string_view topic = {});
    void seal(const Result<Bytes>& message);
    void end(Ending why);

    Setup setup_;
    Stage stage_ = Stage::Nonce;
    Ending ending_ = Ending::None;
    bool is_advancing_ = false;
    std::vector<std::uint8_t> in_;
    std::vector<std::uint8_t> out_;
    std::optional<Channel> channel_;
    std::uint16_t id_ = 0;  // of the latest message of its own
    Instant deadline_;      // of the handshake, then of the Hello
    Instant heard_at_;
    std::optional<Instant> pinged_at_;
    TokenBucket event_rate_;
};

}  // namespace sotto::device::particle
