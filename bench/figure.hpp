// SPDX-License-Identifier: Apache-2.0
// What sotto-bench measures. A figure is a file of this folder that defines the function below that
// measures it, and a line in the table of main.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sotto::bench {

enum class Bound : std::uint8_t { AtMost, AtLeast };

struct Aim {
    Bound bound = Bound::AtMost;
    double value = 0;
};

struct Figure {
    std::string name;
    double value = 0;
    std::string unit;
    std::optional<Aim> aim;  // none: for the record
    std::string against;     // what it was measured against, in words
};

using Figures = std::vector<Figure>;

inline bool is_met(const Figure& figure) {
    if (!figure.aim) return true;
    return figure.aim->bound == Bound::AtMost ? figure.value <= figure.aim->value
                                              : figure.value >= figure.aim->value;
}

// Protecting and unprotecting a command of 64 bytes, over the bare cipher.
Figures measure_oscore();
// Handshakes of both roles in one thread, over their bare operations on the curve.
Figures measure_edhoc();
// A variable read through cloud and gateway, over an echo through three plain forwarders.
Figures measure_relay();

// --line: mailboxes and devices of a whole cloud.
// Puts into mailboxes by concurrent senders, over single commits of SQLite.
Figures measure_mailbox();
// Ten thousand devices: what they take of the cloud, and how fast they attach again.
Figures measure_attached();

// --cloud: devices whose messages the cloud reads.
// Legacy devices.
Figures measure_sessions();
Figures measure_crowd();
Figures measure_handshakes();
Figures measure_storm();
Figures measure_pings();
// Calls by REST, and events to many readers.
Figures measure_rest();

// --fleet: what happens to many of them.
// Updates of the firmware of legacy devices.
Figures measure_updates();
// REST while a thousand webhooks hang, over the same without.
Figures measure_webhooks();

// ble ...: what tools/bench_ble has measured over Bluetooth LE, in its guest. Prints NAME VALUE, a
// line each. False if the words are none of these:
//   echo ADAPTER                                offers the bare echo, and does not end
//   nearby STATE CODE-FILE ADAPTER              to a device nearby
//   cloud STATE CODE-FILE URL TOKEN-FILE        through cloud and gateway
bool run_ble(std::span<char*> words);

// What another tool has measured: sizes, from tools/size --json. Throws if the file is not such.
Figures read_figures(const std::string& file);

}  // namespace sotto::bench
