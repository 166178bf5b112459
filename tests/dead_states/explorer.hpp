// SPDX-License-Identifier: Apache-2.0
// Tries sequences of what can come to a part: all of them up to a length, or some by a seed. Each
// begins with a part of its own, and ends with the question whether it still works.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/dead_states/part.hpp"

namespace sotto::dead_states {

struct Report {
    std::uint64_t tried = 0;
    std::uint64_t known = 0;        // led to a state that another one had led to: not gone on with
    std::uint64_t skipped = 0;      // with something that there was none of
    std::vector<std::string> dead;  // how to replay it, and what went wrong; the first few
};

// Every sequence of at most `depth` kinds, on so many threads.
Report explore(const Part& part, std::size_t start, std::size_t depth, unsigned threads);

// So many sequences of `depth` kinds.
Report sample(const Part& part,
              std::size_t start,
              std::size_t depth,
              std::uint64_t count,
              std::uint64_t seed);

// One sequence. Nothing: it is harmless; or what went wrong.
std::string replay(const Part& part, std::size_t start, const std::vector<std::size_t>& kinds);

// As the command line takes it: PART/START KIND KIND ...
std::string describe(const Part& part, std::size_t start, const std::vector<std::size_t>& kinds);

// A panic of this process tells on standard error what sequences were being tried.
void tell_on_abort();

}  // namespace sotto::dead_states
