// SPDX-License-Identifier: Apache-2.0
// The part of MemoryStore that is about users, their tokens and their open devices.
#include <algorithm>
#include <utility>

#include "cloud/store/limits.hpp"
#include "cloud/store/memory_store.hpp"

namespace sotto::cloud::store {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

namespace {

bool is_of_program(TokenKind kind) {
    return kind == TokenKind::Access || kind == TokenKind::Refresh;
}

bool is_good(const Token& token, Instant now) {
    return !token.expires_at || *token.expires_at > now;
}

}  // namespace

Access MemoryStore::access_of(const Token& token) const {
    const auto owner = std::ranges::find_if(
        accounts_, [&](const auto& entry) { return entry.second.account == token.account; });
    return {.account = token.account,
            .user = owner->first,
            .kind = token.kind,
            .client = token.client,
            .scopes = token.scopes,
            .expires_at = token.expires_at,
            .is_administrator = owner->second.is_administrator,
            .product = token.product};
}

bool MemoryStore::is_disabled(AccountId account) const {
    return std::ranges::any_of(accounts_, [&](const auto& entry) {
        return entry.second.account == account && entry.second.is_disabled;
    });
}

void MemoryStore::make_room_for_token(const Token& token, Instant now) {
    if (!is_of_program(token.kind)) return;
    const auto is_other = [&](const auto& entry) {
        return entry.second.token.account == token.account &&
               is_of_program(entry.second.token.kind);
    };
    std::erase_if(tokens_, [&](const auto& entry) {
        return is_other(entry) && !is_good(entry.second.token, now);
    });
    while (static_cast<std::size_t>(std::ranges::count_if(tokens_, is_other)) >=
           kTokensPerAccountMax) {
        auto oldest = tokens_.end();
        for (auto i = tokens_.begin(); i != tokens_.end(); ++i) {
            if (!is_other(*i)) continue;
            if (oldest == tokens_.end() || i->second.created_at <= oldest->second.created_at)
                oldest = i;
        }
        tokens_.erase(oldest);
    }
}

void MemoryStore::find_login(std::string name, Done<Login> done) {
    answer(done, [&]() -> Result<Login> {
        const auto found = accounts_.find(name);
        if (found == accounts_.end()) return Error::NotFound;
        return Login{.account = found->second.account,
                     .password = found->second.password,
                     .otp_secret = found->second.otp_secret,
                     .is_disabled = found->second.is_disabled};
    });
}

void MemoryStore::set_password(AccountId account, std::string password, Done<void> done) {
    answer(done, [&]() -> Status {
        for (auto& [name, entry] : accounts_) {
            if (entry.account != account) continue;
            entry.password = std::move(password);
            return {};
        }
        return Error::NotFound;
    });
}

void MemoryStore::renew_password(AccountId account,
                                 std::string old,
                                 std::string renewed,
                                 Done<void> done) {
    answer(done, [&]() -> Status {
        for (auto& [name, entry] : accounts_) {
            if (entry.account != account || entry.password != old) continue;
            entry.password = std::move(renewed);
            return {};
        }
        return Error::NotFound;
    });
}

void MemoryStore::set_otp_secret(AccountId account,
                                 std::vector<std::uint8_t> secret,
                                 Done<void> done) {
    answer(done, [&]() -> Status {
        for (auto& [name, entry] : accounts_) {
            if (entry.account != account) continue;
            entry.otp_secret = std::move(secret);
            entry.otp_step = -1;
            return {};
        }
        return Error::NotFound;
    });
}

void MemoryStore::use_otp(AccountId account, std::int64_t step, Done<void> done) {
    answer(done, [&]() -> Status {
        for (auto& [name, entry] : accounts_) {
            if (entry.account != account) continue;
            if (step <= entry.otp_step) return Error::Refused;
            entry.otp_step = step;
            return {};
        }
        return Error::NotFound;
    });
}

void MemoryStore::find_access(const TokenHash& hash, Instant now, Done<Access> done) {
    answer(done, [&]() -> Result<Access> {
        const auto found = tokens_.find(hash);
        if (found == tokens_.end()) return Error::NotFound;
        const Token& token = found->second.token;
        const bool is_kind = token.kind == TokenKind::Account || token.kind == TokenKind::Access ||
                             token.kind == TokenKind::ApiUser;
        if (!is_kind || !is_good(token, now) || is_disabled(token.account)) return Error::NotFound;
        return access_of(token);
    });
}

void MemoryStore::take_refresh(const TokenHash& hash, Instant now, Done<Access> done) {
    answer(done, [&]() -> Result<Access> {
        const auto found = tokens_.find(hash);
        if (found == tokens_.end() || found->second.token.kind != TokenKind::Refresh ||
            !is_good(found->second.token, now) || is_disabled(found->second.token.account))
            return Error::NotFound;
        Access access = access_of(found->second.token);
        tokens_.erase(found);
        return access;
    });
}

TokenInfo MemoryStore::info_of(const TokenHash& hash, const StoredToken& stored) {
    const Token& token = stored.token;
    return {.hash = hash,
            .kind = token.kind,
            .name = token.name,
            .client = token.client,
            .scopes = token.scopes,
            .created_at = stored.created_at,
            .expires_at = token.expires_at};
}

void MemoryStore::list_tokens(AccountId account, Instant now, Done<std::vector<TokenInfo>> done) {
    answer(done, [&] {
        std::vector<TokenInfo> tokens;
        for (const auto& [hash, stored] : tokens_) {
            const Token& token = stored.token;
            if (token.account != account || token.kind == TokenKind::Gateway ||
                token.kind == TokenKind::ApiUser || !is_good(token, now))
                continue;
            tokens.push_back(info_of(hash, stored));
        }
        std::ranges::sort(tokens, {}, [](const TokenInfo& token) {
            return std::pair{token.created_at, token.hash};
        });
        return tokens;
    });
}

void MemoryStore::erase_token(const TokenHash& hash,
                              std::optional<AccountId> account,
                              Done<void> done) {
    answer(done, [&]() -> Status {
        const auto found = tokens_.find(hash);
        if (found == tokens_.end() || found->second.token.kind == TokenKind::Gateway ||
            (account && found->second.token.account != *account))
            return Error::NotFound;
        tokens_.erase(found);
        return {};
    });
}

void MemoryStore::erase_tokens(AccountId account, Done<std::size_t> done) {
    answer(done, [&] {
        return std::erase_if(tokens_, [&](const auto& entry) {
            return entry.second.token.account == account && is_of_program(entry.second.token.kind);
        });
    });
}

std::size_t MemoryStore::count_open_devices(AccountId account) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        open_devices_, [&](const auto& entry) { return entry.second.account == account; }));
}

Result<OpenDeviceRecord> MemoryStore::give(const DeviceId& device, AccountId account, Instant now) {
    OpenDeviceRecord& record = open_devices_[device];
    record.device = device;
    record.account = account;
    record.name.clear();
    record.notes.clear();
    record.claimed_at = now;
    return record;
}

void MemoryStore::claim_open_device(const DeviceId& device,
                                    AccountId account,
                                    Instant now,
                                    Done<OpenDeviceRecord> done) {
    answer(done, [&]() -> Result<OpenDeviceRecord> {
        const auto known = open_devices_.find(device);
        if (known == open_devices_.end()) {
            if (devices_.contains(device)) return Error::Refused;
            return give(device, account, now);
        }
        if (known->second.account != account) return Error::Refused;
        return known->second;
    });
}

void MemoryStore::create_claim_code(OpenClaim claim,
                                    std::size_t open_max,
                                    Instant now,
                                    Done<void> done) {
    answer(done, [&]() -> Status {
        std::erase_if(open_claims_,
                      [&](const auto& entry) { return entry.second.expires_at <= now; });
        const auto count = std::ranges::count_if(
            open_claims_, [&](const auto& entry) { return entry.second.account == claim.account; });
        if (static_cast<std::size_t>(count) >= open_max) return Error::NoSpace;
        open_claims_.emplace(claim.hash, claim);
        return {};
    });
}

void MemoryStore::redeem_claim_code(const TokenHash& hash,
                                    const DeviceId& device,
                                    Instant now,
                                    Done<OpenDeviceRecord> done) {
    answer(done, [&]() -> Result<OpenDeviceRecord> {
        const auto found = open_claims_.find(hash);
        if (found == open_claims_.end() || found->second.expires_at <= now) return Error::NotFound;
        if (devices_.contains(device)) return Error::Refused;
        const AccountId account = found->second.account;
        open_claims_.erase(found);
        const auto known = open_devices_.find(device);
        if (known != open_devices_.end() && known->second.account == account) return known->second;
        return give(device, account, now);
    });
}

void MemoryStore::find_open_device(const DeviceId& device,
                                   Done<std::optional<OpenDeviceRecord>> done) {
    answer(done, [&]() -> std::optional<OpenDeviceRecord> {
        const auto found = open_devices_.find(device);
        if (found == open_devices_.end()) return std::nullopt;
        return found->second;
    });
}

void MemoryStore::list_open_devices(AccountId account, Done<std::vector<OpenDeviceRecord>> done) {
    answer(done, [&] {
        std::vector<OpenDeviceRecord> records;
        for (const auto& [device, record] : open_devices_) {
            if (record.account == account) records.push_back(record);
        }
        return records;
    });
}

void MemoryStore::update_open_device(AccountId account,
                                     const DeviceId& device,
                                     DeviceChanges changes,
                                     Done<OpenDeviceRecord> done) {
    answer(done, [&]() -> Result<OpenDeviceRecord> {
        const auto found = open_devices_.find(device);
        if (found == open_devices_.end() || found->second.account != account)
            return Error::NotFound;
        if (changes.name) found->second.name = *changes.name;
        if (changes.notes) found->second.notes = *changes.notes;
        return found->second;
    });
}

void MemoryStore::release_open_device(AccountId account, const DeviceId& device, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto found = open_devices_.find(device);
        if (found == open_devices_.end() || found->second.account != account)
            return Error::NotFound;
        open_devices_.erase(found);
        openings_.erase(device);
        return {};
    });
}

void MemoryStore::set_opening(Opening opening, Instant now, Done<Opening> done) {
    answer(done, [&]() -> Result<Opening> {
        const auto registered = devices_.find(opening.device);
        if (registered == devices_.end() || registered->second.account != opening.account)
            return Error::NotFound;
        opening.credential = registered->second.credential;
        const bool is_known = open_devices_.contains(opening.device);
        if (!is_known && count_open_devices(opening.account) >= kOpenDevicesPerAccountMax)
            return Error::NoSpace;
        OpenDeviceRecord& record = open_devices_[opening.device];
        record.device = opening.device;
        record.account = opening.account;
        record.name = opening.name;
        record.claimed_at = now;
        openings_[opening.device] = opening;
        return opening;
    });
}

void MemoryStore::list_openings(Done<std::vector<Opening>> done) {
    answer(done, [&] {
        std::vector<Opening> openings;
        for (const auto& [device, opening] : openings_) openings.push_back(opening);
        return openings;
    });
}

void MemoryStore::erase_opening(AccountId account, const DeviceId& device, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto found = openings_.find(device);
        if (found == openings_.end() || found->second.account != account) return Error::NotFound;
        openings_.erase(found);
        open_devices_.erase(device);
        return {};
    });
}

void MemoryStore::save_traces(const DeviceId& device, DeviceTraces traces, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto found = open_devices_.find(device);
        if (found != open_devices_.end()) found->second.traces = traces;
        return {};
    });
}

void MemoryStore::provision_device(DeviceKey key, AccountId account, Done<OpenDeviceRecord> done) {
    answer(done, [&]() -> Result<OpenDeviceRecord> {
        const auto known = open_devices_.find(key.device);
        const bool is_known = known != open_devices_.end();
        if (is_known && known->second.account != account) return Error::Refused;
        if (!is_known && device_keys_.contains(key.device)) return Error::Refused;
        if (devices_.contains(key.device)) return Error::Refused;
        if (!is_known && count_open_devices(account) >= kOpenDevicesPerAccountMax)
            return Error::NoSpace;
        put_device_key(key);
        if (is_known) return known->second;
        return give(key.device, account, key.stored_at);
    });
}

void MemoryStore::put_device_key(const DeviceKey& key) {
    device_keys_[key.device] = key;
    std::erase_if(pending_keys_, [&](const DeviceKey& each) { return each.device == key.device; });
}

void MemoryStore::add_pending_key(DeviceKey key, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto is_its = [&](const DeviceKey& each) { return each.device == key.device; };
        std::erase_if(pending_keys_,
                      [&](const DeviceKey& each) { return is_its(each) && each.key == key.key; });
        const auto count = std::ranges::count_if(pending_keys_, is_its);
        if (static_cast<std::size_t>(count) >= kPendingKeysPerDeviceMax)
            pending_keys_.erase(std::ranges::find_if(pending_keys_, is_its));
        if (pending_keys_.size() >= kPendingKeysMax) pending_keys_.erase(pending_keys_.begin());
        pending_keys_.push_back(key);
        return {};
    });
}

void MemoryStore::list_pending_keys(Done<std::vector<DeviceKey>> done) {
    answer(done, [&] {
        std::vector<DeviceKey> keys(pending_keys_.begin(), pending_keys_.end());
        std::ranges::sort(keys, [](const DeviceKey& a, const DeviceKey& b) {
            return a.device != b.device ? a.device < b.device : b.stored_at < a.stored_at;
        });
        return keys;
    });
}

void MemoryStore::set_device_key(DeviceKey key, Done<void> done) {
    answer(done, [&]() -> Status {
        put_device_key(key);
        return {};
    });
}

void MemoryStore::add_device_key(DeviceKey key, std::size_t count_max, Done<void> done) {
    answer(done, [&]() -> Status {
        if (device_keys_.contains(key.device)) return Error::AlreadyExists;
        if (device_keys_.size() >= count_max) return Error::NoSpace;
        put_device_key(key);
        return {};
    });
}

void MemoryStore::find_device_key(const DeviceId& device, Done<std::optional<DeviceKey>> done) {
    answer(done, [&] {
        const auto found = device_keys_.find(device);
        return found == device_keys_.end() ? std::optional<DeviceKey>{} : found->second;
    });
}

std::unique_ptr<DeviceReader> MemoryStore::make_device_reader() {
    class Reader final : public DeviceReader {
      public:
        explicit Reader(MemoryStore& store) : store_(store) {}
        Result<KnownDevice> find(const DeviceId& device) override {
            const std::scoped_lock lock{store_.mutex_};
            if (store_.failure_) return *store_.failure_;
            KnownDevice known;
            const auto key = store_.device_keys_.find(device);
            if (key != store_.device_keys_.end()) known.key = key->second.key;
            const auto record = store_.open_devices_.find(device);
            if (record != store_.open_devices_.end()) known.owner = record->second.account;
            return known;
        }

      private:
        MemoryStore& store_;
    };
    return std::make_unique<Reader>(*this);
}

void MemoryStore::list_device_keys(Done<std::vector<DeviceKey>> done) {
    answer(done, [&] {
        std::vector<DeviceKey> keys;
        for (const auto& [device, key] : device_keys_) keys.push_back(key);
        return keys;
    });
}

void MemoryStore::erase_device_key(const DeviceId& device, Done<void> done) {
    answer(done, [&]() -> Status {
        if (device_keys_.erase(device) == 0) return Error::NotFound;
        return {};
    });
}

bool MemoryStore::has_room_for(const HookRecord& hook) const {
    std::size_t count = 1;
    std::size_t bytes = hook.definition.size();
    for (const HookRecord& other : hooks_) {
        if (other.account != hook.account || other.id == hook.id) continue;
        ++count;
        bytes += other.definition.size();
    }
    return count <= kHooksPerAccountMax && bytes <= kHookBytesPerAccountMax;
}

void MemoryStore::add_hook(HookRecord hook, Done<void> done) {
    answer(done, [&]() -> Status {
        if (!has_room_for(hook)) return Error::NoSpace;
        hooks_.push_back(hook);
        return {};
    });
}

void MemoryStore::update_hook(HookRecord hook, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto found = std::ranges::find_if(hooks_, [&](const HookRecord& other) {
            return other.account == hook.account && other.id == hook.id;
        });
        if (found == hooks_.end()) return Error::NotFound;
        if (!has_room_for(hook)) return Error::NoSpace;
        found->definition = hook.definition;
        found->updated_at = hook.updated_at;
        return {};
    });
}

void MemoryStore::erase_hook(AccountId account, const HookId& id, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto count = std::erase_if(hooks_, [&](const HookRecord& hook) {
            return hook.account == account && hook.id == id;
        });
        if (count == 0) return Error::NotFound;
        return {};
    });
}

void MemoryStore::list_hooks(Done<std::vector<HookRecord>> done) {
    answer(done, [&] { return hooks_; });
}

void MemoryStore::add_audit(AuditEntry entry, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto is_of_same = [account = entry.account](const AuditEntry& known) {
            return known.account == account;
        };
        audit_.push_back(std::move(entry));
        if (audit_.size() > kAuditEntriesMax) audit_.pop_front();
        const auto count = std::ranges::count_if(audit_, is_of_same);
        if (count > std::ptrdiff_t{kAuditEntriesPerAccountMax})
            audit_.erase(std::ranges::find_if(audit_, is_of_same));
        return {};
    });
}

void MemoryStore::list_audit(std::optional<AccountId> account,
                             std::size_t count_max,
                             Done<std::vector<AuditEntry>> done) {
    answer(done, [&] {
        std::vector<AuditEntry> entries;
        for (auto entry = audit_.rbegin(); entry != audit_.rend(); ++entry) {
            if (entries.size() == count_max) break;
            if (!account || entry->account == account) entries.push_back(*entry);
        }
        return entries;
    });
}

}  // namespace sotto::cloud::store
