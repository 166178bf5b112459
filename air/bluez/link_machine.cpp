// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/link_machine.hpp"

#include <algorithm>
#include <utility>

#include "air/bluez/limits.hpp"

namespace sotto::air::bluez {

namespace {

bool is(const Reply& reply, const char* name) {
    return reply.error == std::string{"org.bluez.Error."} + name;
}

// Another program of this machine has it.
bool is_taken(const Reply& reply) { return is(reply, "NotPermitted") || is(reply, "InProgress"); }

// What a value may have with this ATT_MTU, if both sides take `most`.
std::size_t value_size_of(std::uint16_t mtu, std::size_t most) {
    const std::size_t room = mtu > kAttHeaderSize ? mtu - kAttHeaderSize : 0;
    return std::max(framing::kValueSizeDefault, std::min({room, most, kBearerValueSizeMax}));
}

}  // namespace

LinkMachine::LinkMachine(std::uint64_t serial, std::size_t value_size_max, Instant now)
    : serial_(serial), value_size_(value_size_max) {
    enter(State::Connecting, kConnectTimeMax, now);
    call(Call::Connect);
}

std::optional<LinkMachine::Output> LinkMachine::next_output() {
    if (outputs_.empty()) return std::nullopt;
    Output output = std::move(outputs_.front());
    outputs_.pop_front();
    return output;
}

void LinkMachine::on_reply(const Reply& reply, Instant now) {
    switch (state_) {
        case State::Connecting:
            return on_connect_reply(reply, now);
        case State::AcquiringWrite:
        case State::AcquiringNotify:
        case State::StartingNotify:
            return on_acquire_reply(reply, now);
        case State::Resolving:
        case State::Up:
        case State::Ended:
            return;
    }
}

void LinkMachine::on_connect_reply(const Reply& reply, Instant now) {
    if (reply.is_ok() || is(reply, "AlreadyConnected"))
        return enter(State::Resolving, kResolveTimeMax, now);
    if (is_taken(reply)) return end(air::Disconnect::Busy, reply.error);
    let_go(air::Disconnect::NotFound, reply.error);
}

void LinkMachine::on_acquire_reply(const Reply& reply, Instant now) {
    if (is_taken(reply)) return end(air::Disconnect::Busy, reply.error);
    const bool is_offered = !is(reply, "NotSupported");
    if (!reply.is_ok() && (is_offered || state_ == State::StartingNotify))
        return let_go(air::Disconnect::Closed, reply.error);
    if (state_ == State::StartingNotify) return on_up();
    if (reply.is_ok()) value_size_ = value_size_of(reply.mtu, value_size_);
    if (state_ == State::AcquiringWrite) {
        up_.is_written_by_call = !is_offered;
        enter(State::AcquiringNotify, kAcquireTimeMax, now);
        return call(Call::AcquireNotify);
    }
    if (is_offered) return on_up();
    up_.is_notified_by_signal = true;
    enter(State::StartingNotify, kAcquireTimeMax, now);
    call(Call::StartNotify);
}

void LinkMachine::on_up() {
    state_ = State::Up;
    // Of what is not acquired the ATT_MTU is not known.
    up_.value_size = up_.is_written_by_call ? framing::kValueSizeDefault : value_size_;
    outputs_.emplace_back(up_);
}

void LinkMachine::on_device(const DeviceView* device, bool is_ours, Instant now) {
    if (state_ == State::Ended) return;
    if (device == nullptr || device->serial != serial_)
        return end(was_connected_ ? air::Disconnect::Closed : air::Disconnect::NotFound,
                   "BlueZ has it no more");
    if (was_connected_ && !device->is_connected)
        return let_go(air::Disconnect::Closed, "disconnected");
    was_connected_ = device->is_connected;
    if (state_ != State::Resolving || !device->is_connected || !device->is_resolved) return;
    if (!is_ours) return let_go(air::Disconnect::Closed, "it has not the characteristics");
    enter(State::AcquiringWrite, kAcquireTimeMax, now);
    call(Call::AcquireWrite);
}

void LinkMachine::on_closed(bool is_stalled) {
    if (state_ != State::Up) return;
    let_go(is_stalled ? air::Disconnect::Timeout : air::Disconnect::Closed,
           is_stalled ? "it takes nothing" : "disconnected");
}

void LinkMachine::on_time(Instant now) {
    if (state_ == State::Up || state_ == State::Ended || now < deadline_) return;
    let_go(air::Disconnect::Timeout, "timeout");
}

void LinkMachine::enter(State state, Duration limit, Instant now) {
    state_ = state;
    deadline_ = now + limit;
}

void LinkMachine::let_go(air::Disconnect why, std::string detail) {
    outputs_.emplace_back(LetGo{});
    end(why, std::move(detail));
}

void LinkMachine::end(air::Disconnect why, std::string detail) {
    state_ = State::Ended;
    outputs_.emplace_back(Ended{why, std::move(detail)});
}

}  // namespace sotto::air::bluez
