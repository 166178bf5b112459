// SPDX-License-Identifier: Apache-2.0
// The Store in one SQLite file: WAL, synchronous=FULL, one writer thread with group commit
// (docs/formats/database.md). Other programs may open the same file at the same time.
#pragma once

#include <memory>
#include <string>

#include "cloud/store/arrivals.hpp"
#include "cloud/store/store.hpp"
#include "cloud/store_sqlite/writer_thread.hpp"

namespace sotto::cloud::store_sqlite {

struct Options {
    Database::Mode mode = Database::Mode::Open;
    Duration busy_timeout = seconds(5);  // how long to wait for another program
};

class SqliteStore final : public store::Store {
  public:
    // Opens, checks and migrates the database at `path`; blocks. Error::NotFound, ::AlreadyExists,
    // ::Busy (locked), ::Malformed (damaged), ::Unsupported (not ours, or newer), ::StorageFailed;
    // the detail says what to do.
    static Result<std::unique_ptr<SqliteStore>, Failure> open(const std::string& path,
                                                              Options options,
                                                              store::Executor executor);

    void create_account(std::string name, Instant now, store::Done<model::AccountId> done) override;
    void find_account(std::string name, store::Done<model::AccountId> done) override;
    void add_token(model::Token token, Instant now, store::Done<void> done) override;
    void find_token(const model::TokenHash& hash,
                    model::TokenKind kind,
                    store::Done<model::TokenHolder> done) override;
    void find_login(std::string name, store::Done<model::Login> done) override;
    void set_password(model::AccountId account,
                      std::string password,
                      store::Done<void> done) override;
    void renew_password(model::AccountId account,
                        std::string old,
                        std::string renewed,
                        store::Done<void> done) override;
    void set_otp_secret(model::AccountId account,
                        std::vector<std::uint8_t> secret,
                        store::Done<void> done) override;
    void use_otp(model::AccountId account, std::int64_t step, store::Done<void> done) override;
    void find_access(const model::TokenHash& hash,
                     Instant now,
                     store::Done<model::Access> done) override;
    void take_refresh(const model::TokenHash& hash,
                      Instant now,
                      store::Done<model::Access> done) override;
    void list_tokens(model::AccountId account,
                     Instant now,
                     store::Done<std::vector<model::TokenInfo>> done) override;
    void erase_token(const model::TokenHash& hash,
                     std::optional<model::AccountId> account,
                     store::Done<void> done) override;
    void erase_tokens(model::AccountId account, store::Done<std::size_t> done) override;
    void claim_open_device(const model::DeviceId& device,
                           model::AccountId account,
                           Instant now,
                           store::Done<model::OpenDeviceRecord> done) override;
    void create_claim_code(model::OpenClaim claim,
                           std::size_t open_max,
                           Instant now,
                           store::Done<void> done) override;
    void redeem_claim_code(const model::TokenHash& hash,
                           const model::DeviceId& device,
                           Instant now,
                           store::Done<model::OpenDeviceRecord> done) override;
    void find_open_device(const model::DeviceId& device,
                          store::Done<std::optional<model::OpenDeviceRecord>> done) override;
    void list_open_devices(model::AccountId account,
                           store::Done<std::vector<model::OpenDeviceRecord>> done) override;
    void update_open_device(model::AccountId account,
                            const model::DeviceId& device,
                            model::DeviceChanges changes,
                            store::Done<model::OpenDeviceRecord> done) override;
    void release_open_device(model::AccountId account,
                             const model::DeviceId& device,
                             store::Done<void> done) override;
    void set_opening(model::Opening opening,
                     Instant now,
                     store::Done<model::Opening> done) override;
    void list_openings(store::Done<std::vector<model::Opening>> done) override;
    void set_tag_key(model::TagKey key, store::Done<void> done) override;
    void list_tag_keys(model::AccountId account,
                       store::Done<std::vector<model::TagKey>> done) override;
    void erase_tag_key(model::AccountId account,
                       const model::DeviceId& device,
                       store::Done<void> done) override;
    void erase_opening(model::AccountId account,
                       const model::DeviceId& device,
                       store::Done<void> done) override;
    void save_traces(const model::DeviceId& device,
                     model::DeviceTraces traces,
                     store::Done<void> done) override;
    void provision_device(model::DeviceKey key,
                          model::AccountId account,
                          store::Done<model::OpenDeviceRecord> done) override;
    void set_device_key(model::DeviceKey key, store::Done<void> done) override;
    void add_device_key(model::DeviceKey key,
                        std::size_t count_max,
                        store::Done<void> done) override;
    void find_device_key(const model::DeviceId& device,
                         store::Done<std::optional<model::DeviceKey>> done) override;
    std::unique_ptr<store::DeviceReader> make_device_reader() override;
    void list_device_keys(store::Done<std::vector<model::DeviceKey>> done) override;
    void add_pending_key(model::DeviceKey key, store::Done<void> done) override;
    void list_pending_keys(store::Done<std::vector<model::DeviceKey>> done) override;
    void erase_device_key(const model::DeviceId& device, store::Done<void> done) override;
    void add_hook(model::HookRecord hook, store::Done<void> done) override;
    void update_hook(model::HookRecord hook, store::Done<void> done) override;
    void erase_hook(model::AccountId account,
                    const model::HookId& id,
                    store::Done<void> done) override;
    void list_hooks(store::Done<std::vector<model::HookRecord>> done) override;
    void add_product(model::ProductRecord product, store::Done<void> done) override;
    void update_product(model::ProductRecord product, store::Done<void> done) override;
    void erase_product(model::AccountId account,
                       model::ProductId product,
                       store::Done<void> done) override;
    void list_products(store::Done<std::vector<model::ProductRecord>> done) override;
    void add_group(model::AccountId account,
                   model::GroupRecord group,
                   store::Done<void> done) override;
    void update_group(model::AccountId account,
                      std::string name,
                      model::GroupRecord group,
                      store::Done<void> done) override;
    void erase_group(model::AccountId account,
                     model::ProductId product,
                     std::string name,
                     store::Done<void> done) override;
    void list_groups(store::Done<std::vector<model::GroupRecord>> done) override;
    void add_product_device(model::AccountId account,
                            model::ProductDevice device,
                            store::Done<model::ProductDevice> done) override;
    void update_product_device(model::AccountId account,
                               model::ProductId product,
                               model::DeviceId device,
                               model::ProductDeviceChanges changes,
                               store::Done<model::ProductDevice> done) override;
    void erase_product_device(model::AccountId account,
                              model::ProductId product,
                              model::DeviceId device,
                              store::Done<void> done) override;
    void list_product_devices(store::Done<std::vector<model::ProductDevice>> done) override;
    void add_firmware(model::AccountId account,
                      model::FirmwareRecord firmware,
                      std::vector<std::uint8_t> image,
                      store::Done<void> done) override;
    void update_firmware(model::AccountId account,
                         model::FirmwareRecord firmware,
                         store::Done<void> done) override;
    void erase_firmware(model::AccountId account,
                        model::ProductId product,
                        model::FirmwareVersion version,
                        store::Done<void> done) override;
    void load_firmware(model::AccountId account,
                       model::ProductId product,
                       model::FirmwareVersion version,
                       store::Done<std::vector<std::uint8_t>> done) override;
    void list_firmware(store::Done<std::vector<model::FirmwareRecord>> done) override;
    void add_release(model::AccountId account,
                     model::ReleaseRecord release,
                     store::Done<model::ReleaseRecord> done) override;
    void update_release(model::AccountId account,
                        model::ReleaseRecord release,
                        store::Done<void> done) override;
    void list_releases(store::Done<std::vector<model::ReleaseRecord>> done) override;
    void add_client(model::ClientRecord client, store::Done<void> done) override;
    void update_client(model::ClientRecord client, store::Done<void> done) override;
    void erase_client(model::AccountId account, std::string id, store::Done<void> done) override;
    void find_client(std::string id, store::Done<model::ClientRecord> done) override;
    void list_clients(model::AccountId account,
                      store::Done<std::vector<model::ClientRecord>> done) override;
    void add_audit(model::AuditEntry entry, store::Done<void> done) override;
    void list_audit(std::optional<model::AccountId> account,
                    std::size_t count_max,
                    store::Done<std::vector<model::AuditEntry>> done) override;
    void create_claim(model::Claim claim,
                      std::size_t open_max,
                      Instant now,
                      store::Done<void> done) override;
    void redeem_claim(const model::ClaimCode& code,
                      const model::DeviceId& device,
                      const model::CredentialHash& credential,
                      Instant now,
                      store::Done<model::Registration> done) override;
    void load_device(const model::DeviceId& device, store::Done<model::DeviceRecord> done) override;
    void list_devices(model::AccountId account,
                      store::Done<std::vector<model::Registration>> done) override;
    void allocate_label(const model::DeviceId& device,
                        const model::AppAddress& app,
                        store::Done<model::Label> done) override;
    void put(model::Letter letter, PutLimits limits, store::Done<model::Sequence> done) override;
    void list(const model::Mailbox& mailbox,
              model::Sequence after,
              std::size_t count_max,
              Instant now,
              store::Done<std::vector<model::StoredLetter>> done) override;
    void erase(const model::Mailbox& mailbox,
               model::Sequence last,
               store::Done<void> done) override;
    void erase_each(const model::Mailbox& mailbox,
                    std::vector<model::Sequence> sequences,
                    store::Done<void> done) override;
    void purge(Instant now, store::Done<model::Purged> done) override;
    void save_link_context(const model::DeviceId& device,
                           std::vector<std::uint8_t> context,
                           store::Done<void> done) override;
    void load_link_context(const model::DeviceId& device,
                           store::Done<std::optional<std::vector<std::uint8_t>>> done) override;
    void erase_link_context(const model::DeviceId& device, store::Done<void> done) override;
    void erase_link_contexts(store::Done<void> done) override;
    void set_setting(std::string name, std::string value, store::Done<void> done) override;
    void get_setting(std::string name, store::Done<std::optional<std::string>> done) override;
    void list_accounts(store::Done<std::vector<model::AccountInfo>> done) override;
    void update_account(model::AccountId account,
                        model::AccountChanges changes,
                        store::Done<void> done) override;
    void erase_account(model::AccountId account, store::Done<void> done) override;
    void list_api_users(model::AccountId account,
                        model::ProductId product,
                        store::Done<std::vector<model::TokenInfo>> done) override;
    void renew_api_user(model::Token token, Instant now, store::Done<void> done) override;
    void update_api_user(model::Token token, store::Done<void> done) override;
    void erase_api_user(model::AccountId account,
                        model::ProductId product,
                        std::string name,
                        store::Done<void> done) override;
    void find_environment(model::AccountId account,
                          model::ProductId product,
                          std::optional<model::DeviceId> device,
                          store::Done<model::EnvironmentRecord> done) override;
    void save_environment(model::EnvironmentRecord record, store::Done<void> done) override;

    // What comes from another server, all of it or nothing, and what becomes of each; with
    // `is_trial` nothing of it comes. For a cloud that nobody runs meanwhile.
    void take(store::Arrivals arrivals, bool is_trial, store::Done<store::Arrived> done);

    // May be called from any thread.
    store::Statistics statistics() { return writer_.statistics(); }

  private:
    SqliteStore(std::string path, std::unique_ptr<Database> database, store::Executor executor)
        : path_(std::move(path)), writer_(std::move(database), std::move(executor)) {}

    template <class T, class Work>
    void submit(bool writes, store::Done<T> done, Work work);

    const std::string path_;
    WriterThread writer_;
};

}  // namespace sotto::cloud::store_sqlite
