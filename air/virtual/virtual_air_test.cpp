// SPDX-License-Identifier: Apache-2.0
// A peripheral and centrals of the virtual air in one event loop, over real sockets.
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "air/virtual/halves.hpp"
#include "air/virtual/limits.hpp"
#include "air/virtual/virtual_central.hpp"
#include "air/virtual/virtual_peripheral.hpp"

namespace sotto::air {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using Buffer = std::vector<std::uint8_t>;
using RawSocket = asio::local::stream_protocol::socket;

class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "sotto_air_XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) path_ = name;
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string path() const { return path_.string(); }
    std::string socket(const std::string& name = "lamp") const {
        return (path_ / (name + ".sock")).string();
    }

  private:
    fs::path path_;
};

// Records what happens, as texts; frames are texts here.
class DeviceLog final : public PeripheralHandler {
  public:
    void on_connected() override { log.push_back("connected"); }
    void on_frame(Bytes frame) override { log.push_back(std::string{as_text(frame)}); }
    void on_value(Bytes value) override { log.push_back("value " + std::string{as_text(value)}); }
    void on_sent(std::size_t count) override { sent += count; }
    void on_disconnected() override { log.push_back("disconnected"); }
    std::vector<std::string> log;
    std::size_t sent = 0;
};

class LinkLog final : public LinkHandler {
  public:
    void on_connected(const Sighting& seen) override {
        sighting = seen;
        log.push_back("connected");
    }
    void on_frame(Bytes frame) override { log.push_back(std::string{as_text(frame)}); }
    void on_value(Bytes value) override { log.push_back("value " + std::string{as_text(value)}); }
    void on_sent(std::size_t count) override { sent += count; }
    void on_disconnected(Disconnect reason) override {
        why = reason;
        log.push_back("disconnected");
    }
    Sighting sighting;
    std::vector<std::string> log;
    std::size_t sent = 0;
    std::optional<Disconnect> why;
};

const std::string kRelease10{"\x02\x00\x0a", 3};

class VirtualAir : public ::testing::Test {
  protected:
    VirtualPeripheral::Options options(const std::string& name = "lamp") const {
        VirtualPeripheral::Options made{.socket_path = folder.socket(name), .name = name};
        made.device_id.fill(7);
        return made;
    }
    // Runs the loop until it holds, for so long at most.
    template <class Condition>
    bool until(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds{10}) {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (!condition() && std::chrono::steady_clock::now() < end) {
            loop.restart();
            loop.run_one_for(std::chrono::milliseconds{100});
        }
        return condition();
    }
    std::vector<Sighting> scan() {
        std::optional<std::vector<Sighting>> found;
        central.scan(seconds(5), {}, [&](std::vector<Sighting> sightings) { found = sightings; });
        EXPECT_TRUE(until([&] { return found.has_value(); }));
        return found.value_or(std::vector<Sighting>{});
    }
    std::unique_ptr<Link> connect(LinkLog& log, Duration patience = {}) {
        auto link = central.connect(folder.socket(), log, patience);
        EXPECT_TRUE(until([&] { return !log.log.empty(); }));
        return link;
    }

    Folder folder;
    asio::io_context loop{1};
    VirtualCentral central{loop, folder.path(), 247};
    DeviceLog device;
};

TEST_F(VirtualAir, CarriesFramesBothWays) {
    VirtualPeripheral peripheral{loop, options(), device};
    ASSERT_TRUE(peripheral.open());
    EXPECT_EQ(peripheral.send(as_bytes("early")).error(), Error::WrongState);
    LinkLog app;
    const auto link = central.connect(folder.socket(), app, {});
    EXPECT_EQ(link->send(as_bytes("early")).error(), Error::WrongState);
    ASSERT_TRUE(until([&] { return !device.log.empty(); }));
    EXPECT_EQ(app.sighting.name, "lamp");
    EXPECT_EQ(app.sighting.device_id, options().device_id);
    ASSERT_TRUE(link->send(as_bytes("on")));
    ASSERT_TRUE(peripheral.send(as_bytes("done")));
    EXPECT_TRUE(until([&] { return device.log.size() == 2 && app.log.size() == 2; }));
    EXPECT_EQ(device.log, (std::vector<std::string>{"connected", "on"}));
    EXPECT_EQ(app.log, (std::vector<std::string>{"connected", "done"}));
    EXPECT_TRUE(until([&] { return device.sent == 1 && app.sent == 1; }));
}

TEST_F(VirtualAir, EndsWhenEitherSideGoes) {
    VirtualPeripheral peripheral{loop, options(), device};
    ASSERT_TRUE(peripheral.open());
    LinkLog first;
    auto link = connect(first);
    ASSERT_TRUE(until([&] { return device.log.size() == 1; }));
    link.reset();
    EXPECT_TRUE(until([&] { return device.log.size() == 2; }));
    EXPECT_EQ(device.log.back(), "disconnected");

    LinkLog second;
    link = connect(second);
    ASSERT_TRUE(until([&] { return device.log.size() == 3; }));
    peripheral.disconnect();
    EXPECT_TRUE(until([&] { return second.log.size() == 2; }));
    EXPECT_EQ(second.why, Disconnect::Closed);
    EXPECT_EQ(link->send(as_bytes("late")).error(), Error::WrongState);
    EXPECT_TRUE(until([&] { return device.log.size() == 4; }));
}

TEST_F(VirtualAir, ASecondCentralHearsBusyAndTheFirstIsAskedToGo) {
    VirtualPeripheral peripheral{loop, options(), device};
    ASSERT_TRUE(peripheral.open());
    LinkLog gateway;
    auto first = connect(gateway);
    ASSERT_TRUE(until([&] { return device.log.size() == 1; }));
    LinkLog hasty;
    const auto refused = connect(hasty);
    EXPECT_EQ(hasty.why, Disconnect::Busy);
    EXPECT_TRUE(until([&] { return gateway.log.size() == 2; }));
    EXPECT_EQ(gateway.log.back(), kRelease10);

    LinkLog patient;
    const auto second = central.connect(folder.socket(), patient, seconds(10));
    first.reset();
    EXPECT_TRUE(until([&] { return !patient.log.empty(); }));
    EXPECT_EQ(patient.log, std::vector<std::string>{"connected"});
}

TEST_F(VirtualAir, ScanFindsEverybodyOnceAndLeavesThemFree) {
    VirtualPeripheral lamp{loop, options("lamp"), device};
    VirtualPeripheral::Options owned = options("door");
    owned.has_owner = true;
    VirtualPeripheral door{loop, owned, device};
    ASSERT_TRUE(lamp.open());
    ASSERT_TRUE(door.open());
    std::ofstream{fs::path{folder.path()} / "text.sock"} << "not a socket";
    const auto found = scan();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].name, "door");
    EXPECT_TRUE(found[0].has_owner);
    EXPECT_EQ(found[1].place, folder.socket("lamp"));
    EXPECT_FALSE(found[1].is_busy);
    EXPECT_TRUE(device.log.empty());
    lamp.set_has_owner(true);
    EXPECT_TRUE(scan()[1].has_owner);
}

TEST_F(VirtualAir, ScanOfNothingEndsAtOnce) {
    EXPECT_TRUE(scan().empty());
    VirtualCentral nowhere{loop, folder.path() + "/missing"};
    EXPECT_TRUE(nowhere.places().empty());
}

TEST_F(VirtualAir, NobodyThereIsNotFound) {
    LinkLog app;
    const auto link = connect(app);
    EXPECT_EQ(app.why, Disconnect::NotFound);
    LinkLog far;
    const auto other = central.connect(std::string(200, 'x') + ".sock", far, {});
    EXPECT_TRUE(until([&] { return far.why == Disconnect::NotFound; }));
}

TEST_F(VirtualAir, QueueIsBoundedAndReportsRoom) {
    VirtualPeripheral peripheral{loop, options(), device};
    ASSERT_TRUE(peripheral.open());
    LinkLog app;
    const auto link = connect(app);
    const Buffer frame(1'280, 'x');
    std::size_t queued = 0;
    while (link->send(frame)) ++queued;
    EXPECT_EQ(link->send(frame).error(), Error::Busy);
    EXPECT_EQ(queued, 32U);
    EXPECT_TRUE(until([&] { return app.sent == queued; }));
    EXPECT_TRUE(link->send(frame));
    EXPECT_EQ(link->send({}).error(), Error::InvalidArgument);
    EXPECT_EQ(link->send(Buffer(1'281)).error(), Error::TooLarge);
    EXPECT_TRUE(until([&] { return device.log.size() == 1 + queued + 1; }));
}

TEST_F(VirtualAir, HandlersMayDestroyTheirLink) {
    class Quitter final : public LinkHandler {
      public:
        void on_connected(const Sighting& /*sighting*/) override {}
        void on_frame(Bytes /*frame*/) override {
            ++frames;
            link.reset();
        }
        void on_disconnected(Disconnect /*why*/) override { FAIL(); }
        std::unique_ptr<Link> link;
        int frames = 0;
    } quitter;
    VirtualPeripheral peripheral{loop, options(), device};
    ASSERT_TRUE(peripheral.open());
    quitter.link = central.connect(folder.socket(), quitter, {});
    ASSERT_TRUE(until([&] { return !device.log.empty(); }));
    ASSERT_TRUE(peripheral.send(as_bytes("one")));
    ASSERT_TRUE(peripheral.send(as_bytes("two")));
    EXPECT_TRUE(until([&] { return device.log.back() == "disconnected"; }));
    EXPECT_EQ(quitter.frames, 1);
}

TEST_F(VirtualAir, ALivingSocketIsRefusedAndADeadOneReplaced) {
    VirtualPeripheral peripheral{loop, options(), device};
    ASSERT_TRUE(peripheral.open());
    DeviceLog other;
    VirtualPeripheral second{loop, options(), other};
    const auto refused = second.open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Error::AlreadyExists);
    EXPECT_EQ(scan().size(), 1U);

    // A socket that nobody serves any more, as a killed process leaves it.
    const std::string stale = folder.socket("stale");
    {
        asio::local::stream_protocol::acceptor left{loop, stale};
    }
    ASSERT_TRUE(fs::exists(stale));
    VirtualPeripheral replacing{loop, options("stale"), other};
    EXPECT_TRUE(replacing.open());

    // A socket served by a program that knows nothing of our lock.
    asio::local::stream_protocol::acceptor foreign{loop, folder.socket("foreign")};
    VirtualPeripheral third{loop, options("foreign"), other};
    EXPECT_EQ(third.open().error().code, Error::AlreadyExists);
}

TEST_F(VirtualAir, UnusablePathsAreRefusedWithoutDamage) {
    const auto code = [&](const std::string& path) {
        VirtualPeripheral::Options made = options();
        made.socket_path = path;
        const auto opened = VirtualPeripheral{loop, made, device}.open();
        return opened ? std::optional<Error>{} : opened.error().code;
    };
    EXPECT_EQ(code(folder.path() + "/lamp"), Error::InvalidArgument);
    EXPECT_EQ(code(folder.path() + "/missing/lamp.sock"), Error::NotFound);
    EXPECT_EQ(code(folder.path() + "/" + std::string(100, 'x') + ".sock"), Error::InvalidArgument);
    std::ofstream{folder.socket("file")} << "keep me";
    EXPECT_EQ(code(folder.socket("file")), Error::InvalidArgument);
    EXPECT_EQ(fs::file_size(folder.socket("file")), 7U);
}

TEST_F(VirtualAir, SocketDisappearsWithThePeripheral) {
    {
        VirtualPeripheral peripheral{loop, options(), device};
        ASSERT_TRUE(peripheral.open());
        EXPECT_EQ(central.places().size(), 1U);
    }
    EXPECT_TRUE(central.places().empty());
}

TEST_F(VirtualAir, GarbageFromACentralNeverKeepsTheNextOneOut) {
    VirtualPeripheral peripheral{loop, options(), device};
    ASSERT_TRUE(peripheral.open());
    for (const Buffer& garbage : {Buffer(5'000, 0xff), Buffer(5'000, 0x00), Buffer{1, 2, 3}}) {
        RawSocket socket{loop};
        socket.connect(folder.socket());
        asio::write(socket, asio::buffer(garbage));
        loop.restart();
        loop.poll();
    }
    LinkLog app;
    const auto link = connect(app);
    EXPECT_EQ(app.log.front(), "connected");
}

TEST_F(VirtualAir, LookersBeyondTheLimitAreTurnedAway) {
    VirtualPeripheral peripheral{loop, options(), device};
    ASSERT_TRUE(peripheral.open());
    std::vector<RawSocket> lookers;
    for (int i = 0; i < 40; ++i) lookers.emplace_back(loop).connect(folder.socket());
    loop.restart();
    loop.poll();
    LinkLog app;
    const auto refused = connect(app);
    EXPECT_EQ(app.why, Disconnect::Closed);
    lookers.clear();
    loop.restart();
    loop.poll();
    LinkLog later;
    const auto link = connect(later);
    EXPECT_EQ(later.log.front(), "connected");
}

TEST_F(VirtualAir, ADeviceThatTalksNonsenseOrNothingIsGivenUp) {
    asio::local::stream_protocol::acceptor fake{loop, folder.socket()};
    std::vector<RawSocket> sockets;
    fake.async_accept([&](boost::system::error_code, RawSocket socket) {
        const Buffer garbage(3'000, 0x41);
        asio::write(socket, asio::buffer(garbage));
        sockets.push_back(std::move(socket));
    });
    LinkLog app;
    const auto link = connect(app);
    EXPECT_EQ(app.why, Disconnect::Timeout);
}

TEST_F(VirtualAir, LooksAtSoManySocketsOfAFolder) {
    using Acceptor = asio::local::stream_protocol::acceptor;
    for (std::size_t i = 0; i < kPlacesMax + 10; ++i)
        Acceptor{loop, folder.socket("lamp" + std::to_string(i))};  // and its name stays behind
    EXPECT_EQ(central.places().size(), kPlacesMax);
}

// Devices that never answer: the others of a scan have to wait until these are given up.
TEST_F(VirtualAir, AsksSoManyDevicesAtATime) {
    std::vector<asio::local::stream_protocol::acceptor> silent;
    for (std::size_t i = 0; i < kKnocksMax + 8; ++i)
        silent.emplace_back(loop, folder.socket("lamp" + std::to_string(i)));
    std::vector<RawSocket> asked;
    std::size_t asked_at_first = 0;
    const auto accept_all = [&] {
        for (auto& acceptor : silent) {
            acceptor.non_blocking(true);
            boost::system::error_code error;
            RawSocket socket = acceptor.accept(error);
            if (!error) asked.push_back(std::move(socket));
        }
    };
    bool is_over = false;
    central.scan(seconds(60), {}, [&](const std::vector<Sighting>&) { is_over = true; });
    loop.poll();
    accept_all();
    asked_at_first = asked.size();
    EXPECT_EQ(asked_at_first, kKnocksMax);
    EXPECT_TRUE(until([&] { return is_over; }));
    accept_all();
    EXPECT_EQ(asked.size(), silent.size());
}

TEST_F(VirtualAir, ALookerIsGoneInTime) {
    VirtualPeripheral peripheral{loop, options(), device};
    ASSERT_TRUE(peripheral.open());
    RawSocket looker{loop};
    looker.connect(folder.socket());
    bool is_gone = false;
    Buffer input(1'000);
    const std::function<void()> read = [&] {
        looker.async_read_some(asio::buffer(input),
                               [&](boost::system::error_code error, std::size_t) {
                                   is_gone = error == asio::error::eof;
                                   if (!error) read();
                               });
    };
    read();
    EXPECT_TRUE(until([&] { return is_gone; }));
}

TEST_F(VirtualAir, APeerThatTakesNothingIsTakenForDead) {
    VirtualPeripheral peripheral{loop, options(), device};
    ASSERT_TRUE(peripheral.open());
    RawSocket dead{loop};
    dead.connect(folder.socket());
    ASSERT_TRUE(until([&] { return dead.available() > 0; }));
    Buffer bytes(1'000);
    bytes.resize(dead.read_some(asio::buffer(bytes)));
    CentralHalf half{247};
    Bytes heard{bytes};
    ASSERT_TRUE(half.next(heard).has_value());
    Buffer subscribe;
    half.append_subscribe(subscribe);
    asio::write(dead, asio::buffer(subscribe));
    EXPECT_TRUE(until([&] { return !device.log.empty(); }));
    const Buffer frame(1'280, 'x');
    const auto fill = [&] {
        while (peripheral.send(frame)) {
        }
        return device.log.back() == "disconnected";
    };
    const auto patience = kStallTimeMax + std::chrono::seconds{30};
    EXPECT_TRUE(until(fill, patience));
}

TEST_F(VirtualAir, ABluzDeviceIsThereForWhoLooksForOne) {
    auto bluz = options();
    bluz.device_id = {};
    bluz.service = framing::Service::Bluz;
    VirtualPeripheral peripheral{loop, bluz, device};
    ASSERT_TRUE(peripheral.open());
    EXPECT_TRUE(scan().empty());
    LinkLog refused;
    const auto none = connect(refused);
    EXPECT_EQ(refused.why, Disconnect::NotFound);

    VirtualCentral taker{loop, folder.path(), 247, true};
    LinkLog log;
    const auto link = taker.connect(folder.socket(), log, {});
    ASSERT_TRUE(until([&] { return device.log.size() == 1; }));
    EXPECT_EQ(log.sighting.service, framing::Service::Bluz);
    EXPECT_TRUE(link->write(as_bytes("down")));
    EXPECT_TRUE(peripheral.notify(as_bytes("up")));
    EXPECT_EQ(link->send(as_bytes("frame")).error(), Error::WrongState);
    EXPECT_EQ(peripheral.send(as_bytes("frame")).error(), Error::WrongState);
    EXPECT_TRUE(until([&] { return log.sent == 1 && device.sent == 1 && log.log.size() == 2; }));
    EXPECT_EQ(log.log.back(), "value up");
    EXPECT_EQ(device.log.back(), "value down");
}

TEST_F(VirtualAir, ABusyBluzDeviceSaysSoAndAsksNobodyToGo) {
    auto bluz = options();
    bluz.service = framing::Service::Bluz;
    VirtualPeripheral peripheral{loop, bluz, device};
    ASSERT_TRUE(peripheral.open());
    VirtualCentral taker{loop, folder.path(), 20, true};
    LinkLog holder;
    const auto link = taker.connect(folder.socket(), holder, {});
    ASSERT_TRUE(until([&] { return device.log.size() == 1; }));
    LinkLog second;
    const auto other = taker.connect(folder.socket(), second, {});
    ASSERT_TRUE(until([&] { return second.why.has_value(); }));
    EXPECT_EQ(second.why, Disconnect::Busy);
    EXPECT_EQ(holder.log, std::vector<std::string>{"connected"});
}

}  // namespace
}  // namespace sotto::air
