// SPDX-License-Identifier: Apache-2.0
// What went wrong with a job of the app, as its user has to know it.
#pragma once

#include <string>

#include "core/base/result.hpp"

namespace sotto::app {

// In the order of what they mean for the job: not begun, begun and refused, not known.
enum class Trouble : std::uint8_t {
    Usage,        // the request itself makes no sense
    State,        // the app's own records cannot be read or written, or are held by another process
    SignIn,       // the cloud wants a token, another one, or any login at all
    Away,         // the cloud says that the device is not connected: nothing was sent to it
    Unreachable,  // nobody took the message, or nobody answered and nothing was run
    NotTheDevice,   // who answered is not the device that was asked, or the code is not its code
    Refused,        // the device or the cloud understood, and did not do it
    OutcomeUnknown  // the command may have run, once; nobody can say
};

struct Failure {
    Trouble trouble;
    std::string what;  // a sentence: what failed
    std::string next;  // a sentence: what to do now
};

template <class T = void>
using Outcome = Result<T, Failure>;

}  // namespace sotto::app
