// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/key_files.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/reader.hpp"

namespace sotto::cloud::particle {

namespace {

constexpr std::size_t kAddressOffset = 384;
constexpr std::size_t kPortOffset = 450;
constexpr std::uint8_t kIpv4 = 0;
constexpr std::uint8_t kDomain = 1;
constexpr std::size_t kHostSizeMax = 63;

// docs/protocol/particle.md
constexpr std::array<Platform, 5> kPlatforms{{
    {"core", "1d50:607f", "0x00001000", "0x00002000", 2'048},
    {"photon", "2b04:d006", "2082", "34", 512},
    {"p1", "2b04:d008", "2082", "34", 512},
    {"electron", "2b04:d00a", "2082", "34", 512},
    {"bluz", "", "", "", 0},
}};

// An INTEGER of this many bytes, whose first bit may ask for a zero in front.
bool take_number(Reader& in, std::size_t size) {
    const auto tag = in.u8();
    auto length = in.u8();
    if (!tag || *tag != 0x02 || !length) return false;
    if (*length == 0x81) length = in.u8();
    if (!length) return false;
    const std::size_t held = *length;
    const auto bytes = in.take(held);
    if (!bytes) return false;
    if (held == size) return bytes->front() < 0x80 && bytes->front() != 0;
    return held == size + 1 && (*bytes)[0] == 0 && (*bytes)[1] >= 0x80;
}

std::optional<std::array<std::uint8_t, 4>> parse_ipv4(std::string_view text) {
    std::array<std::uint8_t, 4> address{};
    for (std::size_t i = 0; i < 4; ++i) {
        const auto [end, error] =
            std::from_chars(text.data(), text.data() + text.size(), address[i]);
        if (error != std::errc{}) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (i == 3) break;
        if (!text.starts_with('.')) return std::nullopt;
        text.remove_prefix(1);
    }
    return text.empty() ? std::optional{address} : std::nullopt;
}

bool is_domain(std::string_view text) {
    const auto is_good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.';
    };
    return !text.empty() && text.size() <= kHostSizeMax && std::ranges::all_of(text, is_good) &&
           std::ranges::any_of(text, [](char c) { return c >= 'A'; });
}

}  // namespace

bool has_device_shape(Bytes private_der) {
    constexpr std::array<std::uint8_t, 7> kVersionAndModulus{0x02, 0x01, 0x00, 0x02, 0x81, 0x81, 0};
    constexpr std::array<std::uint8_t, 5> kExponent{0x02, 0x03, 0x01, 0x00, 0x01};
    if (private_der.size() > kDevicePrivateSizeMax) return false;
    Reader in{private_der};
    const auto head = in.take(2);
    const auto size = in.u16_be();
    if (!head || (*head)[0] != 0x30 || (*head)[1] != 0x82 || !size || *size != in.size())
        return false;
    const auto front = in.take(kVersionAndModulus.size());
    const auto modulus = in.take(128);
    const auto exponent = in.take(kExponent.size());
    if (!front || !equal(*front, kVersionAndModulus) || !modulus || modulus->front() < 0x80 ||
        !exponent || !equal(*exponent, kExponent) || !take_number(in, 128))
        return false;
    for (int i = 0; i < 5; ++i) {
        if (!take_number(in, 64)) return false;
    }
    return in.size() == 0;
}

std::optional<Platform> find_platform(std::string_view name) {
    const auto* const found = std::ranges::find(kPlatforms, name, &Platform::name);
    return found == kPlatforms.end() ? std::nullopt : std::optional{*found};
}

std::string platform_names() {
    std::string names;
    for (const Platform& platform : kPlatforms)
        names += (names.empty() ? "" : ", ") + std::string{platform.name};
    return names;
}

Result<std::vector<std::uint8_t>> make_server_segment(const Platform& platform,
                                                      Bytes server_key,
                                                      const std::optional<ServerAddress>& address) {
    if (server_key.size() != kServerKeyDerSize) return Error::Malformed;
    std::vector<std::uint8_t> segment(server_key.begin(), server_key.end());
    if (platform.segment_size == 0) {
        if (address) return Error::InvalidArgument;
        return segment;
    }
    segment.resize(platform.segment_size, 0xff);
    if (!address) return segment;
    const auto ipv4 = parse_ipv4(address->host);
    if ((!ipv4 && !is_domain(address->host)) || address->port == 0) return Error::InvalidArgument;
    const Bytes host = ipv4 ? Bytes{*ipv4} : as_bytes(address->host);
    segment[kAddressOffset] = ipv4 ? kIpv4 : kDomain;
    segment[kAddressOffset + 1] = static_cast<std::uint8_t>(host.size());
    std::ranges::copy(host, segment.begin() + kAddressOffset + 2);
    segment[kPortOffset] = static_cast<std::uint8_t>(address->port >> 8);
    segment[kPortOffset + 1] = static_cast<std::uint8_t>(address->port);
    return segment;
}

}  // namespace sotto::cloud::particle
