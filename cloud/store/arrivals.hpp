// SPDX-License-Identifier: Apache-2.0
// What comes from another server, to be taken all at once or not at all, and what became of each.
// Owns its bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cloud/model/accounts.hpp"

namespace sotto::cloud::store {

// A user there. The accounts in its tokens, devices and integrations are not looked at.
struct ArrivingUser {
    std::string name{};
    std::string password{};  // as Login has it
    // An account of this name that is here already is the same user's: else it is left alone.
    bool is_same_as_here = false;
    std::vector<model::Token> tokens{};
    std::vector<model::OpenDeviceRecord> devices{};
    std::vector<model::HookRecord> hooks{};
};

struct Arrivals {
    std::vector<ArrivingUser> users{};
    std::vector<model::DeviceKey> keys{};
    Instant now{};
};

enum class Arrival : std::uint8_t {
    Taken,
    Known,      // it is here already, as it is there
    OfAnother,  // it is here already and another account's, or known by another key: it stays so
    Sealed,     // a sealed device has this id
    NoRoom,     // the account has as many as it may
    LeftAlone,  // its user has an account here already, or may be somebody else
};

// The same places as in Arrivals.
struct ArrivedUser {
    Arrival account = Arrival::LeftAlone;
    std::vector<Arrival> tokens{};
    std::vector<Arrival> devices{};
    std::vector<Arrival> hooks{};
};
struct Arrived {
    std::vector<ArrivedUser> users{};
    std::vector<Arrival> keys{};
};

}  // namespace sotto::cloud::store
