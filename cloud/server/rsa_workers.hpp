// SPDX-License-Identifier: Apache-2.0
// Threads for the private operations of handshakes, which no thread that serves anybody does
// itself: half a millisecond each, and thousands of them after a power cut. They run at a lower
// priority than the others. The newest work comes first, whose memory is still in the caches, which
// is worth 3 % of a storm; whoever has waited for kRsaTurnAfter is next; but once that is
// kRsaWaitMax, there is more than can be done, and it is the newest's turn again: who has waited
// that long will give up. Where too much waits, the oldest is dropped. While much waits, what is
// done is handed over a few at a time: to be interrupted for each would take the event loop, and
// these threads, a fifth of the time. Allocates; the calls do not block.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "cloud/server/handshake_answer.hpp"
#include "core/base/time.hpp"

namespace sotto::cloud::server {

class RsaWorkers {
  public:
    using Done = std::function<void()>;
    using Work = std::function<Done(const HandshakeTools&)>;

    // A thread for each of `tools`. `post` is called from the threads, and has what it is given
    // called in the caller's.
    RsaWorkers(std::vector<HandshakeTools> tools, std::function<void(Done)> post);
    RsaWorkers(const RsaWorkers&) = delete;
    RsaWorkers& operator=(const RsaWorkers&) = delete;
    // Waits for the work under way; what has not begun is dropped, and what is done.
    ~RsaWorkers();

    void submit(Work work, Instant now);

  private:
    struct Waiting {
        Work work;
        Instant since;
    };

    void run(const HandshakeTools& tools);
    // Nothing if none waits.
    Work take();
    void hand_over(std::vector<Done>& done);

    const std::function<void(Done)> post_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Waiting> waiting_;
    bool is_ending_ = false;
    const std::vector<HandshakeTools> tools_;
    std::vector<std::thread> threads_;
};

}  // namespace sotto::cloud::server
