// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon/paces.hpp"

#include <charconv>

#include "core/base/hex.hpp"

namespace sotto::gateway {

namespace {

// What is behind the separator; nothing if it is not there.
std::optional<std::string_view> split_off(std::string_view& text, char separator) {
    const std::size_t at = text.find(separator);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(at + 1);
    text = text.substr(0, at);
    return rest;
}

template <class T>
bool parse(std::string_view text, T& number) {
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    return !text.empty() && parsed.ec == std::errc{} && parsed.ptr == end;
}

}  // namespace

bool Paces::add(std::string_view text) {
    std::string_view first = text;
    const auto behind_id = split_off(first, '=');
    std::string_view interval = behind_id.value_or(text);
    const auto latency = split_off(interval, '/');
    const auto most = split_off(interval, '-');
    air::Pace pace;
    if (!parse(interval, pace.interval_min_ms)) return false;
    if (!parse(most.value_or(interval), pace.interval_max_ms)) return false;
    if (latency && !parse(*latency, pace.latency)) return false;
    if (!air::is_possible(pace)) return false;
    if (!behind_id) {
        others_ = pace;
        return true;
    }
    framing::DeviceId id{};
    if (!from_hex(first, id)) return false;
    own_[id] = pace;
    return true;
}

std::optional<air::Pace> Paces::of(const framing::DeviceId& device) const {
    const auto own = own_.find(device);
    return own == own_.end() ? others_ : own->second;
}

}  // namespace sotto::gateway
