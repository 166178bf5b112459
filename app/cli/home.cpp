// SPDX-License-Identifier: Apache-2.0
#include "app/cli/home.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "core/base/hex.hpp"
#include "core/cose/credential.hpp"
#include "core/keystore/private_key.hpp"

namespace sotto::app {
namespace {

constexpr int kPatienceMs = 5'000;
constexpr int kPauseMs = 20;
constexpr std::size_t kNameSizeMax = 64;

Failure state_failure(const std::string& what) {
    return {
        Trouble::State, what, "Check disk and permissions, or name another folder with --state"};
}

Failure state_failure(Error error, const std::string& what) {
    if (error == Error::Malformed)
        return {Trouble::State,
                what + " is damaged; nothing was changed",
                "Put back a copy of it, or move it away and pair again"};
    return state_failure(what + " cannot be read or written");
}

// Opens a storage that others open for moments only.
Outcome<ports::FileStorage> open_patiently(const std::string& path) {
    for (int waited_ms = 0;; waited_ms += kPauseMs) {
        auto storage = ports::FileStorage::open(path);
        if (storage) return *std::move(storage);
        if (storage.error().code != Error::Busy || waited_ms >= kPatienceMs)
            return state_failure(storage.error().detail);
        std::this_thread::sleep_for(std::chrono::milliseconds{kPauseMs});
    }
}

// SES-1: the subject of an app is a random label.
Result<keystore::Identity> make_identity(hal::Entropy& entropy) {
    std::array<std::uint8_t, 8> label{};
    SOTTO_TRY(entropy.fill(label));
    SOTTO_TRY_ASSIGN(crypto::DhPrivateKey key, keystore::draw_private_key(entropy));
    SOTTO_TRY_ASSIGN(
        const auto credential,
        cose::Credential::create("app-" + to_hex<std::string>(label), crypto::dh_public(key)));
    return keystore::Identity{std::move(key), keystore::CredentialBytes{credential.bytes()}};
}

bool begins_id(std::string_view text, const framing::DeviceId& id) {
    std::string lower{text};
    for (char& c : lower) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    return !text.empty() && to_hex<std::string>(id).starts_with(lower);
}

std::string join(const std::vector<DeviceEntry>& devices) {
    std::string text;
    for (const DeviceEntry& device : devices)
        text += (text.empty() ? "" : ", ") + device.shown_name();
    return text;
}

Failure takeover_is_open(const framing::DeviceId& id) {
    return {Trouble::State,
            "the device " + to_hex<std::string>(id) +
                " is being taken over, and it is not known how that ended",
            "Finish it: sotto takeover " + to_hex<std::string>(id)};
}

bool is_good_name(std::string_view name) {
    return !name.empty() && name.size() <= kNameSizeMax && name.front() != '-' &&
           std::none_of(name.begin(), name.end(), [](char c) {
               return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
           });
}

}  // namespace

Result<std::size_t> DeviceStorage::load(hal::RecordId id, MutBytes out) {
    if (id >= kFirstSessionRecord) return session_.load(id, out);
    auto device = open_patiently(device_path_);
    return device ? device->load(id, out) : Error::StorageFailed;
}

Status DeviceStorage::store(hal::RecordId id, Bytes record) {
    if (id >= kFirstSessionRecord) return session_.store(id, record);
    auto device = open_patiently(device_path_);
    return device ? device->store(id, record) : Error::StorageFailed;
}

Status DeviceStorage::erase(hal::RecordId id) {
    if (id >= kFirstSessionRecord) return session_.erase(id);
    auto device = open_patiently(device_path_);
    return device ? device->erase(id) : Error::StorageFailed;
}

Outcome<Home> Home::open(const std::string& path) {
    const auto folder = ports::open_private_folder(path);
    if (!folder) return state_failure(folder.error().detail);
    return Home{path};
}

Outcome<keystore::Identity> Home::identity(hal::Entropy& entropy) const {
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(path_ + "/app"));
    auto identity = keystore::load_identity(storage);
    if (identity) return *std::move(identity);
    if (identity.error() != Error::NotFound)
        return state_failure(identity.error(), "the identity in " + path_);
    auto made = make_identity(entropy);
    if (!made || !keystore::store_identity(storage, *made))
        return state_failure("no identity can be made in " + path_);
    return *std::move(made);
}

Outcome<keystore::Identity> Home::owner_of(const framing::DeviceId& id,
                                           hal::Entropy& entropy) const {
    {
        SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/device"));
        auto own = keystore::load_identity(storage);
        if (own) return *std::move(own);
        if (own.error() != Error::NotFound)
            return state_failure(own.error(), "the key for the device " + to_hex<std::string>(id));
    }
    return identity(entropy);
}

Outcome<keystore::Identity> Home::identity_of(const framing::DeviceId& id,
                                              hal::Entropy& entropy) const {
    {
        SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/device"));
        const auto heir = load_heir(storage);
        if (heir) return takeover_is_open(id);
        if (heir.error() != Error::NotFound)
            return state_failure(heir.error(),
                                 "the next key for the device " + to_hex<std::string>(id));
    }
    return owner_of(id, entropy);
}

Outcome<Home::Takeover> Home::begin_takeover(const framing::DeviceId& id,
                                             hal::Entropy& entropy) const {
    Takeover takeover;
    SOTTO_TRY_ASSIGN(takeover.former, owner_of(id, entropy));
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/device"));
    auto begun = load_heir(storage);
    if (!begun && begun.error() != Error::NotFound)
        return state_failure(begun.error(),
                             "the next key for the device " + to_hex<std::string>(id));
    if (begun) {
        takeover.heir = *std::move(begun);
        return takeover;
    }
    auto made = make_identity(entropy);
    if (!made || !entropy.fill(takeover.heir.token_key.fill()))
        return state_failure("no key can be made for the device");
    takeover.heir.identity = *std::move(made);
    if (!store_heir(storage, takeover.heir))
        return state_failure("the next key cannot be stored in " + path_);
    return takeover;
}

Outcome<> Home::finish_takeover(const framing::DeviceId& id,
                                const Heir& heir,
                                std::uint32_t generation) const {
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/device"));
    auto peer = keystore::load_peer(storage);
    if (!peer) return state_failure(peer.error(), "the device " + to_hex<std::string>(id));
    peer->generation = generation;
    peer->token_key = heir.token_key.clone();
    if (!keystore::store_identity(storage, heir.identity) ||
        !keystore::store_peer(storage, *peer) || !erase_heir(storage))
        return state_failure("the new key cannot be stored in " + path_);
    return {};
}

Outcome<std::optional<Account>> Home::account() const {
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(path_ + "/app"));
    auto account = load_account(storage);
    if (account) return std::optional<Account>{*std::move(account)};
    if (account.error() == Error::NotFound) return std::optional<Account>{};
    return state_failure(account.error(), "the login in " + path_);
}

Outcome<> Home::store_account(const Account& account) const {
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(path_ + "/app"));
    if (!app::store_account(storage, account))
        return state_failure("the login cannot be stored in " + path_);
    return {};
}

Outcome<std::optional<Account>> Home::account_of(const framing::DeviceId& id) const {
    SOTTO_TRY_ASSIGN(const std::optional<Account> general, account());
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/device"));
    auto own = load_account(storage);
    if (!own && own.error() != Error::NotFound)
        return state_failure(own.error(), "the login of the device in " + path_);
    // At the same cloud the general one is newer.
    if (!own || (general && general->url == own->url)) return general;
    return std::optional<Account>{*std::move(own)};
}

Outcome<> Home::set_account_of(const framing::DeviceId& id, const Account& account) const {
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/device"));
    if (!app::store_account(storage, account))
        return state_failure("the login cannot be stored in " + path_);
    return {};
}

std::string Home::device_path(const framing::DeviceId& id) const {
    return path_ + "/devices/" + to_hex<std::string>(id);
}

Outcome<std::vector<DeviceEntry>> Home::devices() const {
    std::vector<DeviceEntry> devices;
    std::error_code none;
    for (const auto& folder : std::filesystem::directory_iterator(path_ + "/devices", none)) {
        const auto id = from_hex<std::vector<std::uint8_t>>(folder.path().filename().string());
        if (!id || id->size() != framing::kDeviceIdSize) continue;
        DeviceEntry device;
        std::copy(id->begin(), id->end(), device.id.begin());
        auto storage = open_patiently(device_path(device.id) + "/device");
        device.is_damaged = !storage;
        if (storage) {
            device.name = load_name(*storage).value_or("");
            const auto peer = keystore::load_peer(*storage);
            device.is_paired = peer && peer->is_paired;
            keystore::TokenBytes token;
            device.is_guest = keystore::load_token(*storage, token).has_value();
            if (!peer && device.name.empty()) continue;  // it was looked for, and never found
        }
        devices.push_back(device);
    }
    std::sort(devices.begin(), devices.end(), [](const DeviceEntry& a, const DeviceEntry& b) {
        return std::tie(a.name, a.id) < std::tie(b.name, b.id);
    });
    return devices;
}

Outcome<DeviceEntry> Home::find(const std::string& text) const {
    SOTTO_TRY_ASSIGN(const std::vector<DeviceEntry> all, devices());
    std::vector<DeviceEntry> found;
    for (const DeviceEntry& device : all) {
        if (device.name == text) return device;
        if (begins_id(text, device.id)) found.push_back(device);
    }
    if (found.size() == 1) return found.front();
    if (!found.empty())
        return Failure{Trouble::Usage,
                       "\"" + text + "\" means several devices: " + join(found),
                       "Give more digits of the id, or its name"};
    if (all.empty())
        return Failure{Trouble::Usage,
                       "no device is known here",
                       "Pair with one first: sotto pair CODE, with the code it shows"};
    return Failure{Trouble::Usage,
                   "no device is called \"" + text + "\"",
                   "Known here: " + join(all) + ". Others are added with sotto pair CODE"};
}

Outcome<> Home::check_name(const framing::DeviceId& id, const std::string& name) const {
    if (!is_good_name(name))
        return Failure{Trouble::Usage,
                       "this cannot be the name of a device",
                       "Take 1 to 64 printable bytes that do not begin with -"};
    SOTTO_TRY_ASSIGN(const std::vector<DeviceEntry> all, devices());
    for (const DeviceEntry& device : all) {
        if (device.id == id) continue;
        if (device.name == name || begins_id(name, device.id))
            return Failure{
                Trouble::Usage,
                "\"" + name + "\" already means the device " + to_hex<std::string>(device.id),
                "Choose another name"};
    }
    return {};
}

Outcome<> Home::set_name(const framing::DeviceId& id, const std::string& name) const {
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/device"));
    if (!store_name(storage, name)) return state_failure("the name cannot be stored in " + path_);
    return {};
}

Outcome<keystore::PeerRecord> Home::owned(const DeviceEntry& entry) const {
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(entry.id) + "/device"));
    auto peer = keystore::load_peer(storage);
    if (!peer && peer.error() != Error::NotFound)
        return state_failure(peer.error(), "the device " + to_hex<std::string>(entry.id));
    if (!peer || !peer->is_paired || entry.is_guest)
        return Failure{Trouble::Usage,
                       "this device is not yours",
                       "Only its owner can do that: who has paired with it"};
    return *std::move(peer);
}

Outcome<std::optional<session::TagKey>> Home::tag_key_of(const framing::DeviceId& id) const {
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/device"));
    const auto failed = [&](Error why) {
        return state_failure(why, "the device " + to_hex<std::string>(id));
    };
    const auto peer = keystore::load_peer(storage);
    if (!peer && peer.error() != Error::NotFound) return failed(peer.error());
    if (!peer || !peer->is_paired) return std::optional<session::TagKey>{};
    keystore::TokenBytes token;
    if (!keystore::load_token(storage, token))
        return std::optional{session::tag_key(peer->token_key)};
    auto given = load_tag_key(storage);
    if (given) return std::optional{*std::move(given)};
    if (given.error() != Error::NotFound) return failed(given.error());
    return std::optional<session::TagKey>{};
}

Outcome<> Home::accept(const Invitation& invitation) const {
    const framing::DeviceId id = device_id_of(invitation.device);
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/device"));
    const auto known = keystore::load_peer(storage);
    if (!known && known.error() != Error::NotFound)
        return state_failure(known.error(), "the device " + to_hex<std::string>(id));
    keystore::TokenBytes former;
    if (known && known->is_paired && !keystore::load_token(storage, former))
        return Failure{Trouble::Usage,
                       "the device " + to_hex<std::string>(id) + " is your own",
                       "An owner needs no invitation"};
    // A session goes on with the rights that it began with.
    SOTTO_TRY(erase_sessions(device_path(id)));
    const Status tagged =
        invitation.tag_key ? store_tag_key(storage, *invitation.tag_key) : erase_tag_key(storage);
    // The token goes before the device: without it that would seem to be ours.
    if (!tagged || !keystore::store_token(storage, invitation.token) ||
        !keystore::store_peer(
            storage, {.is_paired = true, .credential = invitation.device, .token_key = {}}))
        return state_failure("the device cannot be stored in " + path_);
    return {};
}

Outcome<std::vector<Guest>> Home::guests(const framing::DeviceId& id) const {
    const std::string path = device_path(id) + "/guests";
    std::error_code none;
    if (!std::filesystem::exists(path, none)) return std::vector<Guest>{};
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(path));
    auto guests = load_guests(storage);
    if (!guests) return state_failure(guests.error(), "the guests of the device in " + path_);
    return *std::move(guests);
}

Outcome<> Home::add_guest(const framing::DeviceId& id, Guest& guest, std::uint32_t time) const {
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/guests"));
    const Status added = app::add_guest(storage, guest, time);
    if (added) return {};
    if (added.error() == Error::Busy)
        return Failure{Trouble::Refused,
                       std::to_string(kGuestsMax) + " people have access to this device",
                       "Take it from some of them first: sotto revoke"};
    return state_failure(added.error(), "the guests of the device in " + path_);
}

Outcome<> Home::update_guest(const framing::DeviceId& id, const Guest& guest) const {
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/guests"));
    if (!store_guest(storage, guest))
        return state_failure("the guests of the device in " + path_ + " cannot be written");
    return {};
}

Outcome<Backup> Home::backup(hal::Entropy& entropy) const {
    Backup backup;
    SOTTO_TRY_ASSIGN(const std::vector<DeviceEntry> all, devices());
    for (const DeviceEntry& device : all) {
        if ((!device.is_paired && !device.is_damaged) || device.is_guest) continue;
        SOTTO_TRY_ASSIGN(keystore::Identity identity, identity_of(device.id, entropy));
        SOTTO_TRY_ASSIGN(ports::FileStorage storage,
                         open_patiently(device_path(device.id) + "/device"));
        auto peer = keystore::load_peer(storage);
        if (!peer)
            return state_failure(peer.error(), "the device " + to_hex<std::string>(device.id));
        backup.devices.push_back({device.name,
                                  std::move(identity),
                                  peer->credential,
                                  peer->generation,
                                  std::move(peer->token_key)});
    }
    if (backup.devices.empty())
        return Failure{Trouble::Usage,
                       "there is nothing to export: no device here is yours",
                       "Check --state, or pair first: sotto pair CODE"};
    return backup;
}

Outcome<> Home::restore(const Backup& backup) const {
    std::error_code none;
    for (const auto& folder : std::filesystem::directory_iterator(path_ + "/devices", none))
        SOTTO_TRY(erase_sessions(folder.path().string()));
    for (const BackupDevice& device : backup.devices) SOTTO_TRY(restore_device(device));
    return {};
}

Outcome<> Home::restore_device(const BackupDevice& device) const {
    const framing::DeviceId id = device_id_of(device.credential);
    const bool is_name_free = !device.name.empty() && check_name(id, device.name).has_value();
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/device"));
    const auto known = keystore::load_peer(storage);
    if (!known && known.error() != Error::NotFound)
        return state_failure(known.error(), "the device " + to_hex<std::string>(id));
    const bool has_name = !load_name(storage).value_or("").empty();
    // The name goes first: a device without one would be harder to find again.
    if (is_name_free && !has_name && !store_name(storage, device.name))
        return state_failure("the device cannot be stored in " + path_);
    if (known && known->is_paired && known->generation > device.generation) return {};
    if (load_heir(storage)) return {};  // the device may know that key already
    if (!keystore::store_identity(storage, device.identity) ||
        !keystore::store_peer(storage,
                              {.is_paired = true,
                               .generation = device.generation,
                               .credential = device.credential,
                               .token_key = device.token_key.clone()}) ||
        !keystore::erase_token(storage))
        return state_failure("the device cannot be stored in " + path_);
    return {};
}

Outcome<> Home::erase_sessions(const std::string& device_path) const {
    std::error_code none;
    for (int slot = 0; slot < kSessionsMax; ++slot) {
        const std::string path = device_path + "/session-" + std::to_string(slot);
        if (!std::filesystem::exists(path, none)) continue;
        auto session = ports::FileStorage::open(path);
        if (!session && session.error().code == Error::Busy)
            return Failure{Trouble::State,
                           "a command still talks to a device; nothing was changed",
                           "Wait until it is done, or stop the watch, then try again"};
        if (!session) return state_failure(session.error().detail);
        if (!session->clear())
            return state_failure("an old session in " + path_ + " cannot be erased");
    }
    return {};
}

std::string Home::session_path(const framing::DeviceId& id, int slot) const {
    return device_path(id) + "/session-" + std::to_string(slot);
}

Outcome<std::unique_ptr<DeviceStorage>> Home::adopt_session(const framing::DeviceId& id,
                                                            ports::FileStorage session) const {
    // The other copy may have gone on with its numbers.
    if (session.is_copy() && !session.clear())
        return state_failure("an old session in " + path_ + " cannot be erased");
    return std::make_unique<DeviceStorage>(device_path(id) + "/device", std::move(session));
}

Outcome<std::unique_ptr<DeviceStorage>> Home::take_session(const framing::DeviceId& id) const {
    SOTTO_TRY_ASSIGN(const std::set<int> waiting, mail_slots(id));
    for (int slot = 0; slot < kSessionsMax; ++slot) {
        if (waiting.contains(slot)) continue;
        auto session = ports::FileStorage::open(session_path(id, slot));
        if (session) return adopt_session(id, *std::move(session));
        if (session.error().code != Error::Busy) return state_failure(session.error().detail);
    }
    return Failure{
        Trouble::State,
        std::to_string(kSessionsMax - waiting.size()) + " commands already talk to this device",
        "Wait until one of them is done, or stop a watch"};
}

Outcome<std::set<int>> Home::mail_slots(const framing::DeviceId& id) const {
    std::set<int> slots;
    SOTTO_TRY_ASSIGN(const std::vector<OutboxEntry> entries, outbox(id));
    for (const OutboxEntry& entry : entries) {
        if (!entry.has_ended()) slots.insert(entry.slot);
    }
    return slots;
}

Outcome<std::optional<Home::MailSession>> Home::take_mail_session(
    const framing::DeviceId& id) const {
    SOTTO_TRY_ASSIGN(const std::set<int> waiting, mail_slots(id));
    if (!waiting.empty()) {
        const int slot = *waiting.begin();
        SOTTO_TRY_ASSIGN(ports::FileStorage session, open_patiently(session_path(id, slot)));
        SOTTO_TRY_ASSIGN(auto storage, adopt_session(id, std::move(session)));
        return std::optional{MailSession{static_cast<std::uint8_t>(slot), std::move(storage)}};
    }
    std::error_code none;
    for (int slot = 0; slot < kSessionsMax; ++slot) {
        if (!std::filesystem::exists(session_path(id, slot), none)) continue;
        auto session = ports::FileStorage::open(session_path(id, slot));
        if (!session && session.error().code == Error::Busy) continue;
        if (!session) return state_failure(session.error().detail);
        SOTTO_TRY_ASSIGN(auto storage, adopt_session(id, *std::move(session)));
        if (!keystore::load_session(*storage, 0)) continue;
        return std::optional{MailSession{static_cast<std::uint8_t>(slot), std::move(storage)}};
    }
    return std::optional<MailSession>{};
}

Outcome<std::vector<OutboxEntry>> Home::outbox(const framing::DeviceId& id) const {
    const std::string path = device_path(id) + "/outbox";
    std::error_code none;
    if (!std::filesystem::exists(path, none)) return std::vector<OutboxEntry>{};
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(path));
    auto entries = load_outbox(storage);
    if (!entries) return state_failure(entries.error(), "the outbox of the device in " + path_);
    return *std::move(entries);
}

Outcome<> Home::add_to_outbox(const framing::DeviceId& id, OutboxEntry& entry) const {
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/outbox"));
    const Status added = add_outbox_entry(storage, entry);
    if (added) return {};
    if (added.error() == Error::Busy)
        return Failure{Trouble::Refused,
                       std::to_string(kOutboxMax) + " commands wait for this device already",
                       "See what became of them: sotto outbox"};
    return state_failure(added.error(), "the outbox of the device in " + path_);
}

Outcome<> Home::update_outbox(const framing::DeviceId& id, const OutboxEntry& entry) const {
    SOTTO_TRY_ASSIGN(ports::FileStorage storage, open_patiently(device_path(id) + "/outbox"));
    if (!store_outbox_entry(storage, entry))
        return state_failure("the outbox of the device in " + path_ + " cannot be written");
    return {};
}

Outcome<AppId> app_id_of(DeviceStorage& storage, hal::Entropy& entropy) {
    const auto known = load_app_id(storage);
    if (known) return *known;
    AppId id{};
    if (!entropy.fill(id) || !store_app_id(storage, id))
        return state_failure("the session's id cannot be stored");
    return id;
}

}  // namespace sotto::app
