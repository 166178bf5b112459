// SPDX-License-Identifier: Apache-2.0
// What the cloud answers to a request (docs/protocol/http.md): who may ask, and the JSON. No
// sockets. Allocates; does not block; a request waits for the store.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cloud/http/request.hpp"
#include "cloud/model/ids.hpp"
#include "cloud/model/records.hpp"
#include "cloud/store/store.hpp"

namespace sotto::cloud::http {

class Rest;

// What can be wrong with a request, or with us.
enum class Problem : std::uint8_t {
    Malformed,
    NotSignedIn,
    NotFound,
    WrongMethod,
    TooLarge,
    NoUpgrade,
    WantsTls,
    TooMany,
    HeaderTooLarge,
    Failed,
    Busy,
};
inline constexpr int kProblemCount = static_cast<int>(Problem::Busy) + 1;

Reply to_reply(Problem problem);
// What an answer of the store means for the request that waited for it.
Problem to_problem(Error error);

// The installation that a channel is for: the query must be app= and 32 digits of hex, exactly.
std::optional<model::AppId> parse_channel_query(std::string_view query);
// The token of an Authorization header; empty if there is none.
std::string_view token_of(std::string_view authorization);

// How long what was found out about the store's health is told on: whoever asks, asks for a write.
inline constexpr Duration kHealthLife = seconds(5);

class Api {
  public:
    struct Config {
        std::string credential;  // the cloud's, in hex
        std::string guest{};     // its credential as a guest, likewise
        std::string address;     // for gateways and devices
        std::function<model::TokenHash(std::string_view)> hash_token;
        std::function<Result<model::ClaimCode>()> draw_claim;
        std::function<bool(const model::DeviceId&)> is_connected;
        std::function<Instant()> now;
        // Something of a sealed device was opened, or nothing is any more.
        std::function<void(const model::Opening&)> on_opened{};
        std::function<void(const model::DeviceId&)> on_closed{};
        // An account has given the key of a device's tags, or taken one back.
        std::function<void(model::AccountId)> on_tag_keys_changed{};
        Rest* rest = nullptr;  // answers to what is no address of this API
    };
    using Done = http::Done;

    // `store` must live as long as the API.
    Api(store::Store& store, Config config) : store_(store), config_(std::move(config)) {}

    // Calls `done` once, now or later.
    void handle(const Request& request, Done done);

  private:
    using Route = void (Api::*)(model::AccountId account, const Done& done);

    static Route find_route(std::string_view path, Method method, Reply& refusal);
    void get_health(const Done& done);
    void get_cloud(model::AccountId account, const Done& done);
    void get_devices(model::AccountId account, const Done& done);
    void make_claim(model::AccountId account, const Done& done);
    void change_opening(const Request& request, std::string_view device, Done done);
    void change_tag_key(const Request& request, std::string_view device, Done done);
    void set_tag_key(const model::TagKey& key, const Done& done);
    void erase_tag_key(model::AccountId account, const model::DeviceId& device, const Done& done);
    void on_tag_key(model::AccountId account,
                    const model::DeviceId& device,
                    const Status& changed,
                    const Done& done);
    void set_opening(model::Opening opening, const Done& done);
    void erase_opening(model::AccountId account, const model::DeviceId& device, const Done& done);
    template <class Function>
    void sign_in(const Request& request, Done done, Function function);

    store::Store& store_;
    Config config_;
    std::vector<Done> waiting_for_health_;
    std::optional<Instant> health_known_at_;
    bool is_healthy_ = false;
};

}  // namespace sotto::cloud::http
