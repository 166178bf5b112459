// SPDX-License-Identifier: Apache-2.0
// How a link to a device comes about over BlueZ, and how it ends: connected, its services known,
// its characteristics acquired, or else written and notified by D-Bus. Sans-I/O; allocates little.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>

#include "air/bluez/object_tree.hpp"
#include "air/central.hpp"

namespace sotto::air::bluez {

// To a call of ours: nothing, or the name of an error.
struct Reply {
    std::string error{};
    std::uint16_t mtu = 0;  // of what was acquired

    bool is_ok() const { return error.empty(); }
};

class LinkMachine {
  public:
    // Calls of the device, on_reply() is to follow.
    enum class Call : std::uint8_t { Connect, AcquireWrite, AcquireNotify, StartNotify };
    // Its values pass from now on.
    struct Up {
        std::size_t value_size = 0;
        bool is_written_by_call = false;  // BlueZ gave no socket for it
        bool is_notified_by_signal = false;
    };
    // Nobody else has it: BlueZ is to disconnect and forget it.
    struct LetGo {};
    // The last one.
    struct Ended {
        air::Disconnect why;
        std::string detail;  // the name of an error, or what was missing
    };
    using Output = std::variant<Call, Up, LetGo, Ended>;

    // `serial`: of the device.
    LinkMachine(std::uint64_t serial, std::size_t value_size_max, Instant now);

    std::optional<Output> next_output();
    void on_reply(const Reply& reply, Instant now);
    // How the device stands; null: it is not there. `is_ours`: it has the characteristics.
    void on_device(const DeviceView* device, bool is_ours, Instant now);
    // A socket has ended, or nothing leaves through it.
    void on_closed(bool is_stalled);
    void on_time(Instant now);

    bool is_up() const { return state_ == State::Up; }
    bool has_ended() const { return state_ == State::Ended; }

  private:
    enum class State : std::uint8_t {
        Connecting,
        Resolving,
        AcquiringWrite,
        AcquiringNotify,
        StartingNotify,
        Up,
        Ended
    };
    void enter(State state, Duration limit, Instant now);
    void call(Call call) { outputs_.emplace_back(call); }
    void on_connect_reply(const Reply& reply, Instant now);
    void on_acquire_reply(const Reply& reply, Instant now);
    void on_up();
    void end(air::Disconnect why, std::string detail);
    void let_go(air::Disconnect why, std::string detail);

    std::uint64_t serial_;
    State state_ = State::Connecting;
    Instant deadline_;
    bool was_connected_ = false;
    std::size_t value_size_;
    Up up_;
    std::deque<Output> outputs_;
};

}  // namespace sotto::air::bluez
