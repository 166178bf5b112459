// SPDX-License-Identifier: Apache-2.0
// For tests: the cloud's sockets over a store in memory, without its sessions with devices.
#pragma once

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "cloud/http/rest.hpp"
#include "cloud/http/sse.hpp"
#include "cloud/server/clients_test.hpp"
#include "cloud/server/clock.hpp"
#include "cloud/server/gateway_port.hpp"
#include "cloud/server/http_port.hpp"
#include "cloud/server/listen.hpp"
#include "cloud/server/state.hpp"
#include "cloud/store/memory_store.hpp"

namespace sotto::cloud::server {

inline constexpr framing::DeviceId kDevice{0xd1, 1};
inline constexpr const char* kToken = "token-of-ann";
inline constexpr const char* kGatewayToken = "token-of-gateway";

inline Acceptor listen_somewhere(boost::asio::io_context& loop) {
    return listen(loop, {"--http", "127.0.0.1:0"}).value();
}

// The cloud without its sessions with devices, in a thread of its own.
class RunningCloud {
  public:
    explicit RunningCloud(const Certificates* certificates = nullptr)
        : http_(loop_, std::move(http_acceptor_), api_, hub_, certificates),
          gateways_(loop_, std::move(gateway_acceptor_), hub_, certificates) {
        store_.create_account("ann", clock_.now(), [](const auto&) {});
        add_token(kToken, model::TokenKind::Account);
        add_token(kGatewayToken, model::TokenKind::Gateway);
        loop_.poll();
        loop_.restart();
        http_.serve_streams(ring_, rest_);
        http_.start();
        gateways_.start();
        on_tick();
        thread_ = std::thread{[this] { loop_.run(); }};
    }
    ~RunningCloud() {
        loop_.stop();
        thread_.join();
    }

    RunningCloud(const RunningCloud&) = delete;
    RunningCloud& operator=(const RunningCloud&) = delete;

    boost::asio::io_context& loop() { return loop_; }
    // As the user of kToken.
    void publish(const std::string& name, const std::string& data) {
        boost::asio::post(loop_, [this, name, data] {
            devices_.publish(model::AccountId{1}, {.name = name, .data = data});
        });
    }
    const Endpoint& http_at() const { return http_at_; }
    const Endpoint& gateways_at() const { return gateways_at_; }

  private:
    void add_token(const char* token, model::TokenKind kind) {
        store_.add_token({.hash = hash_token(token),
                          .kind = kind,
                          .account = model::AccountId{1},
                          .name = token},
                         clock_.now(),
                         [](const auto& added) { EXPECT_TRUE(added); });
    }
    void on_tick() {
        hub_.on_time();
        timer_.expires_after(std::chrono::milliseconds{50});
        timer_.async_wait([this](boost::system::error_code error) {
            if (!error) on_tick();
        });
    }

    boost::asio::io_context loop_{1};
    SteadyClock clock_;
    store::MemoryStore store_{[this](std::function<void()> function) {
        boost::asio::post(loop_, [this, function = std::move(function)] {
            function();
            hub_.pump();
        });
    }};
    services::Hub hub_{store_,
                       {.router = {.credential = {}, .hash_token = hash_token},
                        .now = [this] { return clock_.now(); },
                        .on_device_event = nullptr}};
    services::EventRing ring_{clock_.now(), http::render_event};
    services::OpenDevices devices_{
        ring_,
        {.load_owner = nullptr, .on_claim_code = nullptr, .save_traces = nullptr, .now = [this] {
             return clock_.now();
         }}};
    http::Rest rest_{store_,
                     devices_,
                     ring_,
                     {.hash_token = hash_token,
                      .draw = nullptr,
                      .check_password = nullptr,
                      .hash_password = nullptr,
                      .check_otp = nullptr,
                      .read_device_key = nullptr,
                      .is_sealed_connected = [](const auto&) { return false; },
                      .now = [this] { return clock_.now(); }}};
    http::Api api_{store_,
                   {.credential = "c0ffee",
                    .address = "127.0.0.1:1",
                    .hash_token = hash_token,
                    .draw_claim = [] { return model::ClaimCode{}; },
                    .is_connected = [](const auto&) { return false; },
                    .now = [this] { return clock_.now(); },
                    .rest = &rest_}};
    Acceptor http_acceptor_ = listen_somewhere(loop_);
    Acceptor gateway_acceptor_ = listen_somewhere(loop_);
    Endpoint http_at_ = http_acceptor_.local_endpoint();
    Endpoint gateways_at_ = gateway_acceptor_.local_endpoint();
    HttpPort http_;
    GatewayPort gateways_;
    boost::asio::steady_timer timer_{loop_};
    std::thread thread_;
};

}  // namespace sotto::cloud::server
