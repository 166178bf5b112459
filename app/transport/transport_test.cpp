// SPDX-License-Identifier: Apache-2.0
// The air by a central that plays a script, and UDP over loopback.
#include <functional>

#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "app/transport/air_transport.hpp"
#include "app/transport/udp_transport.hpp"

namespace sotto::app {
namespace {

namespace asio = boost::asio;
using Udp = asio::ip::udp;

constexpr Duration kLimit = seconds(20);
constexpr framing::DeviceId kDevice{7, 7};

std::vector<std::uint8_t> frame_of(const framing::Frame& frame) {
    std::array<std::uint8_t, framing::kFrameSizeMax> out{};
    const Bytes bytes = *framing::encode_frame(out, frame);
    return {bytes.begin(), bytes.end()};
}

// A central with two devices in reach. Whatever is sent to one comes back, behind some frames that
// are not for an app nearby.
class FakeCentral final : public air::Central {
  public:
    explicit FakeCentral(asio::io_context& loop) : loop_(loop) {}

    void set_is_welcome(IsWelcome /*is_welcome*/) override {}
    std::vector<air::Place> places() override { return {}; }
    void scan(Duration /*limit*/, IsWanted /*is_wanted*/, ScanDone done) override {
        asio::post(loop_, [done = std::move(done)] {
            std::vector<air::Sighting> sightings(2);
            sightings[1].place = "here";
            sightings[1].device_id = kDevice;
            done(sightings);
        });
    }
    std::unique_ptr<air::Link> connect(const air::Place& place,
                                       air::LinkHandler& handler,
                                       Duration /*patience*/) override {
        EXPECT_EQ(place, "here");
        if (refusal) {
            asio::post(loop_, [&handler, this] { handler.on_disconnected(*refusal); });
        } else {
            asio::post(loop_, [&handler] { handler.on_connected({}); });
        }
        ++connect_count;
        return std::make_unique<Echo>(*this, handler);
    }

    std::optional<air::Disconnect> refusal;
    int connect_count = 0;
    int link_count = 0;  // that stand now
    bool is_mute = false;
    air::LinkHandler* last_handler = nullptr;
    std::vector<std::uint8_t> last_sent;

  private:
    class Echo final : public air::Link {
      public:
        Echo(FakeCentral& central, air::LinkHandler& handler)
            : central_(central), handler_(handler) {
            ++central_.link_count;
            central_.last_handler = &handler;
        }
        ~Echo() override { --central_.link_count; }
        Status send(Bytes frame) override {
            central_.last_sent.assign(frame.begin(), frame.end());
            if (central_.is_mute) return {};
            asio::post(central_.loop_, [this] {
                handler_.on_frame(frame_of(framing::Attach{.device_id = kDevice}));
                handler_.on_frame(as_bytes("no frame"));
                handler_.on_frame(
                    frame_of(framing::Message{framing::Label{3}, as_bytes("for the relay")}));
                handler_.on_frame(central_.last_sent);
            });
            return {};
        }
        Status write(Bytes) override { return Error::WrongState; }

      private:
        FakeCentral& central_;
        air::LinkHandler& handler_;
    };

    asio::io_context& loop_;
};

class Air : public ::testing::Test {
  protected:
    asio::io_context loop{1};
    FakeCentral central{loop};
};

TEST_F(Air, FindsTheDeviceAndTakesOnlyWhatIsForAnAppNearby) {
    auto transport = AirTransport::connect({loop, central}, kDevice, kLimit);
    ASSERT_TRUE(transport) << transport.error().what;
    ASSERT_TRUE((*transport)->send(as_bytes("ping")));
    EXPECT_EQ(central.last_sent,
              frame_of(framing::Message{framing::kLabelNearby, as_bytes("ping")}));
    EXPECT_EQ(as_text(std::get<Received>((*transport)->wait(kLimit)).message), "ping");
    EXPECT_TRUE(std::holds_alternative<TimedOut>((*transport)->wait(milliseconds(1))));
    EXPECT_EQ((*transport)->send({}).error(), Error::InvalidArgument);
}

TEST_F(Air, SaysWhyThereIsNoLink) {
    const auto missing = AirTransport::connect({loop, central}, framing::DeviceId{1}, kLimit);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().trouble, Trouble::Unreachable);
    for (const auto why : {air::Disconnect::Busy,
                           air::Disconnect::Closed,
                           air::Disconnect::NotFound,
                           air::Disconnect::Timeout}) {
        central.refusal = why;
        const auto refused = AirTransport::connect({loop, central}, kDevice, kLimit);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().trouble, Trouble::Unreachable);
        EXPECT_FALSE(refused.error().next.empty());
    }
}

// What the device says while another central wants in.
class AirRelease : public Air {
  protected:
    AirRelease() : transport_(*AirTransport::connect({loop, central}, kDevice, kLimit)) {}

    void ask_to_leave(std::uint16_t seconds) {
        asio::post(loop, [this, seconds] {
            central.last_handler->on_frame(frame_of(framing::Release{seconds}));
        });
    }
    // Waits in steps, as a device without messages makes one wait.
    bool comes_true(const std::function<bool()>& is_true) {
        for (int i = 0; i < 2'000 && !is_true(); ++i)
            EXPECT_TRUE(std::holds_alternative<TimedOut>(transport_->wait(milliseconds(10))));
        return is_true();
    }

    std::unique_ptr<AirTransport> transport_;
};

TEST_F(AirRelease, AnIdleOneLeavesAndComesBack) {
    transport_->set_idle(true);
    ask_to_leave(1);
    EXPECT_TRUE(comes_true([&] { return central.link_count == 0; }));
    EXPECT_TRUE(transport_->send(as_bytes("ping")));
    EXPECT_TRUE(central.last_sent.empty());
    EXPECT_EQ(as_text(std::get<Received>(transport_->wait(kLimit)).message), "ping");
    EXPECT_EQ(central.connect_count, 2);
}

TEST_F(AirRelease, OneWaitOutlastsTheAbsence) {
    transport_->set_idle(true);
    ask_to_leave(0);
    EXPECT_TRUE(std::holds_alternative<TimedOut>(transport_->wait(seconds(2))));
    EXPECT_EQ(central.connect_count, 2);
    EXPECT_TRUE(transport_->send(as_bytes("ping")));
}

TEST_F(AirRelease, WhatIsUnderWayIsFinishedFirst) {
    ask_to_leave(0);
    EXPECT_TRUE(std::holds_alternative<TimedOut>(transport_->wait(seconds(1))));
    EXPECT_EQ(central.link_count, 1);
    EXPECT_EQ(central.connect_count, 1);
    transport_->set_idle(true);
    EXPECT_TRUE(comes_true([&] { return central.connect_count == 2; }));
}

TEST_F(AirRelease, WhoDoesNotGetBackIsToldSo) {
    transport_->set_idle(true);
    central.refusal = air::Disconnect::Busy;
    ask_to_leave(0);
    const Arrival arrival = transport_->wait(kLimit);
    ASSERT_TRUE(std::holds_alternative<Lost>(arrival));
    EXPECT_EQ(std::get<Lost>(arrival).why.trouble, Trouble::Unreachable);
    EXPECT_EQ(transport_->send(as_bytes("ping")).error(), Error::WrongState);
}

class AirLoss : public AirRelease {
  protected:
    void lose(air::Disconnect why) {
        asio::post(loop, [this, why] { central.last_handler->on_disconnected(why); });
    }
};

TEST_F(AirLoss, WhatWasNotAnsweredIsSaidAgainOverTheNextLink) {
    central.is_mute = true;
    EXPECT_TRUE(transport_->send(as_bytes("ping")));
    central.is_mute = false;
    lose(air::Disconnect::Closed);
    EXPECT_EQ(as_text(std::get<Received>(transport_->wait(kLimit)).message), "ping");
    EXPECT_EQ(central.connect_count, 2);
    central.last_sent.clear();
    lose(air::Disconnect::Closed);
    EXPECT_TRUE(comes_true([&] { return central.connect_count == 3; }));
    EXPECT_TRUE(std::holds_alternative<TimedOut>(transport_->wait(milliseconds(20))));
    EXPECT_TRUE(central.last_sent.empty()) << "it was answered";
}

TEST_F(AirLoss, ADeviceThatClosesEachTimeIsLost) {
    central.is_mute = true;
    EXPECT_TRUE(transport_->send(as_bytes("ping")));
    for (int count = 1; count <= 3; ++count) {
        lose(air::Disconnect::Closed);
        EXPECT_TRUE(comes_true([&] { return central.connect_count == count + 1; }));
        transport_->wait(milliseconds(20));  // until it is there
    }
    lose(air::Disconnect::Closed);
    EXPECT_TRUE(std::holds_alternative<Lost>(transport_->wait(kLimit)));
    EXPECT_EQ(central.connect_count, 4);
}

TEST_F(AirLoss, OneThatDoesNotReactIsLostAtOnce) {
    lose(air::Disconnect::Timeout);
    EXPECT_TRUE(std::holds_alternative<Lost>(transport_->wait(kLimit)));
    EXPECT_EQ(central.connect_count, 1);
}

TEST(UdpTransport, CarriesDatagramsBothWays) {
    asio::io_context loop;
    Udp::socket server{loop, {asio::ip::address_v4::loopback(), 0}};
    const Endpoint endpoint{"127.0.0.1", std::to_string(server.local_endpoint().port())};
    auto transport = UdpTransport::connect(endpoint);
    ASSERT_TRUE(transport);
    ASSERT_TRUE((*transport)->send(as_bytes("ping")));
    std::array<char, 16> buffer{};
    Udp::endpoint client;
    EXPECT_EQ(server.receive_from(asio::buffer(buffer), client), 4U);
    server.send_to(asio::buffer("pong", 4), client);
    server.send_to(asio::buffer("more", 4), client);
    EXPECT_EQ(as_text(std::get<Received>((*transport)->wait(kLimit)).message), "pong");
    EXPECT_EQ(as_text(std::get<Received>((*transport)->wait(kLimit)).message), "more");
    EXPECT_TRUE(std::holds_alternative<TimedOut>((*transport)->wait(milliseconds(1))));
}

TEST(UdpTransport, ReportsAPortWhereNobodyListensAndGoesOn) {
    asio::io_context loop;
    Udp::socket server{loop, {asio::ip::address_v4::loopback(), 0}};
    const auto address = server.local_endpoint();
    auto transport = UdpTransport::connect({"127.0.0.1", std::to_string(address.port())});
    ASSERT_TRUE(transport);
    server.close();
    ASSERT_TRUE((*transport)->send(as_bytes("ping")));
    const Arrival arrival = (*transport)->wait(kLimit);
    EXPECT_EQ(std::get<NotPassedOn>(arrival).why.trouble, Trouble::Unreachable);
    server = Udp::socket{loop, address};
    ASSERT_TRUE((*transport)->send(as_bytes("ping")));
    std::array<char, 16> buffer{};
    EXPECT_EQ(server.receive(asio::buffer(buffer)), 4U);
    EXPECT_EQ(UdpTransport::connect({"no.such.host.invalid", "1"}).error().trouble,
              Trouble::Unreachable);
}

}  // namespace
}  // namespace sotto::app
