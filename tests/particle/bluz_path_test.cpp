// SPDX-License-Identifier: Apache-2.0
// A server's side, the gateway's machine and a strict bluz board, wired together in virtual time.
// TCP cuts the server's bytes wherever it likes, the air carries a few values in each step.
#include <random>

#include <gtest/gtest.h>

#include "gateway/bluz/device.hpp"
#include "testing/particle/bluz_device.hpp"
#include "tests/particle/server.hpp"

namespace sotto::tests {
namespace {

namespace bluz = gateway::bluz;
using testing::BluzDevice;

constexpr Duration kStep = milliseconds(10);

class Path {
  public:
    // `cut_max`: TCP hands over pieces of 1 to so many bytes.
    Path(std::size_t cut_max, bool sends_header_alone, unsigned seed = 1)
        : cut_max_(cut_max),
          chance_(seed),
          board({.legacy = {.id = kLegacyId,
                            .key = device_key(),
                            .server_key = server_key().public_der()},
                 .sends_header_alone = sends_header_alone},
                [this](testing::LegacyDevice& session) {
                    session.functions["led"] = [this](const std::string& argument) {
                        calls.push_back(argument);
                        return static_cast<std::int32_t>(argument.size());
                    };
                }) {
        link();
    }

    void link() {
        machine.emplace(bluz::Device::Policy{.has_server = true}, now);
        in_air_.clear();
        board.on_subscribed(now);
        closed = false;
    }
    void lose_link() {
        machine.reset();
        server.session.reset();
        server.output.clear();
        board.on_link_lost();
    }
    void pass(Duration duration) {
        for (const Instant end = now + duration; now < end;) {
            now = now + kStep;
            step();
        }
    }
    bool is_connected() { return board.session() != nullptr && board.session()->is_connected(); }

    Instant now{1'700'000'000'000};
    Server server{device_key().public_der()};
    std::vector<std::string> calls;
    bool closed = false;

  private:
    std::size_t cut_max_;
    std::minstd_rand chance_;

  public:
    BluzDevice board;
    std::optional<bluz::Device> machine;

  private:
    void step() {
        if (!machine || closed) return;
        carry_down();
        while (board.step(now)) {
        }
        while (const auto value = board.take_value()) {
            machine->on_value(*value, now);
            perform();
        }
        server.look(now);
        const std::size_t size =
            std::min({1 + chance_() % cut_max_, server.output.size(), machine->stream_room()});
        if (size > 0) {
            machine->on_stream_bytes(Bytes{server.output}.first(size), now);
            server.output.erase(server.output.begin(),
                                server.output.begin() + static_cast<std::ptrdiff_t>(size));
        }
        machine->on_time(now);
        perform();
    }
    // Up to eight values reach the board; it turns its loop in between, or does not.
    void carry_down() {
        std::size_t count = 0;
        for (; count < 8 && !in_air_.empty(); ++count) {
            board.on_value(in_air_.front());
            in_air_.pop_front();
            if (chance_() % 2 == 0) board.step(now);
        }
        if (count > 0) machine->on_values_sent(count, now);
        perform();
    }
    void perform() {
        while (const auto output = machine->next_output()) {
            if (const auto* item = std::get_if<bluz::SendValue>(&*output)) {
                in_air_.emplace_back(item->value().begin(), item->value().end());
            } else if (const auto* write = std::get_if<bluz::WriteStream>(&*output)) {
                server.receive(write->bytes, now);
                machine->on_stream_written();
            } else if (std::holds_alternative<bluz::OpenStream>(*output)) {
                machine->on_stream_up(now);
                server.begin(now);
            } else if (std::holds_alternative<bluz::CloseLink>(*output)) {
                closed = true;
            }
        }
    }

    std::deque<std::vector<std::uint8_t>> in_air_;
};

void expect_calls(Path& path) {
    ASSERT_TRUE(path.is_connected()) << path.board.trouble();
    path.server.answers.clear();
    path.calls.clear();
    std::vector<std::int32_t> sizes;
    for (std::int32_t size = 0; size < 64; size += 7) {
        const std::string argument(static_cast<std::size_t>(size), 'a');
        ASSERT_TRUE(path.server.session->call("led", argument, path.now));
        sizes.push_back(size);
    }
    path.pass(seconds(20));
    EXPECT_EQ(path.server.answers, sizes);
    EXPECT_EQ(path.calls.size(), sizes.size());
    EXPECT_EQ(path.board.trouble(), "");
    EXPECT_FALSE(path.closed);
}

TEST(BluzPath, ABoardIsCalledHoweverTheBytesAreCut) {
    for (const std::size_t cut_max : {1U, 2U, 7U, 64U, 5'000U}) {
        for (const bool is_header_alone : {false, true}) {
            SCOPED_TRACE(cut_max);
            Path path{cut_max, is_header_alone, static_cast<unsigned>(cut_max)};
            path.pass(seconds(15));
            expect_calls(path);
        }
    }
}

TEST(BluzPath, ABoardKeepsItsSessionForAnHour) {
    Path path{500, false};
    for (int minute = 0; minute < 60; ++minute) path.pass(minutes(1));
    expect_calls(path);
}

// The board keeps what had come of a frame, and the next link begins in the middle of it.
TEST(BluzPath, ALinkThatIsLostAnywhereIsFollowedByOneThatWorks) {
    for (std::int64_t at = 0; at < 5'200; at += 130) {
        SCOPED_TRACE(at);
        Path path{5'000, false, static_cast<unsigned>(at + 1)};
        path.pass(milliseconds(at));
        if (path.is_connected())
            (void)path.server.session->call("led", std::string(63, 'b'), path.now);
        path.pass(milliseconds(10 + at % 4 * 10));
        const std::uint8_t cut_off[] = {0x01, 0x00, 0xaa};
        path.board.on_value(cut_off);
        path.lose_link();
        path.pass(seconds(1));
        path.link();
        path.pass(seconds(15));
        ASSERT_TRUE(path.is_connected()) << path.board.trouble();
        EXPECT_TRUE(path.machine->id()) << "it was asked again";
        expect_calls(path);
    }
}

}  // namespace
}  // namespace sotto::tests
