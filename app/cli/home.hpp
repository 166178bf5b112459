// SPDX-License-Identifier: Apache-2.0
// The state folder of the app (docs/formats/app_state.md): its identity and login, the devices it
// knows, and for each device a few sessions, so that several commands can run at once. Allocates;
// blocks on the disk, and for a few seconds on another process.
#pragma once

#include <memory>
#include <optional>
#include <set>

#include "app/client/backup.hpp"
#include "app/client/failure.hpp"
#include "app/client/guest_list.hpp"
#include "app/client/invitation.hpp"
#include "app/client/outbox.hpp"
#include "app/client/records.hpp"
#include "core/base/hex.hpp"
#include "core/framing/frame.hpp"
#include "core/hal/entropy.hpp"
#include "core/keystore/records.hpp"
#include "core/session/tag_key.hpp"
#include "ports/linux/file_storage.hpp"

namespace sotto::app {

struct DeviceEntry {
    framing::DeviceId id{};
    std::string name;         // as the user calls it; may be empty
    bool is_paired = false;   // false: pairing was begun and its end was not seen
    bool is_damaged = false;  // its records cannot be read
    bool is_guest = false;    // it is another's, who has let us in

    // The name, or the id of a device without one.
    std::string shown_name() const { return name.empty() ? to_hex<std::string>(id) : name; }
};

// The records of one device together with one of its sessions, which nobody else uses.
class DeviceStorage final : public hal::Storage {
  public:
    DeviceStorage(std::string device_path, ports::FileStorage session)
        : device_path_(std::move(device_path)), session_(std::move(session)) {}

    Result<std::size_t> load(hal::RecordId id, MutBytes out) override;
    Status store(hal::RecordId id, Bytes record) override;
    Status erase(hal::RecordId id) override;

  private:
    std::string device_path_;  // opened for the moment only: other sessions use it too
    ports::FileStorage session_;
};

class Home {
  public:
    // At most so many commands can talk to one device at once; a device keeps as many sessions.
    static constexpr int kSessionsMax = 4;

    // Trouble::State for everything that goes wrong here, in each function.
    static Outcome<Home> open(const std::string& path);

    // Our key and credential; made at the first time.
    Outcome<keystore::Identity> identity(hal::Entropy& entropy) const;
    // The key that owns this device: one of its own after a takeover or an import, else identity().
    // Trouble::State also if a takeover was begun and its end is not known.
    Outcome<keystore::Identity> identity_of(const framing::DeviceId& id,
                                            hal::Entropy& entropy) const;

    // A takeover [SES-27]: the next key of the owner, stored before the device is told, and all of
    // it in its place afterwards. Begun again it is the same key.
    struct Takeover {
        keystore::Identity former;
        Heir heir;
    };
    Outcome<Takeover> begin_takeover(const framing::DeviceId& id, hal::Entropy& entropy) const;
    Outcome<> finish_takeover(const framing::DeviceId& id,
                              const Heir& heir,
                              std::uint32_t generation) const;

    Outcome<std::optional<Account>> account() const;
    Outcome<> store_account(const Account& account) const;
    // The login at the cloud where this device is; that of account() if nothing else is known.
    Outcome<std::optional<Account>> account_of(const framing::DeviceId& id) const;
    Outcome<> set_account_of(const framing::DeviceId& id, const Account& account) const;

    // Those that pairing was begun with, in the order of their names.
    Outcome<std::vector<DeviceEntry>> devices() const;
    // By name, id or the beginning of an id. Trouble::Usage if that is nobody or several.
    Outcome<DeviceEntry> find(const std::string& text) const;
    // Trouble::Usage if another device has the name, or if nobody could tell it from an id.
    Outcome<> check_name(const framing::DeviceId& id, const std::string& name) const;
    Outcome<> set_name(const framing::DeviceId& id, const std::string& name) const;

    // What is known of a device that was paired with. Trouble::Usage if we are not its owner.
    Outcome<keystore::PeerRecord> owned(const DeviceEntry& entry) const;
    // The key of its tags. Nothing if pairing was not finished, or if its owner has not given it.
    Outcome<std::optional<session::TagKey>> tag_key_of(const framing::DeviceId& id) const;
    // Puts down a device that its owner has let us use. Trouble::Usage if it is our own.
    Outcome<> accept(const Invitation& invitation) const;
    // To whom we have given access to a device.
    Outcome<std::vector<Guest>> guests(const framing::DeviceId& id) const;
    // Trouble::Refused if there are too many.
    Outcome<> add_guest(const framing::DeviceId& id, Guest& guest, std::uint32_t time) const;
    Outcome<> update_guest(const framing::DeviceId& id, const Guest& guest) const;

    // All devices of ours whose pairing was finished, with their owner's keys. Trouble::Usage if
    // there are none.
    Outcome<Backup> backup(hal::Entropy& entropy) const;
    // Puts back what a backup holds and erases every session. What is newer here stays: names, and
    // devices that were paired with or taken over again. No record is changed if a session is in
    // use. Cut short at any moment, it can be done again.
    Outcome<> restore(const Backup& backup) const;

    // A session that no other process uses, and no deferred command waits in.
    Outcome<std::unique_ptr<DeviceStorage>> take_session(const framing::DeviceId& id) const;
    // The session that deferred commands wait in, or else one that exists. Nothing if none exists.
    struct MailSession {
        std::uint8_t slot = 0;
        std::unique_ptr<DeviceStorage> storage;
    };
    Outcome<std::optional<MailSession>> take_mail_session(const framing::DeviceId& id) const;

    // The deferred commands of a device.
    Outcome<std::vector<OutboxEntry>> outbox(const framing::DeviceId& id) const;
    // Trouble::Refused if too many wait already.
    Outcome<> add_to_outbox(const framing::DeviceId& id, OutboxEntry& entry) const;
    Outcome<> update_outbox(const framing::DeviceId& id, const OutboxEntry& entry) const;

  private:
    explicit Home(std::string path) : path_(std::move(path)) {}

    std::string device_path(const framing::DeviceId& id) const;
    std::string session_path(const framing::DeviceId& id, int slot) const;
    Outcome<std::set<int>> mail_slots(const framing::DeviceId& id) const;
    Outcome<std::unique_ptr<DeviceStorage>> adopt_session(const framing::DeviceId& id,
                                                          ports::FileStorage session) const;
    // Without regard to a takeover.
    Outcome<keystore::Identity> owner_of(const framing::DeviceId& id, hal::Entropy& entropy) const;
    Outcome<> restore_device(const BackupDevice& device) const;
    Outcome<> erase_sessions(const std::string& device_path) const;

    std::string path_;
};

// The id of a session for the cloud; drawn at the first time.
Outcome<AppId> app_id_of(DeviceStorage& storage, hal::Entropy& entropy);

}  // namespace sotto::app
