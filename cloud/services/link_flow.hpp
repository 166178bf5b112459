// SPDX-License-Identifier: Apache-2.0
// Flow control of one link, both directions: never more messages than the other side allowed, and a
// bounded queue for those that wait.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "cloud/services/limits.hpp"
#include "core/framing/frame.hpp"

namespace sotto::cloud::services {

class LinkFlow {
  public:
    struct Waiting {
        framing::Label label;
        std::vector<std::uint8_t> message;
    };

    // Towards the device.
    bool can_send() const { return credit_ > 0 && queue_.empty(); }
    // Precondition: can_send(). The caller sends now.
    void count_sent();
    // Puts a message behind those that wait; false if the queue is full.
    [[nodiscard]] bool enqueue(framing::Label label, Bytes message);
    // More credit from the gateway, which means that as many messages were passed on. False if that
    // is more than any gateway may grant.
    [[nodiscard]] bool on_credit(std::uint16_t count);
    // The next waiting message that may be sent now; it counts as sent.
    std::optional<Waiting> next();

    // How many messages were sent, and of how many it is known that they were passed on.
    std::uint64_t sent_count() const { return sent_count_; }
    std::uint64_t passed_count() const { return passed_count_; }

    // From the device. False if the gateway had no credit left.
    [[nodiscard]] bool on_received();
    // Credit to give back now; 0 for none yet.
    std::uint16_t take_grant();

  private:
    std::uint32_t credit_ = kLinkCredit;
    std::list<Waiting> queue_;  // which takes nothing while it is empty, as most are
    std::size_t queue_bytes_ = 0;
    std::uint64_t sent_count_ = 0;
    std::uint64_t passed_count_ = 0;
    std::uint16_t credit_given_ = kLinkCredit;
    std::uint16_t grant_ = 0;
};

}  // namespace sotto::cloud::services
