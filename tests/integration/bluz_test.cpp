// SPDX-License-Identifier: Apache-2.0
// bluz boards on the virtual air, a gateway and a cloud, the real programs: enrolled, called,
// heard, over restarts, beside a device of Sotto's own and one that says anything at all. The
// boards are as strict as their firmware.
#include <atomic>
#include <filesystem>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "app/transport/cloud_transport.hpp"
#include "core/framing/air_operation.hpp"
#include "tests/integration/line.hpp"

namespace sotto::integration {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using app::HttpMethod;
using nlohmann::json;
using testing::eventually;
using testing::has;
using testing::Program;
using testing::read_text;

const std::string kPrograms = SOTTO_BINARY_DIR "/bin/";
const std::string kLamp = "b1e20102030405060708090a";
const std::string kDoor = "b1e2ff0000000000000000ff";
const std::string kAnyPort = "127.0.0.1:0";

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

// The stream of all events of the owner's devices.
class EventStream {
  public:
    EventStream(const std::string& address, const std::string& cloud) {
        stream_.expires_after(std::chrono::seconds(20));
        stream_.connect(address.substr(0, address.find(':')),
                        address.substr(address.find(':') + 1));
        const std::string token = read_text(cloud + "/owner.token");
        stream_ << "GET /v1/devices/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                << token.substr(0, token.find('\n')) << "\r\n\r\n"
                << std::flush;
        std::string line;
        while (std::getline(stream_, line) && !has(line, ":ok")) continue;
    }
    // What the next one of this name says.
    std::string next(const std::string& name) {
        std::string line;
        while (std::getline(stream_, line) && !has(line, "event: " + name)) continue;
        std::getline(stream_, line);
        return line;
    }

  private:
    asio::ip::tcp::iostream stream_;
};

class BluzTest : public ::testing::Test {
  protected:
    BluzTest() {
        fs::create_directory(folder_ / "air");
        fs::create_directory(folder_ / "local");
        EXPECT_EQ(testing::run(kPrograms + "sotto-cloud", {"init", "--state", cloud_}).code, 0);
        start_cloud({kAnyPort, kAnyPort, kAnyPort});
    }

    struct Places {
        std::string http;
        std::string devices;
        std::string particle;
    };
    void start_cloud(const Places& places, const Arguments& more = {}) {
        fs::remove(ports_);
        Arguments arguments{"run", "--state", cloud_, "--ports-file", ports_};
        arguments.insert(arguments.end(), {"--http", places.http, "--devices", places.devices});
        arguments.insert(arguments.end(), {"--particle", places.particle});
        arguments.insert(arguments.end(), more.begin(), more.end());
        cloud_program_ =
            std::make_unique<Program>(kPrograms + "sotto-cloud", arguments, folder_ / "cloud.log");
        ASSERT_TRUE(eventually([this] { return !value_of(ports_, "particle").empty(); })) << logs();
    }
    void restart_cloud(const Arguments& more = {}) {
        const Places places{
            value_of(ports_, "http"), value_of(ports_, "devices"), value_of(ports_, "particle")};
        cloud_program_.reset();
        start_cloud(places, more);
    }
    void start_gateway(const Arguments& more = {}) {
        Arguments arguments{"--air", folder_ / "air", "--cloud", value_of(ports_, "devices")};
        arguments.insert(arguments.end(), {"--token-file", cloud_ + "/gateway.token"});
        arguments.insert(arguments.end(), {"--legacy", value_of(ports_, "particle")});
        arguments.insert(arguments.end(), more.begin(), more.end());
        gateway_.reset();
        gateway_ = std::make_unique<Program>(
            kPrograms + "sotto-gateway", arguments, folder_ / "gateway.log");
    }
    Arguments board_arguments(const std::string& id) const {
        return {"--air",
                folder_ / "air",
                "--id",
                id,
                "--server-key",
                cloud_ + "/particle/default_key.pub.pem",
                "--key",
                folder_ / id};
    }
    void start_board(const std::string& id, const Arguments& more = {}) {
        Arguments arguments = board_arguments(id);
        arguments.insert(arguments.end(), {"--wait", "100"});
        arguments.insert(arguments.end(), more.begin(), more.end());
        boards_.push_back(std::make_unique<Program>(
            kPrograms + "sotto-legacy-device", arguments, folder_ / (id + ".log")));
    }
    // Its key is made and stored, as its owner does it.
    void enrol(const std::string& id) {
        Arguments arguments = board_arguments(id);
        arguments.emplace_back("--make-key");
        ASSERT_EQ(testing::run(kPrograms + "sotto-legacy-device", arguments).code, 0);
        const testing::Run set =
            testing::run(kPrograms + "sotto-cloud",
                         {"keys", "set", id, folder_ / (id + ".pub"), "--state", cloud_});
        ASSERT_EQ(set.code, 0) << set.output;
    }

    struct Reply {
        unsigned status = 0;
        json body{};
    };
    Reply ask(HttpMethod method, const std::string& target, const json& body = {}) const {
        const std::string text = read_text(cloud_ + "/owner.token");
        const app::CloudLogin login{
            .url = *app::parse_cloud_url("http://" + value_of(ports_, "http")),
            .token = text.substr(0, text.find('\n'))};
        const auto reply = app::http_request(
            login, method, target, seconds(20), body.is_null() ? "" : body.dump());
        if (!reply) return {};
        return {.status = reply->status, .body = json::parse(reply->body, nullptr, false)};
    }
    bool claim(const std::string& id) const {
        return eventually(
            [&] { return ask(HttpMethod::Post, "/v1/devices", {{"id", id}}).status / 100 == 2; });
    }
    json call(const std::string& id, const std::string& function, const std::string& argument) {
        const Reply reply =
            ask(HttpMethod::Post, "/v1/devices/" + id + "/" + function, {{"args", argument}});
        return reply.status == 200 ? reply.body["return_value"] : json{reply.status};
    }
    bool works(const std::string& id) {
        return eventually([&] { return call(id, "led", "on") == 1; });
    }
    std::string log(const std::string& name) const { return read_text(folder_ / (name + ".log")); }
    std::string logs() const {
        std::string text;
        for (const auto& entry : fs::directory_iterator(folder_ / "")) {
            if (entry.path().extension() == ".log")
                text += entry.path().string() + ":\n" + read_text(entry.path());
        }
        return text;
    }

    testing::Folder folder_;
    const std::string cloud_ = folder_ / "cloud";
    const std::string ports_ = folder_ / "ports";
    std::unique_ptr<Program> cloud_program_;
    std::unique_ptr<Program> gateway_;
    std::vector<std::unique_ptr<Program>> boards_;
};

TEST_F(BluzTest, ABoardWithAStoredKeyIsCalledReadAndHeard) {
    enrol(kLamp);
    start_gateway();
    start_board(kLamp);
    ASSERT_TRUE(claim(kLamp)) << logs();
    ASSERT_TRUE(works(kLamp)) << logs();
    EXPECT_EQ(call(kLamp, "led", "off"), 0);
    EXPECT_EQ(call(kLamp, "fail", std::string(63, 'a')), -7);
    const auto read = [this](const std::string& name) {
        return ask(HttpMethod::Get, "/v1/devices/" + kLamp + "/" + name).body["result"];
    };
    EXPECT_EQ(read("temperature"), 21.5);
    EXPECT_EQ(read("count"), 3);
    EXPECT_EQ(read("words"), "hello");

    EventStream events{value_of(ports_, "http"), cloud_};
    EXPECT_EQ(call(kLamp, "shout", "door/front:" + std::string(40, 'x')), 0);
    const std::string data = events.next("door/front");
    EXPECT_TRUE(has(data, std::string(40, 'x'))) << data << logs();
    EXPECT_FALSE(has(log(kLamp), "trouble")) << logs();
}

TEST_F(BluzTest, AnUnknownBoardIsTakenWhileFirstUseIsOpenAndNotBefore) {
    start_gateway();
    start_board(kLamp, {"--header", "wrong"});
    ASSERT_TRUE(eventually([this] { return has(log("cloud"), "no key stored"); })) << logs();
    ASSERT_TRUE(eventually([this] { return has(log("gateway"), "bluz-let-go"); })) << logs();
    restart_cloud({"--particle-enrol"});
    ASSERT_TRUE(claim(kLamp)) << logs();
    EXPECT_TRUE(works(kLamp)) << logs();
}

// Two boards, of either way to send a header, and a device of Sotto's own; gateway and cloud end
// and come back; beside them somebody says anything at all.
TEST_F(BluzTest, BoardsAndSottosOwnShareAGatewayOverItsRestarts) {
    enrol(kLamp);
    enrol(kDoor);
    const Program own{
        kPrograms + "sotto-device",
        {"--state", folder_ / "device", "--air", folder_ / "air", "--code-file", folder_ / "code"},
        folder_ / "device.log"};
    start_board(kLamp);
    start_board(kDoor, {"--header", "alone"});
    start_gateway();
    ASSERT_TRUE(claim(kLamp) && claim(kDoor)) << logs();
    ASSERT_TRUE(works(kLamp) && works(kDoor)) << logs();

    const auto sotto = [this](Arguments arguments) {
        arguments.insert(arguments.end(), {"--state", folder_ / "app"});
        return testing::run(kPrograms + "sotto", arguments);
    };
    const std::string url = "http://" + value_of(ports_, "http");
    EXPECT_EQ(sotto({"login", url, "--token-file", cloud_ + "/owner.token"}).code, 0);
    const std::string code = read_text(folder_ / "code");
    EXPECT_TRUE(eventually([&] {
        return sotto({"pair", code.substr(0, code.find('\n')), "--name", "sealed"}).code == 0;
    }));

    // A peer that is there again as soon as it is let go: CONNECT, nonsense, a frame without end.
    using Unix = asio::local::stream_protocol;
    asio::io_context loop;
    Unix::acceptor acceptor{loop, Unix::endpoint{folder_ / "air/hostile.sock"}};
    std::atomic<bool> is_over = false;
    std::size_t visits = 0;
    std::thread hostile{[&] {
        std::vector<std::uint8_t> bytes;
        const auto append = [&bytes](const framing::AirOperation& operation) {
            std::array<std::uint8_t, framing::kAirBytesMax> room{};
            const auto code_of = framing::encode_air_operation(room, operation);
            bytes.insert(bytes.end(), code_of->begin(), code_of->end());
        };
        append(framing::Advertisement{.name = "x", .service = framing::Service::Bluz});
        const std::uint8_t end[] = {0x03, 0x04};
        const std::uint8_t junk[20] = {0x01, 0x10};
        for (int i = 0; i < 200; ++i) {
            append(framing::Notify{junk});
            if (i < 100) append(framing::Notify{end});
        }
        while (!is_over) {
            boost::system::error_code error;
            Unix::socket socket{loop};
            acceptor.accept(socket, error);
            ++visits;
            while (!error && !is_over) asio::write(socket, asio::buffer(bytes), error);
        }
    }};
    EXPECT_TRUE(eventually([&] { return has(log("gateway"), "not the bluz service"); })) << logs();

    const std::size_t before = count(log(kLamp), "ready");
    start_gateway();
    EXPECT_TRUE(eventually([&] { return count(log(kLamp), "ready") > before; })) << logs();
    EXPECT_TRUE(works(kLamp) && works(kDoor)) << logs();
    restart_cloud();
    EXPECT_TRUE(works(kLamp) && works(kDoor)) << logs();
    EXPECT_TRUE(eventually([&] { return sotto({"call", "sealed", "lamp", "on"}).code == 0; }))
        << logs();
    EXPECT_FALSE(has(log(kLamp) + log(kDoor), "trouble")) << logs();
    is_over = true;
    Unix::socket last{loop};  // wakes it up
    boost::system::error_code ignored;
    last.connect(Unix::endpoint{folder_ / "air/hostile.sock"}, ignored);
    gateway_.reset();
    hostile.join();
    EXPECT_GT(visits, 1U);
}

// A device of ours that is a bluz board too: one sketch, two ways to it, and no way from the one to
// what is only behind the other.
class BothServices : public BluzTest {
  protected:
    void start_device() {
        device_.reset();
        const std::string key = cloud_ + "/particle/default_key.pub.pem";
        Arguments arguments{"--state", folder_ / "device", "--air", folder_ / "air"};
        arguments.insert(arguments.end(), {"--code-file", folder_ / "code", "--bluz", key});
        arguments.insert(arguments.end(), {"--function", "echo", "--variable", "place=hall"});
        arguments.insert(arguments.end(), {"--event", "alarm=ring", "--bluz-open", "echo"});
        arguments.insert(arguments.end(), {"--bluz-open", "v/place", "--bluz-open", "e/alarm"});
        device_ = std::make_unique<Program>(
            kPrograms + "sotto-device", arguments, folder_ / "device.log");
        ASSERT_TRUE(eventually([this] { return !board().empty(); })) << logs();
    }
    // The id and the file that it says at its start, for the operator.
    std::string board() const { return said("bluz: board ", ","); }
    std::string said(const std::string& before, const std::string& after) const {
        const std::string text = log("device");
        const auto begin = text.find(before);
        if (begin == std::string::npos) return {};
        const auto at = begin + before.size();
        return text.substr(at, text.find(after, at) - at);
    }
    void enrol_device() {
        const std::string file = said("public key in ", "\n");
        const testing::Run set = testing::run(kPrograms + "sotto-cloud",
                                              {"keys", "set", board(), file, "--state", cloud_});
        ASSERT_EQ(set.code, 0) << set.output;
    }
    testing::Run sotto(Arguments arguments) const {
        arguments.insert(arguments.end(), {"--state", folder_ / "app"});
        return testing::run(kPrograms + "sotto", arguments);
    }
    void pair() const {
        const std::string url = "http://" + value_of(ports_, "http");
        EXPECT_EQ(sotto({"login", url, "--token-file", cloud_ + "/owner.token"}).code, 0);
        const std::string code = read_text(folder_ / "code");
        EXPECT_TRUE(eventually([&] {
            return sotto({"pair", code.substr(0, code.find('\n')), "--name", "hall"}).code == 0;
        })) << logs();
    }
    Reply read(const std::string& variable) const {
        return ask(HttpMethod::Get, "/v1/devices/" + board() + "/" + variable);
    }

    std::unique_ptr<Program> device_;
};

TEST_F(BothServices, OneSketchIsReachedSealedAndInTheOpen) {
    start_device();
    enrol_device();
    start_gateway();
    ASSERT_TRUE(claim(board())) << logs();
    ASSERT_TRUE(eventually([&] { return call(board(), "echo", "42") == 42; })) << logs();
    pair();
    EXPECT_TRUE(has(log("device"), "call echo \"42\" in the open"));
    EXPECT_EQ(read("place").body["result"], "hall");

    // What is not open is not there, whatever the sealed way has.
    EXPECT_EQ(call(board(), "lamp", "on"), json::array({404}));
    EXPECT_EQ(read("note").status, 404);
    EXPECT_FALSE(has(log("device"), "call lamp"));
    EXPECT_EQ(sotto({"call", "hall", "lamp", "on"}).code, 0) << logs();
    EXPECT_EQ(sotto({"call", "hall", "echo", "sealed"}).code, 0) << logs();
    EXPECT_TRUE(has(log("device"), "call echo \"sealed\"\n")) << log("device");

    // An event reaches those of either way, whichever way the call came.
    EventStream events{value_of(ports_, "http"), cloud_};
    EXPECT_EQ(sotto({"call", "hall", "echo", "again"}).code, 0) << logs();
    EXPECT_TRUE(has(events.next("alarm"), "ring")) << logs();
    const Program watch{kPrograms + "sotto",
                        {"--state", folder_ / "app", "watch", "hall", "alarm", "--count", "1"},
                        folder_ / "watch.log"};
    ASSERT_TRUE(eventually([&] { return has(log("watch"), "watching"); })) << logs();
    EXPECT_EQ(call(board(), "echo", "7"), 7);
    EXPECT_TRUE(eventually([&] { return has(log("watch"), "ring"); })) << logs();
    EXPECT_TRUE(has(events.next("alarm"), "ring")) << logs();
    EXPECT_FALSE(has(log("device"), "let go")) << logs();
}

TEST_F(BothServices, ItIsTheSameBoardAfterRestartsOfEverybody) {
    start_device();
    enrol_device();
    start_gateway();
    const std::string id = board();
    ASSERT_TRUE(claim(id)) << logs();
    ASSERT_TRUE(eventually([&] { return call(id, "echo", "1") == 1; })) << logs();
    const std::string key = read_text(folder_ / "device/bluz/key.pub.pem");
    device_->stop(SIGKILL);
    fs::remove(folder_ / "device.log");
    fs::remove(folder_ / "device/bluz/key.pub.pem");
    start_device();
    EXPECT_EQ(board(), id);
    EXPECT_EQ(read_text(folder_ / "device/bluz/key.pub.pem"), key);
    EXPECT_TRUE(eventually([&] { return call(id, "echo", "2") == 2; })) << logs();
    restart_cloud();
    EXPECT_TRUE(eventually([&] { return call(id, "echo", "3") == 3; })) << logs();
    start_gateway();
    EXPECT_TRUE(eventually([&] { return call(id, "echo", "4") == 4; })) << logs();
}

TEST_F(BothServices, ABoardThatIsNotEnrolledHasNoSessionAndIsSealedAllTheSame) {
    start_device();
    start_gateway();
    ASSERT_TRUE(eventually([this] { return has(log("cloud"), "no key stored"); })) << logs();
    pair();
    EXPECT_EQ(sotto({"call", "hall", "echo", "sealed"}).code, 0) << logs();
    EXPECT_FALSE(has(log("device"), "a cloud has a session"));
    enrol_device();
    ASSERT_TRUE(claim(board())) << logs();
    EXPECT_TRUE(eventually([&] { return call(board(), "echo", "5") == 5; })) << logs();
}

TEST_F(BluzTest, LocalCustomDataNeedsTheLeaveOfTheOperator) {
    start_board(kLamp, {"--header", "local"});
    start_gateway();
    ASSERT_TRUE(eventually([this] { return has(log("gateway"), "bluz-known"); })) << logs();
    EXPECT_TRUE(fs::is_empty(folder_ / "local"));
    start_gateway({"--unencrypted-local", folder_ / "local"});
    const std::string path = folder_ / ("local/" + kLamp + ".unencrypted");
    ASSERT_TRUE(eventually([&] { return fs::exists(path); })) << logs();
    EXPECT_TRUE(has(log("gateway"), "unencrypted"));

    const int app = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const void* erased = &address;
    ASSERT_TRUE(eventually([&] {  // the file is there a moment before somebody listens
        return ::connect(app, static_cast<const sockaddr*>(erased), sizeof address) == 0;
    }));
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(app, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const std::string said = std::string(38, '.') + "\x03\x04";  // its end looks like an end
    ASSERT_EQ(::send(app, said.data(), said.size(), 0), static_cast<ssize_t>(said.size()));
    char buffer[1'024];
    const ssize_t size = ::recv(app, buffer, sizeof buffer, 0);
    ASSERT_GT(size, 0) << logs();
    EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(size)), "echo " + said);
    ::close(app);
    EXPECT_FALSE(has(log(kLamp), "trouble")) << logs();
    EXPECT_FALSE(has(log("cloud"), "particle-connected"));
}

}  // namespace
}  // namespace sotto::integration
