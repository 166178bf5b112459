// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/rsa_workers.hpp"

#include <sys/resource.h>
#include <utility>

#include "cloud/server/limits.hpp"

namespace sotto::cloud::server {

namespace {

// Measured with the event loop on the same core: it keeps its latency, and the threads a tenth of
// the core, so that handshakes do not starve.
constexpr int kNiceness = 10;

}  // namespace

RsaWorkers::RsaWorkers(std::vector<HandshakeTools> tools, std::function<void(Done)> post)
    : post_(std::move(post)), tools_(std::move(tools)) {
    for (const HandshakeTools& each : tools_) {
        threads_.emplace_back([this, &each] {
            ::setpriority(PRIO_PROCESS, 0, kNiceness);  // in Linux: of this thread
            run(each);
        });
    }
}

RsaWorkers::~RsaWorkers() {
    {
        const std::scoped_lock lock{mutex_};
        is_ending_ = true;
        waiting_.clear();
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void RsaWorkers::submit(Work work, Instant now) {
    Waiting dropped;  // outside of the lock
    {
        const std::scoped_lock lock{mutex_};
        if (waiting_.size() == kRsaQueueMax) {
            dropped = std::move(waiting_.front());
            waiting_.pop_front();
        }
        waiting_.push_back({std::move(work), now});
    }
    changed_.notify_one();
}

void RsaWorkers::run(const HandshakeTools& tools) {
    std::vector<Done> done;
    for (;;) {
        {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [this] { return is_ending_ || !waiting_.empty(); });
            if (is_ending_) return;
        }
        while (const Work work = take()) {
            done.push_back(work(tools));
            if (done.size() == kRsaDoneMax) hand_over(done);
        }
        hand_over(done);
    }
}

RsaWorkers::Work RsaWorkers::take() {
    const std::scoped_lock lock{mutex_};
    if (waiting_.empty()) return {};
    const Duration waited = waiting_.back().since - waiting_.front().since;
    const bool is_oldest_next = waited >= kRsaTurnAfter && waited <= kRsaWaitMax;
    Work work = std::move((is_oldest_next ? waiting_.front() : waiting_.back()).work);
    is_oldest_next ? waiting_.pop_front() : waiting_.pop_back();
    return work;
}

void RsaWorkers::hand_over(std::vector<Done>& done) {
    if (done.empty()) return;
    post_([all = std::exchange(done, {})] {
        for (const Done& each : all) each();
    });
}

}  // namespace sotto::cloud::server
