// SPDX-License-Identifier: Apache-2.0
#include "device/particle/session.hpp"

#include <gtest/gtest.h>

#include "core/base/hex.hpp"
#include "device/particle/rig.hpp"

namespace sotto::device::particle {
namespace {

constexpr Instant kBegin{1'000};

class SessionTest : public ::testing::Test {
  protected:
    void say(Bytes bytes) { session.receive(bytes, now); }
    void say_message(const std::string& hex) { say(frame_of(*from_hex<Buffer>(hex))); }
    void connect() {
        say(Buffer(kNonceSize, 1));
        EXPECT_EQ(taken().size(), kServerModulusSize);
        say(right_answer());
        EXPECT_EQ(messages(), std::vector<std::string>{"50020001b168ff0067ffff00000067"});
        say(frame_of(kServerHello));
        ASSERT_TRUE(session.is_connected());
    }
    Buffer taken() {
        const Buffer bytes{session.output().begin(), session.output().end()};
        session.take_output(bytes.size(), now);
        return bytes;
    }
    // What it sends, in hex; frames are whole.
    std::vector<std::string> messages() {
        std::vector<std::string> found;
        const Buffer bytes = taken();
        for (Bytes rest = bytes; !rest.empty();) {
            const std::size_t size = *Channel::size_of_next(rest);
            const Bytes padded = rest.subspan(2, size);
            found.push_back(to_hex<std::string>(padded.first(size - padded.back())));
            rest = rest.subspan(2 + size);
        }
        return found;
    }
    std::vector<std::string> answers(const std::string& hex) {
        say_message(hex);
        return messages();
    }
    using Texts = std::vector<std::string>;

    Instant now = kBegin;
    NoCrypto crypto;
    SomeMembers members;
    Session session{{.crypto = crypto, .members = members, .id = {}, .now = kBegin}};
};

// Message of a Uri-Path 'f', a name and an argument, token 7a, id 1234.
std::string call_of(const std::string& name, const std::string& argument) {
    std::array<std::uint8_t, 200> room{};
    coap::MessageWriter out{
        room, {.code = coap::Code::Post, .id = 0x1234, .token = as_bytes(std::string_view{"z"})}};
    out.options()
        .add_text(coap::kUriPath, "f")
        .add_text(coap::kUriPath, name)
        .add_text(coap::kUriQuery, argument);
    return to_hex<std::string>(*out.finish());
}

TEST_F(SessionTest, IsConnectedAfterHandshakeAndBothHellos) {
    connect();
    EXPECT_TRUE(messages().empty());
}

TEST_F(SessionTest, TakesItsBytesOneByOneToo) {
    Buffer all(kNonceSize, 1);
    const Buffer answer = right_answer();
    all.insert(all.end(), answer.begin(), answer.end());
    const Buffer hello = frame_of(kServerHello);
    all.insert(all.end(), hello.begin(), hello.end());
    for (const std::uint8_t byte : all) say({&byte, 1});
    EXPECT_TRUE(session.is_connected());
}

TEST_F(SessionTest, TheKeyMessageHoldsNonceIdAndKeyBehindAPadding) {
    say(Buffer(kNonceSize, 0x11));
    const Buffer sent = taken();
    ASSERT_EQ(sent.size(), kServerModulusSize);
    EXPECT_EQ((Buffer{sent.begin(), sent.begin() + 3}), (Buffer{0, 2, 5}));
    const std::size_t end = kServerModulusSize - 214 - 1;
    EXPECT_EQ(sent[end], 0);
    EXPECT_EQ((Buffer{sent.begin() + end + 1, sent.begin() + end + 41}), Buffer(40, 0x11));
}

TEST_F(SessionTest, DescribesItself) {
    connect();
    const std::string json =
        R"({"f":["echo","fail"],"v":{"count":2,"is_on":1,"words":4},"p":103,"m":[]})";
    EXPECT_EQ(answers("410112347ab164"),
              Texts{"614512347aff" + to_hex<std::string>(as_bytes(json))});
    EXPECT_EQ(answers("410112347ab1644102").size(), 1U) << "of a part";
}

TEST_F(SessionTest, TakesACallAndThenSaysItsResult) {
    connect();
    EXPECT_EQ(answers(call_of("echo", "42")), (Texts{"60001234", "514400027aff0000002a"}));
    EXPECT_EQ(answers(call_of("echo", "")), (Texts{"60001234", "514400037aff00000000"}));
    EXPECT_EQ(answers(call_of("fail", "x")), (Texts{"60001234", "514400047affffffffff"}));
    EXPECT_EQ(members.calls, (Texts{"echo(42)", "echo()", "fail(x)"}));
}

TEST_F(SessionTest, RefusesCallsAndReadsOfWhatIsNotThere) {
    connect();
    EXPECT_EQ(answers(call_of("unlock", "now")), Texts{"618412347a"});
    EXPECT_EQ(answers("410112347ab176047a7a7a7a"), Texts{"618412347a"});
    EXPECT_EQ(answers("410112347ab176"), Texts{"618412347a"}) << "without a name";
    EXPECT_TRUE(members.calls.empty());
}

TEST_F(SessionTest, RefusesAnArgumentThatIsTooLongAndRunsNothing) {
    connect();
    EXPECT_EQ(answers(call_of("echo", std::string(kArgumentSizeMax + 1, 'a'))), Texts{"60801234"});
    EXPECT_TRUE(members.calls.empty());
    EXPECT_EQ(answers(call_of("echo", std::string(kArgumentSizeMax, 'a'))).size(), 2U);
}

TEST_F(SessionTest, ReadsVariables) {
    connect();
    EXPECT_EQ(answers("410112347ab17605636f756e74"), Texts{"614512347afffffffffe"});
    EXPECT_EQ(answers("410112347ab1760569735f6f6e"), Texts{"614512347aff01"});
    EXPECT_EQ(answers("410112347ab17605776f726473"), Texts{"614512347aff68656c6c6f"});
    members.text = "";
    EXPECT_EQ(answers("410112347ab17605776f726473"), Texts{"614512347a"});
}

TEST_F(SessionTest, CutsALongTextInWholeCharacters) {
    connect();
    members.text = std::string(kTextSizeMax - 1, 'a') + "\xc3\xa4" + std::string(70'000, 'b');
    const Texts sent = answers("410112347ab17605776f726473");
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].size(), 2 * (6 + kTextSizeMax - 1));
}

TEST_F(SessionTest, AnswersPingsAndSignals) {
    connect();
    EXPECT_EQ(answers("40001234"), Texts{"60001234"});
    EXPECT_EQ(answers("410312347ab1734101"), Texts{"614412347a"});
    EXPECT_EQ(answers("410312347ab1734100"), Texts{"614412347a"});
    EXPECT_EQ(members.signals, (std::vector<bool>{true, false}));
}

TEST_F(SessionTest, RefusesUpdates) {
    connect();
    EXPECT_EQ(answers("410212347ab175ff000200000027100000000000"), Texts{"60801234"});
    EXPECT_EQ(answers("410212347ab1634400000000ff00"), Texts{"60801234"});
    EXPECT_EQ(answers("410312347ab175"), Texts{"618012347a"});
}

TEST_F(SessionTest, DropsWhatItDoesNotKnow) {
    connect();
    // Codes of others, an event, a key change, acknowledgements of every kind, no message at all.
    for (const char* hex : {"41051234b1",
                            "60801234",
                            "60841234",
                            "50021234b165046c616d70ff31",
                            "410312347ab16b",
                            "60001234",
                            "50001234",
                            "00",
                            "ffffffff",
                            "410112347ab17a",
                            "614512347aff00000000"})
        EXPECT_TRUE(answers(hex).empty()) << hex;
    EXPECT_TRUE(session.is_connected());
}

TEST_F(SessionTest, PublishesPrivateEvents) {
    EXPECT_EQ(session.publish("temp", "21.5", now).error(), Error::WrongState);
    connect();
    EXPECT_TRUE(session.publish("temp", "21.5", now));
    EXPECT_TRUE(session.publish("motion/front-door1", "", now));
    EXPECT_EQ(messages(),
              (Texts{"50020002b1450474656d70ff32312e35",
                     "50020003b1450d056d6f74696f6e2f66726f6e742d646f6f7231"}));
    EXPECT_EQ(session.publish("", "", now).error(), Error::InvalidArgument);
    EXPECT_EQ(session.publish(std::string(kEventNameSizeMax + 1, 'n'), "", now).error(),
              Error::TooLarge);
    EXPECT_EQ(session.publish("n", std::string(kEventDataSizeMax + 1, 'd'), now).error(),
              Error::TooLarge);
}

TEST_F(SessionTest, PublishesABurstAndThenOneInASecond) {
    connect();
    for (std::uint32_t i = 0; i < kEventBurst; ++i) EXPECT_TRUE(session.publish("e", "", now));
    EXPECT_EQ(session.publish("e", "", now).error(), Error::RateLimited);
    now = now + kEventRefill;
    EXPECT_TRUE(session.publish("e", "", now));
    EXPECT_EQ(session.publish("e", "", now).error(), Error::RateLimited);
}

TEST_F(SessionTest, WhatAFunctionPublishesComesBeforeItsResult) {
    connect();
    members.on_call = [this] { EXPECT_TRUE(session.publish("e", "", now)); };
    EXPECT_EQ(answers(call_of("echo", "1")),
              (Texts{"60001234", "50020002b1450165", "514400037aff00000001"}));
}

TEST_F(SessionTest, ALinkThatIsBehindIsNotReadAndHasItsBounds) {
    connect();
    members.text = std::string(kTextSizeMax, 't');
    const Buffer read = frame_of(*from_hex<Buffer>("410112347ab17605776f726473"));
    while (session.output().size() <= kOutputSizeMax - kReplyRoom) say(read);
    const std::size_t size = session.output().size();
    say(read);
    EXPECT_EQ(session.output().size(), size) << "not read";
    for (int i = 0; i < 100 && session.publish("e", std::string(200, 'x'), now); ++i)
        now = now + kEventRefill;
    EXPECT_EQ(session.publish("e", std::string(200, 'x'), now).error(), Error::Busy);
    EXPECT_LE(session.output().size(), kOutputSizeMax);
    session.take_output(session.output().size(), now);
    EXPECT_GT(session.output().size(), kTextSizeMax) << "read now";
    // And one that does not stop loses its session.
    for (int i = 0; i < 100; ++i) say(read);
    EXPECT_EQ(session.ending(), Ending::Overflow);
}

TEST_F(SessionTest, PingsWhenItHearsNothingAndEndsWhenNothingComes) {
    connect();
    now = now + kIdleTime - milliseconds(1);
    session.on_time(now);
    EXPECT_TRUE(messages().empty());
    now = now + milliseconds(1);
    session.on_time(now);
    EXPECT_EQ(messages(), Texts{"40000002"});
    EXPECT_TRUE(answers("60000002").empty());
    now = now + kIdleTime;
    session.on_time(now);
    EXPECT_EQ(messages(), Texts{"40000003"});
    now = now + kPingTime - milliseconds(1);
    session.on_time(now);
    EXPECT_TRUE(session.is_connected());
    EXPECT_TRUE(messages().empty()) << "one is enough";
    now = now + milliseconds(1);
    session.on_time(now);
    EXPECT_EQ(session.ending(), Ending::Silence);
}

TEST_F(SessionTest, AServerThatSaysNothingIsGivenUp) {
    say(Buffer(kNonceSize - 1, 1));
    session.on_time(kBegin + kHandshakeTime - milliseconds(1));
    EXPECT_EQ(session.ending(), Ending::None);
    session.on_time(kBegin + kHandshakeTime);
    EXPECT_EQ(session.ending(), Ending::NoHandshake);
}

TEST_F(SessionTest, AServerThatDoesNotGreetIsGivenUp) {
    say(Buffer(kNonceSize, 1));
    taken();
    now = kBegin + kHandshakeTime - milliseconds(1);
    say(right_answer());
    session.on_time(now + kHelloTime - milliseconds(1));
    EXPECT_EQ(session.ending(), Ending::None);
    session.on_time(now + kHelloTime);
    EXPECT_EQ(session.ending(), Ending::NoHello);
}

TEST_F(SessionTest, NothingComesBeforeTheHello) {
    say(Buffer(kNonceSize, 1));
    say(right_answer());
    say_message(call_of("echo", "1"));
    EXPECT_EQ(session.ending(), Ending::NoHello);
    EXPECT_TRUE(members.calls.empty());
}

TEST_F(SessionTest, AnAnswerWithAnyOtherSignatureIsNotTheServers) {
    for (const std::size_t place :
         {kDeviceModulusSize, kDeviceModulusSize + 1, kDeviceModulusSize + 100, kAnswerSize - 1}) {
        Session other{{.crypto = crypto, .members = members, .id = {}, .now = now}};
        other.receive(Buffer(kNonceSize, 1), now);
        Buffer answer = right_answer();
        answer[place] ^= 1;
        other.receive(answer, now);
        EXPECT_EQ(other.ending(), Ending::NotTheServer) << place;
    }
}

// Opens every block as what the test says.
class Block final : public NoCrypto {
  public:
    Status private_operation(BytesN<kDeviceModulusSize>,
                             MutBytesN<kDeviceModulusSize> out) override {
        std::copy(block.begin(), block.end(), out.begin());
        return {};
    }
    std::array<std::uint8_t, kDeviceModulusSize> block{};
};

TEST(Handshake, ThePaddingIsHeldAgainstItsGrammarAtEveryPlace) {
    Block crypto;
    ASSERT_TRUE(crypto.NoCrypto::private_operation(crypto.block, crypto.block));
    const Buffer answer = right_answer();
    const auto open = [&] {
        return open_answer(crypto, Bytes{answer}.first<kAnswerSize>()).has_value();
    };
    ASSERT_TRUE(open());
    for (std::size_t i = 0; i < kDeviceModulusSize; ++i) {
        const std::uint8_t right = crypto.block[i];
        const bool is_message = i >= kDeviceModulusSize - kCredentialsSize;
        const bool is_random = i >= 2 && i < kDeviceModulusSize - kCredentialsSize - 1;
        crypto.block[i] = is_random ? 0 : right ^ 0x80;
        EXPECT_EQ(open(), is_message) << i;
        crypto.block[i] = is_random ? 1 : right;
        EXPECT_TRUE(open()) << i;
        crypto.block[i] = right;
    }
}

TEST_F(SessionTest, WithoutRandomNumbersThereIsNoHandshake) {
    crypto.has_randomness = false;
    say(Buffer(kNonceSize, 1));
    EXPECT_EQ(session.ending(), Ending::NoRandomness);
    EXPECT_TRUE(session.output().empty());
}

TEST_F(SessionTest, AFrameThatCannotBeOneEndsIt) {
    const Buffer frames[] = {
        {0x00, 0x00}, {0x00, 0x11}, {0x03, 0x30}, {0xff, 0xf0}, frame_of(Buffer{})};
    for (Buffer frame : frames) {
        Session other{{.crypto = crypto, .members = members, .id = {}, .now = now}};
        other.receive(Buffer(kNonceSize, 1), now);
        other.receive(right_answer(), now);
        other.receive(frame_of(kServerHello), now);
        ASSERT_TRUE(other.is_connected());
        if (frame.size() > 2) frame.back() = 17;  // its padding
        other.receive(frame, now);
        EXPECT_EQ(other.ending(), Ending::Unreadable);
    }
}

TEST_F(SessionTest, TheLargestFrameIsTaken) {
    connect();
    Buffer message(kFrameSizeMax - 1, 'x');
    const Buffer head = *from_hex<Buffer>("41021234ffb166");
    std::copy(head.begin(), head.end(), message.begin());
    const Buffer frame = frame_of(message);
    ASSERT_EQ(frame.size(), kSizeSize + kFrameSizeMax);
    say(frame);
    EXPECT_TRUE(session.is_connected());
}

TEST(Members, ResultsBecomeNumbers) {
    EXPECT_EQ(number_of(Value{std::int32_t{-7}}), -7);
    EXPECT_EQ(number_of(Value{true}), 1);
    EXPECT_EQ(number_of(Value{false}), 0);
    EXPECT_EQ(number_of(Value{std::string_view{"2147483647"}}), 2'147'483'647);
    EXPECT_EQ(number_of(Value{std::string_view{"-12"}}), -12);
    for (const char* text : {"", "on", "12 ", "1.5", "2147483648", "0x10"})
        EXPECT_EQ(number_of(Value{std::string_view{text}}), 0) << text;
    EXPECT_EQ(number_of(Error::InvalidArgument), -1);
}

}  // namespace
}  // namespace sotto::device::particle
