// SPDX-License-Identifier: Apache-2.0
// Everything that can come to a session, in every order of three: from a device, from REST, and
// time. Whatever happens, each request is answered once, nothing is sent that old devices hang up
// at, and the bounds hold.
#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "tests/particle/pair.hpp"

namespace sotto::tests {
namespace {

using Message = std::vector<std::uint8_t>;

std::shared_ptr<Cipher> shared_cipher() {
    static const std::shared_ptr<Cipher> cipher = particle_openssl::make_cipher();
    return cipher;
}

// A session and the other end of its frames, which says anything.
class World {
  public:
    World() { session.emplace(Session::Setup{.cipher = *cipher_, .credentials = {}, .now = now}); }

    void say(Message message) {
        // Its ids rise but for acknowledgements, which have those that were asked with.
        if ((message[0] & 0x30) < 0x20) message[3] = ++id_;
        Message frame;
        writer_.write(*cipher_, key_, message, frame);
        session->receive(frame, now);
        look();
    }
    // As an answer to the last request that has come: its token and its id.
    void answer(Message message) {
        message[2] = asked_id_[0];
        message[3] = asked_id_[1];
        if ((message[0] & 15) == 1) message[4] = asked_token_;
        say(message);
    }
    void raw(const Message& bytes) {
        session->receive(bytes, now);
        look();
    }
    void pass(Duration time) {
        now = now + time;
        session->on_time(now);
        look();
    }
    void ask(const Result<RequestId>& id) {
        if (id) {
            EXPECT_TRUE(waiting_.insert(*id).second);
        }
        look();
    }
    void update() {
        if (session->update(std::make_shared<const std::vector<std::uint8_t>>(100), now))
            ++updates_;
        look();
    }
    void look() {
        EXPECT_TRUE(reader_.read(*cipher_, key_, session->take_output(), [this](Bytes message) {
            hear(message);
            return true;
        }));
        while (const auto event = session->next_event()) {
            const auto* answered = std::get_if<Answered>(&*event);
            if (answered != nullptr) {
                EXPECT_EQ(waiting_.erase(answered->request), 1U);
            }
            if (std::holds_alternative<Updated>(*event)) {
                EXPECT_EQ(updates_--, 1);
            }
        }
    }
    void finish() {
        session->close();
        look();
        EXPECT_TRUE(waiting_.empty());
        EXPECT_EQ(updates_, 0);
    }

    Instant now{1};
    std::optional<Session> session;

  private:
    void hear(Bytes message) {
        ASSERT_GE(message.size(), 4U);
        const std::set<std::uint8_t> codes{0x00, 0x01, 0x02, 0x03, 0x45};  // [PAR-8]
        EXPECT_TRUE(codes.contains(message[1])) << int{message[1]};
        if ((message[0] & 0x30) != 0) return;
        asked_id_ = {message[2], message[3]};
        if ((message[0] & 15) == 1) asked_token_ = message[4];
    }

    std::shared_ptr<Cipher> cipher_ = shared_cipher();
    AesKey key_;
    FrameWriter writer_{Credentials{}};
    FrameReader reader_{Credentials{}};
    std::uint8_t id_ = 0;
    std::array<std::uint8_t, 2> asked_id_{};
    std::uint8_t asked_token_ = 0;
    std::set<RequestId> waiting_;
    int updates_ = 0;  // that have not ended
};

using Step = std::function<void(World&)>;

Message described() {
    const std::string text =
        std::string("\x61\x45\0\0\0\xff", 6) + R"({"f":["led"],"v":{"t":2,"s":4}})";
    return {text.begin(), text.end()};
}

std::vector<Step> all_steps() {
    std::vector<Step> steps;
    for (
        const Message& message : std::initializer_list<Message>{
            {0x50, 0x02, 0, 0, 0xb1, 'h', 0xff, 0, 1, 0, 2, 0, 0, 0, 6},
            {0x40, 0x02, 0, 0, 0xb1, 'h'},
            {0x40, 0x00, 0, 0},
            {0x50, 0x00, 0, 0},
            {0x50, 0x02, 0, 0, 0xb1, 'E', 0x01, 'x', 0xff, '1'},
            {0x40, 0x02, 0, 0, 0xb1, 'e', 0x01, 'x'},
            {0x40, 0x01, 0, 0, 0xb1, 'e', 0x01, 'x', 0x41, 'u'},
            {0x41, 0x01, 0, 0, 9, 0xb1, 't'},
            {0x41, 0x02, 0, 0, 9, 0xb1, 'd', 0x41, 2, 0xff, '{', '"', 'f', '"', ':', '[', ']', '}'},
            {0x40, 0x01, 0, 0, 0xb1, 'c', 0xff, 0, 1},
            {0x50, 0x03, 0, 0, 0xb1, 'u'},
            {0x40, 0x02, 0, 0, 0xb1, 'x'},
            {0x40, 0xff, 0, 0, 0xb1, 'q'},
            {0x40, 0x01, 0, 0, 0xff},
            {0x40, 0x01, 0, 0, 0xf1}})
        steps.emplace_back([message](World& world) { world.say(message); });
    for (const Message& message :
         std::initializer_list<Message>{{0x60, 0x00, 0, 0},
                                        {0x60, 0x80, 0, 0},
                                        {0x70, 0x00, 0, 0},
                                        {0x61, 0x80, 0, 0, 0},
                                        {0x61, 0x44, 0, 0, 0},
                                        {0x61, 0x45, 0, 0, 0, 0xff, 0, 0, 0, 1},
                                        {0x51, 0x44, 0, 0, 0, 0xff, 0, 0, 0, 1},
                                        {0x41, 0x45, 0, 0, 0, 0xff, 1},
                                        {0x51, 0x84, 0, 0, 0},
                                        described()})
        steps.emplace_back([message](World& world) { world.answer(message); });
    steps.emplace_back([](World& w) { w.ask(w.session->call("led", "on", w.now)); });
    steps.emplace_back([](World& w) { w.ask(w.session->call("nosuch", "", w.now)); });
    steps.emplace_back([](World& w) { w.ask(w.session->read("t", w.now)); });
    steps.emplace_back([](World& w) { w.ask(w.session->read("s", w.now)); });
    steps.emplace_back([](World& w) { w.ask(w.session->ping(w.now)); });
    steps.emplace_back([](World& w) { w.ask(w.session->signal(true, w.now)); });
    steps.emplace_back([](World& w) {
        (void)w.session->publish({.name = "n", .data = std::string(600, 'd')}, w.now);
        w.look();
    });
    steps.emplace_back([](World& w) { w.pass(kRequestTime); });
    steps.emplace_back([](World& w) { w.pass(kSilenceMax); });
    steps.emplace_back([](World& w) { w.raw({0}); });
    steps.emplace_back([](World& w) { w.raw({0, 0}); });
    steps.emplace_back([](World& w) { w.session->close(); });
    steps.emplace_back([](World& w) { w.update(); });
    return steps;
}

// From nothing, from a Hello, from a device that is described and has a call under way, and from
// one that is being updated.
TEST(ParticleStates, EachSurvivesEverythingThatCanComeInEveryOrderOfThree) {
    const std::vector<Step> steps = all_steps();
    const std::vector<std::vector<Step>> beginnings{
        {},
        {steps[0]},
        {steps[0], [](World& world) { world.answer(described()); }, steps[25]},
        {steps[0],
         [](World& world) { world.answer(described()); },
         [](World& world) {
             world.update();
             world.answer({0x51, 0x44, 0, 0, 0, 0xff, 1});
         }}};
    for (const auto& beginning : beginnings) {
        const std::size_t count = steps.size();
        for (std::size_t order = 0; order < count * count * count; ++order) {
            World world;
            for (const Step& step : beginning) step(world);
            for (std::size_t rest = order, i = 0; i < 3; ++i, rest /= count)
                steps[rest % count](world);
            world.finish();
            if (HasFailure()) FAIL() << "in order " << order;
        }
    }
}

}  // namespace
}  // namespace sotto::tests
