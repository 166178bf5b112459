// SPDX-License-Identifier: Apache-2.0
// A device on the virtual air, the gateway's classes and a scripted cloud, in one event loop over
// real sockets.
#include "gateway/daemon/gateway.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "air/virtual/virtual_central.hpp"
#include "air/virtual/virtual_peripheral.hpp"
#include "core/base/hex.hpp"
#include "core/framing/uplink.hpp"

namespace sotto::gateway {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace up = framing::uplink;
using asio::ip::tcp;
using Buffer = std::vector<std::uint8_t>;

class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "sotto_gateway_XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) path = name;
    }
    ~Folder() { fs::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    fs::path path;
};

// Takes one gateway at a time and keeps what it says.
class ScriptedCloud {
  public:
    explicit ScriptedCloud(asio::io_context& loop)
        : acceptor_(loop, tcp::endpoint{asio::ip::address_v4::loopback(), 0}) {
        accept();
    }

    std::string address() const {
        return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
    }
    void send(const up::Record& record) {
        Buffer buffer(framing::kUplinkBytesMax);
        const auto bytes = up::encode_record(buffer, record);
        ASSERT_TRUE(bytes);
        send_raw({bytes->begin(), bytes->end()});
    }
    void send_raw(const Buffer& bytes) { asio::write(*socket_, asio::buffer(bytes)); }
    void hang_up() {
        if (socket_) socket_->close();
    }

    std::size_t connections = 0;
    std::size_t tags_wanted = 0;
    std::vector<std::string> hellos;
    std::vector<up::LinkId> ups;
    std::vector<up::LinkId> downs;
    std::vector<std::string> messages;  // "label text"
    std::size_t credit = 0;

  private:
    void accept() {
        acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
            if (error) return;
            ++connections;
            socket_.emplace(std::move(socket));
            socket_->set_option(tcp::no_delay{true});
            splitter_ = {};
            read();
            accept();
        });
    }
    void read() {
        socket_->async_read_some(asio::buffer(input_),
                                 [this](boost::system::error_code error, std::size_t size) {
                                     if (error) return;
                                     take(Bytes{input_}.first(size));
                                     read();
                                 });
    }
    void take(Bytes bytes) {
        while (true) {
            const auto found = splitter_.next(bytes);
            ASSERT_TRUE(found);
            if (!*found) return;
            const auto record = up::parse_record(**found, up::Side::Gateway);
            ASSERT_TRUE(record);
            keep(*record);
        }
    }
    void keep(const up::Record& record) {
        if (const auto* item = std::get_if<up::Hello>(&record)) hellos.emplace_back(item->token);
        if (std::holds_alternative<up::TagsWanted>(record)) ++tags_wanted;
        if (const auto* item = std::get_if<up::LinkUp>(&record)) ups.push_back(item->link);
        if (const auto* item = std::get_if<up::LinkDown>(&record)) downs.push_back(item->link);
        if (const auto* item = std::get_if<up::Credit>(&record)) credit += item->count;
        if (const auto* item = std::get_if<up::Message>(&record))
            messages.push_back(std::to_string(item->label.value()) + " " +
                               std::string{as_text(item->message)});
    }

    tcp::acceptor acceptor_;
    std::optional<tcp::socket> socket_;
    std::array<std::uint8_t, 4'096> input_{};
    up::Splitter splitter_;
};

// Says who it is and answers every message with "re: " and the message, on the same label.
class EchoDevice final : public air::PeripheralHandler {
  public:
    EchoDevice(asio::io_context& loop, const air::VirtualPeripheral::Options& options)
        : options_(options), peripheral_(loop, options, *this) {}

    void open() { ASSERT_TRUE(peripheral_.open()); }
    void send(const framing::Frame& frame) {
        Buffer buffer(framing::kFrameSizeMax);
        const auto bytes = framing::encode_frame(buffer, frame);
        ASSERT_TRUE(bytes);
        EXPECT_TRUE(peripheral_.send(*bytes));
    }
    void attach() { send(framing::Attach{has_owner, options_.device_id, address, {}}); }

    void on_connected() override {
        ++connections;
        attach();
    }
    void on_frame(Bytes frame) override {
        const auto parsed = framing::parse_frame(frame);
        ASSERT_TRUE(parsed);
        const auto& message = std::get<framing::Message>(*parsed);
        heard.emplace_back(as_text(message.message));
        const std::string answer = "re: " + heard.back();
        send(framing::Message{message.label, as_bytes(answer)});
    }
    void on_disconnected() override { ++disconnections; }

    bool has_owner = false;
    std::string address;
    std::size_t connections = 0;
    std::size_t disconnections = 0;
    std::vector<std::string> heard;

  private:
    air::VirtualPeripheral::Options options_;
    air::VirtualPeripheral peripheral_;
};

class TestLog final : public Log {
  public:
    TestLog()
        : Log(Setup{.write = [this](std::string_view line) { lines.emplace_back(line); },
                    .now = [] { return Instant{}; }}) {}
    bool has(const std::string& part) const {
        return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
            return line.find(part) != std::string::npos;
        });
    }
    std::vector<std::string> lines;
};

class GatewayTest : public ::testing::Test {
  protected:
    air::VirtualPeripheral::Options options(const std::string& name = "lamp") const {
        air::VirtualPeripheral::Options made{
            .socket_path = (folder.path / (name + ".sock")).string(), .name = name};
        made.device_id.fill(static_cast<std::uint8_t>(name[0]));
        return made;
    }
    Uplink uplink() const {
        return {{cloud.address(), "gateway-token"},
                *uplink::parse_address(cloud.address()),
                uplink::Security::parse({.host = "127.0.0.1"}).value()};
    }
    Gateway& start(relay::Admission admission = {}) {
        gateway.emplace(
            loop, central, std::vector<Uplink>{uplink()}, bluz, capture, log, std::move(admission));
        gateway->start();
        return *gateway;
    }
    template <class Condition>
    bool until(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (!condition() && std::chrono::steady_clock::now() < end) {
            loop.restart();
            loop.run_one_for(std::chrono::milliseconds{100});
        }
        return condition();
    }
    void welcome(std::uint16_t credit = 16) {
        const std::size_t before = cloud.hellos.size();
        ASSERT_TRUE(until([&] { return cloud.hellos.size() > before || !cloud.hellos.empty(); }));
        cloud.send(up::Welcome{credit, 30});
    }
    // A device, offered.
    void open_all(EchoDevice& device) {
        device.open();
        start();
        welcome();
        ASSERT_TRUE(until([&] { return !cloud.ups.empty(); }));
    }
    void say(up::LinkId link, std::uint16_t label, const std::string& text) {
        cloud.send(up::Message{link, framing::Label{label}, as_bytes(text)});
    }

    Folder folder;
    asio::io_context loop{1};
    ScriptedCloud cloud{loop};
    air::VirtualCentral central{loop, folder.path.string(), 247};
    BluzService bluz;
    Capture capture;
    TestLog log;
    std::optional<Gateway> gateway;
};

TEST_F(GatewayTest, CarriesAMessageToADeviceAndTheAnswerBack) {
    EchoDevice device{loop, options()};
    open_all(device);
    EXPECT_EQ(cloud.hellos, std::vector<std::string>{"gateway-token"});
    say(cloud.ups[0], 9, "on");
    EXPECT_TRUE(until([&] { return !cloud.messages.empty(); }));
    EXPECT_EQ(cloud.messages, std::vector<std::string>{"9 re: on"});
    EXPECT_TRUE(log.has(" cloud=" + cloud.address()));
}

TEST_F(GatewayTest, MessagesOfEverySizeAndNumberArriveInOrder) {
    EchoDevice device{loop, options()};
    open_all(device);
    std::size_t spent = 0;
    std::vector<std::string> sent;
    for (std::size_t i = 0; i < 100; ++i) {
        ASSERT_TRUE(until([&] { return spent < 16 + cloud.credit; }));
        sent.push_back(std::to_string(i) + std::string(i * 12, 'x'));
        say(cloud.ups[0], 2, sent.back());
        ++spent;
        ASSERT_TRUE(until([&] { return cloud.messages.size() > i; }));
        cloud.send(up::Credit{cloud.ups[0], 1});
    }
    EXPECT_EQ(device.heard, sent);
}

TEST_F(GatewayTest, ReportsADeviceThatGoesAndComesBack) {
    auto device = std::make_unique<EchoDevice>(loop, options());
    open_all(*device);
    device.reset();
    EXPECT_TRUE(until([&] { return cloud.downs == cloud.ups; }));
    EchoDevice again{loop, options()};
    again.open();
    EXPECT_TRUE(until([&] { return cloud.ups.size() == 2; }));
    EXPECT_NE(cloud.ups[0], cloud.ups[1]);
}

TEST_F(GatewayTest, AnnouncesItsDevicesAgainAfterTheCloudWasAway) {
    EchoDevice device{loop, options()};
    open_all(device);
    cloud.hang_up();
    ASSERT_TRUE(until([&] { return cloud.hellos.size() == 2; }));
    cloud.send(up::Welcome{16, 30});
    ASSERT_TRUE(until([&] { return cloud.ups.size() == 2; }));
    EXPECT_EQ(cloud.ups[0], cloud.ups[1]) << "the device never noticed";
    say(cloud.ups[1], 2, "still here?");
    EXPECT_TRUE(until([&] { return cloud.messages.size() == 1; }));
    EXPECT_EQ(device.connections, 1U);
}

TEST_F(GatewayTest, ComesBackAfterEveryKindOfNonsenseOfTheCloud) {
    EchoDevice device{loop, options()};
    open_all(device);
    const Buffer table[] = {{0, 0}, {0xff, 0xff}, {0, 1, 0x77}, {0, 2, 0x20, 0}, {0, 1, 0x01}};
    for (const Buffer& garbage : table) {
        const std::size_t before = cloud.hellos.size();
        const std::size_t ups = cloud.ups.size();
        cloud.send_raw(garbage);
        ASSERT_TRUE(until([&] { return cloud.hellos.size() > before; }));
        cloud.send(up::Welcome{16, 30});
        ASSERT_TRUE(until([&] { return cloud.ups.size() > ups; }));
    }
    say(cloud.ups.back(), 2, "on");
    EXPECT_TRUE(until([&] { return cloud.messages.size() == 1; }));
}

TEST_F(GatewayTest, SaysWhyACloudRefusesIt) {
    start();
    ASSERT_TRUE(until([&] { return cloud.hellos.size() == 1; }));
    cloud.send(up::Refused{up::Reason::BadToken});
    EXPECT_TRUE(until([&] { return log.has("does not know our token"); }));
}

TEST_F(GatewayTest, LeavesADeviceThatBelongsElsewhere) {
    EchoDevice device{loop, options()};
    device.has_owner = true;
    device.address = "elsewhere.example:1";
    device.open();
    start();
    welcome();
    EXPECT_TRUE(until([&] { return device.disconnections == 1; }));
    EXPECT_TRUE(cloud.ups.empty());
    EXPECT_TRUE(log.has("belongs to no cloud of this gateway"));
}

TEST_F(GatewayTest, OffersAnOwnedDeviceToTheCloudItNames) {
    EchoDevice device{loop, options()};
    device.has_owner = true;
    device.address = cloud.address();
    open_all(device);
    say(cloud.ups[0], 1, "attach");
    EXPECT_TRUE(until([&] { return cloud.messages.size() == 1; }));
}

TEST_F(GatewayTest, MakesRoomForAnAppNearby) {
    EchoDevice device{loop, options()};
    open_all(device);
    struct App final : air::LinkHandler {
        void on_connected(const air::Sighting&) override { connected = true; }
        void on_frame(Bytes) override {}
        void on_disconnected(air::Disconnect) override {}
        bool connected = false;
    } app;
    const auto link = central.connect(options().socket_path, app, seconds(10));
    EXPECT_TRUE(until([&] { return app.connected; }));
    EXPECT_TRUE(until([&] { return cloud.downs == cloud.ups; }));
}

TEST_F(GatewayTest, LetsADeviceGoWhenTheCloudAsks) {
    EchoDevice device{loop, options()};
    open_all(device);
    cloud.send(up::Release{cloud.ups[0], 60});
    EXPECT_TRUE(until([&] { return device.disconnections == 1; }));
    EXPECT_TRUE(until([&] { return cloud.downs.size() == 1; }));
}

TEST_F(GatewayTest, ServesSeveralDevicesApart) {
    EchoDevice lamp{loop, options("lamp")};
    EchoDevice door{loop, options("door")};
    door.open();
    open_all(lamp);
    ASSERT_TRUE(until([&] { return cloud.ups.size() == 2; }));
    say(cloud.ups[0], 2, "first");
    say(cloud.ups[1], 3, "second");
    EXPECT_TRUE(until([&] { return cloud.messages.size() == 2; }));
    EXPECT_EQ(lamp.heard.size(), 1U);
    EXPECT_EQ(door.heard.size(), 1U);
}

TEST_F(GatewayTest, CapturesWhatPassesButNotTheToken) {
    const fs::path file = folder.path / "capture.txt";
    ASSERT_TRUE(capture.open(file.string()));
    EchoDevice device{loop, options()};
    open_all(device);
    say(cloud.ups[0], 9, "on");
    ASSERT_TRUE(until([&] { return !cloud.messages.empty(); }));
    std::stringstream text;
    text << std::ifstream{file}.rdbuf();
    const std::string id = to_hex<std::string>(options().device_id);
    for (const char* line : {"gateway>cloud - - 0101\n",
                             "cloud>gateway - - 020010001e\n",
                             "cloud>gateway ID 9 20000000010009"
                             "6f6e\n",
                             "gateway>device ID 9 0000096f6e\n",
                             "device>gateway ID 9 00000972653a206f6e\n",
                             "gateway>cloud ID 9 20000000010009"
                             "72653a206f6e\n"}) {
        std::string wanted = line;
        if (const auto at = wanted.find("ID"); at != std::string::npos) wanted.replace(at, 2, id);
        EXPECT_NE(text.str().find(wanted), std::string::npos) << wanted << text.str();
    }
    EXPECT_EQ(text.str().find(to_hex<std::string>(as_bytes("gateway-token"))), std::string::npos);
}

TEST_F(GatewayTest, ConnectsToDevicesWhoseTagsItWasGivenAndToThoseWithoutOne) {
    auto tagged = options("tagged");
    tagged.name = "~0102030405060708";
    auto strange = options("strange");
    strange.name = "~1112131415161718";
    EchoDevice mine{loop, tagged};
    EchoDevice other{loop, strange};
    EchoDevice fresh{loop, options("fresh")};
    for (EchoDevice* device : {&mine, &other, &fresh}) device->open();
    start({.is_by_tag = true});
    welcome();
    ASSERT_TRUE(until([&] { return cloud.tags_wanted == 1; }));
    ASSERT_TRUE(until([&] { return cloud.ups.size() == 1; }));
    EXPECT_EQ(fresh.connections, 1U);
    const framing::Tag tag{1, 2, 3, 4, 5, 6, 7, 8};
    constexpr std::uint32_t kTime = 1'796'000'500;
    cloud.send(up::Tags{.is_first = true,
                        .unix_seconds = kTime,
                        .period = framing::tag_period_at(kTime),
                        .tags = tag});
    ASSERT_TRUE(until([&] { return mine.connections == 1; }));
    ASSERT_TRUE(until([&] { return cloud.ups.size() == 2; }));
    EXPECT_EQ(other.connections, 0U) << "it is somebody else's";
    EXPECT_EQ(gateway->report().clouds[0].tags, 1U);
}

TEST_F(GatewayTest, LetsDevicesGoThatAreNotNamed) {
    EchoDevice named{loop, options("named")};
    EchoDevice other{loop, options("other")};
    named.open();
    other.open();
    framing::DeviceId id{};
    id.fill('n');
    start({.devices = {id}});
    welcome();
    ASSERT_TRUE(until([&] { return other.disconnections > 0; }));
    ASSERT_TRUE(until([&] { return !cloud.ups.empty(); }));
    EXPECT_EQ(cloud.ups.size(), 1U);
    EXPECT_TRUE(log.has("it is none of the devices that this gateway serves"));
}

}  // namespace
}  // namespace sotto::gateway
