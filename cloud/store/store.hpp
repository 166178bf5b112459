// SPDX-License-Identifier: Apache-2.0
// What the cloud remembers over a restart, whoever keeps it. The contract, which
// testing/store_contract.hpp checks for every implementation:
//
// - Nothing blocks. Each operation answers exactly once through `done`, on the owner's thread and
//   never before the call has returned, unless the store is destroyed first.
// - Operations take effect, and answer, in the order of their calls: what was written is read.
// - A write that answers success is durable: a crash or a power cut cannot undo it. One that
//   answers an error has changed nothing.
// - Every operation may answer Error::StorageFailed, or Error::Busy (too many are waiting), which
//   alone may overtake earlier answers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cloud/model/accounts.hpp"
#include "cloud/model/ids.hpp"
#include "cloud/model/records.hpp"
#include "cloud/model/tags.hpp"
#include "cloud/store/device_reader.hpp"
#include "cloud/store/limits.hpp"
#include "cloud/store/people_store.hpp"
#include "cloud/store/product_store.hpp"
#include "core/base/result.hpp"

namespace sotto::cloud::store {

// Runs a function on the owner's thread, later and in order. Must be callable from any thread.
using Executor = std::function<void(std::function<void()>)>;

class Store : public ProductStore, public PeopleStore {
  public:
    // Error::AlreadyExists if the name is taken.
    virtual void create_account(std::string name, Instant now, Done<model::AccountId> done) = 0;
    // Error::NotFound if no account has the name.
    virtual void find_account(std::string name, Done<model::AccountId> done) = 0;

    // Error::AlreadyExists if the hash, or the name with this kind and account, is taken;
    // Error::NotFound if there is no such account. Of the tokens given to programs the expired ones
    // of the account are erased, and the oldest makes room at kTokensPerAccountMax.
    virtual void add_token(model::Token token, Instant now, Done<void> done) = 0;
    // Error::NotFound if no token of this kind has this hash.
    virtual void find_token(const model::TokenHash& hash,
                            model::TokenKind kind,
                            Done<model::TokenHolder> done) = 0;

    // The name of an account leads to its password. Error::NotFound if there is no such account.
    virtual void find_login(std::string name, Done<model::Login> done) = 0;
    virtual void set_password(model::AccountId account, std::string password, Done<void> done) = 0;
    // From now on the account logs in with one-time passwords of this secret too; empty: without.
    // Both: Error::NotFound if there is no such account.
    virtual void set_otp_secret(model::AccountId account,
                                std::vector<std::uint8_t> secret,
                                Done<void> done) = 0;
    // The same password in another form, unless it is not `old` any more: Error::NotFound.
    virtual void renew_password(model::AccountId account,
                                std::string old,
                                std::string renewed,
                                Done<void> done) = 0;
    // The one-time password of this step was used. Error::Refused if that of this step, or of a
    // later one, was before: each is good once.
    virtual void use_otp(model::AccountId account, std::int64_t step, Done<void> done) = 0;
    // Whom a token of kind Account or Access stands for. Error::NotFound if it is unknown or has
    // expired.
    virtual void find_access(const model::TokenHash& hash,
                             Instant now,
                             Done<model::Access> done) = 0;
    // The same of a token of kind Refresh, which is erased: each is good once.
    virtual void take_refresh(const model::TokenHash& hash,
                              Instant now,
                              Done<model::Access> done) = 0;
    // Those of an account that have not expired, but its gateways' ones, the oldest first.
    virtual void list_tokens(model::AccountId account,
                             Instant now,
                             Done<std::vector<model::TokenInfo>> done) = 0;
    // Erases a token of kind Account, Access or Refresh, of this account if one is given.
    // Error::NotFound.
    virtual void erase_token(const model::TokenHash& hash,
                             std::optional<model::AccountId> account,
                             Done<void> done) = 0;
    // Erases all tokens of kind Access and Refresh of an account, and answers how many.
    virtual void erase_tokens(model::AccountId account, Done<std::size_t> done) = 0;

    // Open devices: each belongs to one account or to none. Whoever claims one has been found to
    // have it: it is connected, he has its key, or it showed his code.
    // Error::Refused if it is another account's, or a sealed device; his own stays as it is.
    virtual void claim_open_device(const model::DeviceId& device,
                                   model::AccountId account,
                                   Instant now,
                                   Done<model::OpenDeviceRecord> done) = 0;
    // A code for one device to show, under its hash. Error::NoSpace at `open_max` of the account.
    virtual void create_claim_code(model::OpenClaim claim,
                                   std::size_t open_max,
                                   Instant now,
                                   Done<void> done) = 0;
    // Gives the device to the account of the code, also if it was another's: who has it in his
    // hands gave it the code. Error::NotFound for a code of no use, Error::Refused for a sealed
    // device.
    virtual void redeem_claim_code(const model::TokenHash& hash,
                                   const model::DeviceId& device,
                                   Instant now,
                                   Done<model::OpenDeviceRecord> done) = 0;
    virtual void find_open_device(const model::DeviceId& device,
                                  Done<std::optional<model::OpenDeviceRecord>> done) = 0;
    // The open devices of an account, by id.
    virtual void list_open_devices(model::AccountId account,
                                   Done<std::vector<model::OpenDeviceRecord>> done) = 0;
    // Both: Error::NotFound if it is not a device of the account.
    virtual void update_open_device(model::AccountId account,
                                    const model::DeviceId& device,
                                    model::DeviceChanges changes,
                                    Done<model::OpenDeviceRecord> done) = 0;
    virtual void release_open_device(model::AccountId account,
                                     const model::DeviceId& device,
                                     Done<void> done) = 0;
    // Without effect on a device of nobody.
    virtual void save_traces(const model::DeviceId& device,
                             model::DeviceTraces traces,
                             Done<void> done) = 0;

    // A sealed device is among the open ones of its account while something of it is opened; once
    // it belongs to another account nothing is. Opening again takes the place of what was. The
    // credential of `opening` is not looked at, and that of the answer is the device's.
    // Error::NotFound if it is not a sealed device of the account, Error::NoSpace if that has
    // kOpenDevicesPerAccountMax.
    virtual void set_opening(model::Opening opening, Instant now, Done<model::Opening> done) = 0;
    // All of them, by device.
    virtual void list_openings(Done<std::vector<model::Opening>> done) = 0;
    // Error::NotFound.
    virtual void erase_opening(model::AccountId account,
                               const model::DeviceId& device,
                               Done<void> done) = 0;

    // The keys of the tags of sealed devices, as their owners give them. One that is given again
    // takes the place of the former one; it goes with the device to another account.
    // Error::NotFound if it is not a sealed device of the account, Error::NoSpace at
    // kTagKeysPerAccountMax.
    virtual void set_tag_key(model::TagKey key, Done<void> done) = 0;
    // By device.
    virtual void list_tag_keys(model::AccountId account, Done<std::vector<model::TagKey>> done) = 0;
    // Error::NotFound.
    virtual void erase_tag_key(model::AccountId account,
                               const model::DeviceId& device,
                               Done<void> done) = 0;

    // A key that a user gives makes a device his that nobody owns and that has none; of his own
    // device it takes the place of the old one. Error::Refused for another user's device, for one
    // that only the operator gave a key, and for a sealed one; Error::NoSpace if the account has
    // kOpenDevicesPerAccountMax.
    virtual void provision_device(model::DeviceKey key,
                                  model::AccountId account,
                                  Done<model::OpenDeviceRecord> done) = 0;
    // The public keys of legacy devices, one for each. A new one takes the place of the old one,
    // and of all that are pending for it.
    virtual void set_device_key(model::DeviceKey key, Done<void> done) = 0;
    // Error::AlreadyExists if the device has a key, Error::NoSpace if `count_max` devices have.
    virtual void add_device_key(model::DeviceKey key, std::size_t count_max, Done<void> done) = 0;
    virtual void find_device_key(const model::DeviceId& device,
                                 Done<std::optional<model::DeviceKey>> done) = 0;
    // Must not outlive the store. What cannot be opened fails at its first find().
    virtual std::unique_ptr<DeviceReader> make_device_reader() = 0;
    // By id.
    virtual void list_device_keys(Done<std::vector<model::DeviceKey>> done) = 0;
    // Error::NotFound if it has none.
    virtual void erase_device_key(const model::DeviceId& device, Done<void> done) = 0;

    // Keys that devices have shown and that are not theirs yet, for the operator to approve: what
    // somebody shows proves nothing. One that is shown again is as new. At kPendingKeysMax, and of
    // one device at kPendingKeysPerDeviceMax, the one that was shown longest ago makes room.
    virtual void add_pending_key(model::DeviceKey key, Done<void> done) = 0;
    // By device, and of each the newest first.
    virtual void list_pending_keys(Done<std::vector<model::DeviceKey>> done) = 0;

    // Integrations. Error::NoSpace if the account has kHooksPerAccountMax, or definitions of more
    // than kHookBytesPerAccountMax together.
    virtual void add_hook(model::HookRecord hook, Done<void> done) = 0;
    // Its definition and when that came. Error::NotFound if it is none of the account, and
    // Error::NoSpace.
    virtual void update_hook(model::HookRecord hook, Done<void> done) = 0;
    virtual void erase_hook(model::AccountId account, const model::HookId& id, Done<void> done) = 0;
    // Of all accounts, in the order of their coming.
    virtual void list_hooks(Done<std::vector<model::HookRecord>> done) = 0;

    // The oldest entries make room at kAuditEntriesMax, those of its account at
    // kAuditEntriesPerAccountMax.
    virtual void add_audit(model::AuditEntry entry, Done<void> done) = 0;
    // The newest first; of one account, or of all.
    virtual void list_audit(std::optional<model::AccountId> account,
                            std::size_t count_max,
                            Done<std::vector<model::AuditEntry>> done) = 0;

    // A claim is there to be redeemed once, before it expires; expired ones may be forgotten.
    // Error::AlreadyExists for a known code, Error::NoSpace if the account has `open_max`
    // unredeemed and unexpired ones.
    virtual void create_claim(model::Claim claim,
                              std::size_t open_max,
                              Instant now,
                              Done<void> done) = 0;
    // Registers a device that has proved `credential` to the account of the claim; also if it was
    // another's before, for its owner gave it the claim, and then its mailbox is emptied and the
    // senders get notices.
    // A device that shows a claim of no use (unknown, expired, redeemed) stays registered as it is.
    // Error::Refused if the id is known with another credential, Error::NotFound if the claim is of
    // no use and the device is not registered.
    virtual void redeem_claim(const model::ClaimCode& code,
                              const model::DeviceId& device,
                              const model::CredentialHash& credential,
                              Instant now,
                              Done<model::Registration> done) = 0;

    // The registration, if there is one, and all labels of a device, by label.
    virtual void load_device(const model::DeviceId& device, Done<model::DeviceRecord> done) = 0;
    // The devices of an account, by id.
    virtual void list_devices(model::AccountId account,
                              Done<std::vector<model::Registration>> done) = 0;

    // The label of an app at a device, allocated now if it has none. Never below kLabelAppFirst.
    virtual void allocate_label(const model::DeviceId& device,
                                const model::AppAddress& app,
                                Done<model::Label> done) = 0;

    // Error::NoSpace if the mailbox would exceed its limits, where what has expired at stored_at
    // counts no more, or the mailboxes of the account theirs, where it counts until it is purged.
    // Error::Refused for a letter to a device that is not registered to the account of the app.
    // The sequence is above every one given before.
    struct PutLimits {
        model::MailboxLimits mailbox;
        model::MailboxLimits account = kAccountMail;
    };
    virtual void put(model::Letter letter, PutLimits limits, Done<model::Sequence> done) = 0;
    // Unexpired letters above `after`, by sequence, at most `count_max`.
    virtual void list(const model::Mailbox& mailbox,
                      model::Sequence after,
                      std::size_t count_max,
                      Instant now,
                      Done<std::vector<model::StoredLetter>> done) = 0;
    // Erases the letters up to and including `last`.
    virtual void erase(const model::Mailbox& mailbox, model::Sequence last, Done<void> done) = 0;
    // Erases these letters and no others.
    virtual void erase_each(const model::Mailbox& mailbox,
                            std::vector<model::Sequence> sequences,
                            Done<void> done) = 0;
    // Erases what expired, in all mailboxes, those first that expired first, at most
    // kPurgeCountMax. Whoever sent one of them to a device gets a notice, if his mailbox has room.
    // Nobody is told of what became of a notice, or of a letter to an app.
    virtual void purge(Instant now, Done<model::Purged> done) = 0;

    // An opaque record for each device: the cloud's own session with it.
    virtual void save_link_context(const model::DeviceId& device,
                                   std::vector<std::uint8_t> context,
                                   Done<void> done) = 0;
    virtual void load_link_context(const model::DeviceId& device,
                                   Done<std::optional<std::vector<std::uint8_t>>> done) = 0;
    virtual void erase_link_context(const model::DeviceId& device, Done<void> done) = 0;
    // All of them: where the cloud may have gone on elsewhere, no session may be resumed.
    virtual void erase_link_contexts(Done<void> done) = 0;

    virtual void set_setting(std::string name, std::string value, Done<void> done) = 0;
    virtual void get_setting(std::string name, Done<std::optional<std::string>> done) = 0;
};

}  // namespace sotto::cloud::store
