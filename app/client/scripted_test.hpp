// SPDX-License-Identifier: Apache-2.0
// For tests: a transport to a server in the same process, and a clock that waiting turns.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "app/client/transport.hpp"

namespace sotto::app {

class ScriptedTransport final : public Transport {
  public:
    using Message = std::vector<std::uint8_t>;
    // What comes back for a message.
    using Server = std::function<std::vector<Message>(Bytes message)>;

    explicit ScriptedTransport(Server server) : server_(std::move(server)) { clock_ = {}; }

    Status send(Bytes message) override {
        sent.emplace_back(message.begin(), message.end());
        for (Message& answer : server_(message)) arrivals.push_back(std::move(answer));
        return {};
    }
    Arrival wait(Duration limit) override {
        if (failure) return NotPassedOn{*failure};
        if (arrivals.empty()) {
            clock_ = clock_ + limit;
            return TimedOut{};
        }
        current_ = arrivals.front();
        arrivals.pop_front();
        return Received{current_};
    }
    static Instant now() { return clock_; }

    std::vector<Message> sent;
    std::deque<Message> arrivals;
    std::optional<Failure> failure;

  private:
    static inline Instant clock_;

    Server server_;
    Message current_;
};

}  // namespace sotto::app
