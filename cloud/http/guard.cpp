// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/guard.hpp"

namespace sotto::cloud::http {

namespace {

bool is_loopback(const std::string& address) {
    return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

std::string pair_of(const std::string& address, const std::string& user) {
    return address + " " + user;
}

}  // namespace

bool Guard::may_ask(const std::string& address, Instant now) {
    return is_loopback(address) || requests_.at(address, kRequestRate, now).take(now);
}

bool Guard::may_ask_for_token(const std::string& address, Instant now) {
    return is_loopback(address) || tokens_.at(address, kTokenRequestRate, now).take(now);
}

bool Guard::may_log_in(const std::string& address, const std::string& user, Instant now) {
    if (failures_.at(pair_of(address, user)).locked_until > now) return false;
    return users_.at(user, kUserLoginRate, now).take(now);
}

void Guard::on_failure(const std::string& address, const std::string& user, Instant now) {
    Failures& failures = failures_.at(pair_of(address, user));
    if (++failures.count < kLoginFailuresMax) return;
    failures = {.count = 0, .locked_until = now + kLockTime};
}

void Guard::on_success(const std::string& address, const std::string& user) {
    failures_.erase(pair_of(address, user));
    users_.erase(user);
}

}  // namespace sotto::cloud::http
