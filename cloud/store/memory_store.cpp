// SPDX-License-Identifier: Apache-2.0
#include "cloud/store/memory_store.hpp"

#include <algorithm>

namespace sotto::cloud::store {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

void MemoryStore::create_account(std::string name, Instant now, Done<AccountId> done) {
    answer(done, [&]() -> Result<AccountId> {
        if (accounts_.contains(name)) return Error::AlreadyExists;
        const AccountId account{++last_account_};
        accounts_.emplace(std::move(name), AccountEntry{.account = account, .created_at = now});
        return account;
    });
}

void MemoryStore::find_account(std::string name, Done<AccountId> done) {
    answer(done, [&]() -> Result<AccountId> {
        const auto found = accounts_.find(name);
        if (found == accounts_.end()) return Error::NotFound;
        return found->second.account;
    });
}

void MemoryStore::add_token(Token token, Instant now, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto is_taken = [&](const auto& entry) {
            const Token& other = entry.second.token;
            return other.account == token.account && other.kind == token.kind &&
                   other.name == token.name;
        };
        const auto is_owner = [&](const auto& entry) {
            return entry.second.account == token.account;
        };
        if (std::ranges::none_of(accounts_, is_owner)) return Error::NotFound;
        make_room_for_token(token, now);
        if (std::ranges::any_of(tokens_, is_taken)) return Error::AlreadyExists;
        if (token.kind == TokenKind::ApiUser && !has_room_for_api_user(token))
            return Error::NoSpace;
        const StoredToken stored{.token = token, .created_at = now};
        if (!tokens_.emplace(token.hash, stored).second) return Error::AlreadyExists;
        return {};
    });
}

void MemoryStore::find_token(const TokenHash& hash, TokenKind kind, Done<TokenHolder> done) {
    answer(done, [&]() -> Result<TokenHolder> {
        const auto found = tokens_.find(hash);
        if (found == tokens_.end() || found->second.token.kind != kind) return Error::NotFound;
        const Token& token = found->second.token;
        if (kind == TokenKind::Account && is_disabled(token.account)) return Error::NotFound;
        return TokenHolder{.account = token.account, .name = token.name};
    });
}

void MemoryStore::create_claim(Claim claim, std::size_t open_max, Instant now, Done<void> done) {
    answer(done, [&]() -> Status {
        const auto open_count = std::ranges::count_if(claims_, [&](const auto& item) {
            const ClaimEntry& entry = item.second;
            return entry.claim.account == claim.account && !entry.redeemed_by &&
                   entry.claim.expires_at > now;
        });
        if (static_cast<std::size_t>(open_count) >= open_max) return Error::NoSpace;
        if (!claims_.emplace(claim.code, ClaimEntry{.claim = claim, .redeemed_by = {}}).second) {
            return Error::AlreadyExists;
        }
        return {};
    });
}

Result<Registration> MemoryStore::redeem(const ClaimCode& code,
                                         const DeviceId& device,
                                         const CredentialHash& credential,
                                         Instant now) {
    const auto known = devices_.find(device);
    if (known != devices_.end() && known->second.credential != credential) return Error::Refused;
    const auto claim = claims_.find(code);
    const bool is_good = claim != claims_.end() && !claim->second.redeemed_by &&
                         claim->second.claim.expires_at > now;
    if (!is_good && known == devices_.end()) return Error::NotFound;
    if (!is_good) return known->second;
    const AccountId account = claim->second.claim.account;
    if (known != devices_.end() && known->second.account != account) {
        for (const auto& [sequence, letter] : mailboxes_[Mailbox::of_device(device)])
            tell_sender(letter, LetterKind::Dropped, now);
        mailboxes_.erase(Mailbox::of_device(device));
        if (openings_.erase(device) > 0) open_devices_.erase(device);
        tag_keys_.erase(device);
    }
    claim->second.redeemed_by = device;
    const Registration registration{
        .device = device, .credential = credential, .account = account, .registered_at = now};
    devices_[device] = registration;
    return registration;
}

void MemoryStore::redeem_claim(const ClaimCode& code,
                               const DeviceId& device,
                               const CredentialHash& credential,
                               Instant now,
                               Done<Registration> done) {
    answer(done, [&] { return redeem(code, device, credential, now); });
}

void MemoryStore::load_device(const DeviceId& device, Done<DeviceRecord> done) {
    answer(done, [&] {
        DeviceRecord record;
        if (const auto found = devices_.find(device); found != devices_.end()) {
            record.registration = found->second;
        }
        if (const auto found = labels_.find(device); found != labels_.end()) {
            record.labels = found->second;
        }
        std::ranges::sort(record.labels, {}, &LabelEntry::label);
        return record;
    });
}

void MemoryStore::list_devices(AccountId account, Done<std::vector<Registration>> done) {
    answer(done, [&] {
        std::vector<Registration> devices;
        for (const auto& [id, registration] : devices_) {
            if (registration.account == account) devices.push_back(registration);
        }
        return devices;
    });
}

Label MemoryStore::label_of(const DeviceId& device, const AppAddress& app) {
    std::vector<LabelEntry>& entries = labels_[device];
    const auto known = std::ranges::find(entries, app, &LabelEntry::app);
    if (known != entries.end()) return known->label;
    Label label = entries.empty() ? kLabelAppFirst : next_label(entries.back().label);
    if (entries.size() == kLabelsPerDeviceMax) entries.erase(entries.begin());
    while (std::ranges::find(entries, label, &LabelEntry::label) != entries.end()) {
        label = next_label(label);
    }
    entries.push_back({.label = label, .app = app});
    return label;
}

void MemoryStore::allocate_label(const DeviceId& device, const AppAddress& app, Done<Label> done) {
    answer(done, [&] { return label_of(device, app); });
}

namespace {

// What the letters that a predicate selects take of a limit.
class Usage {
  public:
    void add(const Letter& letter) {
        count_++;
        bytes_ += letter.message.size();
    }
    bool has_room_for(const Letter& letter, const MailboxLimits& limits) const {
        return count_ < limits.count_max && bytes_ + letter.message.size() <= limits.bytes_max;
    }

  private:
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace

Status MemoryStore::check_room(const Letter& letter, const PutLimits& limits) {
    Usage mailbox;
    Usage account;
    for (const auto& [name, letters] : mailboxes_) {
        for (const auto& [sequence, other] : letters) {
            if (other.app.account == letter.app.account) account.add(other);
            if (name == Mailbox::of(letter) && other.expires_at > letter.stored_at)
                mailbox.add(other);
        }
    }
    if (!mailbox.has_room_for(letter, limits.mailbox)) return Error::NoSpace;
    if (!account.has_room_for(letter, limits.account)) return Error::NoSpace;
    return {};
}

void MemoryStore::put(Letter letter, PutLimits limits, Done<Sequence> done) {
    answer(done, [&]() -> Result<Sequence> {
        if (letter.to == MailboxKind::Device) {
            const auto owner = devices_.find(letter.device);
            if (owner == devices_.end() || owner->second.account != letter.app.account)
                return Error::Refused;
        }
        SOTTO_TRY(check_room(letter, limits));
        const Sequence sequence{++sequence_last_};
        mailboxes_[Mailbox::of(letter)].emplace(sequence, std::move(letter));
        return sequence;
    });
}

// False if there is nobody to tell, or no room for it.
bool MemoryStore::tell_sender(const Letter& letter, LetterKind kind, Instant now) {
    if (letter.to != MailboxKind::Device) return false;
    Letter notice{.to = MailboxKind::App,
                  .device = letter.device,
                  .app = letter.app,
                  .stored_at = now,
                  .expires_at = now + kNoticeLife,
                  .message = {},
                  .reference = letter.reference,
                  .kind = kind};
    if (!check_room(notice, {.mailbox = kAppMailbox})) return false;
    mailboxes_[Mailbox::of(notice)].emplace(Sequence{++sequence_last_}, std::move(notice));
    return true;
}

void MemoryStore::list(const Mailbox& mailbox,
                       Sequence after,
                       std::size_t count_max,
                       Instant now,
                       Done<std::vector<StoredLetter>> done) {
    answer(done, [&] {
        std::vector<StoredLetter> listed;
        const Letters& letters = mailboxes_[mailbox];
        for (auto it = letters.upper_bound(after); it != letters.end(); ++it) {
            if (listed.size() == count_max) break;
            if (it->second.expires_at <= now) continue;
            listed.push_back({.sequence = it->first, .letter = it->second});
        }
        return listed;
    });
}

void MemoryStore::erase(const Mailbox& mailbox, Sequence last, Done<void> done) {
    answer(done, [&]() -> Status {
        Letters& letters = mailboxes_[mailbox];
        letters.erase(letters.begin(), letters.upper_bound(last));
        return {};
    });
}

void MemoryStore::erase_each(const Mailbox& mailbox,
                             std::vector<Sequence> sequences,
                             Done<void> done) {
    answer(done, [&]() -> Status {
        for (const Sequence sequence : sequences) mailboxes_[mailbox].erase(sequence);
        return {};
    });
}

void MemoryStore::purge(Instant now, Done<Purged> done) {
    answer(done, [&] {
        std::vector<std::pair<Instant, Sequence>> order;
        std::map<Sequence, Letter> expired;
        for (const auto& [mailbox, letters] : mailboxes_) {
            for (const auto& [sequence, letter] : letters) {
                if (letter.expires_at > now) continue;
                order.emplace_back(letter.expires_at, sequence);
                expired.emplace(sequence, letter);
            }
        }
        std::ranges::sort(order);
        Purged purged;
        for (const auto& [expires_at, sequence] : order) {
            if (purged.count == kPurgeCountMax) break;
            const Letter& letter = expired.at(sequence);
            mailboxes_[Mailbox::of(letter)].erase(sequence);
            purged.count++;
            if (tell_sender(letter, LetterKind::Expired, now)) purged.told.push_back(letter.app);
        }
        std::erase_if(claims_,
                      [&](const auto& item) { return item.second.claim.expires_at <= now; });
        return purged;
    });
}

void MemoryStore::save_link_context(const DeviceId& device,
                                    std::vector<std::uint8_t> context,
                                    Done<void> done) {
    answer(done, [&]() -> Status {
        link_contexts_[device] = std::move(context);
        return {};
    });
}

void MemoryStore::load_link_context(const DeviceId& device,
                                    Done<std::optional<std::vector<std::uint8_t>>> done) {
    using Context = std::optional<std::vector<std::uint8_t>>;
    answer(done, [&] {
        const auto found = link_contexts_.find(device);
        return found == link_contexts_.end() ? Context{} : Context{found->second};
    });
}

void MemoryStore::erase_link_context(const DeviceId& device, Done<void> done) {
    answer(done, [&]() -> Status {
        link_contexts_.erase(device);
        return {};
    });
}

void MemoryStore::erase_link_contexts(Done<void> done) {
    answer(done, [&]() -> Status {
        link_contexts_.clear();
        return {};
    });
}

void MemoryStore::set_setting(std::string name, std::string value, Done<void> done) {
    answer(done, [&]() -> Status {
        settings_[std::move(name)] = std::move(value);
        return {};
    });
}

void MemoryStore::get_setting(std::string name, Done<std::optional<std::string>> done) {
    answer(done, [&] {
        const auto found = settings_.find(name);
        return found == settings_.end() ? std::optional<std::string>{} : found->second;
    });
}

}  // namespace sotto::cloud::store
