// SPDX-License-Identifier: Apache-2.0
// A store for a program that has nothing else to do than to wait for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "cloud/store/store.hpp"

namespace sotto::cloud::server {

// The executor of such a store, and the wait for one answer of it. Blocks.
class Waiter {
  public:
    store::Executor executor() {
        return [this](std::function<void()> function) {
            const std::scoped_lock lock{mutex_};
            posted_.push_back(std::move(function));
            changed_.notify_one();
        };
    }

    // Calls `begin` with a completion, and returns what it is completed with.
    template <class T, class Begin>
    Result<T> wait_for(Begin begin) {
        std::optional<Result<T>> answer;
        begin([&answer](Result<T> given) { answer = std::move(given); });
        while (!answer) next()();
        return *std::move(answer);
    }

  private:
    std::function<void()> next() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !posted_.empty(); });
        auto function = std::move(posted_.front());
        posted_.pop_front();
        return function;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> posted_;
};

}  // namespace sotto::cloud::server
