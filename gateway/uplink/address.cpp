// SPDX-License-Identifier: Apache-2.0
#include "gateway/uplink/address.hpp"

#include <charconv>

#include "core/framing/limits.hpp"
#include "core/framing/text.hpp"

namespace sotto::gateway::uplink {

namespace {

bool is_port(std::string_view text) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65'535;
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
    if (text.size() > framing::kAddressSizeMax) return Error::TooLarge;
    if (!framing::is_visible_ascii(text)) return Error::InvalidArgument;
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return Error::InvalidArgument;
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return Error::InvalidArgument;  // an IPv6 address without brackets
    }
    if (host.empty() || host.find_first_of("[]/@") != std::string_view::npos || !is_port(port))
        return Error::InvalidArgument;
    return Address{std::string{host}, std::string{port}};
}

}  // namespace sotto::gateway::uplink
