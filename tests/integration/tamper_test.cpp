// SPDX-License-Identifier: Apache-2.0
// A hostile carrier between an app and the real device: it holds a command back, changes each bit
// of it, and repeats what it has seen.
#include <fstream>

#include <gtest/gtest.h>

#include "air/virtual/virtual_central.hpp"
#include "app/client/device.hpp"
#include "app/transport/air_transport.hpp"
#include "core/coap/message.hpp"
#include "core/edhoc/role.hpp"
#include "core/keystore/private_key.hpp"
#include "ports/linux/system_clock.hpp"
#include "ports/linux/system_entropy.hpp"
#include "testing/memory_storage.hpp"
#include "testing/program.hpp"

namespace sotto::integration {
namespace {

using app::Arrival;
using Message = std::vector<std::uint8_t>;

// Passes messages on and keeps them; from `hold()` on, it keeps what is sent and says nothing.
class Carrier final : public app::Transport {
  public:
    explicit Carrier(app::Transport& inner) : inner_(inner) {}

    Status send(Bytes message) override {
        seen_.emplace_back(message.begin(), message.end());
        if (!is_holding_) return inner_.send(message);
        if (!held_) held_.emplace(message.begin(), message.end());
        return {};
    }
    Arrival wait(Duration limit) override {
        return is_holding_ && held_ ? Arrival{app::Lost{{app::Trouble::Unreachable, "held", ""}}}
                                    : inner_.wait(limit);
    }
    void hold() {
        is_holding_ = true;
        held_.reset();
    }
    void let_go() { is_holding_ = false; }

    // To the device, and what it answers to it, if it does. A ping follows (RFC 7252 §4.3), which
    // is always answered: when its Reset is there, the device is done with what came before it.
    std::optional<Message> deliver(const Message& message) {
        const std::uint16_t id = ++ping_id_;
        const auto high = static_cast<std::uint8_t>(id >> 8);
        const auto low = static_cast<std::uint8_t>(id);
        const Message ping = {0x40, 0x00, high, low};
        const Message reset = {0x70, 0x00, high, low};
        std::optional<Message> answer;
        if (!inner_.send(message) || !inner_.send(ping)) return std::nullopt;
        for (;;) {
            const Arrival arrival = inner_.wait(seconds(60));
            const auto* received = std::get_if<app::Received>(&arrival);
            if (received == nullptr) {
                ADD_FAILURE() << "the device does not answer";
                return std::nullopt;
            }
            const Message got{received->message.begin(), received->message.end()};
            if (got == reset) return answer;
            if (!answer) answer = got;
        }
    }

    const std::optional<Message>& held() const { return held_; }
    const std::vector<Message>& seen() const { return seen_; }

  private:
    app::Transport& inner_;
    bool is_holding_ = false;
    std::uint16_t ping_id_ = 0;
    std::optional<Message> held_;
    std::vector<Message> seen_;
};

class TamperTest : public ::testing::Test {
  protected:
    TamperTest() {
        std::filesystem::create_directory(folder_ / "air");
        program_ = std::make_unique<testing::Program>(SOTTO_BINARY_DIR "/bin/sotto-device",
                                                      std::vector<std::string>{"--state",
                                                                               folder_ / "state",
                                                                               "--air",
                                                                               folder_ / "air",
                                                                               "--code-file",
                                                                               folder_ / "code",
                                                                               "--function",
                                                                               "echo"},
                                                      folder_ / "log");
        EXPECT_TRUE(
            testing::eventually([this] { return !testing::read_text(folder_ / "code").empty(); }));
        const auto code = keystore::parse_pairing_code(testing::read_text(folder_ / "code"));
        EXPECT_TRUE(code);
        edhoc::EphemeralKey pair = edhoc::EphemeralKey::from(*keystore::draw_private_key(entropy_));
        identity_.credential =
            keystore::CredentialBytes{cose::Credential::create("phone", pair.public_key)->bytes()};
        identity_.private_key = std::move(pair.private_key);
        framing::DeviceId id{};
        std::copy_n(code->credential_hash_prefix.begin(), id.size(), id.begin());
        central_ = std::make_unique<air::VirtualCentral>(loop_, folder_ / "air");
        auto transport = app::AirTransport::connect({loop_, *central_}, id, seconds(10));
        EXPECT_TRUE(transport);
        air_ = *std::move(transport);
        carrier_.emplace(*air_);
        device_.emplace(app::Device::Setup{.identity = identity_,
                                           .storage = storage_,
                                           .entropy = entropy_,
                                           .transport = *carrier_,
                                           .now = ports::SystemClock::now});
        EXPECT_TRUE(device_->pair(*code));
        EXPECT_TRUE(device_->call("echo", "first"));  // brings an Echo value
    }

    // A command that was sealed and sent, and never arrived.
    Message hold_back(const std::string& argument) {
        carrier_->hold();
        EXPECT_FALSE(device_->call("echo", argument));
        carrier_->let_go();
        EXPECT_TRUE(carrier_->held());
        return carrier_->held().value_or(Message{});
    }
    std::size_t calls(const std::string& argument) const {
        std::istringstream lines{testing::read_text(folder_ / "log")};
        std::size_t count = 0;
        for (std::string line; std::getline(lines, line);) {
            if (line.find("call ") != std::string::npos &&
                line.find('"' + argument + '"') != std::string::npos)
                ++count;
        }
        return count;
    }
    std::size_t all_calls() const {
        std::istringstream lines{testing::read_text(folder_ / "log")};
        std::size_t count = 0;
        for (std::string line; std::getline(lines, line);)
            count += line.find("call ") != std::string::npos ? 1 : 0;
        return count;
    }
    // A new connection and a session that goes on: what was held back is forgotten by the app.
    void renew() {
        device_.emplace(app::Device::Setup{.identity = identity_,
                                           .storage = storage_,
                                           .entropy = entropy_,
                                           .transport = *carrier_,
                                           .now = ports::SystemClock::now});
    }

    const testing::Folder folder_;
    std::unique_ptr<testing::Program> program_;
    ports::SystemEntropy entropy_;
    testing::MemoryStorage storage_;
    keystore::Identity identity_;
    boost::asio::io_context loop_;
    std::unique_ptr<air::VirtualCentral> central_;
    std::unique_ptr<app::Transport> air_;
    std::optional<Carrier> carrier_;
    std::optional<app::Device> device_;
};

// Where the value of the OSCORE option begins in a message without options before it.
std::size_t option_begin(const Message& message) {
    const auto parsed = coap::parse_message(message);
    for (const coap::Option& option : parsed->options) {
        if (option.number == coap::kOscore)
            return static_cast<std::size_t>(option.value.data() - message.data());
    }
    return message.size();
}

Message flip(Message message, std::size_t bit) {
    message[bit / 8] = static_cast<std::uint8_t>(message[bit / 8] ^ 1U << bit % 8);
    return message;
}

TEST_F(TamperTest, NoFlippedBitOfOptionOrCiphertextRunsAnythingAndTheTrueOneWorks) {
    const Message held = hold_back("held");
    const std::size_t before = all_calls();
    for (std::size_t bit = 8 * option_begin(held); bit < 8 * held.size(); ++bit) {
        carrier_->deliver(flip(held, bit));
        ASSERT_EQ(all_calls(), before) << "bit " << bit;
    }
    const auto answer = carrier_->deliver(held);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(coap::parse_message(*answer)->options.find(coap::kOscore));
    EXPECT_EQ(calls("held"), 1U);
    renew();
    EXPECT_TRUE(device_->call("echo", "after"));
}

TEST_F(TamperTest, AFlippedBitOfTheRestRunsTheOriginalAtMostOnce) {
    std::size_t expected = all_calls();
    const std::size_t bits = 8 * option_begin(hold_back("probe"));
    for (std::size_t bit = 0; bit < bits; ++bit) {
        renew();
        ASSERT_TRUE(device_->call("echo", "echo for the next"));
        const std::string argument = "held-" + std::to_string(bit);
        const Message held = hold_back(argument);
        const std::size_t before = all_calls();
        carrier_->deliver(flip(held, bit));
        const std::size_t after_flip = all_calls();
        ASSERT_EQ(after_flip, before + calls(argument)) << "another command ran, bit " << bit;
        carrier_->deliver(held);
        carrier_->deliver(flip(held, bit));
        ASSERT_EQ(calls(argument), 1U) << "bit " << bit;
        ASSERT_EQ(all_calls(), before + 1) << "bit " << bit;
    }
    EXPECT_GT(all_calls(), expected);
}

TEST_F(TamperTest, ARepetitionOfEverythingDoesNothing) {
    ASSERT_TRUE(device_->call("echo", "once"));
    const std::vector<Message> seen = carrier_->seen();
    const std::size_t before = all_calls();
    for (int i = 0; i < 2; ++i) {
        for (const Message& message : seen) carrier_->deliver(message);
        for (auto message = seen.rbegin(); message != seen.rend(); ++message)
            carrier_->deliver(*message);
    }
    EXPECT_EQ(all_calls(), before);
    renew();
    EXPECT_TRUE(device_->call("echo", "after"));
}

}  // namespace
}  // namespace sotto::integration
