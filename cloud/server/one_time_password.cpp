// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/one_time_password.hpp"

#include <array>
#include <oath.h>

#include "core/base/secret.hpp"

namespace sotto::cloud::server {

namespace {

constexpr std::int64_t kStepSeconds = 30;
constexpr unsigned kDigits = 6;

}  // namespace

std::optional<std::int64_t> check_one_time_password(Bytes secret,
                                                    std::string_view password,
                                                    Instant now) {
    const std::int64_t present = now.ms / 1'000 / kStepSeconds;
    std::optional<std::int64_t> found;
    for (std::int64_t step = present - 1; step <= present + 1; ++step) {
        std::array<char, kDigits + 1> expected{};
        const int made = oath_hotp_generate(as_text(secret).data(),
                                            secret.size(),
                                            static_cast<std::uint64_t>(step),
                                            kDigits,
                                            false,
                                            OATH_HOTP_DYNAMIC_TRUNCATION,
                                            expected.data());
        if (made != OATH_OK) return std::nullopt;
        if (ct_equal(as_bytes({expected.data(), kDigits}), as_bytes(password))) found = step;
    }
    return found;
}

}  // namespace sotto::cloud::server
