// SPDX-License-Identifier: Apache-2.0
// For tests: REST over a store in memory, with users, and devices that answer at once.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"
#include "cloud/http/sse.hpp"
#include "cloud/store/memory_store.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::http {

using nlohmann::json;

// A lamp: functions led (answers the size of its argument), silent and busy; variables of all
// types.
class Lamp final : public services::OpenDevice {
  public:
    using DeviceError = services::DeviceError;

    Lamp() {
        attributes_.platform_id = 6;
        attributes_.product_id = 6;
        attributes_.system_version = "2.3.1";
        attributes_.address = "10.0.0.7";
        attributes_.functions = {"led", "silent"};
        attributes_.variables = {{"temperature", services::ValueType::Double},
                                 {"count", services::ValueType::Int},
                                 {"is_on", services::ValueType::Bool},
                                 {"words", services::ValueType::String}};
        attributes_.connected_at = Instant{5'000};
        attributes_.heard_at = Instant{6'000};
    }
    const services::DeviceAttributes& attributes() const override { return attributes_; }
    // With this firmware it connects from now on.
    void become(std::uint16_t product, std::uint16_t version) {
        attributes_.product_id = product;
        attributes_.firmware_version = version;
    }
    void call(const std::string& function,
              const std::string& argument,
              services::DeviceDone<services::Value> done) override {
        arguments.push_back(argument);
        if (function == "led") return done(static_cast<std::int32_t>(argument.size()));
        if (function == "late") return late.push_back(std::move(done));
        done(function == "silent" ? DeviceError::TimedOut : DeviceError::NoSuch);
    }
    void read(const std::string& variable, services::DeviceDone<services::Value> done) override {
        if (variable == "temperature") return done(services::Value{21.5});
        if (variable == "count") return done(services::Value{std::int32_t{-3}});
        if (variable == "is_on") return done(services::Value{true});
        if (variable == "words") return done(services::Value{std::string{"a\xff\"b"}});
        done(DeviceError::NoSuch);
    }
    void ping(services::DeviceDone<void> done) override { done({}); }
    void signal(bool is_on, services::DeviceDone<void> done) override {
        signals.push_back(is_on);
        done({});
    }
    void update(services::FirmwarePtr firmware, services::UpdateSteps steps) override {
        firmwares.push_back(std::move(firmware));
        updates.push_back(std::move(steps));
    }
    void on_event(const services::Event& event) override { heard.push_back(event.what.name); }
    void on_replaced() override { ++replaced; }
    void forget_claim_code() override { ++codes_forgotten; }

    std::vector<std::string> arguments;
    std::vector<services::DeviceDone<services::Value>> late;
    std::vector<bool> signals;
    std::vector<services::FirmwarePtr> firmwares;
    std::vector<services::UpdateSteps> updates;
    std::vector<std::string> heard;
    int replaced = 0;
    int codes_forgotten = 0;

  private:
    services::DeviceAttributes attributes_;
};

inline model::DeviceId lamp_id(std::uint8_t number) { return {0xaa, number}; }
inline std::string id_text(const model::DeviceId& id) { return to_hex<std::string>(id); }

class RestWorld {
  public:
    using Headers = std::map<std::string, std::string>;

    RestWorld() {
        for (const char* name : {"ann", "bob"}) add_user(name);
    }

    static model::TokenHash hash(std::string_view text) {
        model::TokenHash hash;
        for (std::size_t i = 0; i < text.size(); ++i)
            hash.bytes[i % hash.bytes.size()] = static_cast<std::uint8_t>(
                hash.bytes[i % hash.bytes.size()] * 30 + static_cast<std::uint8_t>(text[i]) + i);
        return hash;
    }

    // The password of the step that is its own number, in six digits.
    static std::optional<std::int64_t> check_otp(Bytes /*secret*/,
                                                 std::string_view otp,
                                                 Instant at) {
        const std::int64_t step = at.ms / 30'000;
        if (otp != std::to_string(step)) return std::nullopt;
        return step;
    }

    // "firmware PLATFORM PRODUCT VERSION"
    static Result<FirmwareFacts, std::string> read_firmware(Bytes image) {
        std::istringstream text{std::string{as_text(image)}};
        std::string word;
        std::array<std::uint16_t, 3> numbers{};
        if (!(text >> word >> numbers[0] >> numbers[1] >> numbers[2]) || word != "firmware")
            return std::string{"no firmware"};
        return FirmwareFacts{.platform = numbers[0], .product = numbers[1], .version = numbers[2]};
    }

    // With the password "pass of NAME".
    model::AccountId add_user(const std::string& name) {
        model::AccountId account;
        store_.create_account(name, now, [&account](const auto& made) { account = *made; });
        settle();
        store_.set_password(account, "hash of pass of " + name, [](const auto&) {});
        settle();
        accounts[name] = account;
        return account;
    }

    Answer ask(Request request) {
        if (request.address.empty()) request.address = "127.0.0.1";
        std::optional<Answer> answer;
        rest.handle(request, [&answer](Answer given) {
            EXPECT_FALSE(answer) << "answered twice";
            answer = std::move(given);
        });
        settle();
        return answer.value_or(Reply{.status = 0, .body = {}});
    }
    Reply reply(Request request) { return std::get<Reply>(ask(std::move(request))); }
    unsigned ask_status(Request request) { return reply(std::move(request)).status; }
    Reply form(const std::string& target, const std::string& body, const std::string& token = {}) {
        return reply({.method = Method::Post,
                      .target = target,
                      .authorization = token.empty() ? "" : "Bearer " + token,
                      .content_type = "application/x-www-form-urlencoded",
                      .body = body});
    }
    Reply json_of(Method method,
                  const std::string& target,
                  const std::string& token,
                  const json& body = json()) {
        return reply({.method = method,
                      .target = target,
                      .authorization = "Bearer " + token,
                      .content_type = body.is_null() ? "" : "application/json",
                      .body = body.is_null() ? "" : body.dump()});
    }
    Reply get(const std::string& target, const std::string& token) {
        return json_of(Method::Get, target, token);
    }
    static json body(const Reply& reply) { return json::parse(reply.body); }

    Reply log_in(const std::string& user, const std::string& more = {}) {
        return form("/oauth/token",
                    "grant_type=password&client_id=particle-cli&client_secret=particle-cli&"
                    "username=" +
                        user + "&password=pass+of+" + user + more);
    }
    std::string token_of(const std::string& user, const std::string& more = {}) {
        return body(log_in(user, more))["access_token"];
    }

    // A connected device of this user.
    Lamp& add_lamp(std::uint8_t number, const std::string& user) {
        store_.claim_open_device(lamp_id(number), accounts.at(user), now, [](const auto&) {});
        lamps.emplace_back();
        devices.on_connected(lamp_id(number), lamps.back());
        settle();
        return lamps.back();
    }

    void on_online(const model::DeviceId& device, model::AccountId owner) {
        updates.on_online(device, owner);
        rollouts.on_online(device, owner);
    }

    std::uint16_t product_of(model::AccountId owner, const model::DeviceId& device) const {
        const auto* const product = fleet.product_of(owner, device);
        return product == nullptr ? 0 : product->record.id.value();
    }

    void settle() {
        while (!posted_.empty()) {
            const auto function = std::move(posted_.front());
            posted_.pop_front();
            function();
        }
    }

    Instant now{1'800'000'000'000};
    std::map<std::string, model::AccountId> accounts;
    std::vector<model::AccountId> locked_out;
    std::deque<Lamp> lamps;
    std::deque<std::function<void()>> posted_;
    store::MemoryStore store_{[this](auto function) { posted_.push_back(std::move(function)); }};
    services::EventRing ring{now, render_event};
    services::Fleet fleet;
    services::Admission admission{store_, fleet, {.now = [this] { return now; }}};
    services::OpenDevices devices{
        ring,
        {.load_owner =
             [this](const model::DeviceId& device, auto done) {
                 const auto* const attributes = devices.attributes_of(device);
                 admission.load_owner(device, attributes->product_id, done);
             },
         .on_claim_code = [this](const model::DeviceId& device,
                                 const std::string& code) { rest.redeem_claim_code(device, code); },
         .save_traces = [](const auto&, const auto&) {},
         .now = [this] { return now; },
         .on_online = [this](const auto& device, auto owner) { on_online(device, owner); },
         .on_published =
             [this](const services::EventPtr& event) { dispatcher.on_event(event, now); },
         .must_ask =
             [this](const auto& device, auto owner, const auto& of) {
                 return admission.has_say(device, owner, of.product_id);
             },
         .product_of = [this](auto owner,
                              const auto& device) { return product_of(owner, device); }}};
    hooks::Dispatcher dispatcher;
    services::Updates updates{
        devices,
        {.now = [this] { return now; },
         .later = [this](auto function) { posted_.push_back(std::move(function)); }}};
    services::Rollouts rollouts{
        store_,
        fleet,
        devices,
        updates,
        {.now = [this] { return now; }, .draw = [](std::uint32_t) { return 0U; }}};
    std::uint32_t drawn = 0;
    int password_checks = 0;
    Rest rest{store_,
              devices,
              ring,
              {.hash_token = hash,
               .draw =
                   [this](MutBytes out) {
                       std::ranges::fill(out, std::uint8_t{0});
                       out[0] = static_cast<std::uint8_t>(++drawn);
                       out[1] = static_cast<std::uint8_t>(drawn >> 8U);
                       return Status{};
                   },
               .check_password =
                   [this](const std::string& password, const std::string& line, const auto& done) {
                       ++password_checks;
                       done(line == "hash of " + password || line == "old hash of " + password);
                   },
               .hash_password = [](const std::string& password,
                                   const auto& done) { done("hash of " + password); },
               .is_outdated = [](std::string_view line) { return line.starts_with("old "); },
               .check_otp = check_otp,
               .read_device_key = [](std::string_view pem) -> Result<std::vector<std::uint8_t>> {
                   if (!pem.starts_with("PEM")) return Error::Malformed;
                   return std::vector<std::uint8_t>(pem.begin(), pem.end());
               },
               .is_sealed_connected = [](const model::DeviceId&) { return true; },
               .on_locked_out = [this](model::AccountId account) { locked_out.push_back(account); },
               .now = [this] { return now; },
               .updates = &updates,
               .fleet = &fleet,
               .admission = &admission,
               .rollouts = &rollouts,
               .read_firmware = read_firmware,
               .hooks = &dispatcher,
               .may_call = [](const std::string& host) { return !host.ends_with(".lan"); }}};
};

}  // namespace sotto::cloud::http
