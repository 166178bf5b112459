// SPDX-License-Identifier: Apache-2.0
#include "core/session/answer_cache.hpp"

namespace sotto::session {

AnswerCache::Fingerprint AnswerCache::fingerprint(Bytes request) {
    const crypto::Hash hash = crypto::sha256(request);
    Fingerprint fingerprint;
    std::copy_n(hash.begin(), fingerprint.size(), fingerprint.begin());
    return fingerprint;
}

Bytes AnswerCache::find(Bytes request) const {
    const Fingerprint wanted = fingerprint(request);
    for (const Entry& entry : entries_) {
        if (!entry.answer.empty() && entry.request == wanted) return entry.answer;
    }
    return {};
}

void AnswerCache::keep(Bytes request, Bytes answer) {
    if (answer.size() > kAnswerSizeMax) return;
    entries_[oldest_] = {.request = fingerprint(request),
                         .answer = FixedBytes<kAnswerSizeMax>{answer}};
    oldest_ = (oldest_ + 1) % entries_.size();
}

void AnswerCache::clear() { entries_ = {}; }

}  // namespace sotto::session
