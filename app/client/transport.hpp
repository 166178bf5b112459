// SPDX-License-Identifier: Apache-2.0
// Carries whole CoAP messages between the app and one device. A transport routes; what it delivers
// may come from anybody and is proved by the sealed channel alone.
#pragma once

#include <variant>

#include "app/client/failure.hpp"
#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace sotto::app {

// What wait() has to report.
struct TimedOut {};
struct Received {
    Bytes message;  // valid until the next call
};
// A carrier did not pass a message on. A hint, proved by nothing.
struct NotPassedOn {
    Failure why;
};
// The path has gone; nothing will come any more.
struct Lost {
    Failure why;
};
using Arrival = std::variant<TimedOut, Received, NotPassedOn, Lost>;

class Transport {
  public:
    virtual ~Transport() = default;

    // Hands a message on, without waiting for its arrival. Error::WrongState when the path has
    // gone, Error::Busy when too much is under way, Error::TooLarge.
    virtual Status send(Bytes message) = 0;
    // Waits for what comes first. Blocks for `limit` at most.
    virtual Arrival wait(Duration limit) = 0;
    // Tries to find the way again after it was Lost, for `limit` at most. Error::Timeout: not now;
    // Error::Unsupported: never.
    virtual Status reopen(Duration /*limit*/) { return Error::Unsupported; }
    // Whether nothing is under way that waits for an answer: a carrier that is wanted elsewhere may
    // leave then, and comes back by itself. False until it is said.
    virtual void set_idle(bool /*is_idle*/) {}
    // What was received has been dealt with: a carrier that keeps it may forget it.
    virtual void acknowledge() {}
};

// Reads a clock that never goes back.
using Clock = Instant (*)();

}  // namespace sotto::app
