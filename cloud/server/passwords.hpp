// SPDX-License-Identifier: Apache-2.0
// Passwords, checked and hashed on a thread of their own, one after the other: each takes a quarter
// of a second and 32 MB, and nobody else is to wait for that. Allocates; does not block the caller.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "core/base/result.hpp"
#include "core/hal/entropy.hpp"

namespace sotto::cloud::server {

class Passwords {
  public:
    // Runs a function on the owner's thread, later.
    using Post = std::function<void(std::function<void()>)>;

    Passwords(hal::Entropy& entropy, Post post);
    Passwords(const Passwords&) = delete;
    Passwords& operator=(const Passwords&) = delete;
    // What waits is not answered any more.
    ~Passwords();

    // Each answers once, on the owner's thread; Error::Busy if kPasswordsWaitingMax wait.
    void check(std::string password, std::string line, std::function<void(Result<bool>)> done);
    void hash(std::string password, std::function<void(Result<std::string>)> done);

  private:
    void submit(std::function<void()> job, std::function<void()> refuse);
    void work();

    hal::Entropy& entropy_;
    Post post_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> jobs_;
    bool is_stopping_ = false;
    std::thread thread_;  // last: it uses the others
};

}  // namespace sotto::cloud::server
