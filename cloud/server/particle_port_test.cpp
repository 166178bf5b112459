// SPDX-License-Identifier: Apache-2.0
// The port for legacy devices: good devices, bad ones, and floods of half of one, side by side.
#include "cloud/server/particle_port.hpp"

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <sys/resource.h>
#include <thread>

#include <gtest/gtest.h>

#include "cloud/server/limits.hpp"
#include "cloud/server/listen.hpp"
#include "cloud/store/memory_store.hpp"
#include "core/base/hex.hpp"
#include "ports/linux/system_entropy.hpp"
#include "testing/particle/legacy_device.hpp"
#include "testing/particle/legacy_image.hpp"

namespace sotto::cloud::server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using services::DeviceError;
using testing::Firmware;
using testing::LegacyDevice;
using testing::LegacyId;
using testing::LegacyKey;
using tcp = asio::ip::tcp;

constexpr model::AccountId kAnn{1};
constexpr model::AccountId kBob{2};

// Made once: each takes its time.
const particle_openssl::ServerKey& server_key() {
    static const auto key = *particle_openssl::ServerKey::generate();
    return key;
}
const LegacyKey& key_number(std::size_t number) {
    static std::deque<LegacyKey> keys;
    while (keys.size() <= number) keys.push_back(LegacyKey::generate());
    return keys[number];
}

LegacyId id_number(std::uint8_t number) { return {0xb1, 0xe2, number}; }

// The other end of a connection: bytes alone.
class Raw {
  public:
    // From 127.0.0.`host`.
    Raw(asio::io_context& loop, const tcp::endpoint& endpoint, unsigned host = 1) : socket_(loop) {
        socket_.open(endpoint.protocol());
        socket_.bind({asio::ip::address_v4{0x7f000000U + host}, 0});
        socket_.set_option(asio::socket_base::receive_buffer_size{4'096});
        socket_.connect(endpoint);
        socket_.set_option(tcp::no_delay{true});
        socket_.non_blocking(true);
    }
    std::vector<std::uint8_t> read() {
        std::vector<std::uint8_t> bytes(4'096);
        error_code error;
        bytes.resize(socket_.read_some(asio::buffer(bytes), error));
        if (error && error != asio::error::would_block) is_closed_ = true;
        return bytes;
    }
    std::size_t write(Bytes bytes) {
        error_code error;
        const std::size_t size =
            socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
        if (error && error != asio::error::would_block) is_closed_ = true;
        return size;
    }
    // What comes meanwhile is lost.
    bool is_closed() {
        if (!is_closed_) (void)read();
        return is_closed_;
    }

    void close() {
        error_code ignored;
        socket_.close(ignored);
        is_closed_ = true;
    }

  private:
    tcp::socket socket_;
    bool is_closed_ = false;
};

// A strict device on a socket.
class Client {
  public:
    Client(asio::io_context& loop, const tcp::endpoint& endpoint, LegacyDevice::Setup setup)
        : device(std::move(setup)), raw_(loop, endpoint) {
        device.functions["led"] = [](const std::string& argument) {
            return static_cast<std::int32_t>(argument.size());
        };
        device.variables["temp"] = {2, std::string("\xff\xff\xff\xfe", 4)};
        device.variables["volt"] = {9, std::string("\0\0\0\0\0\0\x0a\x40", 8)};
        device.variables["name"] = {4, "lamp"};
        device.variables["on"] = {1, "\x01"};
    }
    void turn() {
        if (device.is_deaf) return;  // it does not even look
        const auto piece = raw_.read();
        if (!piece.empty()) device.receive(piece);
        while (device.step()) {
        }
        const auto output = device.take_output();
        if (!output.empty()) raw_.write(output);
    }
    // Writes what it has to say and reads nothing.
    void flush_only() {
        const auto output = device.take_output();
        waiting_.insert(waiting_.end(), output.begin(), output.end());
        const std::size_t size = raw_.write(waiting_);
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(size));
    }
    bool is_closed() { return is_closed_ || (is_closed_ = raw_.is_closed()); }
    void close() {
        raw_.close();
        device.is_deaf = true;
    }

    LegacyDevice device;

  private:
    Raw raw_;
    std::vector<std::uint8_t> waiting_;
    bool is_closed_ = false;
};

class ParticlePortTest : public ::testing::Test {
  protected:
    explicit ParticlePortTest(bool enrols = false) {
        store_.create_account("ann", {}, [](const auto&) {});
        store_.create_account("bob", {}, [](const auto&) {});
        auto acceptor = listen(loop_, {"--particle", "127.0.0.1:0", false});
        endpoint_ = acceptor->local_endpoint();
        port_.emplace(loop_,
                      *std::move(acceptor),
                      ParticlePort::Setup{.keys = {&server_key(), 1},
                                          .store = store_,
                                          .devices = devices_,
                                          .entropy = entropy_,
                                          .log = log_,
                                          .now = [this] { return now(); },
                                          .enrols_on_first_use = enrols});
        port_->start();
    }
    ~ParticlePortTest() override {
        port_->stop();
        loop_.restart();
        loop_.poll();
        port_.reset();
    }

    Instant now() const { return Instant{1'700'000'000'000} + skipped_ + real(); }
    static Duration real() {
        return milliseconds(std::chrono::duration_cast<std::chrono::milliseconds>(
                                std::chrono::steady_clock::now().time_since_epoch())
                                .count() %
                            1'000'000'000);
    }
    void skip(Duration time) { skipped_ = Duration{skipped_.ms + time.ms}; }

    void own(const LegacyId& id, model::AccountId owner) {
        store_.claim_open_device(id, owner, now(), [](const auto&) {});
        turn();
    }
    void know(const LegacyId& id, const LegacyKey& key, model::AccountId owner = kAnn) {
        store_.set_device_key({.device = id, .key = key.public_der(), .stored_at = now()},
                              [](const auto&) {});
        own(id, owner);
    }
    Client& client(const LegacyId& id, const LegacyKey& key, Firmware firmware = Firmware::Bluz) {
        return clients_.emplace_back(loop_,
                                     endpoint_,
                                     LegacyDevice::Setup{.firmware = firmware,
                                                         .id = id,
                                                         .key = key,
                                                         .server_key = server_key().public_der()});
    }
    // A device that is known and connected, with its description.
    Client& connect(std::uint8_t number, model::AccountId owner = kAnn) {
        know(id_number(number), key_number(number % 2), owner);
        Client& made = client(id_number(number), key_number(number % 2));
        EXPECT_TRUE(until([&] { return is_described(id_number(number), owner); }));
        return made;
    }
    bool is_described(const LegacyId& id, model::AccountId owner) {
        auto* device = devices_.find(id, owner);
        return device != nullptr && !device->attributes().functions.empty();
    }
    Raw& raw(unsigned host = 1) { return raws_.emplace_back(loop_, endpoint_, host); }

    void turn() {
        loop_.restart();
        loop_.poll();
        port_->on_time();
        for (Client& each : clients_) each.turn();
    }
    template <class Condition>
    bool until(const Condition& condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (std::chrono::steady_clock::now() < end) {
            turn();
            if (condition()) return true;
            std::this_thread::sleep_for(std::chrono::microseconds{200});
        }
        return false;
    }

    template <class T>
    std::optional<Result<T, DeviceError>> call(const LegacyId& id, const auto& ask) {
        std::optional<Result<T, DeviceError>> answer;
        auto* device = devices_.find(id, kAnn);
        if (device == nullptr) return answer;
        ask(*device, [&answer](Result<T, DeviceError> given) { answer = std::move(given); });
        until([&answer] { return answer.has_value(); });
        return answer;
    }
    std::optional<Result<services::Value, DeviceError>> call_led(const LegacyId& id) {
        return call<services::Value>(
            id, [](auto& device, auto done) { device.call("led", "on", std::move(done)); });
    }
    std::optional<Result<services::Value, DeviceError>> read(const LegacyId& id,
                                                             const std::string& name) {
        return call<services::Value>(
            id, [&](auto& device, auto done) { device.read(name, std::move(done)); });
    }
    // What bad neighbours must not change.
    void expect_good_service(const LegacyId& id) {
        const auto answer = call_led(id);
        ASSERT_TRUE(answer && *answer);
        EXPECT_EQ(**answer, services::Value{2});
    }
    bool has_logged(std::string_view part) const { return text_.find(part) != std::string::npos; }
    std::size_t count_logged(std::string_view part) const {
        std::size_t count = 0;
        for (std::size_t at = text_.find(part); at != std::string::npos;
             at = text_.find(part, at + 1))
            ++count;
        return count;
    }

    asio::io_context loop_{1};
    Duration skipped_{};
    ports::SystemEntropy entropy_;
    std::string text_;
    ports::Log log_{{.level = ports::LogLevel::Debug,
                     .format = ports::LogFormat::Text,
                     .write = [this](std::string_view line) { text_ += line; },
                     .now = [this] { return now(); }}};
    store::MemoryStore store_{
        [this](std::function<void()> function) { asio::post(loop_, std::move(function)); }};
    services::EventRing ring_{Instant{1}};
    services::OpenDevices devices_{
        ring_,
        {.load_owner =
             [this](const model::DeviceId& device, auto done) {
                 store_.find_open_device(device, [done = std::move(done)](const auto& found) {
                     using Owner = services::OpenDevices::Owner;
                     done(found && *found ? Owner{(*found)->account} : Owner{});
                 });
             },
         .on_claim_code = [this](const auto& device,
                                 const auto&) { devices_.end_claim_code(device); },
         .save_traces = [](const auto&, const auto&) {},
         .now = [this] { return now(); }}};
    tcp::endpoint endpoint_;
    std::optional<ParticlePort> port_;
    std::deque<Client> clients_;
    std::deque<Raw> raws_;
};

using Legacy = ParticlePortTest;
class LegacyFirstUse : public ParticlePortTest {
  protected:
    LegacyFirstUse() : ParticlePortTest(true) {}
};

TEST_F(Legacy, ADeviceIsCalledReadPingedAndSignalled) {
    Client& lamp = connect(1);
    const LegacyId id = id_number(1);
    expect_good_service(id);
    EXPECT_EQ(std::get<std::int32_t>(**read(id, "temp")), -2);
    EXPECT_EQ(std::get<double>(**read(id, "volt")), 3.25);
    EXPECT_EQ(std::get<std::string>(**read(id, "name")), "lamp");
    EXPECT_EQ(std::get<bool>(**read(id, "on")), true);
    EXPECT_EQ(read(id, "nosuch")->error(), DeviceError::NoSuch);
    EXPECT_TRUE(*call<void>(id, [](auto& device, auto done) { device.ping(std::move(done)); }));
    EXPECT_TRUE(
        *call<void>(id, [](auto& device, auto done) { device.signal(true, std::move(done)); }));
    EXPECT_EQ(lamp.device.signal(), true);
    const auto& attributes = devices_.find(id, kAnn)->attributes();
    EXPECT_EQ(attributes.platform_id, 103);
    EXPECT_EQ(attributes.address, "127.0.0.1");
    EXPECT_EQ(attributes.variables.size(), 4U);
    EXPECT_EQ(devices_.find(id, kBob), nullptr);
    EXPECT_TRUE(has_logged("particle-connected"));
    EXPECT_EQ(port_->session_count(), 1U);
    EXPECT_EQ(port_->half_open_count(), 0U);
}

TEST_F(Legacy, EventsGoBetweenTheDevicesOfOneOwnerAndToNobodyElse) {
    Client& one = connect(1);
    Client& two = connect(2);
    Client& bobs = connect(3, kBob);
    two.device.subscribe("door", true);
    bobs.device.subscribe("door", false);
    bool is_noted = false;
    two.device.ping();
    const std::size_t acks = two.device.ack_count();
    is_noted = until([&] { return two.device.ack_count() >= acks + 2; });
    ASSERT_TRUE(is_noted);
    one.device.publish({.name = "door/front", .data = "open", .is_public = true});
    one.device.publish({.name = "window", .data = "open"});
    one.device.publish({.name = "spark/device/reset", .data = "reboot"});
    ASSERT_TRUE(until([&] { return !two.device.events().empty(); }));
    EXPECT_EQ(two.device.events().front(),
              (testing::LegacyEvent{.name = "door/front", .data = "open", .is_public = true}));
    expect_good_service(id_number(2));
    EXPECT_EQ(two.device.events().size(), 1U);
    EXPECT_TRUE(bobs.device.events().empty());
    std::uint64_t cursor = 0;
    std::vector<std::string> names;
    while (const auto event = ring_.next({.owner = kAnn}, cursor))
        names.push_back(event->what.name);
    EXPECT_NE(std::find(names.begin(), names.end(), "window"), names.end());
}

TEST_F(Legacy, WhatADeviceAsksTheCloudAboutItselfIsAnswered) {
    Client& lamp = connect(1);  // it has subscribed to "spark"
    lamp.device.publish({.name = "spark/device/ip"});
    lamp.device.publish({.name = "spark/device/random"});
    ASSERT_TRUE(until([&] { return lamp.device.events().size() >= 2; }));
    EXPECT_EQ(lamp.device.events()[0].name, "spark/device/ip");
    EXPECT_EQ(lamp.device.events()[0].data, "127.0.0.1");
    EXPECT_EQ(lamp.device.events()[1].data.size(), 40U);
    EXPECT_TRUE(lamp.device.is_connected()) << lamp.device.trouble();
}

TEST_F(Legacy, ADeviceLearnsThatItsClaimCodeIsOver) {
    Client& lamp = connect(1);
    lamp.device.publish({.name = "spark/device/claim/code", .data = "a code"});
    ASSERT_TRUE(until([&] { return !lamp.device.events().empty(); }));
    EXPECT_EQ(lamp.device.events()[0].name, "spark/device/claim/success");
    expect_good_service(id_number(1));
    EXPECT_EQ(lamp.device.events().size(), 1U);
}

TEST_F(Legacy, ThePortIsOpenAtItsAddressAndAtNoOther) {
    tcp::socket socket{loop_};
    error_code error;
    socket.connect({asio::ip::make_address("127.0.0.2"), endpoint_.port()}, error);
    EXPECT_EQ(error, asio::error::connection_refused);
}

TEST_F(Legacy, ManyDevicesAtOnceAreEachServed) {
    constexpr std::uint8_t kCount = 40;
    for (std::uint8_t i = 0; i < kCount; ++i) {
        know(id_number(i), key_number(i % 2));
        client(id_number(i), key_number(i % 2));
    }
    ASSERT_TRUE(until([&] {
        for (std::uint8_t i = 0; i < kCount; ++i)
            if (!is_described(id_number(i), kAnn)) return false;
        return true;
    }));
    for (std::uint8_t i = 0; i < kCount; ++i) expect_good_service(id_number(i));
}

TEST_F(Legacy, MoreThanIsReadAtATimeAndMoreDevicesThanARoundHoldsAreServed) {
    connect(1);
    Client& talker = connect(2);
    for (std::size_t i = 0; i < kReadySocketsMax * kReadyRoundsMax + 50; ++i) raw();
    turn();
    const std::vector<std::uint8_t> zeros(256, 0);
    for (Raw& each : raws_) each.write(zeros);  // all at the same time
    const std::size_t before = talker.device.ack_count();
    constexpr int kCount = 50;
    static_assert(kCount * (18 + 34) > kParticleReadSize);
    for (int i = 0; i < kCount; ++i) talker.device.publish({.name = "much", .data = "more data"});
    for (int i = 0; i < kCount; ++i) talker.device.ping();
    EXPECT_TRUE(until([&] { return talker.device.ack_count() == before + kCount; }));
    std::uint64_t cursor = 0;
    int events = 0;
    while (const auto event = ring_.next({.owner = kAnn}, cursor))
        if (event->what.name == "much") ++events;
    EXPECT_EQ(events, kCount);
    expect_good_service(id_number(1));
    skip(particle::kRefusalTime);
    EXPECT_TRUE(until([&] { return port_->half_open_count() == 0; }));
}

TEST_F(Legacy, ANewConnectionOfADeviceReplacesItsStaleOne) {
    Client& stale = connect(1);
    std::optional<Result<services::Value, DeviceError>> lost;
    stale.device.is_deaf = true;
    devices_.find(id_number(1), kAnn)->call("led", "on", [&](auto given) { lost = given; });
    client(id_number(1), key_number(1));
    ASSERT_TRUE(until([&] { return stale.is_closed() && is_described(id_number(1), kAnn); }));
    ASSERT_TRUE(lost);
    EXPECT_EQ(lost->error(), DeviceError::NotConnected);
    expect_good_service(id_number(1));
    EXPECT_TRUE(has_logged("why=replaced"));
    EXPECT_EQ(port_->session_count(), 1U);
}

TEST_F(Legacy, WhoOnlyPretendsToBeADeviceDoesNotReplaceIt) {
    connect(1);
    Client& pretender = client(id_number(1), key_number(2));  // with another key
    ASSERT_TRUE(until([&] { return !pretender.device.trouble().empty(); }));
    EXPECT_EQ(pretender.device.trouble(), "the answer is not the server's");
    expect_good_service(id_number(1));
    skip(particle::kHelloTime);
    ASSERT_TRUE(until([&] { return pretender.is_closed(); }));
    EXPECT_TRUE(has_logged("why=no-hello"));
    expect_good_service(id_number(1));
}

TEST_F(Legacy, AnUnknownDeviceIsRefusedWhateverKeyItShows) {
    Client& unknown = client(id_number(9), key_number(1));
    ASSERT_TRUE(until([&] { return has_logged("no key stored"); }));
    EXPECT_FALSE(unknown.is_closed());  // not before its time
    skip(particle::kRefusalTime);
    EXPECT_TRUE(until([&] { return unknown.is_closed(); }));
    EXPECT_EQ(port_->half_open_count(), 0U);
}

TEST_F(LegacyFirstUse, TheKeyThatIsShownFirstIsTakenAndNoOther) {
    own(id_number(9), kAnn);
    client(id_number(9), key_number(1));
    ASSERT_TRUE(until([&] { return is_described(id_number(9), kAnn); }));
    expect_good_service(id_number(9));
    EXPECT_TRUE(has_logged("particle-enrolled"));
    Client& other = client(id_number(9), key_number(2));
    ASSERT_TRUE(until([&] { return !other.device.trouble().empty(); }));
    expect_good_service(id_number(9));
}

TEST_F(LegacyFirstUse, AKeyIsNotTakenBeforeItIsProved) {
    // A key message with somebody else's key in it, as anybody can write it.
    Raw& liar = raw();
    std::vector<std::uint8_t> nonce;
    ASSERT_TRUE(until([&] {
        const auto more = liar.read();
        nonce.insert(nonce.end(), more.begin(), more.end());
        return nonce.size() == particle::kNonceSize;
    }));
    const LegacyId id = id_number(8);
    std::vector<std::uint8_t> plain = nonce;
    plain.insert(plain.end(), id.begin(), id.end());
    const auto key = key_number(1).public_der();
    plain.insert(plain.end(), key.begin(), key.end());
    liar.write(key_number(2).seal_to_server(server_key().public_der(), plain));
    std::size_t size = 0;
    ASSERT_TRUE(until([&] { return (size += liar.read().size()) == particle::kAnswerSize; }));
    skip(particle::kHelloTime);
    ASSERT_TRUE(until([&] { return liar.is_closed(); }));
    std::optional<std::optional<model::DeviceKey>> stored;
    store_.find_device_key(id, [&](const auto& found) { stored = *found; });
    ASSERT_TRUE(until([&] { return stored.has_value(); }));
    EXPECT_FALSE(stored->has_value());
}

TEST_F(Legacy, WrongKeyMessagesAllEndInTheSameWay) {
    connect(1);
    std::vector<Raw*> bad;
    for (int kind = 0; kind < 4; ++kind) bad.push_back(&raw());
    turn();
    const std::vector<std::uint8_t> zeros(256, 0);
    const std::vector<std::uint8_t> above(256, 0xff);
    const std::vector<std::uint8_t> more(300, 1);
    bad[0]->write(zeros);
    bad[1]->write(above);
    bad[2]->write(more);
    // Of the third the key message may be looked at before the rest comes, or not.
    ASSERT_TRUE(until([&] { return count_logged("particle-refused") == bad.size(); }));
    EXPECT_TRUE(has_logged("key message"));
    expect_good_service(id_number(1));
    skip(particle::kRefusalTime);
    EXPECT_TRUE(until([&] {
        return std::all_of(bad.begin(), bad.end(), [](Raw* each) { return each->is_closed(); });
    }));
    expect_good_service(id_number(1));
}

TEST_F(Legacy, WhoSendsByteByByteIsGivenItsTimeAndNoMore) {
    connect(1);
    Raw& slow = raw();
    for (int i = 0; i < 9; ++i) {
        const std::uint8_t byte = 0;
        slow.write({&byte, 1});
        skip(milliseconds(particle::kKeyMessageTime.ms / 10));
        turn();
        turn();
        EXPECT_FALSE(slow.is_closed());
    }
    skip(milliseconds(particle::kKeyMessageTime.ms / 5));
    EXPECT_TRUE(until([&] { return slow.is_closed(); }));
    EXPECT_TRUE(has_logged("why=\"too slow\""));
    expect_good_service(id_number(1));
}

TEST_F(Legacy, TenThousandHalfOpenHandshakesKeepNobodyOut) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 10'000 + kHalfOpenMax + 100) GTEST_SKIP() << "not so many files allowed";
    connect(1);
    for (unsigned i = 0; i < 10'000; ++i) {
        raw(2 + i % 5);  // so many networks that none of them comes too often
        if (i % 64 == 0) turn();
    }
    turn();
    EXPECT_LE(port_->half_open_count(), kHalfOpenMax);
    EXPECT_GE(port_->half_open_count(), kHalfOpenMax - 1);
    EXPECT_TRUE(has_logged("why=\"made room\""));
    expect_good_service(id_number(1));
    connect(2);
    expect_good_service(id_number(2));
    skip(particle::kKeyMessageTime);
    EXPECT_TRUE(until([&] { return port_->half_open_count() == 0; }));
    expect_good_service(id_number(1));
}

TEST_F(Legacy, ANetworkThatComesTooOftenIsTurnedAwayAndNoOther) {
    connect(1);
    const auto comes_in = [this](unsigned host) {
        raws_.clear();
        Raw& made = raw(host);
        bool is_in = false;
        EXPECT_TRUE(until([&] { return (is_in = !made.read().empty()) || made.is_closed(); }));
        return is_in;
    };
    std::size_t count = 0;
    while (count < 2 * kArrivalRate.burst && comes_in(9)) ++count;
    EXPECT_GE(count, kArrivalRate.burst);
    EXPECT_LT(count, 2 * kArrivalRate.burst);
    EXPECT_TRUE(comes_in(10));
    expect_good_service(id_number(1));
    skip(kParticleTick);
    turn();
    EXPECT_TRUE(has_logged("particle-turned-away"));
    EXPECT_TRUE(has_logged("last-from=127.0.0.9"));
    skip(kArrivalRate.refill);
    EXPECT_TRUE(comes_in(9));
}

TEST_F(Legacy, WhatCannotBeAFrameEndsTheConnectionAndIsLogged) {
    connect(1);
    struct Bad {
        std::vector<std::uint8_t> bytes;
        std::string why;
    };
    std::vector<std::uint8_t> padding(18, 0x42);
    padding[0] = 0;
    padding[1] = 16;
    const std::vector<Bad> all{
        {{0, 0}, "why=unreadable"}, {{0xff, 0xf0}, "why=too-large"}, {padding, "why=unreadable"}};
    for (const Bad& bad : all) {
        Client& broken = connect(2);
        text_.clear();
        broken.device.send_raw(bad.bytes);
        EXPECT_TRUE(until([&] { return broken.is_closed() && has_logged(bad.why); })) << bad.why;
        expect_good_service(id_number(1));
    }
}

TEST_F(Legacy, UnknownCodesAreAcknowledgedAndForgotten) {
    Client& odd = connect(1);
    const std::size_t before = odd.device.ack_count();
    constexpr std::uint8_t kCodes[] = {0x04, 0x05, 0x44, 0x80, 0xa0, 0xff};
    for (const std::uint8_t code : kCodes) {
        const std::uint16_t id = odd.device.next_id();
        const std::vector<std::uint8_t> message{0x40,
                                                code,
                                                static_cast<std::uint8_t>(id >> 8U),
                                                static_cast<std::uint8_t>(id),
                                                0xb1,
                                                'q'};
        odd.device.send_plain(message);
    }
    EXPECT_TRUE(until([&] { return odd.device.ack_count() == before + 6; }));
    EXPECT_TRUE(odd.device.is_connected()) << odd.device.trouble();
    expect_good_service(id_number(1));
}

TEST_F(Legacy, ADeviceThatNeverReadsIsLetGoWhenTooMuchWaits) {
    connect(1);
    Client& greedy = connect(2);
    greedy.device.is_deaf = true;
    // It takes no more from its socket, and asks on and on.
    const bool is_gone = until([&] {
        for (int i = 0; i < 50; ++i) greedy.device.ping();
        greedy.flush_only();
        loop_.restart();
        loop_.poll();
        return port_->session_count() == 1;
    });
    EXPECT_TRUE(is_gone);
    EXPECT_TRUE(has_logged("why=slow"))
        << text_.substr(text_.size() > 400 ? text_.size() - 400 : 0);
    expect_good_service(id_number(1));
}

TEST_F(Legacy, ADeviceThatGoesIsReportedAndItsCallsAreAnswered) {
    Client& lamp = connect(1);
    lamp.device.is_deaf = true;
    std::optional<Result<services::Value, DeviceError>> answer;
    devices_.find(id_number(1), kAnn)->call("led", "on", [&](auto given) { answer = given; });
    clients_.clear();
    ASSERT_TRUE(until([&] { return devices_.find(id_number(1), kAnn) == nullptr; }));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error(), DeviceError::NotConnected);
    EXPECT_TRUE(has_logged("particle-gone"));
    EXPECT_EQ(port_->session_count(), 0U);
}

TEST_F(Legacy, ASilentDeviceTimesOutAndIsGivenUp) {
    Client& lamp = connect(1);
    lamp.device.is_deaf = true;
    std::optional<Result<services::Value, DeviceError>> answer;
    devices_.find(id_number(1), kAnn)->call("led", "on", [&](auto given) { answer = given; });
    skip(particle::kRequestTime);
    ASSERT_TRUE(until([&] { return answer.has_value(); }));
    EXPECT_EQ(answer->error(), DeviceError::TimedOut);
    skip(particle::kSilenceMax);
    turn();
    skip(particle::kPingTime);
    EXPECT_TRUE(until([&] { return devices_.find(id_number(1), kAnn) == nullptr; }));
    EXPECT_TRUE(has_logged("why=silent"));
}

TEST_F(Legacy, WhatTheStoreCannotFindOutRefuses) {
    know(id_number(1), key_number(1));
    store_.fail_with(Error::StorageFailed);
    Client& lamp = client(id_number(1), key_number(1));
    ASSERT_TRUE(until([&] { return has_logged("the store failed"); }));
    skip(particle::kRefusalTime);
    EXPECT_TRUE(until([&] { return lamp.is_closed(); }));
}

// What is done, in the thread that has it done.
void do_at_once(const RsaWorkers::Done& done) { done(); }
std::vector<HandshakeTools> one_thread() { return std::vector<HandshakeTools>(1); }
RsaWorkers::Done nothing() {
    return [] {};
}

TEST(RsaWorkers, WorkOnThreadsOfTheirOwnAtALowerPriority) {
    std::atomic<int> niceness{-1};
    std::atomic<bool> is_other{false};
    const auto here = std::this_thread::get_id();
    RsaWorkers workers{one_thread(), do_at_once};
    workers.submit(
        [&](auto&) {
            is_other = std::this_thread::get_id() != here;
            niceness = ::getpriority(PRIO_PROCESS, 0);
            return nothing();
        },
        {});
    while (niceness == -1) std::this_thread::yield();
    EXPECT_TRUE(is_other);
    EXPECT_GE(niceness, 10);
}

// One thread that is busy until all of these have been submitted; the order in which it does them.
std::vector<std::size_t> order_of(const std::vector<Instant>& times) {
    std::atomic<bool> may_go{false};
    std::atomic<std::size_t> count{0};
    std::vector<std::size_t> order;
    RsaWorkers workers{one_thread(), do_at_once};
    const auto hold = [&](auto&) {
        count = 1;
        while (!may_go) std::this_thread::yield();
        return nothing();
    };
    workers.submit(hold, {});
    while (count == 0) std::this_thread::yield();
    const auto add = [&](std::size_t i) {
        return [&order, &count, i](auto&) {
            order.push_back(i);
            ++count;
            return nothing();
        };
    };
    for (std::size_t i = 0; i < times.size(); ++i) workers.submit(add(i), times[i]);
    may_go = true;
    while (count < std::min(times.size(), kRsaQueueMax) + 1) std::this_thread::yield();
    return order;
}

TEST(RsaWorkers, TheNewestComesFirstWhileNobodyHasWaitedForLong) {
    const Instant now{5};
    EXPECT_EQ(order_of({now, now, now + kRsaTurnAfter - milliseconds(1)}),
              (std::vector<std::size_t>{2, 1, 0}));
}

TEST(RsaWorkers, WhoHasWaitedForLongIsNext) {
    const Instant now{5};
    EXPECT_EQ(order_of({now, now, now + kRsaTurnAfter}), (std::vector<std::size_t>{0, 1, 2}));
    EXPECT_EQ(order_of({now, now, now + kRsaWaitMax}), (std::vector<std::size_t>{0, 1, 2}));
}

TEST(RsaWorkers, TheNewestComesFirstAsLongAsTheOldestHasWaitedTooLong) {
    const Instant late{kRsaWaitMax.ms + 1};
    EXPECT_EQ(order_of({{}, late, late}), (std::vector<std::size_t>{2, 1, 0}));
    EXPECT_EQ(order_of({Instant{1}, Instant{1}, late, late + milliseconds(1)}),
              (std::vector<std::size_t>{3, 0, 1, 2}));
}

TEST(RsaWorkers, TheOldestIsDroppedWhereTooMuchWaits) {
    const auto order = order_of(std::vector<Instant>(kRsaQueueMax + 2));
    ASSERT_EQ(order.size(), kRsaQueueMax);
    EXPECT_EQ(order.back(), 2U);  // 0 and 1 were dropped
}

TEST(RsaWorkers, WhatIsDoneIsHandedOverAFewAtATimeAndTheLastOfItAtOnce) {
    std::atomic<bool> has_begun{false};
    std::atomic<bool> may_go{false};
    std::atomic<std::size_t> count{0};
    std::vector<std::size_t> handed_over;  // how many were done at each time
    {
        RsaWorkers workers{one_thread(), [&](const RsaWorkers::Done& done) {
                               const std::size_t before = count;
                               done();
                               handed_over.push_back(count - before);
                           }};
        workers.submit(
            [&](auto&) -> RsaWorkers::Done {
                has_begun = true;
                while (!may_go) std::this_thread::yield();
                return [&] { ++count; };
            },
            {});
        while (!has_begun) std::this_thread::yield();
        for (std::size_t i = 0; i < 2 * kRsaDoneMax; ++i)
            workers.submit([&](auto&) -> RsaWorkers::Done { return [&] { ++count; }; }, {});
        may_go = true;
        while (count < 2 * kRsaDoneMax + 1) std::this_thread::yield();
    }
    EXPECT_EQ(handed_over, (std::vector<std::size_t>{kRsaDoneMax, kRsaDoneMax, 1}));
}

TEST(RsaWorkers, TheEndDropsWhatHasNotBegun) {
    std::atomic<bool> is_run{false};
    std::atomic<bool> has_begun{false};
    {
        RsaWorkers workers{one_thread(), do_at_once};
        workers.submit(
            [&](auto&) {
                has_begun = true;
                std::this_thread::sleep_for(std::chrono::milliseconds{20});
                return nothing();
            },
            {});
        while (!has_begun) std::this_thread::yield();
        workers.submit(
            [&](auto&) {
                is_run = true;
                return nothing();
            },
            {});
    }
    EXPECT_FALSE(is_run);
}

services::FirmwarePtr firmware_for(std::uint16_t platform, std::size_t size = 20'000) {
    return std::make_shared<const services::Firmware>(services::Firmware{
        .name = "fw.bin", .bytes = testing::make_legacy_image({.platform = platform}, size)});
}

struct Flash {
    services::UpdateSteps steps() {
        return {.on_progress = [this](std::size_t bytes) { taken.push_back(bytes); },
                .on_end =
                    [this](const services::UpdateResult& result) {
                        EXPECT_FALSE(end);
                        end = result;
                    }};
    }
    services::UpdateError error() const { return end.value().error().error; }
    std::vector<std::size_t> taken;
    std::optional<services::UpdateResult> end;
};

TEST_F(Legacy, AFirmwareReachesADeviceAndCallsWaitForNothing) {
    Client& device = connect(1);
    Client& other = connect(2);
    auto* line = devices_.find(id_number(1), kAnn);
    Flash flash;
    const auto firmware = firmware_for(103);
    line->update(firmware, flash.steps());
    std::optional<services::DeviceError> refused;
    line->call("led", "on", [&](const auto& value) { refused = value.error(); });
    EXPECT_EQ(refused, services::DeviceError::Busy);
    EXPECT_TRUE(until([&] { return !device.device.installed().empty(); }));
    const auto& installed = device.device.installed();
    ASSERT_GE(installed.size(), firmware->bytes.size());
    EXPECT_TRUE(equal(Bytes{installed}.first(firmware->bytes.size()), firmware->bytes));
    EXPECT_TRUE(until([&] { return flash.end.has_value(); }));
    EXPECT_TRUE(*flash.end);
    EXPECT_EQ(flash.taken.front(), 0U);
    EXPECT_EQ(flash.taken.back(), 20'000U);
    EXPECT_TRUE(other.device.is_connected());
}

TEST_F(Legacy, AFirmwareForOthersOrNoneIsRefusedBeforeAnythingIsSent) {
    Client& device = connect(1);
    auto* line = devices_.find(id_number(1), kAnn);
    auto damaged = testing::make_legacy_image({}, 5'000);
    damaged[4'000] ^= 1;
    const auto image_of = [](std::vector<std::uint8_t> bytes) {
        return std::make_shared<const services::Firmware>(
            services::Firmware{.bytes = std::move(bytes)});
    };
    using services::UpdateError;
    for (const auto& [firmware, error, why] :
         std::initializer_list<std::tuple<services::FirmwarePtr, UpdateError, const char*>>{
             {firmware_for(6), UpdateError::WrongImage, "platform 6; this one is of platform 103"},
             {image_of(damaged), UpdateError::WrongImage, "damaged"},
             {image_of({}), UpdateError::WrongImage, "empty"},
             {image_of({'P', 'K', 3, 4}), UpdateError::WrongImage, "bundle"},
             {image_of(std::vector<std::uint8_t>(500, 1)), UpdateError::WrongImage, "no whole"},
             {firmware_for(103, 118'785), UpdateError::TooLarge, "larger than the device"}}) {
        Flash flash;
        line->update(firmware, flash.steps());
        ASSERT_TRUE(flash.end) << why;
        EXPECT_EQ(flash.error(), error) << why;
        EXPECT_NE(flash.end->error().why.find(why), std::string::npos) << flash.end->error().why;
    }
    turn();
    EXPECT_FALSE(device.device.is_updating());
}

TEST_F(Legacy, ADeviceThatVanishesInTheMiddleOfAnUpdateIsSaidToHave) {
    Client& device = connect(1);
    auto* line = devices_.find(id_number(1), kAnn);
    Flash flash;
    line->update(firmware_for(103, 100'000), flash.steps());
    EXPECT_TRUE(until([&] { return device.device.chunk_count() >= 20; }));
    Flash second;
    line->update(firmware_for(103), second.steps());
    EXPECT_EQ(second.error(), services::UpdateError::Busy);
    device.close();
    EXPECT_TRUE(until([&] { return flash.end.has_value(); }));
    EXPECT_EQ(flash.error(), services::UpdateError::Interrupted);
}

}  // namespace
}  // namespace sotto::cloud::server
