// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/visit.hpp"

#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "core/framing/frame.hpp"

namespace sotto::air::bluez {
namespace {

constexpr framing::DeviceId kId{1, 2, 3};

std::vector<std::uint8_t> frame_of(const framing::Frame& frame) {
    std::array<std::uint8_t, framing::kFrameSizeMax> out{};
    const Bytes bytes = *framing::encode_frame(out, frame);
    return {bytes.begin(), bytes.end()};
}

// What a link was told, as long as it is there.
struct Sent {
    bool is_there = true;
    std::size_t frames = 0;
};

class FakeLink final : public Link {
  public:
    explicit FakeLink(Sent& sent) : sent_(sent) {}
    ~FakeLink() override { sent_.is_there = false; }
    FakeLink(const FakeLink&) = delete;
    FakeLink& operator=(const FakeLink&) = delete;
    Status send(Bytes) override {
        ++sent_.frames;
        return {};
    }
    Status write(Bytes) override { return Error::WrongState; }

  private:
    Sent& sent_;
};

class App final : public LinkHandler {
  public:
    void on_connected(const Sighting& sighting) override { connected = sighting; }
    void on_frame(Bytes) override { ++frames; }
    void on_sent(std::size_t count) override { sent += count; }
    void on_disconnected(Disconnect why) override { ended = why; }

    std::optional<Sighting> connected;
    std::size_t frames = 0;
    std::size_t sent = 0;
    std::optional<Disconnect> ended;
};

class VisitTest : public ::testing::Test {
  protected:
    void SetUp() override { visit->begin(std::make_unique<FakeLink>(sent)); }
    void introduce() {
        visit->on_connected({.place = "here", .name = "lamp"});
        visit->on_frame(frame_of(framing::Attach{.has_owner = true, .device_id = kId}));
    }

    boost::asio::io_context loop{1};
    Sent sent;
    std::shared_ptr<Visit> visit = std::make_shared<Visit>(loop);
    App app;
};

TEST_F(VisitTest, HearsWhoItIs) {
    visit->on_connected({.place = "here", .name = "lamp"});
    EXPECT_FALSE(visit->seen());
    visit->on_frame(as_bytes("no frame"));
    visit->on_frame(frame_of(framing::Release{10}));
    EXPECT_FALSE(visit->seen());
    introduce();
    ASSERT_TRUE(visit->seen());
    EXPECT_EQ(visit->seen()->device_id, kId);
    EXPECT_TRUE(visit->seen()->has_owner);
    EXPECT_EQ(visit->seen()->place, "here");
    EXPECT_EQ(visit->seen()->name, "lamp");
}

TEST_F(VisitTest, ADeviceOfBluzIsWhatItIs) {
    visit->on_connected({.place = "here", .name = "board", .service = framing::Service::Bluz});
    EXPECT_TRUE(visit->seen());
}

TEST_F(VisitTest, HandsItsLinkOver) {
    introduce();
    auto link = visit->hand_over(app);
    EXPECT_FALSE(app.connected) << "not from within the call";
    loop.run();
    ASSERT_TRUE(app.connected);
    EXPECT_EQ(app.connected->device_id, kId);
    EXPECT_TRUE(link->send(as_bytes("frame")));
    EXPECT_EQ(sent.frames, 1U);
    visit->on_frame(as_bytes("frame"));
    visit->on_sent(2);
    EXPECT_EQ(app.frames, 1U);
    EXPECT_EQ(app.sent, 2U);
    visit->on_disconnected(Disconnect::Closed);
    EXPECT_EQ(app.ended, Disconnect::Closed);
    EXPECT_TRUE(visit->is_over());
    link.reset();
    EXPECT_FALSE(sent.is_there);
}

TEST_F(VisitTest, NobodyIsCalledAfterTheLinkIsGone) {
    introduce();
    visit->hand_over(app).reset();
    EXPECT_FALSE(sent.is_there);
    loop.run();
    visit->on_frame(as_bytes("frame"));
    visit->on_disconnected(Disconnect::Closed);
    EXPECT_FALSE(app.connected || app.ended);
    EXPECT_EQ(app.frames, 0U);
}

TEST_F(VisitTest, ALinkThatEndsBeforeItIsConnectedSaysSoOnce) {
    introduce();
    const auto link = visit->hand_over(app);
    visit->on_disconnected(Disconnect::Closed);
    loop.run();
    EXPECT_FALSE(app.connected);
    EXPECT_EQ(app.ended, Disconnect::Closed);
}

}  // namespace
}  // namespace sotto::air::bluez
