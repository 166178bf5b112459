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

void AnswerCache::put(KeptAnswer& entry, Bytes request, Bytes answer) {
    entry.request = fingerprint_of(request);
    entry.answer.assign(answer);
}

void AnswerCache::keep(Bytes request, Bytes answer) {
    if (answer.size() > kAnswerSizeMax) return;
    put(entries_[oldest_], request, answer);
    oldest_ = (oldest_ + 1) % (entries_.size() - 1);
}

void AnswerCache::keep_continue(Bytes request, Bytes answer) {
    if (answer.size() <= kAnswerSizeMax) put(entries_.back(), request, answer);
}

void AnswerCache::clear() {
    for (KeptAnswer& entry : entries_) entry.answer.resize(0);
}

}  // namespace sotto::session
