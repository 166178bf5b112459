// SPDX-License-Identifier: Apache-2.0
// Threads for the private operations of handshakes, which no thread that serves anybody does
// itself: half a millisecond each, and thousands of them after a power cut. They run at a lower
// priority than the others. The newest work comes first, and where too much waits the oldest is
// dropped: who has waited that long has given up. While much waits, what is done is handed over a
// few at a time: to be interrupted for each would take the event loop, and these threads, a fifth
// of the time. Allocates; the calls do not block.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "cloud/particle_openssl/keys.hpp"

namespace sotto::cloud::server {

class RsaWorkers {
  public:
    using Done = std::function<void()>;
    // The operations of each key of the server, in the order of the keys.
    using Cryptos = std::vector<std::unique_ptr<particle::HandshakeCrypto>>;
    using Work = std::function<Done(const Cryptos&)>;

    // `post` is called from the threads, and has what it is given called in the caller's.
    RsaWorkers(std::span<const particle_openssl::ServerKey> keys,
               std::size_t thread_count,
               std::function<void(Done)> post);
    RsaWorkers(const RsaWorkers&) = delete;
    RsaWorkers& operator=(const RsaWorkers&) = delete;
    // Waits for the work under way; what has not begun is dropped, and what is done.
    ~RsaWorkers();

    void submit(Work work);

  private:
    void run(const Cryptos& cryptos);
    // Nothing if none waits.
    Work take();
    void hand_over(std::vector<Done>& done);

    const std::function<void(Done)> post_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Work> waiting_;
    bool is_ending_ = false;
    std::vector<Cryptos> cryptos_;  // of each thread
    std::vector<std::thread> threads_;
};

}  // namespace sotto::cloud::server
