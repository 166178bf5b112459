// SPDX-License-Identifier: Apache-2.0
#include "ports/linux/failure.hpp"

#include <cerrno>
#include <system_error>

namespace sotto::ports {

Failure system_failure(Error code, const std::string& what) {
    return {code, what + ": " + std::generic_category().message(errno)};
}

}  // namespace sotto::ports
