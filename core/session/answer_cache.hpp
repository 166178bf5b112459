// SPDX-License-Identifier: Apache-2.0
// The last answers to executed requests, so that a byte-identical repetition gets the same bytes
// again and nothing runs twice (rule 12). No allocation.
#pragma once

#include <span>

#include "core/base/fixed_vector.hpp"
#include "core/session/fingerprint.hpp"
#include "core/session/limits.hpp"

namespace sotto::session {

struct KeptAnswer {
    Fingerprint request{};
    FixedBytes<kAnswerSizeMax> answer;
};

class AnswerCache {
  public:
    // Borrows the places, and clears them: the last one is for blocks, the others for commands.
    // Precondition: there are two at least.
    explicit AnswerCache(std::span<KeptAnswer> places) : entries_(places) {
        SOTTO_ASSERT(places.size() >= 2);
        clear();
    }

    // The answer kept for this request, without its message id; empty if there is none. `request`
    // is the CoAP message from its token on: type and message id may differ in a repetition.
    Bytes find(Bytes request) const;

    // Keeps an answer, in place of the oldest; that to a block that is followed by others in a
    // place of its own: the answers to commands stay. One that is too large is not kept.
    void keep(Bytes request, Bytes answer, bool is_continue = false);

    // Forgets everything: sessions have been erased.
    void clear();

  private:
    std::span<KeptAnswer> entries_;
    std::size_t oldest_ = 0;
};

}  // namespace sotto::session
