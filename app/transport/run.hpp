// SPDX-License-Identifier: Apache-2.0
// Blocking on an event loop. The loop has one owner, who runs it in bounded steps.
#pragma once

#include <chrono>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "core/base/time.hpp"

namespace sotto::app {

// Runs the loop until `is_done` or for `limit` at most; whether it is done.
template <class IsDone>
bool run_until(boost::asio::io_context& loop, Duration limit, IsDone is_done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{limit.ms};
    const auto stay = boost::asio::make_work_guard(loop);  // an idle loop waits as well
    loop.restart();
    // What is ready is done even when there is no time to wait.
    while (!is_done() && loop.poll_one() > 0) {
    }
    while (!is_done() && loop.run_one_until(end) > 0) {
    }
    return is_done();
}

}  // namespace sotto::app
