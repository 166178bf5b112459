// SPDX-License-Identifier: Apache-2.0
// An error of the host with the words for its user.
#pragma once

#include <string>

#include "core/base/result.hpp"

namespace sotto::ports {

struct Failure {
    Error code;
    std::string detail;  // a sentence: what failed and what to do next
};

template <class T = void>
using Outcome = Result<T, Failure>;

// A failure of the system call that has just returned: errno's words are put behind `what`.
Failure system_failure(Error code, const std::string& what);

}  // namespace sotto::ports
