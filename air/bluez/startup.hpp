// SPDX-License-Identifier: Apache-2.0
// Brings an adapter to do what is wanted of it, call by call: power first, then one step after the
// other; again and later when a call fails, and from the beginning when the adapter has lost its
// power or is another one. Sans-I/O; no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "air/bluez/limits.hpp"
#include "air/bluez/object_tree.hpp"

namespace sotto::air::bluez {

class Startup {
  public:
    static constexpr std::size_t kPower = 0;  // the first step

    explicit Startup(std::size_t step_count) : step_count_(step_count) {}

    // The step to be taken now, on_reply() is to follow; nothing while another one is under way,
    // has failed a moment ago, or all are done. Null: there is no such adapter.
    std::optional<std::size_t> next(const AdapterView* adapter, Instant now);
    // Replies of an adapter that is gone are ignored.
    void on_reply(std::uint64_t serial, bool is_ok, Instant now);
    // What was done does not hold any more from this step on, which is not the first one.
    void redo(std::size_t step, Instant now);

    bool is_done() const { return serial_ && step_ == step_count_; }
    // Since when it is.
    Instant done_at() const { return done_at_; }

  private:
    void begin(std::uint64_t serial);
    void wait(Instant now);

    std::size_t step_count_;
    std::optional<std::uint64_t> serial_;
    std::size_t step_ = kPower;
    bool is_calling_ = false;
    Instant call_at_{};
    Duration backoff_ = kCallBackoffMin;
    Instant done_at_{};
};

}  // namespace sotto::air::bluez
