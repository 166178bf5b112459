// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/session.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/reader.hpp"

namespace sotto::cloud::particle {

namespace {

// Of Hello: the device sends its description without being asked.
constexpr std::uint16_t kFlagPushesDescription = 0x20;

std::uint16_t u16_or_0(Reader& in) {
    const auto value = in.u16_be();
    return value ? *value : std::uint16_t{0};
}

// The long form goes on with the size of the id, the id and the version of the system.
Hello read_hello(Bytes payload) {
    Reader in{payload};
    Hello hello;
    hello.product = u16_or_0(in);
    hello.product_version = u16_or_0(in);
    hello.flags = u16_or_0(in);
    hello.platform = u16_or_0(in);
    const std::uint16_t id_size = u16_or_0(in);
    if (id_size == 0 || !in.take(id_size)) return hello;
    hello.system_version = u16_or_0(in);
    (void)in.u16_be();  // the largest message
    if (const auto size = in.u32_be()) hello.image_size_max = *size;
    hello.chunk_size = u16_or_0(in);
    return hello;
}

Result<Answer> read_result(Bytes payload) {
    Reader in{payload};
    SOTTO_TRY_ASSIGN(const std::uint32_t value, in.u32_be());
    if (!in.empty()) return Error::Malformed;
    return Answer{static_cast<std::int32_t>(value)};
}

Result<Answer> read_value(VariableType type, Bytes payload) {
    std::optional<std::size_t> size;
    if (type == VariableType::Bool) size = 1;
    if (type == VariableType::Int) size = 4;
    if (type == VariableType::Double) size = 8;
    if (size && payload.size() != *size) return Error::Malformed;
    return Answer{Value{type, {payload.begin(), payload.end()}}};
}

bool has_query(const Message& message, std::string_view query) {
    return std::any_of(message.query.begin(), message.query.end(), [query](Bytes known) {
        return as_text(known) == query;
    });
}

// The first digits of an id, as far as the device has kept them.
std::optional<std::string> read_device_prefix(Bytes payload) {
    if (payload.size() > kSubscriptionDeviceSizeMax) return std::nullopt;
    std::string text{as_text(payload)};
    for (char& digit : text) {
        if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit + 32);
        const bool is_digit = (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
        if (!is_digit) return std::nullopt;
    }
    return text;
}

}  // namespace

bool is_system_name(std::string_view name) {
    constexpr std::string_view kPrefixes[] = {"spark", "particle"};
    return std::any_of(std::begin(kPrefixes), std::end(kPrefixes), [name](std::string_view prefix) {
        return name.size() >= prefix.size() &&
               std::equal(prefix.begin(), prefix.end(), name.begin(), [](char a, char b) {
                   return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
               });
    });
}

std::string_view to_string(Ending ending) {
    constexpr std::array<std::string_view, 11> kNames{"none",
                                                      "unreadable",
                                                      "too-large",
                                                      "bad-message",
                                                      "bad-counter",
                                                      "no-hello",
                                                      "silent",
                                                      "slow",
                                                      "goodbye",
                                                      "update-failed",
                                                      "closed"};
    return kNames[static_cast<std::size_t>(ending)];
}

Session::Session(Setup setup)
    : cipher_(setup.cipher),
      key_(setup.credentials.expose().first<AesKey::kSize>()),
      reader_(setup.credentials),
      writer_(setup.credentials),
      id_(setup.first_id),
      token_(static_cast<std::uint8_t>(setup.first_id)),
      heard_at_(setup.now),
      hello_until_(setup.now + kHelloTime),
      event_rate_({.burst = kEventBurst, .refill = kEventRefill}, setup.now) {}

// What comes from the device.

void Session::receive(Bytes bytes, Instant now) {
    if (ending_ != Ending::None) return;
    const Status status = reader_.read(
        cipher_, key_, bytes, [this, now](Bytes message) { return on_message(message, now); });
    if (!status)
        return end(status.error() == Error::TooLarge ? Ending::TooLarge : Ending::Unreadable);
    pump(now);
}

// Whether to go on.
bool Session::on_message(Bytes bytes, Instant now) {
    const auto message = parse_message(bytes);
    if (!message) {
        end(hello_ ? Ending::BadMessage : Ending::Unreadable);
        return false;
    }
    heard_at_ = now;
    if (message->type == Type::Acknowledgement || message->type == Type::Reset) {
        if (hello_) on_response(*message, now);
    } else if (!hello_) {
        on_hello(*message, now);
    } else if (!is_next_id(message->id)) {
        end(Ending::BadCounter);
    } else if (message->is_request()) {
        on_request(*message, now);
    } else {
        acknowledge(*message);  // which is all that an empty one, a ping, wants
        if (message->is_response()) on_response(*message, now);
    }
    return ending_ == Ending::None;
}

// Ids rise by one, and some devices leave ids out.
bool Session::is_next_id(std::uint16_t id) {
    const auto gap = static_cast<std::uint16_t>(id - device_id_);
    device_id_ = id;
    return gap >= 1 && gap <= kIdGapMax;
}

// The first of all messages. Its id is where the device begins to count.
void Session::on_hello(const Message& message, Instant now) {
    if (message.code != Code::Post || message.topic() != 'h') return end(Ending::Unreadable);
    device_id_ = message.id;
    hello_ = read_hello(message.payload);
    if (hello_->image_size_max > 0) image_size_max_ = hello_->image_size_max;
    if (hello_->chunk_size > 0) chunk_size_ = hello_->chunk_size;
    acknowledge(message);
    send(encode_hello(++id_));
    emit(Greeted{*hello_});
    if ((hello_->flags & kFlagPushesDescription) == 0) begin_describe(now);
}

void Session::on_request(const Message& message, Instant now) {
    const char topic = message.topic();
    if (message.code == Code::Get && topic == 't') return answer_time(message, now);
    acknowledge(message);
    if (message.code == Code::Get && topic == 'e') return on_subscription(message);
    if (update_ && message.code == Code::Get && topic == 'c')
        update_->on_missed(message.payload, now);
    if (update_ && message.code == Code::Put && topic == 'u') update_->on_complete();
    if (update_) look_at_update(now);
    if (message.code != Code::Post) return;  // of what is not known here
    if (topic == 'e' || topic == 'E') return on_published(message, now);
    if (topic == 'd') return on_pushed_description(message);
    if (topic == 'x') return end(Ending::Goodbye);
}

void Session::on_published(const Message& message, Instant now) {
    Published event{.name = message.name(),
                    .data = std::string{as_text(message.payload)},
                    .ttl_s = std::min(message.max_age.value_or(0), 0xffffffU),
                    .is_public = message.topic() == 'e',
                    .has_data = !message.payload.empty()};
    if (event.ttl_s == 0) event.ttl_s = 60;
    if (event.name.empty() || event.name.size() > kEventNameSizeMax ||
        event.data.size() > kEventDataSizeMax)
        return;
    if (events_.size() >= kEventsWaitingMax || !event_rate_.take(now)) return;
    if (!is_system_name(event.name)) return emit(std::move(event));
    SystemEvent of_system{.name = std::move(event.name), .data = std::move(event.data)};
    note_system_event(of_system);
    emit(std::move(of_system));
}

void Session::on_subscription(const Message& message) {
    auto device = read_device_prefix(message.payload);
    Subscription subscription{.prefix = message.name(), .is_own_only = has_query(message, "u")};
    if (!device || subscription.prefix.empty() ||
        subscription.prefix.size() > kSubscriptionPrefixSizeMax)
        return;
    subscription.device = *std::move(device);
    if (std::find(subscriptions_.begin(), subscriptions_.end(), subscription) !=
        subscriptions_.end())
        return;
    if (subscriptions_.size() == kSubscriptionCountMax)
        subscriptions_.erase(subscriptions_.begin());
    subscriptions_.push_back(std::move(subscription));
}

// RFC 7959 §2.5, in order and from one transfer at a time, which is how devices do it.
void Session::on_pushed_description(const Message& message) {
    if (!message.block1) return take_description(message.payload, false);
    const std::uint32_t number = *message.block1 >> 4;
    const std::size_t offset = static_cast<std::size_t>(number) << ((*message.block1 & 7) + 4);
    if (offset == 0) pushed_.clear();
    if (offset != pushed_.size() || offset + message.payload.size() > kDescriptionSizeMax) {
        pushed_ = {};
        return;
    }
    pushed_.insert(pushed_.end(), message.payload.begin(), message.payload.end());
    if ((*message.block1 & 8) != 0) return;
    take_description(std::exchange(pushed_, {}), false);
}

// What is pushed may be the part about the system, in another format, or without members.
void Session::take_description(Bytes json, bool is_whole) {
    auto part = parse_description(json);
    if (!part || (!part->has_members && !is_whole)) return;
    // Nobody asks what a device runs that runs it.
    if (!is_in_safe_mode_) part->description.modules = {};
    description_ = std::move(part->description);
    emit(Described{});
}

// A device takes any answer of this form for the time; it looks for it behind a token of one byte.
void Session::answer_time(const Message& message, Instant now) {
    send(encode_time(message.id, message.token, static_cast<std::uint32_t>(now.ms / 1'000)));
}

void Session::acknowledge(const Message& message) {
    if (message.type == Type::Confirmable) send(encode_ack(message.id));
}

Session::Place Session::find_request(const Message& message) {
    return std::find_if(requests_.begin(), requests_.end(), [&message](const Request& request) {
        if (request.stage == Stage::Waiting) return false;
        const bool has_token = request.kind != Kind::Ping && request.kind != Kind::Probe;
        if (!message.token.empty())
            return has_token && message.token.size() == 1 && message.token[0] == request.token;
        return message.type != Type::Confirmable && message.type != Type::NonConfirmable &&
               message.id == request.message_id;
    });
}

void Session::on_response(const Message& message, Instant now) {
    if (update_ && update_->on_response(message, now)) {
        if (update_->is_answered()) answered_ = sent_;
        return look_at_update(now);
    }
    const Place request = find_request(message);
    if (request == requests_.end()) return;
    answered_ = std::max(answered_, request->sent_until);
    request->stage = Stage::Acknowledged;
    if (request->kind == Kind::Ping || request->kind == Kind::Probe)
        return finish(request, Answer{Done{}});
    if (message.type == Type::Reset) return finish(request, Error::Refused);
    if (message.code == Code::Empty) return;  // the answer is still to come
    if (!message.is_success()) return on_refused(request);
    on_answer(request, message);
}

// Devices that do not push their description either are asked once more, for the part that counts.
void Session::on_refused(Place request) {
    const bool is_first = request->kind == Kind::Describe && !std::exchange(wants_part_, true);
    if (!is_first || description_) return finish(request, Error::Refused);
    request->stage = Stage::Waiting;
}

void Session::on_answer(Place request, const Message& message) {
    const bool is_first_half = message.type == Type::Acknowledgement && message.payload.empty();
    switch (request->kind) {
        case Kind::Describe:
            take_description(message.payload, true);
            return finish(request, Answer{Done{}});
        case Kind::Call:
            if (is_first_half) return;
            return finish(request, read_result(message.payload));
        case Kind::Read:
            return finish(request, read_value(request->type, message.payload));
        case Kind::Signal:
        case Kind::Ping:
        case Kind::Probe:
            return finish(request, Answer{Done{}});
    }
}

void Session::finish(Place request, Result<Answer> answer) {
    const RequestId id = request->id;
    const Kind kind = request->kind;
    requests_.erase(request);
    if (kind == Kind::Probe) is_probing_ = false;
    if (kind == Kind::Probe || kind == Kind::Describe) return;
    emit(Answered{.request = id, .answer = std::move(answer)});
}

// What goes to the device.

Result<RequestId> Session::call(std::string_view function, std::string_view argument, Instant now) {
    if (argument.size() > (is_small() ? kSmallArgumentSizeMax : kArgumentSizeMax))
        return Error::TooLarge;
    if (function.empty() || function.size() > kMemberNameSizeMax) return Error::NotFound;
    return add(
        {.kind = Kind::Call, .name = std::string{function}, .argument = std::string{argument}},
        now);
}

Result<RequestId> Session::read(std::string_view variable, Instant now) {
    if (variable.empty() || variable.size() > kMemberNameSizeMax) return Error::NotFound;
    return add({.kind = Kind::Read, .name = std::string{variable}}, now);
}

Result<RequestId> Session::ping(Instant now) { return add({.kind = Kind::Ping}, now); }

Result<RequestId> Session::signal(bool is_on, Instant now) {
    return add({.kind = Kind::Signal, .is_on = is_on}, now);
}

Result<RequestId> Session::add(Request request, Instant now) {
    if (ending_ != Ending::None) return Error::WrongState;
    if (update_ || requests_.size() >= kRequestCountMax) return Error::Busy;
    const bool wants_members = request.kind == Kind::Call || request.kind == Kind::Read;
    const bool is_asked = std::any_of(requests_.begin(), requests_.end(), [](const auto& known) {
        return known.kind == Kind::Describe;
    });
    if (wants_members && hello_ && !description_ && !is_asked) begin_describe(now);
    const RequestId id{++last_request_};
    request.id = id;
    request.deadline = now + kRequestTime;
    requests_.push_back(std::move(request));
    pump(now);
    return id;
}

Status Session::publish(const EventToDevice& event, Instant now) {
    if (ending_ != Ending::None || !hello_) return Error::WrongState;
    if (event.name.empty() || event.name.size() > kEventNameSizeMax) return Error::TooLarge;
    if (event.data.size() > (is_small() ? kSmallEventDataSizeMax : kArgumentSizeMax))
        return Error::TooLarge;
    const std::size_t size = event.name.size() + event.data.size() + sizeof(WaitingEvent);
    if (waiting_size_ + size > kQueueSizeMax) return Error::NoSpace;
    waiting_size_ += size;
    waiting_events_.push_back({.name = std::string{event.name},
                               .data = std::string{event.data},
                               .ttl_s = std::min(event.ttl_s, 0xffffffU),
                               .is_public = event.is_public});
    pump(now);
    return {};
}

// Core, bluz and its gateway.
bool Session::is_small() const {
    constexpr std::uint16_t kSmall[] = {0, 102, 103, 269};
    return hello_ &&
           std::find(std::begin(kSmall), std::end(kSmall), hello_->platform) != std::end(kSmall);
}

void Session::begin_describe(Instant now) {
    requests_.push_front({.kind = Kind::Describe, .deadline = now + kRequestTime});
}

// Sends what may be sent. Where the window is shut and nothing is on its way that the device would
// answer, a ping opens it.
void Session::pump(Instant now) {
    if (ending_ != Ending::None || !hello_) return;
    const bool is_open = pump_requests() && (update_ ? pump_update(now) : pump_events());
    if (is_open || is_probing_ || ending_ != Ending::None) return;
    const bool is_answer_due =
        std::any_of(requests_.begin(), requests_.end(), [](const auto& request) {
            return request.stage == Stage::Sent;
        });
    if (!is_answer_due) send_probe(now);
}

// False if the window is shut for one of them.
bool Session::pump_requests() {
    for (Place next = requests_.begin(); next != requests_.end();) {
        const Place request = next++;
        if (request->stage != Stage::Waiting || is_held_back(*request)) continue;
        if (!check_against_description(request)) continue;
        request->message_id = static_cast<std::uint16_t>(id_ + 1);
        request->token = next_token();
        const Encoded message = encode(*request);
        if (!has_window(frame_size(message.size()))) return false;
        id_ = request->message_id;
        token_ = request->token;
        sent_ += frame_size(message.size());
        request->sent_until = sent_;
        request->stage = Stage::Sent;
        send(message);
        if (ending_ != Ending::None) return false;
    }
    return true;
}

bool Session::pump_events() {
    while (!waiting_events_.empty()) {
        const WaitingEvent& event = waiting_events_.front();
        const Encoded message = encode_event(static_cast<std::uint16_t>(id_ + 1),
                                             {.name = event.name,
                                              .data = event.data,
                                              .ttl_s = event.ttl_s,
                                              .is_public = event.is_public});
        if (!has_window(frame_size(message.size()))) return false;
        waiting_size_ -= event.name.size() + event.data.size() + sizeof(WaitingEvent);
        waiting_events_.pop_front();
        ++id_;
        sent_ += frame_size(message.size());
        send(message);
        if (ending_ != Ending::None) return false;
    }
    return true;
}

// Members wait for the description: some devices crash when asked for what they do not have. Only
// one answer that may be large is asked for at a time.
bool Session::is_held_back(const Request& request) const {
    const bool wants_members = request.kind == Kind::Call || request.kind == Kind::Read;
    if (wants_members && !description_) return true;
    const bool is_large = request.kind == Kind::Describe || request.kind == Kind::Read;
    return is_large && (is_on_the_wire(Kind::Describe) || is_on_the_wire(Kind::Read));
}

bool Session::is_on_the_wire(Kind kind) const {
    return std::any_of(requests_.begin(), requests_.end(), [kind](const Request& request) {
        return request.kind == kind && request.stage != Stage::Waiting;
    });
}

// False if it was answered here: the device does not have it.
bool Session::check_against_description(Place request) {
    if (request->kind == Kind::Call && !description_->has_function(request->name)) {
        finish(request, Error::NotFound);
        return false;
    }
    if (request->kind == Kind::Read) {
        const Variable* variable = description_->find_variable(request->name);
        if (variable == nullptr) {
            finish(request, Error::NotFound);
            return false;
        }
        request->type = variable->type;
    }
    return true;
}

bool Session::has_window(std::size_t size) const {
    return sent_ == answered_ || sent_ - answered_ + size <= kWireWindow;
}

void Session::send_probe(Instant now) {
    is_probing_ = true;
    Request probe{.kind = Kind::Probe, .stage = Stage::Sent, .deadline = now + kPingTime};
    probe.message_id = ++id_;
    probe.sent_until = sent_;
    send(encode_ping(probe.message_id));
    requests_.push_back(std::move(probe));
}

Encoded Session::encode(const Request& request) const {
    switch (request.kind) {
        case Kind::Describe:
            return encode_describe(request.message_id, request.token, wants_part_);
        case Kind::Call:
            return encode_call(request.message_id, request.token, request.name, request.argument);
        case Kind::Read:
            return encode_read(request.message_id, request.token, request.name);
        case Kind::Signal:
            return encode_signal(request.message_id, request.token, request.is_on);
        case Kind::Ping:
        case Kind::Probe:
            break;
    }
    return encode_ping(request.message_id);
}

// One that no request has; there are more of them than requests.
std::uint8_t Session::next_token() {
    static_assert(kRequestCountMax + 2 < 256);
    for (auto token = static_cast<std::uint8_t>(token_ + 1);; ++token) {
        const bool is_taken =
            std::any_of(requests_.begin(), requests_.end(), [token](const Request& request) {
                return request.stage != Stage::Waiting && request.token == token;
            });
        if (!is_taken) return token;
    }
}

void Session::send(Bytes message) {
    if (ending_ != Ending::None) return;
    if (output_.size() + frame_size(message.size()) > kOutputSizeMax) return end(Ending::Slow);
    writer_.write(cipher_, key_, message, output_);
}

std::vector<std::uint8_t> Session::take_output() { return std::exchange(output_, {}); }

void Session::emit(Event event) { events_.push_back(std::move(event)); }

std::optional<Event> Session::next_event() {
    if (events_.empty()) return std::nullopt;
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
}

// Time.

void Session::on_time(Instant now) {
    if (ending_ != Ending::None) return;
    if (!hello_ && now >= hello_until_) return end(Ending::NoHello);
    for (Place next = requests_.begin(); next != requests_.end();) {
        const Place request = next++;
        if (now < request->deadline) continue;
        if (request->kind == Kind::Probe) return end(Ending::Silent);
        finish(request, Error::Timeout);
    }
    if (update_) {
        update_->on_time(now);
        look_at_update(now);
        if (restart_until_ != Instant{} && now >= restart_until_) {
            update_.reset();  // it has put its restart off
            restart_until_ = {};
        }
    }
    if (ending_ != Ending::None) return;
    const bool may_probe = hello_ && !is_probing_ && !update_;  // an update has times of its own
    if (may_probe && now - heard_at_ >= kSilenceMax) send_probe(now);
    pump(now);
}

Instant Session::next_deadline() const {
    Instant next = hello_ ? heard_at_ + kSilenceMax : hello_until_;
    if (is_probing_) next = heard_at_ + kSilenceMax + kPingTime;
    if (update_) next = restart_until_ != Instant{} ? restart_until_ : update_->next_deadline();
    for (const Request& request : requests_) next = std::min(next, request.deadline);
    return next;
}

// Everybody who waits is told so.
void Session::end(Ending ending) {
    if (ending_ != Ending::None) return;
    ending_ = ending;
    while (!requests_.empty()) finish(requests_.begin(), Error::WrongState);
    if (update_ && restart_until_ == Instant{}) emit(Updated{UpdateEnding::Lost});
    update_.reset();
    waiting_events_.clear();
    waiting_size_ = 0;
    if (ending != Ending::Goodbye) output_.clear();
    key_.clear();
}

}  // namespace sotto::cloud::particle
