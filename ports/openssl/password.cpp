// SPDX-License-Identifier: Apache-2.0
#include "ports/openssl/password.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/base/hex.hpp"
#include "core/base/secret.hpp"

namespace sotto::ports {

namespace {

constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kHashSize = 32;

constexpr std::string_view kWrapped = "$pbkdf2-sha256$i=";
constexpr std::uint32_t kIterationsMax = 1'000'000;  // a second
constexpr std::uint32_t kUsualIterations = 30'000;   // of the only server that is known to do so
constexpr std::size_t kInnerSize = 64;
constexpr std::size_t kInnerTextSize = 88;  // in base 64
constexpr std::size_t kOtherSaltSizeMax = 128;

// What is around the line of a password that another server has hashed first.
struct Wrap {
    std::uint32_t iterations = kUsualIterations;
    std::string salt{};
};

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

template <class Number>
bool read_number(std::optional<std::string_view> text, Number& out) {
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

bool is_base64(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '/' || c == '=';
    });
}

bool is_good(const Wrap& wrap) {
    return wrap.iterations > 0 && wrap.iterations <= kIterationsMax && is_base64(wrap.salt) &&
           wrap.salt.size() <= kOtherSaltSizeMax;
}

// Takes it from the beginning of a line that has one.
std::optional<Wrap> take_wrap(std::string_view& line) {
    if (!line.starts_with(kWrapped)) return std::nullopt;
    std::string_view rest = line.substr(kWrapped.size());
    Wrap wrap;
    if (!read_number(take(rest, "$"), wrap.iterations)) return std::nullopt;
    wrap.salt = rest.substr(0, rest.find('$'));
    if (!is_good(wrap)) return std::nullopt;
    line = rest.substr(wrap.salt.size());
    return wrap;
}

// As the other server kept it; empty: it cannot be made.
std::string inner_text(std::string_view password, const Wrap& wrap) {
    std::array<std::uint8_t, kInnerSize> bytes{};
    std::array<std::uint8_t, kInnerTextSize + 1> text{};  // with a zero byte
    const Bytes salt = as_bytes(wrap.salt);
    const int made = PKCS5_PBKDF2_HMAC(password.data(),
                                       static_cast<int>(password.size()),
                                       salt.data(),
                                       static_cast<int>(salt.size()),
                                       static_cast<int>(wrap.iterations),
                                       EVP_sha256(),
                                       static_cast<int>(bytes.size()),
                                       bytes.data());
    if (made == 1) EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
    std::string result{made == 1 ? as_text(Bytes{text}.first(kInnerTextSize)) : ""};
    wipe(bytes);
    wipe(text);
    return result;
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

bool is_password(std::string_view password, const Pbkdf2Hash& known) {
    const Wrap wrap{known.iterations, known.salt};
    if (!is_good(wrap) || known.hash.size() != kInnerTextSize) return false;
    const std::string text = inner_text(password, wrap);
    return text.size() == known.hash.size() &&
           CRYPTO_memcmp(text.data(), known.hash.data(), text.size()) == 0;
}

Result<std::string> wrap_password_hash(const Pbkdf2Hash& known,
                                       hal::Entropy& entropy,
                                       ScryptCost cost) {
    const bool is_one = is_good({known.iterations, known.salt}) && is_base64(known.hash) &&
                        known.hash.size() == kInnerTextSize;
    if (!is_one) return Error::InvalidArgument;
    SOTTO_TRY_ASSIGN(const std::string line, hash_password(known.hash, entropy, cost));
    return std::string{kWrapped} + std::to_string(known.iterations) + "$" + known.salt + line;
}

bool is_wrapped(std::string_view line) { return line.starts_with(kWrapped); }

bool is_password(std::string_view password, std::string_view text) {
    const auto wrap = take_wrap(text);
    const auto line = parse(text);
    const Line known = line.value_or(Line{});
    std::array<std::uint8_t, kHashSize> hash{};
    // Made for every line, so that the time does not tell who came from another server.
    std::string inner = inner_text(password, wrap.value_or(Wrap{}));
    const std::string_view secret = wrap ? inner : password;
    const bool is_made = scrypt(as_bytes(secret), known.salt, known.cost, hash).has_value() &&
                         !(wrap && inner.empty());
    wipe({static_cast<std::uint8_t*>(static_cast<void*>(inner.data())), inner.size()});
    const bool is_same = CRYPTO_memcmp(hash.data(), known.hash.data(), hash.size()) == 0;
    return line.has_value() && is_made && is_same;
}

}  // namespace sotto::ports
