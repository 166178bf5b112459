// SPDX-License-Identifier: Apache-2.0
// The second factor of a user: one-time passwords by the clock (RFC 6238).
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"
#include "cloud/http/rest_replies.hpp"
#include "core/base/base32.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::http {

using nlohmann::json;

namespace {

constexpr std::size_t kSecretSize = 20;  // RFC 4226 section 4, R6

std::string key_of(const model::TokenHash& hash) { return to_hex<std::string>(hash.bytes); }

std::string base32_of(Bytes bytes) {
    std::string digits(base32_size(bytes.size()), ' ');
    encode_base32(bytes, digits);
    return digits;
}

}  // namespace

std::optional<std::string> Rest::keep(SecondStep step) {
    auto token = draw_token();
    if (!token) return std::nullopt;
    step.until = config_.now() + kOtpWaitMax;
    second_steps_.at(key_of(config_.hash_token(*token))) = std::move(step);
    return *token;
}

// The one whose token is in the request, if it still counts.
Rest::SecondStep* Rest::find_step(const CallPtr& call, bool is_enrolment) {
    const std::string key = key_of(config_.hash_token(call->field("mfa_token")));
    SecondStep* const step = second_steps_.find(key);
    if (step == nullptr || step->new_secret.empty() == is_enrolment) return nullptr;
    if (config_.now() < step->until && step->tries++ < kOtpTriesMax) return step;
    second_steps_.erase(key);
    return nullptr;
}

void Rest::refuse_otp(const CallPtr& call, const std::string& user) {
    guard_.on_failure(call->request.address, user, config_.now());
    audit(*call, "one-time-password", user, "refused");
    call->done(rest_refusal(400, "invalid_grant", "The one-time password is wrong"));
}

// Goes on if the password in the request is good, which it is once.
void Rest::use_otp(const CallPtr& call,
                   const SecondStep& step,
                   Bytes secret,
                   std::function<void()> done) {
    if (!guard_.may_log_in(call->request.address, step.access.user, config_.now()))
        return call->done(too_many_log_ins());
    const auto number = config_.check_otp(secret, call->field("otp"), config_.now());
    if (!number) return refuse_otp(call, step.access.user);
    store_.use_otp(
        step.access.account,
        *number,
        [this, call, user = step.access.user, done = std::move(done)](const Status& used) {
            if (!used && used.error() == Error::Refused) return refuse_otp(call, user);
            if (!used) return call->done(rest_failure(used.error()));
            guard_.on_success(call->request.address, user);
            second_steps_.erase(key_of(config_.hash_token(call->field("mfa_token"))));
            done();
        });
}

void Rest::ask_for_otp(const CallPtr& call, const model::Access& access) {
    const auto token = keep({.access = access, .expires_in = call->field("expires_in")});
    if (!token) return call->done(rest_failure(Error::EntropyFailed));
    call->done(rest_reply({{"ok", false},
                           {"error", "mfa_required"},
                           {"error_description", "A one-time password is needed"},
                           {"mfa_token", *token}},
                          403));
}

void Rest::finish_log_in(const CallPtr& call) {
    const SecondStep* const found = find_step(call, false);
    if (found == nullptr)
        return call->done(rest_refusal(
            400, "invalid_grant", "The log-in took too long, or too many tries; begin anew"));
    const SecondStep step = *found;
    store_.find_login(step.access.user, [this, call, step](const Result<model::Login>& login) {
        if (!login) return call->done(rest_failure(login.error()));
        use_otp(call, step, login->otp_secret, [this, call, step] {
            call->body["expires_in"] = step.expires_in;
            issue(call, step.access);
        });
    });
}

void Rest::begin_mfa(const CallPtr& call) {
    store_.find_login(call->access.user, [this, call](const Result<model::Login>& login) {
        if (!login) return call->done(rest_failure(login.error()));
        if (!login->otp_secret.empty())
            return call->done(rest_refusal(
                400, "invalid_request", "This user logs in with one-time passwords already"));
        std::vector<std::uint8_t> secret(kSecretSize);
        if (!config_.draw(secret)) return call->done(rest_failure(Error::EntropyFailed));
        const std::string text = base32_of(secret);
        const auto token = keep({.access = call->access, .new_secret = std::move(secret)});
        if (!token) return call->done(rest_failure(Error::EntropyFailed));
        call->done(rest_reply(
            {{"mfa_token", *token},
             {"secret", text},
             {"url",
              "otpauth://totp/Sotto:" + call->access.user + "?secret=" + text + "&issuer=Sotto"}}));
    });
}

void Rest::confirm_mfa(const CallPtr& call) {
    const SecondStep* const found = find_step(call, true);
    if (found == nullptr || found->access.account != call->access.account)
        return call->done(rest_refusal(
            400, "invalid_grant", "That took too long, or too many tries; begin anew"));
    const SecondStep step = *found;
    const bool ends_tokens =
        call->field("invalidate_tokens") == "true" || call->field("invalidate_tokens") == "1";
    use_otp(call, step, step.new_secret, [this, call, step, ends_tokens] {
        store_.set_otp_secret(step.access.account,
                              step.new_secret,
                              [this, call, step, ends_tokens](const Status& set) {
                                  if (!set) return call->done(rest_failure(set.error()));
                                  audit(*call, "mfa", step.access.user, "enabled");
                                  if (!ends_tokens) return call->done(rest_reply({{"ok", true}}));
                                  store_.erase_tokens(
                                      step.access.account, [this, call](const auto& erased) {
                                          forget_access();
                                          if (!erased)
                                              return call->done(rest_failure(erased.error()));
                                          call->done(rest_reply({{"ok", true}}));
                                      });
                              });
    });
}

void Rest::disable_mfa(const CallPtr& call) {
    check_login(call,
                call->access.user,
                call->field("current_password"),
                [this, call](const model::Login& login) {
                    store_.set_otp_secret(login.account, {}, [this, call](const Status& set) {
                        if (!set) return call->done(rest_failure(set.error()));
                        audit(*call, "mfa", call->access.user, "disabled");
                        call->done(rest_reply({{"ok", true}}));
                    });
                });
}

}  // namespace sotto::cloud::http
