// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/passwords.hpp"

#include <sys/resource.h>
#include <utility>

#include "cloud/server/limits.hpp"
#include "ports/openssl/password.hpp"

namespace sotto::cloud::server {

namespace {

constexpr int kNiceness = 10;  // who is served already goes first

}  // namespace

Passwords::Passwords(hal::Entropy& entropy, Post post)
    : entropy_(entropy), post_(std::move(post)), thread_([this] { work(); }) {}

Passwords::~Passwords() {
    {
        const std::scoped_lock lock{mutex_};
        is_stopping_ = true;
        jobs_.clear();
    }
    changed_.notify_one();
    thread_.join();
}

void Passwords::check(std::string password,
                      std::string line,
                      std::function<void(Result<bool>)> done) {
    submit(
        [this, password = std::move(password), line = std::move(line), done] {
            const bool is_good = ports::is_password(password, line);
            post_([done, is_good] { done(is_good); });
        },
        [done] { done(Error::Busy); });
}

void Passwords::hash(std::string password, std::function<void(Result<std::string>)> done) {
    submit(
        [this, password = std::move(password), done] {
            post_([done, line = ports::hash_password(password, entropy_)] { done(line); });
        },
        [done] { done(Error::Busy); });
}

void Passwords::submit(std::function<void()> job, std::function<void()> refuse) {
    {
        const std::scoped_lock lock{mutex_};
        if (jobs_.size() >= kPasswordsWaitingMax) return post_(std::move(refuse));
        jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
}

void Passwords::work() {
    ::setpriority(PRIO_PROCESS, 0, kNiceness);  // on Linux: of this thread
    while (true) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return is_stopping_ || !jobs_.empty(); });
        if (is_stopping_) return;
        const auto job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job();
    }
}

}  // namespace sotto::cloud::server
