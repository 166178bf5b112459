// SPDX-License-Identifier: Apache-2.0
#include "gateway/bluz/stream_cutter.hpp"

namespace sotto::gateway::bluz {

std::size_t StreamCutter::take(Bytes waiting, std::size_t size_max) {
    const std::size_t end = std::min(waiting.size(), size_max);
    std::size_t at = 0;
    while (at < end) {
        if (left_ == 0) {
            if (end - at < 2) break;
            left_ = static_cast<std::size_t>(waiting[at]) << 8U | waiting[at + 1];
            at += 2;
        }
        const std::size_t part = std::min(left_, end - at);
        left_ -= part;
        at += part;
    }
    return at;
}

}  // namespace sotto::gateway::bluz
