// SPDX-License-Identifier: Apache-2.0
#include "ports/openssl/password.hpp"

#include <array>
#include <charconv>
#include <optional>

#include <openssl/crypto.h>

#include "core/base/hex.hpp"

namespace sotto::ports {

namespace {

constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kHashSize = 32;

struct Line {
    ScryptCost cost = kPasswordCost;
    std::array<std::uint8_t, kSaltSize> salt{};
    std::array<std::uint8_t, kHashSize> hash{};
};

// What stands before `end`, which is skipped; nothing if it is not there.
std::optional<std::string_view> take(std::string_view& text, std::string_view end) {
    const std::size_t at = text.find(end);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(at + end.size());
    return taken;
}

bool read_number(std::optional<std::string_view> text, std::uint8_t& out) {
    if (!text) return false;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
    return error == std::errc{} && end == text->data() + text->size();
}

std::optional<Line> parse(std::string_view text) {
    Line line;
    const auto start = take(text, "$scrypt$ln=");
    if (!start || !start->empty()) return std::nullopt;
    if (!read_number(take(text, ",r="), line.cost.log2_n)) return std::nullopt;
    if (!read_number(take(text, ",p="), line.cost.r)) return std::nullopt;
    if (!read_number(take(text, "$"), line.cost.p)) return std::nullopt;
    const auto salt = take(text, "$");
    if (!salt || !from_hex(*salt, line.salt) || !from_hex(text, line.hash)) return std::nullopt;
    return line;
}

}  // namespace

Result<std::string> hash_password(std::string_view password,
                                  hal::Entropy& entropy,
                                  ScryptCost cost) {
    std::array<std::uint8_t, kSaltSize> salt{};
    std::array<std::uint8_t, kHashSize> hash{};
    SOTTO_TRY(entropy.fill(salt));
    SOTTO_TRY(scrypt(as_bytes(password), salt, cost, hash));
    return "$scrypt$ln=" + std::to_string(cost.log2_n) + ",r=" + std::to_string(cost.r) +
           ",p=" + std::to_string(cost.p) + "$" + to_hex<std::string>(salt) + "$" +
           to_hex<std::string>(hash);
}

bool is_password(std::string_view password, std::string_view text) {
    const auto line = parse(text);
    const Line known = line.value_or(Line{});
    std::array<std::uint8_t, kHashSize> hash{};
    const bool is_made = scrypt(as_bytes(password), known.salt, known.cost, hash).has_value();
    const bool is_same = CRYPTO_memcmp(hash.data(), known.hash.data(), hash.size()) == 0;
    return line.has_value() && is_made && is_same;
}

}  // namespace sotto::ports
