// SPDX-License-Identifier: Apache-2.0
#include "tests/particle/on_air.hpp"

#include <chrono>
#include <cstdlib>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "air/virtual/virtual_peripheral.hpp"
#include "core/base/hex.hpp"
#include "tests/particle/sketch.hpp"

namespace sotto::testing {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kTurn{10};
constexpr Duration kPingPeriod = seconds(15);

Instant now() {
    const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count()};
}

class Board final : public air::PeripheralHandler {
  public:
    Board(asio::io_context& loop, const OnAir& options)
        : options_(options),
          device_(options.setup, [this](LegacyDevice& session) { begin(session); }),
          peripheral_(loop,
                      {.socket_path = options.folder + "/" +
                                      to_hex<std::string>(options.setup.legacy.id) + ".sock",
                       .name = "Bluz DK",
                       .service = framing::Service::Bluz},
                      *this),
          timer_(loop) {
        device_.on_custom = [this](Bytes data) {
            tell("custom " + std::string{as_text(data)});
            device_.send_custom(as_bytes("echo " + std::string{as_text(data)}));
        };
    }

    bool open() {
        const auto opened = peripheral_.open();
        if (!opened) tell("trouble " + opened.error().detail);
        if (opened) turn();
        return bool{opened};
    }

    void on_connected() override {
        tell("subscribed");
        device_.on_subscribed(now());
    }
    void on_frame(Bytes) override {}
    void on_value(Bytes value) override {
        heard_at_ = now();
        device_.on_value(value);
        work();
    }
    void on_sent(std::size_t) override { send(); }
    void on_disconnected() override {
        tell("gone");
        unsent_.reset();
        device_.on_link_lost();
    }

  private:
    void begin(LegacyDevice& session) {
        sketch_.emplace(options_.claim_code);
        sketch_->furnish(session);
        heard_at_ = now();
    }
    void turn() {
        work();
        timer_.expires_after(kTurn);
        timer_.async_wait([this](boost::system::error_code error) {
            if (!error) turn();
        });
    }
    void work() {
        while (device_.step(now())) {
        }
        if (LegacyDevice* session = device_.session()) {
            sketch_->look_around(*session);
            if (session->is_connected() && now() >= heard_at_ + kPingPeriod) {
                heard_at_ = now();
                session->ping();
            }
            device_.step(now());
        }
        send();
        if (device_.trouble().empty() || device_.trouble() == told_) return;
        told_ = device_.trouble();
        tell("trouble " + told_);
        peripheral_.disconnect();
    }
    void send() {
        if (!unsent_) unsent_ = device_.take_value();
        while (unsent_ && peripheral_.notify(*unsent_)) unsent_ = device_.take_value();
    }

    const OnAir& options_;
    BluzDevice device_;
    std::optional<Sketch> sketch_;
    air::VirtualPeripheral peripheral_;
    asio::steady_timer timer_;
    std::optional<std::vector<std::uint8_t>> unsent_;
    std::string told_;
    Instant heard_at_;
};

}  // namespace

int run_on_air(const OnAir& options) {
    asio::io_context loop{1};
    Board board{loop, options};
    if (!board.open()) return EXIT_FAILURE;
    loop.run();
    return EXIT_SUCCESS;
}

}  // namespace sotto::testing
