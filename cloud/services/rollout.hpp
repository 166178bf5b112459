// SPDX-License-Identifier: Apache-2.0
// How one release goes to its devices: to a few first, to more as those succeed, and to no more
// once too many of the last ones failed. What it has come to is in its record, so that it goes on
// after a restart; who is being updated is not. Allocates; pure.
#pragma once

#include <string>

#include "cloud/model/products.hpp"
#include "cloud/services/limits.hpp"

namespace sotto::cloud::services {

class Rollout {
  public:
    explicit Rollout(model::ReleaseRecord record) : record_(std::move(record)) {}

    // Whether one more device may be updated now.
    bool may_begin() const;
    void on_begun() { ++active_; }
    // Of one that had begun. Nothing came of it, and it says nothing about the release: the device
    // went away before, for example.
    void on_void() { --active_; }
    void on_success();
    // True: with this one the release is stopped.
    bool on_failure(const std::string& why);

    // So many at once, as things stand.
    std::size_t room() const;
    std::size_t active() const { return active_; }
    const model::ReleaseRecord& record() const { return record_; }

  private:
    void note(char outcome);

    model::ReleaseRecord record_;
    std::size_t active_ = 0;
};

}  // namespace sotto::cloud::services
