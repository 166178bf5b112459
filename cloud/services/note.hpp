// SPDX-License-Identifier: Apache-2.0
// What an operator may want to read in a log, and to count: who came and went, and what became of
// what was sent. Never a message, never a token. Plain data.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "cloud/model/ids.hpp"
#include "core/framing/channel.hpp"

namespace sotto::cloud::services {

enum class Happening : std::uint8_t {
    GatewayWelcome,
    GatewayRefused,
    GatewayGone,
    AppConnected,
    AppGone,
    DeviceAttached,
    DeviceDetached,
    DeviceNotAttached,  // it did not prove what it says it is, or belongs to nobody here
    Answered,           // a SEND got its outcome
    Dropped,            // a message from a device went nowhere
};

// With what belongs to it; valid during the call.
struct Note {
    Happening what;
    std::string_view gateway{};  // the name of its token
    std::optional<model::DeviceId> device{};
    std::optional<model::AppAddress> app{};
    std::optional<framing::channel::OutcomeCode> outcome{};
};

// Called from within the router: do no more than to write it down.
using OnNote = std::function<void(const Note&)>;

// How many outcomes there are, by their numbers.
inline constexpr std::size_t kOutcomeCount = 7;

// Events without an answer, since the start.
struct Counters {
    std::uint64_t relayed_to_device = 0;
    std::uint64_t relayed_to_app = 0;
    std::uint64_t stored = 0;
    std::uint64_t expired = 0;              // letters whose time was over
    std::uint64_t letters_to_device = 0;    // taken out of a mailbox and sent
    std::uint64_t letters_to_app = 0;       // likewise
    std::uint64_t dropped_from_device = 0;  // unknown label, not permitted, too often, mailbox full
    std::uint64_t refused_from_app = 0;
    std::uint64_t attached = 0;
    std::uint64_t attach_failed = 0;
    std::uint64_t gateways_welcomed = 0;
    std::uint64_t gateways_refused = 0;
    std::uint64_t apps_connected = 0;
    std::array<std::uint64_t, kOutcomeCount> outcomes{};
};

// Who is here.
struct Census {
    std::size_t gateways = 0;   // signed in
    std::size_t strangers = 0;  // connected as gateways, and not signed in
    std::size_t apps = 0;
    std::size_t links = 0;
    std::size_t attached = 0;  // devices
};

}  // namespace sotto::cloud::services
