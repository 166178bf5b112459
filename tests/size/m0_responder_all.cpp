// SPDX-License-Identifier: Apache-2.0
// The same device with every part there is, for the size report: also a cloud of the owner, his new
// phone, the time and deferred commands, and what comes in blocks.
#include "core/session/all_parts.hpp"
#include "tests/size/m0_device.hpp"

namespace sotto {
namespace {

firmware::Device device;
std::array<session::GuestRights, session::kOtherStoredSessions> rights;

void run() {
    session::AllParts parts{rights};
    firmware::run(device, parts.view());
}

}  // namespace

void panic() {
    for (;;) {
    }
}

}  // namespace sotto

extern "C" {
char sotto_size_all_parts[sizeof(sotto::session::AllParts)];
}

extern "C" [[noreturn]] void start() {
    sotto::run();
    sotto::panic();
    for (;;) {
    }
}
