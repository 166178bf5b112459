// SPDX-License-Identifier: Apache-2.0
#include "ports/linux/system_entropy.hpp"

#include <cerrno>
#include <sys/random.h>

namespace sotto::ports {

Status SystemEntropy::fill(MutBytes out) {
    while (!out.empty()) {
        const ssize_t count = ::getrandom(out.data(), out.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return Error::EntropyFailed;
        out = out.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

}  // namespace sotto::ports
