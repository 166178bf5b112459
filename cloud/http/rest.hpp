// SPDX-License-Identifier: Apache-2.0
// REST as the clients of Particle devices speak it (docs/api/rest.md): users and their tokens,
// devices, functions, variables and events. Who may ask is found out here, and every look-up names
// his account. No sockets. Allocates; does not block; a request waits for the store, for a password
// to be checked, or for a device.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "cloud/hooks/dispatcher.hpp"
#include "cloud/http/fields.hpp"
#include "cloud/http/guard.hpp"
#include "cloud/http/multipart.hpp"
#include "cloud/http/request.hpp"
#include "cloud/services/admission.hpp"
#include "cloud/services/fleet.hpp"
#include "cloud/services/open_devices.hpp"
#include "cloud/services/rollouts.hpp"
#include "cloud/services/updates.hpp"
#include "cloud/store/store.hpp"

namespace sotto::cloud::http {

// A request on its way.
struct Call {
    Request request;
    std::vector<std::string> places{};  // what stands for the parts of the path with a colon
    Fields query{};
    Fields body{};
    std::vector<Part> files{};  // of the body of the request
    model::TokenHash token{};
    model::Access access{};
    Done done{};
    model::ProductId product{};  // that the path names; 0: none

    std::string field(std::string_view name) const;
};
using CallPtr = std::shared_ptr<Call>;
struct Import;  // of devices into a product

// What a firmware says of itself; nothing of what it does not say.
struct FirmwareFacts {
    std::optional<std::uint16_t> platform{};
    std::optional<std::uint16_t> product{};
    std::optional<std::uint16_t> version{};  // of the product
};

// What was found out about a device, once.
struct Diagnosis {
    Instant at{};
    Instant connected_at{};
    Duration round_trip{};
    services::OpenDevices::Tally tally{};
    std::string address{};
    std::string system_version{};
    std::uint16_t firmware_version = 0;
};

class Rest {
  public:
    struct Config {
        std::function<model::TokenHash(std::string_view)> hash_token;
        // Bytes fit for keys.
        std::function<Status(MutBytes)> draw;
        // May be answered late, and Error::Busy.
        std::function<void(
            std::string password, std::string line, std::function<void(Result<bool>)>)>
            check_password;
        std::function<void(std::string password, std::function<void(Result<std::string>)>)>
            hash_password;
        // Whether this line of a password should become one of hash_password(). None: no line.
        std::function<bool(std::string_view line)> is_outdated{};
        // The step whose one-time password this is; nothing: of none that is good now.
        std::function<std::optional<std::int64_t>(Bytes secret, std::string_view otp, Instant now)>
            check_otp;
        // The public key of a legacy device in this PEM, as the store keeps it.
        std::function<Result<std::vector<std::uint8_t>>(std::string_view pem)> read_device_key;
        std::function<bool(const model::DeviceId&)> is_sealed_connected;
        // It is no open device any more: what there is of it here ends.
        std::function<void(const model::DeviceId&)> on_released{};
        // Nobody has access as this account any more: what is open for it ends.
        std::function<void(model::AccountId)> on_locked_out{};
        std::function<Instant()> now;
        services::Updates* updates = nullptr;  // none: devices are not updated
        // Products; all four or none.
        services::Fleet* fleet = nullptr;
        services::Admission* admission = nullptr;
        services::Rollouts* rollouts = nullptr;
        std::function<Result<FirmwareFacts, std::string>(Bytes image)> read_firmware{};
        // Webhooks, if there are any here; must live as long as this.
        hooks::Dispatcher* hooks = nullptr;
        // Whether a webhook may go to this host at all, as far as its name says.
        std::function<bool(const std::string& host)> may_call{};
    };
    // What it refers to must live as long as this.
    Rest(store::Store& store,
         services::OpenDevices& devices,
         services::EventRing& ring,
         Config config)
        : store_(store), devices_(devices), ring_(ring), config_(std::move(config)) {}
    Rest(const Rest&) = delete;
    Rest& operator=(const Rest&) = delete;

    // Whether the target is one of these addresses, which only OAuth and the version begin.
    static bool is_for(std::string_view target);
    // Calls `done` once, now or later.
    void handle(const Request& request, Done done);

    // Whether this, of which only the header is there, wants to send files, for which its body may
    // be large; and if so, whether it may: the account that the files are from then on counted for,
    // until end_upload(), or what it is answered.
    static bool is_upload(const Request& head);
    void begin_upload(const Request& head,
                      std::function<void(Result<model::AccountId, Reply>)> done);
    void end_upload(model::AccountId account);
    std::size_t upload_count() const { return upload_count_; }

    // A stream of this account begins, or ends. False: it has enough.
    [[nodiscard]] bool begin_stream(model::AccountId account);
    void end_stream(model::AccountId account);

    // What OpenDevices asks.
    void redeem_claim_code(const model::DeviceId& device, const std::string& code);

    // All routes as an OpenAPI document.
    static std::string openapi();

    static constexpr std::uint32_t kPublic = 1U << 31U;  // no token
    struct Route {
        Method method;
        const char* path;      // ":x" stands for one segment, "*x" for the rest
        std::uint32_t scopes;  // what the token needs, or kPublic
        void (Rest::*handler)(const CallPtr& call);
        const char* summary;
        const char* fields;          // of the body, or of the query if there is none
        const char* file = nullptr;  // the name of a file that it takes as well
    };
    static std::span<const Route> routes();
    // What clients ask for and this cloud does not have, whatever the method: 501.
    struct Absent {
        const char* path;  // as that of a route
        const char* why;   // a sentence for its user
    };
    static std::span<const Absent> absent();

  private:
    static const Route kRoutes[];
    static const Route kProductRoutes[];
    static std::span<const Route> product_routes();
    static const Absent kAbsent[];

    struct KnownAccess {
        model::Access access;
        Instant until;
    };
    // A device of the account, however it was named.
    struct Target {
        model::DeviceId id{};
        bool is_sealed = false;
        model::OpenDeviceRecord record{};      // of an open one
        services::OpenDevice* line = nullptr;  // of an open one that is connected
    };

    void route(const CallPtr& call, std::string_view path);
    void authorize(const CallPtr& call, const Route& route);
    void find_access(const CallPtr& call, std::function<void(const Result<model::Access>&)> done);
    void forget_access() { known_.clear(); }
    template <class Function>
    void find_device(const CallPtr& call, Function function);
    template <class Function>
    void find_open_device(const CallPtr& call, Function function);
    void with_access(const CallPtr& call, const Route& route, std::function<void()> go_on);
    static const Route* find_route(const Request& head, std::vector<std::string>& places);
    bool is_within_product(const Call& call, const Route& route) const;
    bool read_body(const CallPtr& call, const Route& route);
    void audit(const Call& call, const char* action, std::string subject, const char* outcome);

    // rest_oauth.cpp
    void make_token(const CallPtr& call);
    void grant(const CallPtr& call, std::uint32_t scopes);
    void grant_to_client(const CallPtr& call, std::uint32_t scopes);
    void log_in(const CallPtr& call, std::uint32_t scopes);
    void refresh(const CallPtr& call);
    void issue(const CallPtr& call, const model::Access& access);
    void check_login(const CallPtr& call,
                     const std::string& user,
                     const std::string& password,
                     std::function<void(const model::Login&)> done);
    void renew_password(const model::Login& login, const std::string& password);
    Result<std::string> draw_token();
    void get_token(const CallPtr& call);
    void list_tokens(const CallPtr& call);
    void list_tokens_of(const CallPtr& call, model::AccountId account);
    void erase_current_token(const CallPtr& call);
    void erase_token(const CallPtr& call);
    void erase_all_tokens(const CallPtr& call);
    void get_user(const CallPtr& call);
    void change_user(const CallPtr& call);

    // rest_users.cpp
    template <class Function>
    void as_administrator(const CallPtr& call, Function function);
    template <class Function>
    void with_user(const CallPtr& call, Function function);
    void create_user(const CallPtr& call);
    void add_user(const CallPtr& call);
    void list_users(const CallPtr& call);
    void find_user(const CallPtr& call);
    void update_user(const CallPtr& call);
    void set_password_of(const CallPtr& call, model::AccountId account, std::function<void()> done);
    void erase_user(const CallPtr& call);
    void erase_self(const CallPtr& call);
    void forget_hooks(model::AccountId account);
    void erase_account(const CallPtr& call, model::AccountId account, const std::string& name);

    // rest_mfa.cpp
    // Waits for the second step of a log-in, or for the first password of a new secret.
    struct SecondStep {
        model::Access access{};
        std::string expires_in{};
        std::vector<std::uint8_t> new_secret{};
        Instant until{};
        int tries = 0;
    };
    void ask_for_otp(const CallPtr& call, const model::Access& access);
    void finish_log_in(const CallPtr& call);
    std::optional<std::string> keep(SecondStep step);
    SecondStep* find_step(const CallPtr& call, bool is_enrolment);
    void refuse_otp(const CallPtr& call, const std::string& user);
    void use_otp(const CallPtr& call,
                 const SecondStep& step,
                 Bytes secret,
                 std::function<void()> done);
    void begin_mfa(const CallPtr& call);
    void confirm_mfa(const CallPtr& call);
    void disable_mfa(const CallPtr& call);

    // rest_devices.cpp
    void tell_product(nlohmann::json& body,
                      model::AccountId account,
                      const model::DeviceId& id) const;
    void list_devices(const CallPtr& call);
    void get_device(const CallPtr& call);
    void claim_device(const CallPtr& call);
    void change_device(const CallPtr& call);
    void signal_device(const CallPtr& call);
    void release_device(const CallPtr& call);
    void ping_device(const CallPtr& call);
    void read_variable(const CallPtr& call);
    void call_function(const CallPtr& call);
    void make_claim_code(const CallPtr& call);
    void provision(const CallPtr& call);

    // rest_firmware.cpp
    void flash_device(const CallPtr& call);

    // rest_events.cpp
    void open_stream(const CallPtr& call, services::EventFilter filter, std::size_t prefix_place);
    void stream_all(const CallPtr& call);
    void stream_device(const CallPtr& call);
    void publish(const CallPtr& call);
    void get_openapi(const CallPtr& call);

    // rest_hooks.cpp
    template <class Function>
    void with_definition(const CallPtr& call, const nlohmann::json& old, Function function);
    const hooks::KnownHook* find_hook(const CallPtr& call);
    void list_hooks(const CallPtr& call);
    void create_hook(const CallPtr& call);
    void get_hook(const CallPtr& call);
    void change_hook(const CallPtr& call);
    void erase_hook(const CallPtr& call);
    void try_hook(const CallPtr& call);

    // rest_team.cpp
    template <class Function>
    void with_api_user(const CallPtr& call, Function function);
    void list_team(const CallPtr& call);
    void create_api_user(const CallPtr& call);
    void change_api_user(const CallPtr& call);
    void renew_api_user(const CallPtr& call);
    void erase_api_user(const CallPtr& call);

    // rest_environment.cpp
    struct NamedEnvironment;
    using NamedEnvironmentPtr = std::shared_ptr<NamedEnvironment>;
    enum class EnvironmentVerb : std::uint8_t { Show, Patch, Set, Unset, Render, Review, RollOut };
    void load_environment(const CallPtr& call,
                          NamedEnvironmentPtr known,
                          model::ProductId product,
                          std::optional<model::DeviceId> device,
                          std::function<void(const NamedEnvironmentPtr&)> done);
    void save_environment(const CallPtr& call,
                          const NamedEnvironmentPtr& named,
                          nlohmann::json answer);
    void change_environment(const CallPtr& call,
                            const NamedEnvironmentPtr& named,
                            const nlohmann::json& ops);
    void on_environment(const CallPtr& call,
                        const NamedEnvironmentPtr& named,
                        EnvironmentVerb verb,
                        const std::string& key);
    void use_environment(const CallPtr& call, EnvironmentVerb verb);
    void show_environment(const CallPtr& call);
    void patch_environment(const CallPtr& call);
    void set_variable(const CallPtr& call);
    void unset_variable(const CallPtr& call);
    void render_environment(const CallPtr& call);
    void review_environment(const CallPtr& call);
    void roll_out_environment(const CallPtr& call);

    // rest_diagnostics.cpp
    template <class Function>
    void with_diagnoses(const CallPtr& call, Function function);
    void diagnose(const CallPtr& call);
    void list_diagnoses(const CallPtr& call);
    void get_last_diagnosis(const CallPtr& call);
    void get_diagnosis_metadata(const CallPtr& call);

    // The product that the first place names, which is taken away for `handler`.
    template <void (Rest::*handler)(const CallPtr&)>
    void in_product(const CallPtr& call);
    // The same, and a device in its list that the second place names, which becomes the first.
    template <void (Rest::*handler)(const CallPtr&)>
    void in_product_device(const CallPtr& call);
    template <class Function>
    void find_member(const CallPtr& call, Function function);
    const services::Product* product_in(const CallPtr& call);
    bool take_product(const CallPtr& call) const;

    // rest_products.cpp
    void list_products(const CallPtr& call);
    void create_product(const CallPtr& call);
    void get_product(const CallPtr& call);
    void get_product_or_platform(const CallPtr& call);
    void change_product(const CallPtr& call);
    void erase_product(const CallPtr& call);
    void list_groups(const CallPtr& call);
    void create_group(const CallPtr& call);
    void get_group(const CallPtr& call);
    void change_group(const CallPtr& call);
    void erase_group(const CallPtr& call);
    void get_impact(const CallPtr& call);
    void list_orgs(const CallPtr& call);

    // rest_product_devices.cpp
    nlohmann::json product_device(const Call& call,
                                  const services::Product& product,
                                  const model::ProductDevice& device,
                                  const model::OpenDeviceRecord* record) const;
    void list_product_devices(const CallPtr& call);
    void get_product_device(const CallPtr& call);
    void import_devices(const CallPtr& call);
    void import_more(const CallPtr& call, const std::shared_ptr<Import>& import);
    void import_one(const CallPtr& call,
                    const std::shared_ptr<Import>& import,
                    const model::DeviceId& device);
    void change_product_device(const CallPtr& call);
    // What the device is to have may be another firmware now.
    void on_target_changed(const Call& call, const model::DeviceId& device, bool is_now = false);
    void save_product_device(const CallPtr& call,
                             const model::DeviceId& device,
                             model::ProductDeviceChanges changes);
    void remove_product_device(const CallPtr& call);

    // rest_product_firmware.cpp
    nlohmann::json firmware_json(const services::Product& product,
                                 const model::FirmwareRecord& firmware) const;
    const model::FirmwareRecord* find_firmware(const CallPtr& call);
    void list_firmware(const CallPtr& call);
    void upload_firmware(const CallPtr& call);
    void get_firmware(const CallPtr& call);
    void get_firmware_binary(const CallPtr& call);
    void change_firmware(const CallPtr& call);
    void erase_firmware(const CallPtr& call);
    void release_firmware(const CallPtr& call);

    // rest_clients.cpp
    void list_clients(const CallPtr& call);
    void create_client(const CallPtr& call);
    template <class Function>
    void find_client(const CallPtr& call, Function function);
    void change_client(const CallPtr& call);
    void erase_client(const CallPtr& call);
    void list_libraries(const CallPtr& call);
    void list_logic_functions(const CallPtr& call);
    void list_secrets(const CallPtr& call);

    store::Store& store_;
    services::OpenDevices& devices_;
    services::EventRing& ring_;
    Config config_;
    Guard guard_;
    std::unordered_map<model::TokenHash, KnownAccess, model::IdHash> known_;
    std::unordered_map<model::AccountId, std::size_t, model::IdHash> streams_;
    std::unordered_map<model::AccountId, std::size_t, model::IdHash> uploads_;
    std::size_t upload_count_ = 0;
    Recent<SecondStep> second_steps_;          // by the hash of their tokens
    Recent<std::deque<Diagnosis>> diagnoses_;  // by account and device; the newest first
};

}  // namespace sotto::cloud::http
