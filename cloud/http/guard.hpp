// SPDX-License-Identifier: Apache-2.0
// How often somebody may ask: requests and log-ins by address, and log-ins by user. Whoever fails
// too often in a row is locked out for a while. Allocates, within bounds; no clock.
#pragma once

#include <list>
#include <string>
#include <unordered_map>

#include "cloud/http/limits.hpp"
#include "core/base/token_bucket.hpp"

namespace sotto::cloud::http {

// What is remembered for each key, for the kGuardEntriesMax seen last.
template <class Entry>
class Recent {
  public:
    // Makes the entry from `args` if there is none.
    template <class... Args>
    Entry& at(const std::string& key, const Args&... args) {
        if (const auto found = places_.find(key); found != places_.end()) {
            order_.splice(order_.end(), order_, found->second);
            return found->second->second;
        }
        if (places_.size() >= kGuardEntriesMax) {
            places_.erase(order_.front().first);
            order_.pop_front();
        }
        order_.emplace_back(key, Entry(args...));
        places_.emplace(key, std::prev(order_.end()));
        return order_.back().second;
    }
    // Nothing if there is none.
    Entry* find(const std::string& key) {
        const auto found = places_.find(key);
        return found == places_.end() ? nullptr : &found->second->second;
    }
    void erase(const std::string& key) {
        const auto found = places_.find(key);
        if (found == places_.end()) return;
        order_.erase(found->second);
        places_.erase(found);
    }
    std::size_t size() const { return places_.size(); }

  private:
    std::list<std::pair<std::string, Entry>> order_;  // the one seen last at the end
    std::unordered_map<std::string, typename std::list<std::pair<std::string, Entry>>::iterator>
        places_;
};

class Guard {
  public:
    // Whether this address may ask once more. Loopback always may: a proxy asks for everybody.
    bool may_ask(const std::string& address, Instant now);
    // The same of what concerns users and their tokens, and of the opening of streams.
    bool may_ask_for_token(const std::string& address, Instant now);

    // Whether this user may try a password from there. To be called before each try, whose outcome
    // follows.
    bool may_log_in(const std::string& address, const std::string& user, Instant now);
    void on_failure(const std::string& address, const std::string& user, Instant now);
    void on_success(const std::string& address, const std::string& user);

    std::size_t size() const {
        return requests_.size() + tokens_.size() + users_.size() + failures_.size();
    }

  private:
    struct Failures {
        int count = 0;
        Instant locked_until{};
    };

    Recent<TokenBucket> requests_;
    Recent<TokenBucket> tokens_;
    Recent<TokenBucket> users_;
    Recent<Failures> failures_;  // by address and user
};

}  // namespace sotto::cloud::http
