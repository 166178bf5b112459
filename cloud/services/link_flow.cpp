// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/link_flow.hpp"

#include <utility>

#include "core/base/assert.hpp"

namespace sotto::cloud::services {

void LinkFlow::count_sent() {
    SOTTO_ASSERT(credit_ > 0);
    credit_--;
    sent_count_++;
}

bool LinkFlow::enqueue(framing::Label label, Bytes message) {
    if (queue_.size() == kLinkQueueCountMax) return false;
    if (queue_bytes_ + message.size() > kLinkQueueBytesMax) return false;
    queue_bytes_ += message.size();
    queue_.push_back({.label = label, .message = {message.begin(), message.end()}});
    return true;
}

bool LinkFlow::on_credit(std::uint16_t count) {
    if (credit_ + count > kLinkCreditMax) return false;
    credit_ += count;
    passed_count_ += count;
    return true;
}

std::optional<LinkFlow::Waiting> LinkFlow::next() {
    if (credit_ == 0 || queue_.empty()) return std::nullopt;
    Waiting waiting = std::move(queue_.front());
    queue_.pop_front();
    queue_bytes_ -= waiting.message.size();
    count_sent();
    return waiting;
}

bool LinkFlow::on_received() {
    if (credit_given_ == 0) return false;
    credit_given_--;
    grant_++;
    return true;
}

std::uint16_t LinkFlow::take_grant() {
    if (grant_ < kLinkCreditGrant) return 0;
    credit_given_ = static_cast<std::uint16_t>(credit_given_ + grant_);
    return std::exchange(grant_, std::uint16_t{0});
}

}  // namespace sotto::cloud::services
