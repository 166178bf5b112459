// SPDX-License-Identifier: Apache-2.0
// A result, or the words for the user: what failed and what to do next.
#pragma once

#include <string>

#include "core/base/result.hpp"

namespace sotto::chip {

template <class T = void>
using Outcome = Result<T, std::string>;

}  // namespace sotto::chip
