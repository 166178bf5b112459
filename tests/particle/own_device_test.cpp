// SPDX-License-Identifier: Apache-2.0
// A device of ours behind the bluz service, the gateway's machine and the cloud's side, in virtual
// time. TCP cuts the server's bytes wherever it likes, the air carries a few values in each step.
#include <deque>
#include <random>

#include <gtest/gtest.h>

#include "device/bluz/link.hpp"
#include "device/particle/rig.hpp"
#include "device/particle_openssl/keys.hpp"
#include "gateway/bluz/device.hpp"
#include "tests/particle/server.hpp"

namespace sotto::tests {
namespace {

namespace own = device::particle_openssl;
using Buffer = std::vector<std::uint8_t>;

constexpr Duration kStep = milliseconds(10);

const own::DeviceKey& own_key() {
    static const own::DeviceKey key = *own::DeviceKey::generate();
    return key;
}

Buffer stored_key() { return *particle_openssl::read_device_key(as_bytes(own_key().public_pem())); }

class Path {
  public:
    // `cut_max`: TCP hands over pieces of 1 to so many bytes.
    explicit Path(std::size_t cut_max, unsigned seed = 1, Buffer key = stored_key())
        : server(std::move(key)),
          cut_max_(cut_max),
          chance_(seed),
          crypto_(own_key().make_crypto(*own::ServerKey::read(server_key().public_der()))) {
        begin_link();
    }

    void begin_link() {
        machine.emplace(gateway::bluz::Device::Policy{.has_server = true}, now);
        down_.clear();
        up_.clear();
        link.on_subscribed(now);
        closed = false;
    }
    void lose_link() {
        machine.reset();
        server.session.reset();
        server.output.clear();
        link.on_gone();
    }
    void pass(Duration duration) {
        for (const Instant end = now + duration; now < end;) {
            now = now + kStep;
            step();
        }
    }
    std::optional<Result<Answer>> answer() const {
        for (auto it = server.events.rbegin(); it != server.events.rend(); ++it)
            if (const auto* answered = std::get_if<Answered>(&*it)) return answered->answer;
        return std::nullopt;
    }
    // What a request gets, within a second.
    Result<Answer> ask(Result<RequestId> id) {
        if (!id) return id.error();
        pass(seconds(2));
        const auto found = answer();
        return found ? *found : Result<Answer>{Error::Timeout};
    }

    Instant now{1'700'000'000'000};
    Server server;
    device::particle::SomeMembers members;

  private:
    std::size_t cut_max_;
    std::minstd_rand chance_;
    std::unique_ptr<device::particle::Crypto> crypto_;

  public:
    device::bluz::Link link{{.crypto = *crypto_, .members = members, .id = kLegacyId}};
    std::optional<gateway::bluz::Device> machine;
    bool closed = false;

  private:
    void step() {
        if (!machine || closed) return;
        link.on_time(now);
        for (int i = 0; i < 8; ++i) {
            if (const auto value = link.next_value(now))
                up_.emplace_back(value->begin(), value->end());
        }
        for (; !up_.empty(); up_.pop_front()) machine->on_value(up_.front(), now);
        std::size_t sent = 0;
        for (; sent < 8 && !down_.empty(); ++sent, down_.pop_front())
            link.on_value(down_.front(), now);
        if (sent > 0) machine->on_values_sent(sent, now);
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
    void perform() {
        while (machine) {
            const auto output = machine->next_output();
            if (!output) return;
            if (const auto* value = std::get_if<gateway::bluz::SendValue>(&*output))
                down_.emplace_back(value->value().begin(), value->value().end());
            if (std::holds_alternative<gateway::bluz::OpenStream>(*output)) {
                machine->on_stream_up(now);
                server.begin(now);
            }
            if (const auto* written = std::get_if<gateway::bluz::WriteStream>(&*output)) {
                server.receive(written->bytes, now);
                machine->on_stream_written();
            }
            if (std::holds_alternative<gateway::bluz::CloseLink>(*output)) closed = true;
        }
    }

    std::deque<Buffer> down_;
    std::deque<Buffer> up_;
};

bool is(const Result<Answer>& got, const Answer& expected) { return got && *got == expected; }

TEST(OwnDevice, IsCalledAndReadAsAnyBoard) {
    for (const std::size_t cut_max : {1U, 7U, 500U}) {
        SCOPED_TRACE(cut_max);
        Path path{cut_max};
        path.pass(seconds(20));
        ASSERT_TRUE(path.link.is_connected()) << path.link.trouble();
        EXPECT_EQ(path.machine->id(), kLegacyId);
        Session& session = *path.server.session;
        EXPECT_TRUE(is(path.ask(session.call("echo", "-7", path.now)), Answer{-7}));
        EXPECT_TRUE(is(path.ask(session.call("fail", std::string(63, 'x'), path.now)), Answer{-1}));
        EXPECT_TRUE(is(path.ask(session.read("count", path.now)),
                       Answer{Value{VariableType::Int, {0xff, 0xff, 0xff, 0xfe}}}));
        EXPECT_TRUE(
            is(path.ask(session.read("is_on", path.now)), Answer{Value{VariableType::Bool, {1}}}));
        EXPECT_TRUE(is(path.ask(session.read("words", path.now)),
                       Answer{Value{VariableType::String, {'h', 'e', 'l', 'l', 'o'}}}));
        EXPECT_TRUE(is(path.ask(session.signal(true, path.now)), Answer{Done{}}));
        EXPECT_TRUE(is(path.ask(session.ping(path.now)), Answer{Done{}}));
        EXPECT_EQ(path.ask(session.call("unlock", "", path.now)).error(), Error::NotFound);
        EXPECT_EQ(path.ask(session.read("secret", path.now)).error(), Error::NotFound);
        EXPECT_EQ(path.members.calls.size(), 2U);
    }
}

TEST(OwnDevice, SaysWhatKindItIsAndWhatItHas) {
    Path path{500};
    path.pass(seconds(5));
    const Greeted* greeted = nullptr;
    for (const Event& event : path.server.events)
        if (const auto* found = std::get_if<Greeted>(&event)) greeted = found;
    ASSERT_NE(greeted, nullptr);
    EXPECT_EQ(greeted->hello.platform, 103);
    (void)path.server.session->ping(path.now);
    path.pass(seconds(5));
    const auto& description = path.server.session->description();
    ASSERT_TRUE(description);
    EXPECT_EQ(description->functions, (std::vector<std::string>{"echo", "fail"}));
    EXPECT_EQ(description->variables.size(), 3U);
}

TEST(OwnDevice, PublishesToTheCloud) {
    Path path{500};
    path.pass(seconds(5));
    EXPECT_TRUE(path.link.publish("door/front", std::string(255, 'x'), path.now));
    path.pass(seconds(2));
    const auto* published = std::get_if<Published>(&path.server.events.back());
    ASSERT_NE(published, nullptr);
    EXPECT_EQ(published->name, "door/front");
    EXPECT_EQ(published->data, std::string(255, 'x'));
    EXPECT_EQ(published->ttl_s, 60U);
    EXPECT_FALSE(published->is_public);
}

TEST(OwnDevice, RefusesAnUpdateAndStays) {
    Path path{500};
    path.pass(seconds(5));
    EXPECT_TRUE(
        path.server.session->update(std::make_shared<const Buffer>(Buffer(10'000)), path.now));
    path.pass(seconds(5));
    const auto* updated = std::get_if<Updated>(&path.server.events.back());
    ASSERT_NE(updated, nullptr);
    EXPECT_EQ(updated->ending, UpdateEnding::Refused);
    EXPECT_TRUE(is(path.ask(path.server.session->call("echo", "1", path.now)), Answer{1}));
}

TEST(OwnDevice, KeepsItsSessionForAnHour) {
    Path path{500};
    for (int minute = 0; minute < 60; ++minute) path.pass(minutes(1));
    EXPECT_TRUE(path.link.is_connected()) << path.link.trouble();
    EXPECT_TRUE(is(path.ask(path.server.session->call("echo", "1", path.now)), Answer{1}));
}

TEST(OwnDevice, ALinkThatIsLostAnywhereIsFollowedByOneThatWorks) {
    for (std::int64_t at = 0; at < 5'200; at += 130) {
        SCOPED_TRACE(at);
        Path path{5'000, static_cast<unsigned>(at + 1)};
        path.pass(milliseconds(at));
        path.lose_link();
        path.pass(seconds(1));
        path.begin_link();
        path.pass(seconds(6));
        ASSERT_TRUE(path.link.is_connected()) << path.link.trouble();
        EXPECT_TRUE(is(path.ask(path.server.session->call("echo", "1", path.now)), Answer{1}));
    }
}

TEST(OwnDevice, AServerThatDoesNotKnowItsKeyGetsNoSession) {
    Path path{500, 1, device_key().public_der()};
    path.pass(seconds(6));
    EXPECT_FALSE(path.link.is_connected());
    EXPECT_EQ(path.link.trouble(), to_string(device::particle::Ending::NotTheServer));
}

// RSA of the cloud on one side and of the device on the other; each changed bit is noticed.
TEST(OwnDevice, NoFlippedBitOfTheAnswerOpensIt) {
    const auto crypto = own_key().make_crypto(*own::ServerKey::read(server_key().public_der()));
    const auto server = server_key().make_crypto();
    const auto agreement = agree(*server, stored_key());
    ASSERT_TRUE(agreement);
    const auto open = [&crypto](const std::array<std::uint8_t, kAnswerSize>& answer) {
        return device::particle::open_answer(*crypto, answer);
    };
    const auto opened = open(agreement->message);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(ct_equal(opened->expose(), agreement->credentials.expose()));
    for (std::size_t bit = 0; bit < 8 * kAnswerSize; bit += 7) {
        auto answer = agreement->message;
        answer[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_EQ(open(answer).error(), Error::Unauthenticated) << bit;
    }
    auto above = agreement->message;
    above.fill(0xff);
    EXPECT_FALSE(open(above));
    above.fill(0);
    EXPECT_FALSE(open(above));
}

}  // namespace
}  // namespace sotto::tests
