// SPDX-License-Identifier: Apache-2.0
// Looks names of hosts up in threads, for the system's way to do it blocks, and for long where a
// server of names is silent. So many at once, few of them for one account. Allocates; the calls do
// not block. One thread, that of the event loop, calls and is called.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include "cloud/model/ids.hpp"

namespace sotto::cloud::server {

using Addresses = std::vector<boost::asio::ip::address>;  // none: there is no such host

// Blocks.
Addresses look_up(const std::string& host);

class NameLookups {
  public:
    using Done = std::function<void(const Addresses&)>;
    using LookUp = std::function<Addresses(const std::string& host)>;

    NameLookups(boost::asio::io_context& loop, LookUp look_up);
    NameLookups(const NameLookups&) = delete;
    NameLookups& operator=(const NameLookups&) = delete;
    // Waits for nothing: a thread that still looks up ends by itself.
    ~NameLookups();

    // Not done if nobody has `who` any more.
    void find(model::AccountId account,
              const std::string& host,
              std::weak_ptr<const void> who,
              Done done);

  private:
    struct Waiting {
        model::AccountId account;
        std::string host;
        std::weak_ptr<const void> who;
        Done done;
    };
    // What the threads have of this, also when it is gone.
    struct Link {
        std::mutex mutex;
        boost::asio::io_context* loop = nullptr;
    };

    bool may_begin(model::AccountId account) const;
    void begin(Waiting wanted);
    void on_found(const Waiting& wanted, const Addresses& addresses);

    LookUp look_up_;
    std::shared_ptr<Link> link_;
    std::size_t count_ = 0;
    std::map<model::AccountId, std::size_t> by_account_;
    std::deque<Waiting> waiting_;
};

}  // namespace sotto::cloud::server
