// SPDX-License-Identifier: Apache-2.0
#include "ports/context_file/context_file.hpp"

#include <algorithm>
#include <array>

#include <toml++/toml.h>

#include "core/base/hex.hpp"
#include "core/crypto/hash.hpp"

namespace sotto::ports {
namespace {

using Value = std::vector<std::uint8_t>;

constexpr std::array<std::string_view, 5> kKeys{
    "master_secret", "master_salt", "sender_id", "recipient_id", "id_context"};
constexpr std::size_t kNameSize = 16;

Result<std::optional<Value>, std::string> read(const toml::table& table, std::string_view key) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return std::optional<Value>{};
    const auto text = node->value_exact<std::string>();
    auto bytes = text ? from_hex<Value>(*text) : std::nullopt;
    if (!bytes) return std::string{key} + " is no text of hex digits";
    return bytes;
}

std::optional<toml::table> parse_toml(std::string_view text) {
    try {
        return toml::parse(text);
    } catch (const toml::parse_error&) {
        return std::nullopt;
    }
}

// Parts are told apart by their sizes: no two contexts have the same name.
std::string name_of(const std::array<std::optional<Value>, kKeys.size()>& values) {
    crypto::Sha256 hash;
    for (const auto& value : values) {
        const std::size_t size = value ? value->size() + 1 : 0;
        const std::array<std::uint8_t, 2> head{static_cast<std::uint8_t>(size >> 8),
                                               static_cast<std::uint8_t>(size)};
        hash.update(head);
        if (value) hash.update(*value);
    }
    const crypto::Hash digest = hash.finish();
    return to_hex<std::string>(Bytes{digest}.first(kNameSize));
}

}  // namespace

Result<ContextFile, std::string> parse_context_file(std::string_view text) {
    const auto table = parse_toml(text);
    if (!table) return std::string{"it is no TOML"};
    for (const auto& [key, node] : *table) {
        if (std::find(kKeys.begin(), kKeys.end(), key.str()) == kKeys.end())
            return "it has a key that nobody understands: " + std::string{key.str()};
    }
    std::array<std::optional<Value>, kKeys.size()> values;
    for (std::size_t i = 0; i < kKeys.size(); ++i) {
        SOTTO_TRY_ASSIGN(values[i], read(*table, kKeys[i]));
    }
    const auto& [secret, salt, sender_id, recipient_id, id_context] = values;
    if (!secret || secret->empty() || !sender_id || !recipient_id)
        return std::string{"a key is missing"};
    oscore::ContextInput input{.master_secret = *secret,
                               .master_salt = salt ? Bytes{*salt} : Bytes{},
                               .sender_id = *sender_id,
                               .recipient_id = *recipient_id};
    if (id_context) input.id_context = Bytes{*id_context};
    auto context = oscore::derive_context(input);
    if (!context) return std::string{"its ids are too long, or equal"};
    return ContextFile{*std::move(context), id_context, name_of(values)};
}

}  // namespace sotto::ports
