// SPDX-License-Identifier: Apache-2.0
#include "device/particle/members.hpp"

#include <charconv>

namespace sotto::device::particle {

namespace {

std::int32_t number_in(std::string_view text) {
    std::int32_t number = 0;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto parsed = std::from_chars(begin, end, number);
    return parsed.ec == std::errc{} && parsed.ptr == end ? number : 0;
}

}  // namespace

std::int32_t number_of(const Result<Value>& result) {
    if (!result) return -1;
    if (const auto* number = std::get_if<std::int32_t>(&*result)) return *number;
    if (const auto* truth = std::get_if<bool>(&*result)) return *truth ? 1 : 0;
    return number_in(std::get<std::string_view>(*result));
}

}  // namespace sotto::device::particle
