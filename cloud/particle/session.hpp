// SPDX-License-Identifier: Apache-2.0
// The cloud's side of one legacy Particle device, from its credentials to the end of its
// connection. Sans-I/O: bytes and the time go in; bytes, answers and events are taken out. Instants
// count from 1970: devices ask for the time. Allocates within limits.hpp; never blocks; owns what
// it is given.
//
// Requests go out in their order, and no more at a time than the oldest devices have room for
// (kWireWindow): what a device has not answered yet is counted, and where events fill the window a
// ping makes the device answer. An answer is matched by its token or, where it has none, by its id.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cloud/particle/description.hpp"
#include "cloud/particle/frames.hpp"
#include "cloud/particle/limits.hpp"
#include "cloud/particle/message.hpp"
#include "cloud/particle/update.hpp"
#include "core/base/strong.hpp"
#include "core/base/time.hpp"
#include "core/base/token_bucket.hpp"

namespace sotto::cloud::particle {

using RequestId = Strong<std::uint32_t, struct ParticleRequestTag>;

// The first message of a device; fields that it does not send are 0.
struct Hello {
    std::uint16_t product = 0;
    std::uint16_t product_version = 0;
    std::uint16_t flags = 0;
    std::uint16_t platform = 0;
    std::uint16_t system_version = 0;
    std::uint32_t image_size_max = 0;  // of an update
    std::uint16_t chunk_size = 0;
    friend bool operator==(const Hello&, const Hello&) = default;
};

struct Value {
    VariableType type = VariableType::String;
    std::vector<std::uint8_t> bytes{};  // as they came
    friend bool operator==(const Value&, const Value&) = default;
};

// The result of a function; a variable; or that a ping or signal was answered.
struct Done {
    friend bool operator==(Done, Done) = default;
};
using Answer = std::variant<Done, std::int32_t, Value>;

// Error::NotFound for what the device does not have, ::Refused if it says no, ::Timeout, ::TooLarge
// for an argument, ::Malformed for an answer of no use, ::WrongState if the session has ended.
struct Answered {
    RequestId request{};
    Result<Answer> answer;
};
struct Greeted {
    Hello hello{};
};
struct Described {};  // description() is what the device says now
struct Published {
    std::string name{};
    std::string data{};
    std::uint32_t ttl_s = 60;
    bool is_public = false;
    bool has_data = false;
};
// An event whose name is_system_name().
struct SystemEvent {
    std::string name{};
    std::string data{};
};
// How far an update is: first when the device is ready for it, then in kUpdateSteps steps.
struct Updating {
    std::size_t taken = 0;  // bytes of `size`
    std::size_t size = 0;
};
// Unless it is a success, or the device refused the whole, the session is over: the device would
// wait for the rest.
struct Updated {
    UpdateEnding ending = UpdateEnding::None;
};
using Event = std::variant<Answered, Greeted, Described, Published, SystemEvent, Updating, Updated>;
inline constexpr std::size_t kUpdateSteps = 10;

// What a device wants to hear.
struct Subscription {
    std::string prefix{};
    std::string device{};      // the first digits of an id, lower case; empty: of any
    bool is_own_only = false;  // of devices of the same owner
    // Whether it names this event. Who may hear whom is for the caller.
    bool wants(std::string_view name, std::string_view publisher) const {
        return name.starts_with(prefix) && publisher.starts_with(device);
    }
    friend bool operator==(const Subscription&, const Subscription&) = default;
};

// Of the system of a device: its name begins with "spark" or "particle", in any case of letters.
bool is_system_name(std::string_view name);

// Why it is over.
enum class Ending : std::uint8_t {
    None,
    Unreadable,  // no frame of this key; so says the first one of a device with another key
    TooLarge,    // a frame
    BadMessage,
    BadCounter,  // ids of messages that do not rise
    NoHello,     // in time
    Silent,
    Slow,  // does not take what it is sent
    Goodbye,
    UpdateFailed,
    Closed,  // by close()
};
std::string_view to_string(Ending ending);

class Session {
  public:
    struct Setup {
        Cipher& cipher;
        Credentials credentials{};
        std::uint16_t first_id = 0;  // random
        Instant now{};
    };
    explicit Session(Setup setup);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void receive(Bytes bytes, Instant now);
    void on_time(Instant now);
    // When on_time() has to be called at the latest.
    Instant next_deadline() const;
    // Moves out what is to be sent. The two bytes of a size go with their frame in one piece.
    bool has_output() const { return !output_.empty(); }
    std::vector<std::uint8_t> take_output();
    std::optional<Event> next_event();

    Ending ending() const { return ending_; }
    void close() { end(Ending::Closed); }

    bool is_greeted() const { return hello_.has_value(); }
    const std::optional<Hello>& hello() const { return hello_; }
    const std::optional<Description>& description() const { return description_; }
    bool is_in_safe_mode() const { return is_in_safe_mode_; }
    Instant heard_at() const { return heard_at_; }
    const std::vector<Subscription>& subscriptions() const { return subscriptions_; }

    // Each is answered once by Answered. Error::Busy (also from the beginning of an update until
    // the device has restarted), ::TooLarge, ::WrongState after the end.
    Result<RequestId> call(std::string_view function, std::string_view argument, Instant now);
    Result<RequestId> read(std::string_view variable, Instant now);
    Result<RequestId> ping(Instant now);
    Result<RequestId> signal(bool is_on, Instant now);
    // Whether the device asked for it is for the caller. Error::TooLarge for what a device of this
    // kind cannot take, ::NoSpace if too much waits, ::WrongState before its Hello or after the
    // end.
    Status publish(const EventToDevice& event, Instant now);
    // Begins once what is under way has been answered; events wait until it is over. Answered once
    // by Updated. Error::Busy, ::TooLarge for more than the device has room for, ::WrongState
    // before its Hello or after the end.
    Status update(Image image, Instant now);
    bool is_updating() const { return update_ != nullptr; }

  private:
    enum class Kind : std::uint8_t { Describe, Call, Read, Ping, Signal, Probe };
    // Waiting (not sent), then on the wire, then acknowledged (a call whose result is to come).
    enum class Stage : std::uint8_t { Waiting, Sent, Acknowledged };
    struct Request {
        RequestId id{};
        Kind kind = Kind::Ping;
        Stage stage = Stage::Waiting;
        std::uint8_t token = 0;
        bool is_on = false;
        std::uint16_t message_id = 0;
        std::uint64_t sent_until = 0;  // of all bytes
        Instant deadline{};
        std::string name{};
        std::string argument{};
        VariableType type = VariableType::String;
    };
    struct WaitingEvent {
        std::string name{};
        std::string data{};
        std::uint32_t ttl_s = 60;
        bool is_public = false;
    };

    bool on_message(Bytes bytes, Instant now);
    bool is_next_id(std::uint16_t id);
    void on_hello(const Message& message, Instant now);
    void on_request(const Message& message, Instant now);
    void on_published(const Message& message, Instant now);
    void on_subscription(const Message& message);
    void on_pushed_description(const Message& message);
    void on_response(const Message& message, Instant now);
    void answer_time(const Message& message, Instant now);
    void acknowledge(const Message& message);

    using Place = std::list<Request>::iterator;
    Place find_request(const Message& message);
    void on_refused(Place request);
    void on_answer(Place request, const Message& message);
    void take_description(Bytes json, bool is_whole);
    void finish(Place request, Result<Answer> answer);

    Result<RequestId> add(Request request, Instant now);
    void begin_describe(Instant now);
    void pump(Instant now);
    bool pump_requests();
    bool pump_events();
    bool pump_update(Instant now);
    void look_at_update(Instant now);
    void note_system_event(const SystemEvent& event);
    bool check_against_description(Place request);
    bool is_held_back(const Request& request) const;
    bool has_window(std::size_t size) const;
    bool is_on_the_wire(Kind kind) const;
    void send_probe(Instant now);
    Encoded encode(const Request& request) const;

    bool is_small() const;
    std::uint8_t next_token();
    void send(Bytes message);
    void emit(Event event);
    void end(Ending ending);

    Cipher& cipher_;
    AesKey key_;
    FrameReader reader_;
    FrameWriter writer_;
    std::uint16_t id_;
    std::uint8_t token_;
    std::uint16_t device_id_ = 0;  // of its last message that was no acknowledgement
    Ending ending_ = Ending::None;
    bool is_in_safe_mode_ = false;
    bool is_probing_ = false;
    bool wants_part_ = false;  // the device refused to describe the whole
    std::uint32_t last_request_ = 0;
    std::uint64_t sent_ = 0;      // bytes, of all time
    std::uint64_t answered_ = 0;  // of them, up to a message that was answered
    Instant heard_at_{};
    Instant hello_until_{};
    std::optional<Hello> hello_;
    std::optional<Description> description_;
    std::vector<std::uint8_t> pushed_{};  // the blocks of a description so far
    std::vector<Subscription> subscriptions_{};
    std::list<Request> requests_;
    std::list<WaitingEvent> waiting_events_;
    std::size_t waiting_size_ = 0;  // of them
    std::list<Event> events_;
    std::vector<std::uint8_t> output_{};
    TokenBucket event_rate_;
    std::unique_ptr<Update> update_;  // until the device has restarted
    std::size_t update_step_ = 0;     // that was told; 0: none
    Instant restart_until_{};
    std::uint32_t image_size_max_ = kImageSizeMax;
    std::uint16_t chunk_size_ = kChunkSizeDefault;
};

}  // namespace sotto::cloud::particle
