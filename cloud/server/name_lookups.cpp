// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/name_lookups.hpp"

#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include "cloud/server/limits.hpp"

namespace sotto::cloud::server {

namespace asio = boost::asio;

Addresses look_up(const std::string& host) {
    asio::io_context loop;
    asio::ip::tcp::resolver resolver{loop};
    boost::system::error_code error;
    Addresses addresses;
    for (const auto& entry : resolver.resolve(host, "", error))
        addresses.push_back(entry.endpoint().address());
    return addresses;
}

NameLookups::NameLookups(asio::io_context& loop, LookUp look_up)
    : look_up_(std::move(look_up)), link_(std::make_shared<Link>()) {
    link_->loop = &loop;
}

NameLookups::~NameLookups() {
    const std::scoped_lock lock{link_->mutex};
    link_->loop = nullptr;
}

bool NameLookups::may_begin(model::AccountId account) const {
    const auto found = by_account_.find(account);
    return count_ < kLookupsMax &&
           (found == by_account_.end() || found->second < kLookupsPerAccountMax);
}

void NameLookups::find(model::AccountId account,
                       const std::string& host,
                       std::weak_ptr<const void> who,
                       Done done) {
    Waiting wanted{
        .account = account, .host = host, .who = std::move(who), .done = std::move(done)};
    if (may_begin(account)) return begin(std::move(wanted));
    waiting_.push_back(std::move(wanted));
}

void NameLookups::begin(Waiting wanted) {
    ++count_;
    ++by_account_[wanted.account];
    const std::string host = wanted.host;
    const auto tell = [this, link = link_, wanted = std::move(wanted)](Addresses addresses) {
        const std::scoped_lock lock{link->mutex};
        if (link->loop == nullptr) return;
        asio::post(*link->loop, [this, wanted, addresses = std::move(addresses)] {
            on_found(wanted, addresses);
        });
    };
    try {
        std::thread{[tell, look_up = look_up_, host] { tell(look_up(host)); }}.detach();
    } catch (const std::system_error&) {  // there is no thread to be had
        tell({});
    }
}

void NameLookups::on_found(const Waiting& wanted, const Addresses& addresses) {
    --count_;
    if (--by_account_[wanted.account] == 0) by_account_.erase(wanted.account);
    for (auto next = waiting_.begin(); next != waiting_.end();) {
        const bool is_wanted = !next->who.expired();
        if (is_wanted && !may_begin(next->account)) {
            ++next;
            continue;
        }
        if (is_wanted) begin(*next);
        next = waiting_.erase(next);
    }
    if (const auto who = wanted.who.lock()) wanted.done(addresses);
}

}  // namespace sotto::cloud::server
