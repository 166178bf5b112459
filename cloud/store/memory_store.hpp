// SPDX-License-Identifier: Apache-2.0
// A Store in memory, for simulations and tests: it forgets everything with its process.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "cloud/store/store.hpp"

namespace sotto::cloud::store {

class MemoryStore final : public Store {
  public:
    explicit MemoryStore(Executor executor) : executor_(std::move(executor)) {}

    void create_account(std::string name, Instant now, Done<model::AccountId> done) override;
    void find_account(std::string name, Done<model::AccountId> done) override;
    void add_token(model::Token token, Instant now, Done<void> done) override;
    void find_token(const model::TokenHash& hash,
                    model::TokenKind kind,
                    Done<model::TokenHolder> done) override;
    void find_login(std::string name, Done<model::Login> done) override;
    void set_password(model::AccountId account, std::string password, Done<void> done) override;
    void renew_password(model::AccountId account,
                        std::string old,
                        std::string renewed,
                        Done<void> done) override;
    void set_otp_secret(model::AccountId account,
                        std::vector<std::uint8_t> secret,
                        Done<void> done) override;
    void use_otp(model::AccountId account, std::int64_t step, Done<void> done) override;
    void find_access(const model::TokenHash& hash, Instant now, Done<model::Access> done) override;
    void take_refresh(const model::TokenHash& hash, Instant now, Done<model::Access> done) override;
    void list_tokens(model::AccountId account,
                     Instant now,
                     Done<std::vector<model::TokenInfo>> done) override;
    void erase_token(const model::TokenHash& hash,
                     std::optional<model::AccountId> account,
                     Done<void> done) override;
    void erase_tokens(model::AccountId account, Done<std::size_t> done) override;
    void claim_open_device(const model::DeviceId& device,
                           model::AccountId account,
                           Instant now,
                           Done<model::OpenDeviceRecord> done) override;
    void create_claim_code(model::OpenClaim claim,
                           std::size_t open_max,
                           Instant now,
                           Done<void> done) override;
    void redeem_claim_code(const model::TokenHash& hash,
                           const model::DeviceId& device,
                           Instant now,
                           Done<model::OpenDeviceRecord> done) override;
    void find_open_device(const model::DeviceId& device,
                          Done<std::optional<model::OpenDeviceRecord>> done) override;
    void list_open_devices(model::AccountId account,
                           Done<std::vector<model::OpenDeviceRecord>> done) override;
    void update_open_device(model::AccountId account,
                            const model::DeviceId& device,
                            model::DeviceChanges changes,
                            Done<model::OpenDeviceRecord> done) override;
    void release_open_device(model::AccountId account,
                             const model::DeviceId& device,
                             Done<void> done) override;
    void set_opening(model::Opening opening, Instant now, Done<model::Opening> done) override;
    void list_openings(Done<std::vector<model::Opening>> done) override;
    void set_tag_key(model::TagKey key, Done<void> done) override;
    void list_tag_keys(model::AccountId account, Done<std::vector<model::TagKey>> done) override;
    void erase_tag_key(model::AccountId account,
                       const model::DeviceId& device,
                       Done<void> done) override;
    void erase_opening(model::AccountId account,
                       const model::DeviceId& device,
                       Done<void> done) override;
    void save_traces(const model::DeviceId& device,
                     model::DeviceTraces traces,
                     Done<void> done) override;
    void provision_device(model::DeviceKey key,
                          model::AccountId account,
                          Done<model::OpenDeviceRecord> done) override;
    void set_device_key(model::DeviceKey key, Done<void> done) override;
    void add_device_key(model::DeviceKey key, std::size_t count_max, Done<void> done) override;
    void find_device_key(const model::DeviceId& device,
                         Done<std::optional<model::DeviceKey>> done) override;
    std::unique_ptr<DeviceReader> make_device_reader() override;
    void list_device_keys(Done<std::vector<model::DeviceKey>> done) override;
    void add_pending_key(model::DeviceKey key, Done<void> done) override;
    void list_pending_keys(Done<std::vector<model::DeviceKey>> done) override;
    void erase_device_key(const model::DeviceId& device, Done<void> done) override;
    void add_hook(model::HookRecord hook, Done<void> done) override;
    void update_hook(model::HookRecord hook, Done<void> done) override;
    void erase_hook(model::AccountId account, const model::HookId& id, Done<void> done) override;
    void list_hooks(Done<std::vector<model::HookRecord>> done) override;
    void add_product(model::ProductRecord product, Done<void> done) override;
    void update_product(model::ProductRecord product, Done<void> done) override;
    void erase_product(model::AccountId account,
                       model::ProductId product,
                       Done<void> done) override;
    void list_products(Done<std::vector<model::ProductRecord>> done) override;
    void add_group(model::AccountId account, model::GroupRecord group, Done<void> done) override;
    void update_group(model::AccountId account,
                      std::string name,
                      model::GroupRecord group,
                      Done<void> done) override;
    void erase_group(model::AccountId account,
                     model::ProductId product,
                     std::string name,
                     Done<void> done) override;
    void list_groups(Done<std::vector<model::GroupRecord>> done) override;
    void add_product_device(model::AccountId account,
                            model::ProductDevice device,
                            Done<model::ProductDevice> done) override;
    void update_product_device(model::AccountId account,
                               model::ProductId product,
                               model::DeviceId device,
                               model::ProductDeviceChanges changes,
                               Done<model::ProductDevice> done) override;
    void erase_product_device(model::AccountId account,
                              model::ProductId product,
                              model::DeviceId device,
                              Done<void> done) override;
    void list_product_devices(Done<std::vector<model::ProductDevice>> done) override;
    void add_firmware(model::AccountId account,
                      model::FirmwareRecord firmware,
                      std::vector<std::uint8_t> image,
                      Done<void> done) override;
    void update_firmware(model::AccountId account,
                         model::FirmwareRecord firmware,
                         Done<void> done) override;
    void erase_firmware(model::AccountId account,
                        model::ProductId product,
                        model::FirmwareVersion version,
                        Done<void> done) override;
    void load_firmware(model::AccountId account,
                       model::ProductId product,
                       model::FirmwareVersion version,
                       Done<std::vector<std::uint8_t>> done) override;
    void list_firmware(Done<std::vector<model::FirmwareRecord>> done) override;
    void add_release(model::AccountId account,
                     model::ReleaseRecord release,
                     Done<model::ReleaseRecord> done) override;
    void update_release(model::AccountId account,
                        model::ReleaseRecord release,
                        Done<void> done) override;
    void list_releases(Done<std::vector<model::ReleaseRecord>> done) override;
    void add_client(model::ClientRecord client, Done<void> done) override;
    void update_client(model::ClientRecord client, Done<void> done) override;
    void erase_client(model::AccountId account, std::string id, Done<void> done) override;
    void find_client(std::string id, Done<model::ClientRecord> done) override;
    void list_clients(model::AccountId account,
                      Done<std::vector<model::ClientRecord>> done) override;
    void add_audit(model::AuditEntry entry, Done<void> done) override;
    void list_audit(std::optional<model::AccountId> account,
                    std::size_t count_max,
                    Done<std::vector<model::AuditEntry>> done) override;
    void create_claim(model::Claim claim,
                      std::size_t open_max,
                      Instant now,
                      Done<void> done) override;
    void redeem_claim(const model::ClaimCode& code,
                      const model::DeviceId& device,
                      const model::CredentialHash& credential,
                      Instant now,
                      Done<model::Registration> done) override;
    void load_device(const model::DeviceId& device, Done<model::DeviceRecord> done) override;
    void list_devices(model::AccountId account,
                      Done<std::vector<model::Registration>> done) override;
    void allocate_label(const model::DeviceId& device,
                        const model::AppAddress& app,
                        Done<model::Label> done) override;
    void put(model::Letter letter, PutLimits limits, Done<model::Sequence> done) override;
    void list(const model::Mailbox& mailbox,
              model::Sequence after,
              std::size_t count_max,
              Instant now,
              Done<std::vector<model::StoredLetter>> done) override;
    void erase(const model::Mailbox& mailbox, model::Sequence last, Done<void> done) override;
    void erase_each(const model::Mailbox& mailbox,
                    std::vector<model::Sequence> sequences,
                    Done<void> done) override;
    void purge(Instant now, Done<model::Purged> done) override;
    void save_link_context(const model::DeviceId& device,
                           std::vector<std::uint8_t> context,
                           Done<void> done) override;
    void load_link_context(const model::DeviceId& device,
                           Done<std::optional<std::vector<std::uint8_t>>> done) override;
    void erase_link_context(const model::DeviceId& device, Done<void> done) override;
    void erase_link_contexts(Done<void> done) override;
    void set_setting(std::string name, std::string value, Done<void> done) override;
    void get_setting(std::string name, Done<std::optional<std::string>> done) override;

    void list_accounts(Done<std::vector<model::AccountInfo>> done) override;
    void update_account(model::AccountId account,
                        model::AccountChanges changes,
                        Done<void> done) override;
    void erase_account(model::AccountId account, Done<void> done) override;
    void list_api_users(model::AccountId account,
                        model::ProductId product,
                        Done<std::vector<model::TokenInfo>> done) override;
    void renew_api_user(model::Token token, Instant now, Done<void> done) override;
    void update_api_user(model::Token token, Done<void> done) override;
    void erase_api_user(model::AccountId account,
                        model::ProductId product,
                        std::string name,
                        Done<void> done) override;
    void find_environment(model::AccountId account,
                          model::ProductId product,
                          std::optional<model::DeviceId> device,
                          Done<model::EnvironmentRecord> done) override;
    void save_environment(model::EnvironmentRecord record, Done<void> done) override;

    // Every operation from now on answers this error and changes nothing, until nullopt is given.
    void fail_with(std::optional<Error> error) { failure_ = error; }
    std::size_t operation_count() const { return operation_count_; }

  private:
    struct ClaimEntry {
        model::Claim claim;
        std::optional<model::DeviceId> redeemed_by;
    };
    using Letters = std::map<model::Sequence, model::Letter>;

    struct StoredToken {
        model::Token token;
        Instant created_at;
    };
    struct AccountEntry {
        model::AccountId account;
        std::string password{};
        std::vector<std::uint8_t> otp_secret{};
        std::int64_t otp_step = -1;  // the last one that was used
        Instant created_at{};
        bool is_administrator = false;
        bool is_disabled = false;
    };

    model::Access access_of(const model::Token& token) const;
    static model::TokenInfo info_of(const model::TokenHash& hash, const StoredToken& stored);
    void make_room_for_token(const model::Token& token, Instant now);
    std::size_t count_open_devices(model::AccountId account) const;
    Result<model::OpenDeviceRecord> give(const model::DeviceId& device,
                                         model::AccountId account,
                                         Instant now);

    bool has_room_for(const model::HookRecord& hook) const;

    template <class T, class Work>
    void answer(const Done<T>& done, const Work& work);
    Result<model::Registration> redeem(const model::ClaimCode& code,
                                       const model::DeviceId& device,
                                       const model::CredentialHash& credential,
                                       Instant now);
    Status check_room(const model::Letter& letter, const PutLimits& limits);
    bool tell_sender(const model::Letter& letter, model::LetterKind kind, Instant now);
    model::Label label_of(const model::DeviceId& device, const model::AppAddress& app);

    Executor executor_;
    std::mutex mutex_;  // of readers in other threads
    std::optional<Error> failure_;
    std::size_t operation_count_ = 0;
    std::map<std::string, AccountEntry> accounts_;
    std::int64_t last_account_ = 0;
    std::map<model::TokenHash, StoredToken> tokens_;
    std::map<model::DeviceId, model::OpenDeviceRecord> open_devices_;
    std::map<model::DeviceId, model::Opening> openings_;
    std::map<model::DeviceId, model::TagKey> tag_keys_;
    std::vector<model::DeviceKey> pending_keys_;  // the one that was shown longest ago first
    void put_device_key(const model::DeviceKey& key);
    std::map<model::TokenHash, model::OpenClaim> open_claims_;
    std::map<model::DeviceId, model::DeviceKey> device_keys_;
    std::vector<model::HookRecord> hooks_;  // in the order of their coming
    std::map<model::ProductId, model::ProductRecord> products_;
    std::map<std::pair<model::ProductId, std::string>, model::GroupRecord> groups_;
    std::map<std::pair<model::ProductId, model::DeviceId>, model::ProductDevice> product_devices_;
    struct FirmwareEntry {
        model::FirmwareRecord record;
        std::vector<std::uint8_t> image;
    };
    std::map<std::pair<model::ProductId, model::FirmwareVersion>, FirmwareEntry> firmware_;
    std::vector<model::ReleaseRecord> releases_;
    std::int64_t last_release_ = 0;
    std::vector<model::ClientRecord> clients_;  // in the order of their coming
    struct EnvironmentPlace {
        model::AccountId account;
        model::ProductId product;
        std::optional<model::DeviceId> device;
        friend auto operator<=>(const EnvironmentPlace&, const EnvironmentPlace&) = default;
    };
    std::map<EnvironmentPlace, model::EnvironmentRecord> environments_;
    StoredToken* find_api_user(model::AccountId account,
                               std::uint16_t product,
                               const std::string& name);
    bool has_room_for_api_user(const model::Token& token) const;
    bool is_disabled(model::AccountId account) const;
    bool has_product(model::AccountId account, model::ProductId product) const;
    void drop_product(model::ProductId product);
    void rename_group(model::ProductId product, const std::string& from, const std::string& to);
    std::deque<model::AuditEntry> audit_;
    std::map<model::ClaimCode, ClaimEntry> claims_;
    std::map<model::DeviceId, model::Registration> devices_;
    // In the order of allocation.
    std::map<model::DeviceId, std::vector<model::LabelEntry>> labels_;
    std::map<model::Mailbox, Letters> mailboxes_;
    std::uint64_t sequence_last_ = 0;
    std::map<model::DeviceId, std::vector<std::uint8_t>> link_contexts_;
    std::map<std::string, std::string> settings_;
};

// Works now, answers later: the order of effects is the order of calls.
template <class T, class Work>
void MemoryStore::answer(const Done<T>& done, const Work& work) {
    operation_count_++;
    Result<T> result = [&] {
        const std::scoped_lock lock{mutex_};
        return failure_ ? Result<T>{*failure_} : Result<T>{work()};
    }();
    executor_([done, result = std::move(result)]() mutable { done(std::move(result)); });
}

}  // namespace sotto::cloud::store
