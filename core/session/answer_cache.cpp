// SPDX-License-Identifier: Apache-2.0
#include "core/session/answer_cache.hpp"

namespace sotto::session {

Bytes AnswerCache::find(Bytes request) const {
    const Fingerprint wanted = fingerprint_of(request);
    for (const KeptAnswer& entry : entries_) {
        if (!entry.answer.empty() && entry.request == wanted) return entry.answer;
    }
    return {};
}

void AnswerCache::keep(Bytes request, Bytes answer, bool is_continue) {
    if (answer.size() > kAnswerSizeMax) return;
    const std::size_t last = entries_.size() - 1;
    KeptAnswer& entry = entries_[is_continue ? last : oldest_];
    if (!is_continue) oldest_ = (oldest_ + 1) % last;
    entry.request = fingerprint_of(request);
    entry.answer.assign(answer);
}

void AnswerCache::clear() {
    for (KeptAnswer& entry : entries_) entry.answer.resize(0);
}

}  // namespace sotto::session
