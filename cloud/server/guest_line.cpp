// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/guest_line.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "cloud/server/limits.hpp"
#include "core/cbor/reader.hpp"

namespace sotto::cloud::server {

using services::DeviceDone;
using services::DeviceError;
using services::Value;
using session::Answer;
using session::Ended;
using session::Reason;

namespace {

// What a function returned or a variable holds. A device may have integers that REST has not.
std::optional<Value> to_value(const Answer& answer) {
    if (answer.format == session::Format::Text || answer.payload.empty())
        return Value{std::string{as_text(answer.payload)}};
    if (answer.format != session::Format::Cbor) return std::nullopt;
    cbor::Reader in{answer.payload, cbor::Rules::WellFormed};
    std::optional<Value> value;
    if (in.next_is(cbor::Kind::Text)) {
        value = Value{std::string{in.text()}};
    } else if (in.next_is(cbor::Kind::Unsigned) || in.next_is(cbor::Kind::Negative)) {
        const std::int64_t number = in.integer();
        const bool is_int = number >= std::numeric_limits<std::int32_t>::min() &&
                            number <= std::numeric_limits<std::int32_t>::max();
        value =
            is_int ? Value{static_cast<std::int32_t>(number)} : Value{static_cast<double>(number)};
    } else if (const cbor::Head head = cbor::Reader{answer.payload, cbor::Rules::WellFormed}.head();
               head.is_float()) {
        value = Value{in.floating()};
    } else {
        value = Value{in.boolean()};
    }
    if (!in.finish()) return std::nullopt;
    return value;
}

}  // namespace

GuestLine::GuestLine(World& world, model::Opening opening)
    : world_(world),
      opening_(std::move(opening)),
      scope_(services::parse_scope(opening_.scope).value_or(services::Scope{})),
      attributes_({.functions = scope_.functions}) {}

// Whoever still waits for an answer is told that there is none.
GuestLine::~GuestLine() { on_down(); }

void GuestLine::leave() {
    if (std::exchange(is_reported_, false)) world_.devices.on_disconnected(opening_.device, *this);
}

// The way.

void GuestLine::on_up() {
    if (std::exchange(is_up_, true) || is_refused_) return;
    if (session_ == nullptr) begin();
    if (session_ == nullptr) return;
    session_->resume(world_.now());
    probe();
}

void GuestLine::begin() {
    const Instant now = world_.now();
    auto session = link::GuestSession::begin(
        {.identity = world_.identity,
         .entropy = world_.entropy,
         .device = opening_.credential,
         .token = opening_.token,
         .on_event = [this](std::string_view event,
                            const session::Content& content) { publish(event, content); },
         .on_watch_end = [this](const session::Event& end) { judge(end); }},
        now);
    if (!session) return;
    session_ = *std::move(session);
}

void GuestLine::on_down() {
    if (!std::exchange(is_up_, false)) return;
    probe_at_.reset();
    leave();
    if (session_ != nullptr) session_->interrupt(world_.now());
}

void GuestLine::on_message(Bytes message) {
    if (session_ == nullptr || !is_up_) return;
    attributes_.heard_at = world_.now();
    session_->on_message(message, world_.now());
    pump();
}

void GuestLine::on_time(Instant now) {
    if (session_ == nullptr || !is_up_) return;
    if (probe_at_ && now >= *probe_at_) probe();
    const auto wake = session_->wake_at();
    if (wake && now >= *wake) session_->on_time(now);
    pump();
}

void GuestLine::pump() {
    if (session_ == nullptr) return;
    while (const auto message = session_->next_message(world_.now()))
        world_.send(opening_, *message);
}

// Whether it is really there, and lets us in.
void GuestLine::probe() {
    probe_at_.reset();
    const bool is_asked = session_->ask_time(world_.now(), [this](const session::Event& end) {
        if (!judge(end)) return;
        for (const std::string& event : scope_.events) session_->watch(event, world_.now());
        learn(0);
    });
    if (!is_asked) probe_at_ = world_.now() + kProbeAgainAfter;
    pump();
}

// False: it did not answer. A refusal that its key has sealed is final.
bool GuestLine::judge(const session::Event& end) {
    const auto* ended = std::get_if<Ended>(&end);
    if (ended == nullptr) return true;
    const bool is_final = ended->reason == Reason::NotAdmitted ||
                          ended->reason == Reason::TokenOver ||
                          ended->reason == Reason::NotTheDevice;
    if (is_final && !std::exchange(is_refused_, true)) {
        world_.on_refused(opening_, ended->reason);
    } else if (!is_final && is_up_ && !is_reported_) {
        probe_at_ = world_.now() + kProbeAgainAfter;
    }
    return false;
}

// The types of the variables, one after another; then it is there.
void GuestLine::learn(std::size_t variable) {
    if (!is_up_) return;
    if (variable == scope_.variables.size()) return report();
    const std::string& name = scope_.variables[variable];
    const auto is_it = [&name](const auto& known) { return known.first == name; };
    if (std::ranges::any_of(attributes_.variables, is_it)) return learn(variable + 1);
    const bool is_asked =
        session_->read(name, world_.now(), [this, variable](const session::Event& end) {
            if (!judge(end)) return;
            const auto value = to_value(std::get<Answer>(end));
            if (coap::is_success(std::get<Answer>(end).code) && value)
                attributes_.variables.emplace_back(
                    scope_.variables[variable], static_cast<services::ValueType>(value->index()));
            learn(variable + 1);
        });
    if (!is_asked) probe_at_ = world_.now() + kProbeAgainAfter;
}

void GuestLine::report() {
    if (std::exchange(is_reported_, true)) return;
    attributes_.connected_at = world_.now();
    world_.devices.on_connected(opening_.device, *this);
}

void GuestLine::publish(std::string_view event, const session::Content& content) {
    if (!is_reported_) return;
    const bool is_text = content.format == session::Format::Text;
    const std::string data{as_text(content.payload)};
    world_.devices.on_event(
        opening_.device,
        *this,
        {.name = std::string{event}, .data = is_text ? std::optional{data} : std::nullopt});
}

// What REST asks.

DeviceError GuestLine::error_of(const session::Event& end) const {
    if (const auto* ended = std::get_if<Ended>(&end)) {
        if (!is_up_) return DeviceError::NotConnected;
        switch (ended->reason) {
            case Reason::Silence:
            case Reason::NotExecuted:
            case Reason::OutcomeUnknown:
            case Reason::NoSession:
                return DeviceError::TimedOut;
            case Reason::NotTheDevice:
            case Reason::NotAdmitted:
            case Reason::TokenOver:
                return DeviceError::Sealed;
            case Reason::NotWhole:
                return DeviceError::TooLarge;
            case Reason::TimeUnknown:
            case Reason::OwnState:
                break;
        }
        return DeviceError::Refused;
    }
    const auto* answer = std::get_if<Answer>(&end);
    if (answer == nullptr) return DeviceError::Refused;
    if (answer->code == coap::Code::Forbidden) return DeviceError::Sealed;
    if (answer->code == coap::Code::NotFound) return DeviceError::NoSuch;
    if (answer->code == coap::Code::RequestEntityTooLarge) return DeviceError::TooLarge;
    if (answer->code == coap::Code::ServiceUnavailable) return DeviceError::Busy;
    return DeviceError::Refused;
}

link::GuestSession::Done GuestLine::answer(DeviceDone<Value> done) {
    return [this, done = std::move(done)](const session::Event& end) {
        judge(end);
        const auto* answer = std::get_if<Answer>(&end);
        if (answer == nullptr || !coap::is_success(answer->code)) return done(error_of(end));
        const auto value = to_value(*answer);
        if (!value) return done(DeviceError::Refused);
        done(*value);
    };
}

void GuestLine::call(const std::string& function,
                     const std::string& argument,
                     DeviceDone<Value> done) {
    if (std::ranges::count(scope_.functions, function) == 0) return done(DeviceError::Sealed);
    if (argument.size() > session::kBodySizeMax) return done(DeviceError::TooLarge);
    if (!session_->call(function, argument, world_.now(), answer(done)))
        return done(DeviceError::Busy);
    pump();
}

void GuestLine::read(const std::string& variable, DeviceDone<Value> done) {
    if (std::ranges::count(scope_.variables, variable) == 0) return done(DeviceError::Sealed);
    if (!session_->read(variable, world_.now(), answer(done))) return done(DeviceError::Busy);
    pump();
}

void GuestLine::ping(DeviceDone<void> done) {
    const auto is_asked = session_->ask_time(world_.now(), [this, done](const session::Event& end) {
        if (!judge(end)) return done(error_of(end));
        done({});
    });
    if (!is_asked) return done(DeviceError::Busy);
    pump();
}

void GuestLine::signal(bool /*is_on*/, DeviceDone<void> done) {
    done(DeviceError::NoSuch);  // it has no lamp that the cloud could know of
}

void GuestLine::update(services::FirmwarePtr /*firmware*/, services::UpdateSteps steps) {
    steps.on_end(services::UpdateFailure{
        services::UpdateError::Unsupported,
        "a sealed device takes firmware from its owner alone: sotto update"});
}

}  // namespace sotto::cloud::server
