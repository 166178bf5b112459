// SPDX-License-Identifier: Apache-2.0
// What the command line of sotto-device says. Allocates; no output here.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/time.hpp"
#include "core/framing/limits.hpp"
#include "device/virtual/sketch.hpp"

namespace sotto::device {

inline constexpr const char* kAnyAdapter = "any";
inline constexpr std::size_t kValueSizeDefault = 247;  // what most phones agree to

struct Settings {
    std::string state;
    std::string air;
    std::string ble_adapter;  // or kAnyAdapter; empty: the virtual air
    std::string name = "lamp";
    std::string code_file;
    bool has_label = false;
    std::size_t value_size_max = kValueSizeDefault;
    std::optional<Duration> sleep;  // how long it leaves the air when nobody needs it
    SketchOptions sketch;

    // For peers that are none of ours.
    std::optional<std::uint16_t> coap_port;
    std::string coap_address = "127.0.0.1";
    std::string identity_file;
    std::string credential_file;
    std::vector<std::string> trust_files;
    std::string oscore_file;
    bool is_new_context = false;

    // For gateways and clouds of bluz boards; no file: the service is not there.
    std::string bluz_server_key_file;
    std::vector<std::string> bluz_open;

    bool is_reset = false;  // the verb: forget the owner, and leave
};

// What to print and the code to leave with, when there is nothing to run: after --help, or when the
// arguments make no sense.
struct Leave {
    std::string output;
    std::string error;
    int code = 0;
};

std::variant<Settings, Leave> parse_command_line(std::vector<std::string> arguments);

}  // namespace sotto::device
