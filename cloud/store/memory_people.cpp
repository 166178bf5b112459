// SPDX-License-Identifier: Apache-2.0
// The part of MemoryStore that is about accounts as an administrator sees them, programs of
// products and environment variables.
#include <algorithm>
#include <utility>

#include "cloud/store/limits.hpp"
#include "cloud/store/memory_store.hpp"

namespace sotto::cloud::store {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

void MemoryStore::list_accounts(Done<std::vector<AccountInfo>> done) {
    answer(done, [&] {
        std::vector<AccountInfo> list;
        for (const auto& [name, entry] : accounts_) {
            const auto sealed = std::ranges::count_if(devices_, [&](const auto& device) {
                return device.second.account == entry.account;
            });
            const auto opened = std::ranges::count_if(openings_, [&](const auto& opening) {
                return opening.second.account == entry.account;
            });
            list.push_back({.account = entry.account,
                            .name = name,
                            .created_at = entry.created_at,
                            .is_administrator = entry.is_administrator,
                            .is_disabled = entry.is_disabled,
                            .has_password = !entry.password.empty(),
                            .has_second_factor = !entry.otp_secret.empty(),
                            .device_count = count_open_devices(entry.account) +
                                            static_cast<std::size_t>(sealed - opened)});
        }
        return list;
    });
}

void MemoryStore::update_account(AccountId account, AccountChanges changes, Done<void> done) {
    answer(done, [&]() -> Status {
        for (auto& [name, entry] : accounts_) {
            if (entry.account != account) continue;
            entry.is_administrator = changes.is_administrator.value_or(entry.is_administrator);
            entry.is_disabled = changes.is_disabled.value_or(entry.is_disabled);
            return {};
        }
        return Error::NotFound;
    });
}

void MemoryStore::set_tag_key(TagKey key, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto registered = devices_.find(key.device);
        if (registered == devices_.end() || registered->second.account != key.account)
            return Error::NotFound;
        const auto count = std::ranges::count_if(
            tag_keys_, [&](const auto& entry) { return entry.second.account == key.account; });
        if (!tag_keys_.contains(key.device) &&
            static_cast<std::size_t>(count) >= kTagKeysPerAccountMax)
            return Error::NoSpace;
        tag_keys_[key.device] = key;
        return {};
    });
}

void MemoryStore::list_tag_keys(AccountId account, Done<std::vector<TagKey>> done) {
    answer(done, [&] {
        std::vector<TagKey> keys;
        for (const auto& [device, key] : tag_keys_) {
            if (key.account == account) keys.push_back(key);
        }
        return keys;
    });
}

void MemoryStore::erase_tag_key(AccountId account, const DeviceId& device, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto found = tag_keys_.find(device);
        if (found == tag_keys_.end() || found->second.account != account) return Error::NotFound;
        tag_keys_.erase(found);
        return {};
    });
}

void MemoryStore::erase_account(AccountId account, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto is_its = [&](const auto& entry) { return entry.second.account == account; };
        if (std::erase_if(accounts_, is_its) == 0) return Error::NotFound;
        std::vector<ProductId> products;
        for (const auto& [id, product] : products_) {
            if (product.account == account) products.push_back(id);
        }
        for (const ProductId product : products) drop_product(product);
        std::erase_if(tokens_,
                      [&](const auto& entry) { return entry.second.token.account == account; });
        std::erase_if(open_devices_, is_its);
        std::erase_if(openings_, is_its);
        std::erase_if(tag_keys_, is_its);
        std::erase_if(open_claims_, is_its);
        std::erase_if(claims_,
                      [&](const auto& entry) { return entry.second.claim.account == account; });
        std::erase_if(hooks_, [&](const HookRecord& hook) { return hook.account == account; });
        std::erase_if(clients_, [&](const auto& client) { return client.account == account; });
        std::erase_if(environments_,
                      [&](const auto& entry) { return entry.first.account == account; });
        for (const auto& [device, registration] : devices_) {
            if (registration.account == account) link_contexts_.erase(device);
        }
        std::erase_if(devices_, is_its);
        for (auto& [device, labels] : labels_)
            std::erase_if(labels, [&](const auto& label) { return label.app.account == account; });
        for (auto& [mailbox, letters] : mailboxes_) {
            std::erase_if(letters,
                          [&](const auto& letter) { return letter.second.app.account == account; });
        }
        return {};
    });
}

bool MemoryStore::has_room_for_api_user(const Token& token) const {
    const auto count = std::ranges::count_if(tokens_, [&](const auto& entry) {
        return entry.second.token.kind == TokenKind::ApiUser &&
               entry.second.token.product == token.product;
    });
    return static_cast<std::size_t>(count) < kApiUsersPerProductMax;
}

MemoryStore::StoredToken* MemoryStore::find_api_user(AccountId account,
                                                     std::uint16_t product,
                                                     const std::string& name) {
    for (auto& [hash, stored] : tokens_) {
        const Token& token = stored.token;
        if (token.kind == TokenKind::ApiUser && token.account == account &&
            token.product == product && token.name == name)
            return &stored;
    }
    return nullptr;
}

void MemoryStore::list_api_users(AccountId account,
                                 ProductId product,
                                 Done<std::vector<TokenInfo>> done) {
    answer(done, [&] {
        std::vector<TokenInfo> list;
        for (const auto& [hash, stored] : tokens_) {
            const Token& token = stored.token;
            if (token.kind != TokenKind::ApiUser || token.account != account ||
                token.product != product.value())
                continue;
            list.push_back(info_of(hash, stored));
        }
        std::ranges::sort(list, {}, &TokenInfo::name);
        return list;
    });
}

void MemoryStore::renew_api_user(Token token, Instant now, Done<void> done) {
    answer(done, [&]() -> Status {
        const StoredToken* const known = find_api_user(token.account, token.product, token.name);
        if (known == nullptr) return Error::NotFound;
        tokens_.erase(known->token.hash);
        tokens_[token.hash] = {.token = token, .created_at = now};
        return {};
    });
}

void MemoryStore::update_api_user(Token token, Done<void> done) {
    answer(done, [&]() -> Status {
        StoredToken* const known = find_api_user(token.account, token.product, token.name);
        if (known == nullptr) return Error::NotFound;
        known->token.scopes = token.scopes;
        known->token.client = token.client;
        return {};
    });
}

void MemoryStore::erase_api_user(AccountId account,
                                 ProductId product,
                                 std::string name,
                                 Done<void> done) {
    answer(done, [&]() -> Status {
        const StoredToken* const known = find_api_user(account, product.value(), name);
        if (known == nullptr) return Error::NotFound;
        tokens_.erase(TokenHash{known->token.hash});
        return {};
    });
}

void MemoryStore::find_environment(AccountId account,
                                   ProductId product,
                                   std::optional<DeviceId> device,
                                   Done<EnvironmentRecord> done) {
    answer(done, [&] {
        const auto found = environments_.find({account, product, device});
        if (found != environments_.end()) return found->second;
        return EnvironmentRecord{.account = account, .product = product, .device = device};
    });
}

void MemoryStore::save_environment(EnvironmentRecord record, Done<void> done) {
    answer(done, [&]() -> Status {
        const EnvironmentPlace place{record.account, record.product, record.device};
        const auto found = environments_.find(place);
        const std::int64_t known = found == environments_.end() ? 0 : found->second.revision;
        if (record.revision != known + 1) return Error::Refused;
        const auto count = std::ranges::count_if(environments_, [&](const auto& entry) {
            return entry.first.account == record.account;
        });
        if (known == 0 && static_cast<std::size_t>(count) >= kEnvironmentsPerAccountMax)
            return Error::NoSpace;
        environments_[place] = record;
        return {};
    });
}

}  // namespace sotto::cloud::store
