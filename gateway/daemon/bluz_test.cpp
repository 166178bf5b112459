// SPDX-License-Identifier: Apache-2.0
// Devices of the bluz service on the virtual air, the gateway's classes and a scripted server of
// legacy devices, in one event loop over real sockets.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <list>
#include <optional>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "air/virtual/halves.hpp"
#include "air/virtual/virtual_central.hpp"
#include "air/virtual/virtual_peripheral.hpp"
#include "gateway/bluz/rig.hpp"
#include "gateway/daemon/gateway.hpp"
#include "testing/program.hpp"

namespace sotto::gateway {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using asio::ip::tcp;
using bluz::Buffer;

// Keeps what it is told, and every connection.
class ScriptedServer {
  public:
    struct Stream {
        explicit Stream(tcp::socket accepted) : socket(std::move(accepted)) {}
        tcp::socket socket;
        std::array<std::uint8_t, 4'096> input{};
        std::string heard;
        bool has_ended = false;
    };

    explicit ScriptedServer(asio::io_context& loop)
        : acceptor_(loop, tcp::endpoint{asio::ip::address_v4::loopback(), 0}) {
        accept();
    }
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    std::string heard() const {
        std::string all;
        for (const Stream& stream : streams) all += stream.heard;
        return all;
    }
    std::list<Stream> streams;
    bool reads = true;

  private:
    void accept() {
        acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
            if (error) return;
            streams.emplace_back(std::move(socket));
            if (reads) read(streams.back());
            accept();
        });
    }
    void read(Stream& stream) {
        stream.socket.async_read_some(
            asio::buffer(stream.input),
            [this, &stream](boost::system::error_code error, std::size_t size) {
                stream.has_ended = bool{error};
                if (error) return;
                stream.heard += as_text(Bytes{stream.input}.first(size));
                read(stream);
            });
    }

    tcp::acceptor acceptor_;
};

// Says what it is told to say, in frames, once it has the id request.
class BluzThing final : public air::PeripheralHandler {
  public:
    BluzThing(asio::io_context& loop, const std::string& path, Buffer id = bluz::kShownId)
        : id_(std::move(id)),
          peripheral_(loop,
                      {.socket_path = path, .name = "Bluz DK", .service = framing::Service::Bluz},
                      *this) {}
    void open() { ASSERT_TRUE(peripheral_.open()); }
    void says(const Buffer& frame) {
        for (std::size_t at = 0; at < frame.size(); at += 20)
            values_.emplace_back(
                frame.begin() + static_cast<long>(at),
                frame.begin() + static_cast<long>(std::min(at + 20, frame.size())));
        values_.push_back(bluz::kEndOfStream);
        flush();
    }
    void says(const std::string& header, const std::string& text) {
        const std::string frame = header + text;
        says(Buffer{frame.begin(), frame.end()});
    }

    void on_connected() override { ++connections; }
    void on_frame(Bytes) override {}
    void on_value(Bytes value) override {
        const auto frame = assembler_.receive(value);
        ASSERT_TRUE(frame);
        if (!*frame) return;
        frames.emplace_back(as_text(**frame));
        if (frames.back() != std::string("\x02\x00", 2)) return;
        frames.pop_back();
        if (is_silent) return;
        says(bluz::Rig::with({0x02}, id_));
        if (wants_stream) says(bluz::kConnectFrame);
    }
    void on_sent(std::size_t) override { flush(); }
    void on_disconnected() override {
        ++disconnections;
        values_.clear();
        assembler_ = {};
    }

    std::size_t connections = 0;
    std::size_t disconnections = 0;
    std::vector<std::string> frames;
    bool wants_stream = true;
    bool is_silent = false;

  private:
    void flush() {
        while (!values_.empty() && peripheral_.notify(values_.front())) values_.pop_front();
    }

    Buffer id_;
    air::VirtualPeripheral peripheral_;
    bluz::Assembler assembler_;
    std::deque<Buffer> values_;
};

class TestLog final : public Log {
  public:
    TestLog()
        : Log(Setup{.write = [this](std::string_view line) { text += line; },
                    .now = [] { return Instant{}; }}) {}
    bool has(const std::string& part) const { return text.find(part) != std::string::npos; }
    std::string text;
};

const std::string kData{"\x01\x00", 2};
const std::string kCustom{"\x04"};

class BluzGateway : public ::testing::Test {
  protected:
    BluzGateway() {
        fs::create_directory(folder / "air");
        fs::create_directory(folder / "local");
        service.server_text = "127.0.0.1:" + std::to_string(server.port());
        service.server = uplink::parse_address(service.server_text).value();
    }
    void start() {
        gateway.emplace(loop,
                        central,
                        std::vector<Uplink>{{{"127.0.0.1:1", "token"},
                                             *uplink::parse_address("127.0.0.1:1"),
                                             *uplink::Security::parse({.host = "127.0.0.1"})}},
                        service,
                        capture,
                        log);
        gateway->start();
    }
    std::string place(const std::string& name) const { return folder / ("air/" + name + ".sock"); }
    template <class Condition>
    bool until(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (!condition() && std::chrono::steady_clock::now() < end) {
            loop.restart();
            loop.run_one_for(std::chrono::milliseconds{100});
        }
        return condition();
    }
    void tell(ScriptedServer::Stream& stream, const std::string& text) {
        asio::write(stream.socket, asio::buffer(text));
    }
    // An app at the socket of the device with the shown id; -1 if there is none.
    int app() const {
        const int socket = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        local_path().copy(address.sun_path, sizeof address.sun_path - 1);
        const void* erased = &address;
        if (::connect(socket, static_cast<const sockaddr*>(erased), sizeof address) == 0)
            return socket;
        ::close(socket);
        return -1;
    }
    std::string local_path() const { return folder / "local/b1e20102030405060708090a.unencrypted"; }
    static std::string read(int socket) {
        char buffer[1'024];
        const ssize_t size = ::recv(socket, buffer, sizeof buffer, 0);
        return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : "";
    }

    testing::Folder folder;
    asio::io_context loop{1};
    ScriptedServer server{loop};
    air::VirtualCentral central{loop, folder / "air", 247, true};
    BluzService service;
    Capture capture;
    TestLog log;
    std::optional<Gateway> gateway;
};

TEST_F(BluzGateway, CarriesADeviceAndItsServerBothWays) {
    BluzThing device{loop, place("a")};
    device.open();
    start();
    ASSERT_TRUE(until([&] { return server.streams.size() == 1; }));
    // By chance a nonce begins as an alert of TLS does; that means nothing here.
    const std::string nonce = "\x15\x03" + std::string(38, 'n');
    tell(server.streams.front(), nonce);
    ASSERT_TRUE(until([&] { return device.frames.size() == 1; }));
    EXPECT_EQ(device.frames[0], kData + nonce);
    device.says(kData, std::string(256, 'k'));
    ASSERT_TRUE(until([&] { return server.heard().size() == 256; }));
    EXPECT_EQ(server.heard(), std::string(256, 'k'));
    EXPECT_TRUE(log.has("bluz-known device=b1e20102030405060708090a")) << log.text;
    EXPECT_TRUE(log.has("bluz-stream device=b1e20102030405060708090a")) << log.text;
}

TEST_F(BluzGateway, ADeviceWhoseStreamEndsBeginsAnew) {
    BluzThing device{loop, place("a")};
    device.open();
    start();
    ASSERT_TRUE(until([&] { return server.streams.size() == 1; }));
    server.streams.front().socket.close();
    ASSERT_TRUE(until([&] { return device.disconnections == 1; }));
    ASSERT_TRUE(until([&] { return server.streams.size() == 2; }));
    EXPECT_EQ(device.connections, 2U);
    EXPECT_TRUE(log.has("bluz-stream-lost")) << log.text;
}

TEST_F(BluzGateway, ADeviceThatGoesTakesItsStreamWithIt) {
    std::optional<BluzThing> device;
    device.emplace(loop, place("a"));
    device->open();
    start();
    ASSERT_TRUE(until([&] { return server.streams.size() == 1; }));
    device.reset();
    EXPECT_TRUE(until([&] { return server.streams.front().has_ended; }));
    EXPECT_TRUE(log.has("bluz-gone")) << log.text;
}

TEST_F(BluzGateway, AServerThatIsAwayIsTriedAgainWhileTheDeviceStays) {
    service.server_text = "127.0.0.1:1";
    service.server = uplink::parse_address(service.server_text).value();
    BluzThing device{loop, place("a")};
    device.open();
    start();
    ASSERT_TRUE(until([&] { return log.has("bluz-stream-lost"); }));
    EXPECT_EQ(device.disconnections, 0U);
    EXPECT_TRUE(log.has("server=127.0.0.1:1")) << log.text;
}

TEST_F(BluzGateway, TakesNoMoreDevicesThanItCanAndServesTheOthers) {
    std::list<BluzThing> devices;
    for (std::size_t i = 0; i < bluz::kDevicesMax + 2; ++i) {
        Buffer id = bluz::kShownId;
        id[2] = static_cast<std::uint8_t>(i);
        devices.emplace_back(loop, place("d" + std::to_string(100 + i)), id);
        devices.back().open();
    }
    start();
    ASSERT_TRUE(until([&] { return server.streams.size() == bluz::kDevicesMax; }));
    ASSERT_TRUE(until([&] { return log.has("all the devices it can take"); })) << log.text;
    ASSERT_TRUE(until([&] { return log.has("bluz-stream device=b1e20002"); })) << log.text;
    devices.front().says(kData, "x");
    EXPECT_TRUE(until([&] { return server.heard() == "x"; }));
}

TEST_F(BluzGateway, OnlyListedDevicesGetAStream) {
    service.admitted = {bluz::shown_id()};
    BluzThing other{loop, place("a"), Buffer(12, 9)};
    BluzThing listed{loop, place("b")};
    other.open();
    listed.open();
    start();
    ASSERT_TRUE(until([&] { return other.disconnections == 1 && server.streams.size() == 1; }));
    EXPECT_TRUE(log.has("not listed in bluz-device")) << log.text;
    EXPECT_EQ(listed.disconnections, 0U);
}

TEST_F(BluzGateway, CustomDataReachesAppsWhereTheOperatorAllowsIt) {
    service.local_folder = folder / "local";
    BluzThing device{loop, place("a")};
    device.open();
    start();
    ASSERT_TRUE(until([&] { return fs::exists(local_path()); }));
    EXPECT_EQ(fs::status(local_path()).permissions(), fs::perms{0660});
    EXPECT_TRUE(log.has("unencrypted")) << log.text;
    const int first = app();
    const int second = app();
    ASSERT_GE(second, 0);
    ASSERT_EQ(::send(first, "down", 4, 0), 4);
    ASSERT_TRUE(until([&] { return !device.frames.empty(); }));
    EXPECT_EQ(device.frames.back(), kCustom + "down");
    device.says(kCustom, "up");
    for (const int socket : {first, second}) {
        std::string heard;
        EXPECT_TRUE(until([&] {
            if (heard.empty()) heard = read(socket);
            return !heard.empty();
        }));
        EXPECT_EQ(heard, "up");
        ::close(socket);
    }
    gateway.reset();
    EXPECT_FALSE(fs::exists(local_path()));
}

TEST_F(BluzGateway, CustomDataOfAnAppIsBoundedAndNoneIsLost) {
    service.local_folder = folder / "local";
    service.server.reset();
    BluzThing device{loop, place("a")};
    device.open();
    start();
    ASSERT_TRUE(until([&] { return fs::exists(local_path()); }));
    const int writer = app();
    ASSERT_GE(writer, 0);
    const std::string datum(500, 'd');
    std::size_t sent = 0;
    while (sent < 50 && until([&] { return ::send(writer, datum.data(), 500, 0) == 500; })) ++sent;
    EXPECT_TRUE(until([&] { return device.frames.size() == 50; })) << device.frames.size();
    // One packet that is too long, and the app is cut off.
    const std::string too_long(513, 'd');
    ASSERT_EQ(::send(writer, too_long.data(), too_long.size(), 0), 513);
    char byte = 0;
    EXPECT_TRUE(until([&] { return ::recv(writer, &byte, 1, 0) == 0; }));
    ::close(writer);
    std::vector<int> apps;
    for (std::size_t i = 0; i < bluz::kLocalAppsMax + 1; ++i) apps.push_back(app());
    EXPECT_TRUE(until([&] { return ::recv(apps.back(), &byte, 1, 0) == 0; }));
    for (const int socket : apps) ::close(socket);
}

TEST_F(BluzGateway, WithoutLeaveCustomDataReachesNobody) {
    BluzThing device{loop, place("a")};
    device.open();
    start();
    ASSERT_TRUE(until([&] { return server.streams.size() == 1; }));
    device.says(kCustom, "secret");
    ASSERT_TRUE(until([&] { return log.has("bluz-local-dropped"); }));
    EXPECT_TRUE(fs::is_empty(folder / "local"));
    EXPECT_EQ(log.text.find("secret"), std::string::npos);
}

TEST_F(BluzGateway, ASecondDeviceOfTheSameIdGetsNoSocket) {
    service.local_folder = folder / "local";
    BluzThing device{loop, place("a")};
    BluzThing impostor{loop, place("b")};
    device.open();
    start();
    ASSERT_TRUE(until([&] { return fs::exists(local_path()); }));
    impostor.open();
    ASSERT_TRUE(until([&] { return log.has("bluz-local-failed"); }));
    const int socket = app();
    ASSERT_EQ(::send(socket, "down", 4, 0), 4);
    ASSERT_TRUE(until([&] { return !device.frames.empty(); }));
    EXPECT_TRUE(impostor.frames.empty());
    ::close(socket);
}

TEST_F(BluzGateway, SocketsOfAnEarlierRunAreCleared) {
    const int stale = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    local_path().copy(address.sun_path, sizeof address.sun_path - 1);
    const void* erased = &address;
    ASSERT_EQ(::bind(stale, static_cast<const sockaddr*>(erased), sizeof address), 0);
    ::close(stale);
    const std::string file = folder / "local/other.unencrypted";
    ASSERT_TRUE(std::ofstream{file} << "no socket");
    LocalPort::clear(folder / "local");
    EXPECT_FALSE(fs::exists(local_path()));
    EXPECT_TRUE(fs::exists(file));
}

// It says all that is wrong, and again when it is let in again; the one beside it notices nothing.
TEST_F(BluzGateway, AHostileDeviceIsLetGoAndHarmsNobody) {
    BluzThing good{loop, place("a")};
    BluzThing hostile{loop, place("b"), Buffer(12, 7)};
    good.open();
    hostile.open();
    start();
    ASSERT_TRUE(until(
        [&] { return log.has("bluz-stream device=b1e2") && log.has("bluz-stream device=0707"); }));
    for (int i = 0; i < 20; ++i) {
        hostile.says(bluz::kConnectFrame);
        hostile.says({0x03, 0x77});
        hostile.says({});
    }
    hostile.says(Buffer(5'000, 0x01));
    ASSERT_TRUE(until([&] { return hostile.disconnections >= 1; }));
    EXPECT_TRUE(log.has("not the bluz service")) << log.text;
    good.says(kData, "still here");
    EXPECT_TRUE(until([&] { return server.heard().find("still here") != std::string::npos; }));
    EXPECT_EQ(good.disconnections, 0U);
}

// It takes its advertisement's place, wants a stream and reads nothing any more.
TEST_F(BluzGateway, ADeviceThatReadsNothingHoldsUpItsOwnServerOnly) {
    using Unix = asio::local::stream_protocol;
    Unix::acceptor acceptor{loop, Unix::endpoint{place("b")}};
    Unix::socket deaf{loop};
    std::vector<std::uint8_t> bytes;
    ASSERT_TRUE(air::PeripheralHalf::append_advertisement(
        bytes, {.name = "deaf", .service = framing::Service::Bluz}));
    const auto append = [&bytes](const Buffer& value) {
        std::array<std::uint8_t, framing::kAirBytesMax> room{};
        const auto code = framing::encode_air_operation(room, framing::Notify{value});
        bytes.insert(bytes.end(), code->begin(), code->end());
    };
    append({0x01, 0x10});
    append(bluz::kEndOfStream);
    acceptor.async_accept(deaf, [&](boost::system::error_code error) {
        if (!error) asio::write(deaf, asio::buffer(bytes));
    });
    start();
    // What comes before the subscription is ignored: it is said again until it is heard.
    ASSERT_TRUE(until([&] {
        if (deaf.is_open() && server.streams.empty()) {
            boost::system::error_code ignored;
            asio::write(deaf, asio::buffer(bytes), ignored);
        }
        return server.streams.size() == 1;
    }));
    auto& stream = server.streams.front().socket;
    stream.non_blocking(true);
    const std::string flood(64 * 1'024, 'f');
    std::size_t taken = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{1'500};
    while (std::chrono::steady_clock::now() < end) {
        boost::system::error_code error;
        taken += stream.write_some(asio::buffer(flood), error);
        loop.restart();
        loop.run_for(std::chrono::milliseconds{1});
    }
    EXPECT_LT(taken, 16U * 1'024 * 1'024) << "the kernel's buffers, and no more";
    BluzThing good{loop, place("a")};
    good.open();
    ASSERT_TRUE(until([&] { return log.has("bluz-stream device=b1e2"); }));
    good.says(kData, "x");
    EXPECT_TRUE(until([&] { return server.heard() == "x"; }));
}

}  // namespace
}  // namespace sotto::gateway
