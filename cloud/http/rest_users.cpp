// SPDX-License-Identifier: Apache-2.0
// Users, as an administrator manages them: their accounts, never what is in them. And how a user
// ends his own.
#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/api.hpp"
#include "cloud/http/rest.hpp"
#include "cloud/http/rest_replies.hpp"
#include "core/framing/text.hpp"

namespace sotto::cloud::http {

using model::AccountInfo;
using nlohmann::json;

namespace {

Reply invalid(const char* what) { return rest_refusal(400, "invalid_request", what); }

Reply no_user() { return rest_refusal(404, "not_found", "There is no such user"); }

Reply for_operator() {
    return rest_refusal(
        403, "forbidden", "Administrators are the operator's to change: sotto-cloud account");
}

json told(const AccountInfo& account) {
    return {{"username", account.name},
            {"administrator", account.is_administrator},
            {"disabled", account.is_disabled},
            {"has_password", account.has_password},
            {"mfa", account.has_second_factor},
            {"devices", account.device_count},
            {"created_at", to_iso(account.created_at.ms)}};
}

bool is_good_password(const std::string& password) {
    return password.size() >= kPasswordSizeMin && password.size() <= kPasswordSizeMax;
}

bool is_good_name(const std::string& name) {
    return !name.empty() && name.size() <= kUserNameSizeMax && framing::is_printable_utf8(name);
}

// Nothing: it does not say.
std::optional<bool> truth_in(const Call& call, const char* name) {
    const std::string text = call.field(name);
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    return std::nullopt;
}

}  // namespace

template <class Function>
void Rest::as_administrator(const CallPtr& call, Function function) {
    if (call->access.is_administrator) return function();
    call->done(rest_refusal(403, "forbidden", "Permission denied: this is for administrators"));
}

// The user that the first place names, if he is no administrator.
template <class Function>
void Rest::with_user(const CallPtr& call, Function function) {
    as_administrator(call, [this, call, function] {
        store_.list_accounts([call, function](const Result<std::vector<AccountInfo>>& accounts) {
            if (!accounts) return call->done(rest_failure(accounts.error()));
            const auto found = std::ranges::find(*accounts, call->places[0], &AccountInfo::name);
            if (found == accounts->end()) return call->done(no_user());
            function(*found);
        });
    });
}

// Clients ask without a token, too: whoever wants to register.
void Rest::create_user(const CallPtr& call) {
    call->token = config_.hash_token(token_of(call->request.authorization));
    find_access(call, [this, call](const Result<model::Access>& access) {
        const bool is_one =
            access && access->is_administrator && has_scope(access->scopes, model::Scope::Users);
        if (!is_one)
            return call->done(rest_refusal(403,
                                           "not_here",
                                           "Users are made by an administrator, or by the "
                                           "operator: sotto-cloud account add NAME"));
        call->access = *access;
        add_user(call);
    });
}

void Rest::add_user(const CallPtr& call) {
    const std::string name = call->field("username");
    if (!is_good_name(name))
        return call->done(invalid("username: take 1 to 64 printable characters"));
    const std::string password = call->field("password");
    if (!is_good_password(password))
        return call->done(invalid("A password has 8 to 256 bytes, and is in the field password"));
    store_.create_account(
        name, config_.now(), [this, call, name](const Result<model::AccountId>& account) {
            if (!account && account.error() == Error::AlreadyExists)
                return call->done(rest_refusal(409, "already_exists", "There is such a user"));
            if (!account) return call->done(rest_failure(account.error()));
            set_password_of(call, *account, [this, call, name] {
                audit(*call, "user-create", name, "done");
                call->done(rest_reply({{"ok", true}, {"username", name}}, 201));
            });
        });
}

void Rest::set_password_of(const CallPtr& call,
                           model::AccountId account,
                           std::function<void()> done) {
    config_.hash_password(
        call->field("password"),
        [this, call, account, done = std::move(done)](const Result<std::string>& line) {
            if (!line) return call->done(rest_failure(line.error()));
            store_.set_password(account, *line, [call, done](const Status& set) {
                if (!set) return call->done(rest_failure(set.error()));
                done();
            });
        });
}

void Rest::list_users(const CallPtr& call) {
    as_administrator(call, [this, call] {
        store_.list_accounts([call](const Result<std::vector<AccountInfo>>& accounts) {
            if (!accounts) return call->done(rest_failure(accounts.error()));
            json list = json::array();
            for (const AccountInfo& account : *accounts) list.push_back(told(account));
            call->done(rest_reply({{"users", list}}));
        });
    });
}

void Rest::find_user(const CallPtr& call) {
    with_user(call, [call](const AccountInfo& account) { call->done(rest_reply(told(account))); });
}

void Rest::update_user(const CallPtr& call) {
    const std::string password = call->field("password");
    if (!password.empty() && !is_good_password(password))
        return call->done(invalid("A password has 8 to 256 bytes"));
    with_user(call, [this, call, password](const AccountInfo& account) {
        if (account.is_administrator) return call->done(for_operator());
        const auto is_disabled = truth_in(*call, "disabled");
        const bool ends_factor = truth_in(*call, "reset_mfa").value_or(false);
        if (password.empty() && !is_disabled && !ends_factor)
            return call->done(invalid("Nothing to change: password, reset_mfa or disabled"));
        const model::AccountId id = account.account;
        const std::string what = account.name + (password.empty() ? "" : " password") +
                                 (ends_factor ? " reset_mfa" : "") +
                                 (!is_disabled   ? ""
                                  : *is_disabled ? " disabled"
                                                 : " enabled");
        // The last step, which answers.
        const auto finish = [this, call, id, is_disabled, what](const Status& done) {
            forget_access();
            if (!done) return call->done(rest_failure(done.error()));
            if (is_disabled.value_or(false) && config_.on_locked_out) config_.on_locked_out(id);
            audit(*call, "user-update", what, "done");
            call->done(rest_reply({{"ok", true}, {"username", call->places[0]}}));
        };
        const auto change = [this, id, is_disabled, ends_factor, finish] {
            if (ends_factor) store_.set_otp_secret(id, {}, [](const Status&) {});
            store_.update_account(id, {.is_disabled = is_disabled}, finish);
        };
        if (password.empty()) return change();
        set_password_of(call, id, [this, id, change] {
            store_.erase_tokens(id, [](const Result<std::size_t>&) {});
            change();
        });
    });
}

void Rest::erase_user(const CallPtr& call) {
    with_user(call, [this, call](const AccountInfo& account) {
        if (account.is_administrator) return call->done(for_operator());
        erase_account(call, account.account, account.name);
    });
}

void Rest::erase_self(const CallPtr& call) {
    if (call->access.is_administrator) return call->done(for_operator());
    check_login(
        call, call->access.user, call->field("password"), [this, call](const model::Login& login) {
            erase_account(call, login.account, call->access.user);
        });
}

void Rest::forget_hooks(model::AccountId account) {
    if (config_.hooks == nullptr) return;
    std::vector<model::HookId> ids;
    for (const hooks::KnownHook* const known : config_.hooks->list(account))
        ids.push_back(known->hook.id);
    for (const model::HookId& id : ids) config_.hooks->erase_hook(account, id);
}

// What of it is in memory ends with it.
void Rest::erase_account(const CallPtr& call, model::AccountId account, const std::string& name) {
    using Devices = std::vector<model::OpenDeviceRecord>;
    store_.list_open_devices(account, [this, call, account, name](const Result<Devices>& devices) {
        if (!devices) return call->done(rest_failure(devices.error()));
        store_.erase_account(account,
                             [this, call, account, name, devices = *devices](const Status& erased) {
                                 forget_access();
                                 if (!erased) return call->done(rest_failure(erased.error()));
                                 for (const model::OpenDeviceRecord& device : devices) {
                                     devices_.set_owner(device.device, std::nullopt);
                                     if (config_.on_released) config_.on_released(device.device);
                                 }
                                 forget_hooks(account);
                                 if (config_.fleet != nullptr) config_.fleet->erase_of(account);
                                 if (config_.on_locked_out) config_.on_locked_out(account);
                                 audit(*call, "user-delete", name, "done");
                                 call->done(rest_reply({{"ok", true}}));
                             });
    });
}

}  // namespace sotto::cloud::http
