// SPDX-License-Identifier: Apache-2.0
// The command line of `sotto`, parsed.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/time.hpp"

namespace sotto::app {

inline constexpr const char* kAnyAdapter = "any";

struct Settings {
    std::string state;        // the state folder
    std::string air;          // the folder of the virtual air
    std::string ble_adapter;  // of BlueZ, or kAnyAdapter; empty: the virtual air
    bool is_local = false;
    bool is_json = false;
    bool allow_clear = false;
    Duration patience = seconds(20);
};

struct PairCommand {
    std::string code;
    std::string name;
};
struct DevicesCommand {};
struct CallCommand {
    std::string device;
    std::string function;
    std::string argument;
    std::string file;  // the argument is in there, or in standard input if it is "-"
    bool is_raw = false;
    std::optional<Duration> within;  // until when it may wait for the device
};
struct OutboxCommand {
    std::string device;  // empty: all of them
};
struct GetCommand {
    std::string device;
    std::string variable;  // empty: what the device offers
    bool is_raw = false;   // the bytes and no line end
};
struct WatchCommand {
    std::string device;
    std::string event;  // empty: all of them
    std::optional<std::uint32_t> count;
};
struct LoginCommand {
    std::string url;
    std::string token_file;
    std::string pin;  // fingerprint of the cloud's certificate; empty: the system's authorities
};
struct MoveCommand {
    std::string device;
    LoginCommand login;  // at the new cloud
};
struct ExportCommand {
    std::string file;
    std::string passphrase_file;
};
struct ImportCommand {
    std::string file;
    std::string passphrase_file;
};
struct TakeoverCommand {
    std::string device;  // empty: all of them
};
struct KeyCommand {};
struct ShareCommand {
    std::string device;
    std::string key;                   // of the guest
    std::string name;                  // of the guest
    std::string scope;                 // "f/lamp,v/lamp"; empty: everything
    std::optional<Duration> lifetime;  // without it: until it is taken back
};
struct AcceptCommand {
    std::string invitation;
    std::string name;
};
struct GuestsCommand {
    std::string device;
};
struct RevokeCommand {
    std::string device;
    std::string guest;
    bool is_all = false;
};
struct OpenCommand {
    std::string device;
    std::string scope;  // "f/lamp,v/lamp"
    std::optional<Duration> lifetime;
};
struct CloseCommand {
    std::string device;
};
struct TagCommand {
    std::string device;
};
struct UntagCommand {
    std::string device;
};
struct UpdateCommand {
    std::string device;
    std::string file;
};
struct KeysFlashCommand {
    std::string serial;           // the line
    std::string device_key_file;  // empty: not that one
    std::string server_key_file;
};
enum class CoapMethod { Get, Post, Observe };
struct CoapCommand {
    CoapMethod method = CoapMethod::Get;
    std::string url;
    std::string payload;
    bool is_cbor = false;  // Content-Format and Accept 60
    std::string identity_file;
    std::string credential_file;
    std::string peer_file;
    std::string oscore_file;
    bool is_new_context = false;
    std::optional<std::uint32_t> count;
};
using Command = std::variant<PairCommand,
                             DevicesCommand,
                             CallCommand,
                             OutboxCommand,
                             GetCommand,
                             WatchCommand,
                             LoginCommand,
                             MoveCommand,
                             ExportCommand,
                             ImportCommand,
                             TakeoverCommand,
                             UpdateCommand,
                             KeysFlashCommand,
                             KeyCommand,
                             ShareCommand,
                             AcceptCommand,
                             GuestsCommand,
                             RevokeCommand,
                             OpenCommand,
                             CloseCommand,
                             TagCommand,
                             UntagCommand,
                             CoapCommand>;

struct CommandLine {
    Settings settings;
    Command command;
};

// What to print and the code to leave with, when there is nothing to run: after --help, or when the
// arguments make no sense.
struct Leave {
    std::string output;
    std::string error;
    int code = 0;
};

std::variant<CommandLine, Leave> parse_command_line(std::vector<std::string> arguments);

}  // namespace sotto::app
