// SPDX-License-Identifier: Apache-2.0
// sotto-cloud doctor: looks at everything that the cloud needs, and says what to do where something
// is wrong. Changes nothing. Allocates; blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cloud/server/settings.hpp"

namespace sotto::cloud::server {

enum class Verdict : std::uint8_t { Good, Doubtful, Bad };

struct Finding {
    Verdict verdict = Verdict::Good;
    std::string about;  // one word
    std::string what;
    std::string next{};  // what to do, unless it is good
};

std::vector<Finding> examine(const DoctorCommand& command);

// What to print, and whether nothing is bad.
struct Diagnosis {
    std::string text;
    bool is_healthy = true;
};
Diagnosis diagnose(const DoctorCommand& command);

}  // namespace sotto::cloud::server
