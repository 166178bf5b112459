// SPDX-License-Identifier: Apache-2.0
// Two ends of a link over sockets of the kind that BlueZ gives.
#include "air/bluez/value_line.hpp"

#include <chrono>
#include <functional>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace sotto::air::bluez {
namespace {

using Buffer = std::vector<std::uint8_t>;

class End final : public ValueLine::Handler {
  public:
    explicit End(boost::asio::io_context& loop,
                 framing::Service service = framing::Service::Sotto,
                 Duration stall_time = kStallTimeMax)
        : line(std::make_shared<ValueLine>(loop, service, *this, stall_time)) {}
    ~End() { line->close(); }

    void on_frame(Bytes frame) override { frames.emplace_back(frame.begin(), frame.end()); }
    void on_value(Bytes value) override { values.emplace_back(value.begin(), value.end()); }
    void on_sent(std::size_t count) override { sent += count; }
    void on_dropped() override { ++dropped; }
    void on_closed(bool is_stalled) override {
        is_closed = true;
        has_stalled = is_stalled;
    }

    std::vector<Buffer> frames;
    std::vector<Buffer> values;
    std::size_t sent = 0;
    std::size_t dropped = 0;
    bool is_closed = false;
    bool has_stalled = false;
    std::shared_ptr<ValueLine> line;
};

class ValueLineTest : public ::testing::Test {
  protected:
    // Ours, and the other one.
    std::pair<int, int> sockets() {
        int ends[2];
        const int made =
            ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
        EXPECT_EQ(made, 0);
        return {ends[0], ends[1]};
    }
    void connect(End& from, End& to) {
        const auto [writer, reader] = sockets();
        from.line->write_to(writer);
        to.line->read_from(reader);
    }
    bool run_until(const std::function<bool()>& what) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (!what() && std::chrono::steady_clock::now() < end) {
            loop.restart();  // it ends when nothing is to be done
            loop.run_one_for(std::chrono::milliseconds{20});
        }
        return what();
    }

    boost::asio::io_context loop{1};
};

Buffer frame_of(std::size_t size, std::uint8_t fill) { return Buffer(size, fill); }

TEST_F(ValueLineTest, CarriesFramesOfAllSizesBothWays) {
    End central{loop};
    End device{loop};
    connect(central, device);
    connect(device, central);
    central.line->set_value_size(510);
    std::vector<Buffer> frames;
    for (const std::size_t size : {1U, 19U, 20U, 508U, 509U, 510U, 511U, 512U, 1'280U})
        frames.push_back(frame_of(size, static_cast<std::uint8_t>(size)));
    for (const Buffer& frame : frames) {
        ASSERT_TRUE(central.line->send(frame));
        ASSERT_TRUE(device.line->send(frame));
    }
    ASSERT_TRUE(run_until([&] {
        return device.frames.size() == frames.size() && central.frames.size() == frames.size();
    }));
    EXPECT_EQ(device.frames, frames);
    EXPECT_EQ(central.frames, frames);
    EXPECT_EQ(central.sent, frames.size());
    EXPECT_EQ(central.line->unsent_count(), 0U);
}

TEST_F(ValueLineTest, QueuesNoMoreThanItMayAndGoesOnWithRoom) {
    End central{loop};
    const auto [writer, reader] = sockets();
    central.line->write_to(writer);
    // Nobody reads: socket and queue fill.
    std::size_t taken = 0;
    for (int i = 0; i < 10'000; ++i) {
        loop.poll();
        const Status status = central.line->send(frame_of(1'280, 1));
        if (!status) {
            EXPECT_EQ(status.error(), Error::Busy);
            if (taken == central.sent + kQueuedFramesMax) break;
        } else {
            ++taken;
        }
    }
    EXPECT_EQ(taken, central.sent + kQueuedFramesMax);
    End device{loop};
    device.line->read_from(reader);
    ASSERT_TRUE(run_until([&] { return device.frames.size() == taken; }));
    EXPECT_EQ(central.sent, taken);
}

TEST_F(ValueLineTest, RefusesWhatIsNoFrame) {
    End central{loop};
    EXPECT_EQ(central.line->send({}).error(), Error::InvalidArgument);
    EXPECT_EQ(central.line->send(frame_of(1'281, 1)).error(), Error::TooLarge);
    EXPECT_EQ(central.line->write(frame_of(1, 1)).error(), Error::WrongState);
    central.line->close();
    EXPECT_EQ(central.line->send(frame_of(1, 1)).error(), Error::WrongState);
}

TEST_F(ValueLineTest, CarriesValuesOfBluzAsTheyAre) {
    End central{loop, framing::Service::Bluz};
    End device{loop, framing::Service::Bluz};
    connect(central, device);
    ASSERT_TRUE(central.line->write(Buffer{3, 4}));
    ASSERT_TRUE(central.line->write(frame_of(20, 9)));
    EXPECT_EQ(central.line->write({}).error(), Error::InvalidArgument);
    EXPECT_EQ(central.line->send(frame_of(2, 1)).error(), Error::WrongState);
    ASSERT_TRUE(run_until([&] { return device.values.size() == 2; }));
    EXPECT_EQ(device.values, (std::vector<Buffer>{{3, 4}, frame_of(20, 9)}));
}

TEST_F(ValueLineTest, HearsTheEndAtEitherSocket) {
    for (const bool is_writer : {false, true}) {
        End central{loop};
        const auto [ours, theirs] = sockets();
        if (is_writer) {
            central.line->write_to(ours);
        } else {
            central.line->read_from(ours);
        }
        ::close(theirs);
        ASSERT_TRUE(run_until([&] { return central.is_closed; }));
        EXPECT_FALSE(central.has_stalled);
        EXPECT_EQ(central.line->send(frame_of(1, 1)).error(), Error::WrongState);
    }
}

TEST_F(ValueLineTest, WritesByCallsOneAtATime) {
    End central{loop};
    std::vector<Buffer> calls;
    central.line->write_by([&](Bytes value) { calls.emplace_back(value.begin(), value.end()); });
    ASSERT_TRUE(central.line->send(frame_of(30, 1)));
    ASSERT_TRUE(run_until([&] { return calls.size() == 1; }));
    loop.poll();
    EXPECT_EQ(calls.size(), 1U) << "the first one has not been answered";
    central.line->on_written(true);
    ASSERT_EQ(calls.size(), 2U);
    EXPECT_EQ(central.sent, 0U);
    central.line->on_written(true);
    EXPECT_EQ(central.sent, 1U);
    ASSERT_TRUE(central.line->send(frame_of(1, 1)));
    ASSERT_TRUE(run_until([&] { return calls.size() == 3; }));
    central.line->on_written(false);
    EXPECT_TRUE(central.is_closed);
}

TEST_F(ValueLineTest, PutsValuesInOrderAndOutlivesWhatIsNoFrame) {
    End central{loop};
    const auto [theirs, ours] = sockets();
    central.line->read_from(ours);
    const auto send = [socket = theirs](const Buffer& value) {
        ASSERT_EQ(::send(socket, value.data(), value.size(), 0), std::ssize(value));
    };
    send({0x40 | 1, 'b'});  // the last one, early
    send({0x80 | 0, 'a'});
    send({0xc0 | 2});         // carries nothing
    send(Buffer(512, 0x3f));  // far ahead
    send({0xc0 | 4, 'd'});    // after one that never comes
    ASSERT_TRUE(run_until([&] { return central.frames.size() == 2; }));
    EXPECT_EQ(central.frames, (std::vector<Buffer>{{'a', 'b'}, {'d'}}));
    EXPECT_EQ(central.dropped, 1U) << "it is said once";
    ::close(theirs);
}

TEST_F(ValueLineTest, TakesValuesOfAllSizesAndAnEmptyOneForNoEnd) {
    End central{loop};
    const auto [theirs, ours] = sockets();
    central.line->read_from(ours);
    std::uint8_t counter = 0;
    for (const std::size_t size : {0U, 1U, 510U, 0U, 511U, 512U}) {
        Buffer value(size, 'x');
        if (!value.empty()) value[0] = static_cast<std::uint8_t>(0xc0 | counter++);
        ASSERT_EQ(::send(theirs, value.data(), value.size(), 0), std::ssize(value));
    }
    ASSERT_TRUE(run_until([&] { return central.frames.size() == 3; }));
    EXPECT_EQ(central.frames.back().size(), 511U);
    EXPECT_EQ(central.dropped, 1U);
    EXPECT_FALSE(central.is_closed);
    ASSERT_EQ(::send(theirs, nullptr, 0, 0), 0);
    ::close(theirs);
    ASSERT_TRUE(run_until([&] { return central.is_closed; }));
}

TEST_F(ValueLineTest, FramesThatFallIntoOneAnotherOrAreNeverEndedCostThemselvesAlone) {
    End central{loop};
    const auto [theirs, ours] = sockets();
    central.line->read_from(ours);
    std::uint8_t counter = 0;
    const auto send = [&, socket = theirs](std::uint8_t flags, char byte, std::size_t size) {
        Buffer value(size, static_cast<std::uint8_t>(byte));
        value[0] = static_cast<std::uint8_t>(flags | (counter++ & 0x3f));
        ASSERT_EQ(::send(socket, value.data(), value.size(), 0), std::ssize(value));
    };
    for (int lap = 0; lap < 40; ++lap) {
        send(0x80, 'a', 510);  // is begun,
        send(0x80, 'b', 510);  // and another one falls in,
        send(0xc0, 'c', 2);    // and a whole one
        loop.poll();
    }
    send(0x80, 'd', 510);
    for (int i = 0; i < 40; ++i) {
        send(0x00, 'd', 510);  // grows and grows
        loop.poll();
    }
    send(0xc0, 'e', 2);
    ASSERT_TRUE(run_until([&] { return central.frames.size() == 41; }));
    EXPECT_EQ(central.frames.front(), Buffer{'c'});
    EXPECT_EQ(central.frames.back(), Buffer{'e'});
    EXPECT_FALSE(central.is_closed);
    ::close(theirs);
}

TEST_F(ValueLineTest, WhoNeverReadsIsLeft) {
    End central{loop, framing::Service::Sotto, milliseconds(200)};
    const auto [writer, reader] = sockets();
    central.line->write_to(writer);
    Status status;
    while (status) {
        loop.poll();
        status = central.line->send(frame_of(1'280, 1));
    }
    EXPECT_EQ(status.error(), Error::Busy);
    ASSERT_TRUE(run_until([&] { return central.is_closed; }));
    EXPECT_TRUE(central.has_stalled);
    ::close(reader);
}

}  // namespace
}  // namespace sotto::air::bluez
