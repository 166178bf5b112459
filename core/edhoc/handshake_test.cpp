// SPDX-License-Identifier: Apache-2.0
// Initiator and Responder against each other, with what an attacker or a bad link does to them.
#include <functional>

#include <gtest/gtest.h>

#include "core/edhoc/message.hpp"
#include "core/edhoc/peers_test.hpp"

namespace sotto::edhoc {
namespace {

using cose::CredentialForm;
using Message = std::vector<std::uint8_t>;

constexpr std::array<std::uint16_t, 2> kUnderstood{32'769, 32'770};

// Two parties and what a handshake between them needs. Each step returns the message it made.
struct Session {
    SuiteLabel suite = 2;
    CredentialForm form = CredentialForm::Kid;
    ConnectionId c_i = connection_id(as_bytes("i"));
    ConnectionId c_r = connection_id(as_bytes("r"));
    std::vector<EadItem> ead;

    Party app{"app", 1};
    Party device{"device", 2};
    Initiator initiator{app.identity()};
    Responder responder{device.identity()};
    std::array<std::uint8_t, kScratchSize> scratch_i{};
    std::array<std::uint8_t, kScratchSize> scratch_r{};
    std::size_t room = kScratchSize;

    template <class Compose>
    Result<Message> made(Compose compose) {
        std::vector<std::uint8_t> out(room);
        const Result<Bytes> message = compose(MutBytes{out});
        if (!message) return message.error();
        return Message{message->begin(), message->end()};
    }

    Result<Message> message_1() {
        const std::array<SuiteLabel, 2> preferences{2, 3};
        const auto suites = std::span{preferences}.first(suite == 2 ? 1 : 2);
        const std::array<SuiteLabel, 2> three_first{3, 2};
        return made([&](MutBytes out) {
            return initiator.compose_message_1(
                ephemeral_key(3),
                {.suites = suite == 3 ? std::span{three_first}.first(1) : suites,
                 .c_i = c_i,
                 .ead_1 = ead},
                out);
        });
    }
    Result<Message> message_2(Bytes message_1) {
        const auto read = responder.on_message_1(message_1, kUnderstood);
        if (!read) return read.error();
        return made([&](MutBytes out) {
            return responder.compose_message_2(
                ephemeral_key(4), {.c_r = c_r, .form = form, .ead_2 = ead}, out);
        });
    }
    Status take_message_2(Bytes message_2) {
        SOTTO_TRY_ASSIGN(const Claim claim,
                         initiator.on_message_2(message_2, scratch_i, kUnderstood));
        return initiator.authenticate(claim, resolve(claim, device.credential));
    }
    Result<Message> message_3(Bytes message_2) {
        SOTTO_TRY(take_message_2(message_2));
        return made([&](MutBytes out) { return initiator.compose_message_3(form, ead, out); });
    }
    Status take_message_3(Bytes message_3) {
        SOTTO_TRY_ASSIGN(const Claim claim,
                         responder.on_message_3(message_3, scratch_r, kUnderstood));
        return responder.authenticate(claim, resolve(claim, app.credential));
    }
    Result<Message> message_4(Bytes message_3) {
        SOTTO_TRY(take_message_3(message_3));
        return made([&](MutBytes out) { return responder.compose_message_4(ead, out); });
    }
    Status take_message_4(Bytes message_4) {
        SOTTO_TRY(initiator.on_message_4(message_4, scratch_i, kUnderstood));
        return {};
    }

    static cose::Credential resolve(const Claim& claim, const cose::Credential& known) {
        if (claim.id_cred.form() == CredentialForm::Kid) return known;
        const auto credential = cose::Credential::parse(claim.id_cred.body());
        return credential ? *credential : known;
    }

    Status run() {
        SOTTO_TRY_ASSIGN(const Message m1, message_1());
        SOTTO_TRY_ASSIGN(const Message m2, message_2(m1));
        SOTTO_TRY_ASSIGN(const Message m3, message_3(m2));
        SOTTO_TRY_ASSIGN(const Message m4, message_4(m3));
        return take_message_4(m4);
    }

    void expect_agreement() {
        ASSERT_TRUE(initiator.is_done());
        ASSERT_TRUE(responder.is_done());
        const auto client = initiator.export_oscore();
        const auto server = responder.export_oscore();
        ASSERT_TRUE(client && server);
        EXPECT_TRUE(equal(client->master_secret.expose(), server->master_secret.expose()));
        EXPECT_TRUE(equal(client->master_salt.expose(), server->master_salt.expose()));
        EXPECT_EQ(client->sender_id, c_r);
        EXPECT_EQ(client->recipient_id, c_i);
        EXPECT_EQ(server->sender_id, c_i);
        EXPECT_EQ(server->recipient_id, c_r);
        std::array<std::uint8_t, 40> one{};
        std::array<std::uint8_t, 40> other{};
        EXPECT_TRUE(initiator.exporter(32'768, as_bytes("context"), one));
        EXPECT_TRUE(responder.exporter(32'768, as_bytes("context"), other));
        EXPECT_EQ(one, other);
        EXPECT_TRUE(responder.exporter(32'768, as_bytes("another"), other));
        EXPECT_NE(one, other);
    }
};

TEST(Handshake, CompletesWithBothSuitesAndForms) {
    for (const SuiteLabel suite : {2, 3}) {
        for (const auto form : {CredentialForm::Kid, CredentialForm::Value}) {
            Session session{.suite = suite, .form = form, .ead = {}};
            ASSERT_TRUE(session.run());
            session.expect_agreement();
        }
    }
}

TEST(Handshake, CarriesEadInEveryMessage) {
    const auto value = as_bytes("0123456789abcdef0123456789abcdef");
    Session session{.form = CredentialForm::Value, .ead = {{.label = -32'769, .value = value}}};
    const auto m1 = session.message_1();
    ASSERT_TRUE(m1);
    Responder other{session.device.identity()};
    EXPECT_EQ(other.on_message_1(*m1, kUnderstood)->ead_1.find(32'769)->value->size(), 32U);
    const auto m2 = session.message_2(*m1);
    ASSERT_TRUE(m2);
    const auto claim_2 = session.initiator.on_message_2(*m2, session.scratch_i, kUnderstood);
    ASSERT_TRUE(claim_2);
    EXPECT_TRUE(equal(*claim_2->ead.find(32'769)->value, value));
    const auto m3 = session.message_3(*m2);
    ASSERT_TRUE(m3);
    const auto claim_3 = session.responder.on_message_3(*m3, session.scratch_r, kUnderstood);
    ASSERT_TRUE(claim_3);
    EXPECT_TRUE(equal(*claim_3->ead.find(32'769)->value, value));
    std::array<std::uint8_t, 256> id_cred{};
    EXPECT_EQ(hex(*claim_3->id_cred.encode(id_cred)), "a10e" + hex(session.app.credential.bytes()));
    const auto m4 = session.message_4(*m3);
    ASSERT_TRUE(m4);
    const auto ead_4 = session.initiator.on_message_4(*m4, session.scratch_i, kUnderstood);
    ASSERT_TRUE(ead_4);
    EXPECT_TRUE(equal(*ead_4->find(32'769)->value, value));
    session.expect_agreement();
}

TEST(Handshake, WorksWithEveryOneByteConnectionId) {
    for (unsigned value = 0; value <= 0xff; ++value) {
        const std::array<std::uint8_t, 1> id{static_cast<std::uint8_t>(value)};
        const std::array<std::uint8_t, 1> next{static_cast<std::uint8_t>(value + 1)};
        Session session{.c_i = connection_id(id), .c_r = connection_id(next), .ead = {}};
        ASSERT_TRUE(session.run()) << value;
        session.expect_agreement();
    }
}

TEST(Handshake, WorksWithConnectionIdsOfEverySize) {
    const Bytes bytes = as_bytes("1234567");
    for (std::size_t size = 0; size <= kConnectionIdSizeMax; ++size) {
        Session session{.c_i = connection_id(bytes.first(size)), .ead = {}};
        ASSERT_TRUE(session.run()) << size;
        session.expect_agreement();
    }
}

TEST(Handshake, RefusesEqualConnectionIds) {
    Session session{.c_r = connection_id(as_bytes("i")), .ead = {}};
    const auto m1 = session.message_1();
    EXPECT_EQ(session.message_2(*m1).error(), Error::InvalidArgument);
    // The Responder is still able to choose another.
    session.c_r = connection_id(as_bytes("r"));
    const auto m2 = session.made([&](MutBytes out) {
        return session.responder.compose_message_2(ephemeral_key(4), {.c_r = session.c_r}, out);
    });
    ASSERT_TRUE(m2);
    EXPECT_TRUE(session.message_3(*m2));
}

TEST(Initiator, RefusesAResponderThatTakesItsConnectionId) {
    Session session{.ead = {}};
    const auto m1 = session.message_1();
    // The same key pairs and another C_I: a Responder that does not check.
    Session careless{
        .c_i = connection_id(as_bytes("x")), .c_r = connection_id(as_bytes("i")), .ead = {}};
    auto forged = *m1;
    forged.back() = 'x';
    const auto m2 = careless.message_2(forged);
    ASSERT_TRUE(m2);
    EXPECT_FALSE(session.take_message_2(*m2));
    EXPECT_FALSE(session.initiator.has_failed());
}

TEST(Responder, TakesTheFirstSuiteOfTheInitiatorThatItSpeaks) {
    const struct {
        std::vector<SuiteLabel> suites;
        bool is_taken;
    } cases[] = {{{2}, true},
                 {{3}, true},
                 {{6, 2}, true},
                 {{6, 0, 3}, true},
                 {{3, 2}, false},
                 {{2, 3}, false},
                 {{2, 6}, false},
                 {{6}, false},
                 {{2, 2}, false},
                 {{-24, 24, 3}, true}};
    for (const auto& example : cases) {
        Session session{.ead = {}};
        const auto g_x = ephemeral_key(3).public_key.x;
        std::array<std::uint8_t, 64> out{};
        const auto message = encode_message_1(
            {.suites_i = example.suites, .g_x = g_x, .c_i = session.c_i, .ead_1 = {}}, out);
        const auto read = session.responder.on_message_1(*message, {});
        EXPECT_EQ(read.has_value(), example.is_taken);
        if (read) continue;
        std::array<std::uint8_t, 16> error{};
        const auto parsed =
            parse_error_message(*session.responder.compose_error(read.error(), error));
        EXPECT_EQ(parsed->code, 2);
        EXPECT_EQ(parsed->suites_r.size(), 2U);
    }
}

TEST(Responder, RefusesOtherMethods) {
    Session session{.ead = {}};
    auto m1 = *session.message_1();
    for (const std::uint8_t method : std::to_array<std::uint8_t>({0, 1, 2, 4, 0x20})) {
        m1[0] = method;
        Responder responder{session.device.identity()};
        EXPECT_EQ(responder.on_message_1(m1, {}).error(), Error::Unsupported);
        std::array<std::uint8_t, 32> error{};
        EXPECT_EQ(parse_error_message(*responder.compose_error(Error::Unsupported, error))->code,
                  1);
    }
}

TEST(Handshake, RefusesCriticalEadThatIsNotUnderstood) {
    Session session{.ead = {{.label = -9, .value = std::nullopt}}};
    const auto m1 = session.message_1();
    EXPECT_EQ(session.message_2(*m1).error(), Error::Unsupported);
    EXPECT_TRUE(session.responder.has_failed());
}

TEST(Responder, EndsTheHandshakeOnAnAuthenticMessage3ThatItCannotProcess) {
    Session session{.ead = {}};
    const auto m2 = session.message_2(*session.message_1());
    session.ead = {{.label = -9, .value = std::nullopt}};
    const auto m3 = session.message_3(*m2);
    EXPECT_EQ(session.take_message_3(*m3).error(), Error::Unsupported);
    EXPECT_TRUE(session.responder.has_failed());
}

TEST(Initiator, EndsTheHandshakeOnAnAuthenticMessage4ThatItCannotProcess) {
    Session session{.ead = {}};
    const auto m3 = session.message_3(*session.message_2(*session.message_1()));
    session.ead = {{.label = -9, .value = std::nullopt}};
    const auto m4 = session.message_4(*m3);
    EXPECT_EQ(session.take_message_4(*m4).error(), Error::Unsupported);
    EXPECT_TRUE(session.initiator.has_failed());
    EXPECT_FALSE(session.initiator.export_oscore());
}

TEST(Handshake, RefusesOwnAndForeignCredentials) {
    Session session{.ead = {}};
    const auto m2 = session.message_2(*session.message_1());
    const Party stranger{"stranger", 9};
    const auto claim = session.initiator.on_message_2(*m2, session.scratch_i, {});
    EXPECT_EQ(session.initiator.authenticate(*claim, session.app.credential).error(),
              Error::Refused);
    EXPECT_EQ(session.initiator.authenticate(*claim, stranger.credential).error(),
              Error::Unauthenticated);
    // The same key under another name is another credential.
    const Party renamed{"renamed", 2};
    EXPECT_EQ(session.initiator.authenticate(*claim, renamed.credential).error(),
              Error::Unauthenticated);
    ASSERT_TRUE(session.initiator.authenticate(*claim, session.device.credential));

    const auto m3 = session.made([&](MutBytes out) {
        return session.initiator.compose_message_3(CredentialForm::Kid, {}, out);
    });
    const auto claim_3 = session.responder.on_message_3(*m3, session.scratch_r, {});
    EXPECT_EQ(session.responder.authenticate(*claim_3, session.device.credential).error(),
              Error::Refused);
    EXPECT_EQ(session.responder.authenticate(*claim_3, stranger.credential).error(),
              Error::Unauthenticated);
    EXPECT_FALSE(session.responder.export_oscore());
    EXPECT_TRUE(session.responder.authenticate(*claim_3, session.app.credential));
}

TEST(Handshake, ACredentialByValueStandsForNoOther) {
    Session session{.form = CredentialForm::Value, .ead = {}};
    const auto m2 = session.message_2(*session.message_1());
    const Party stranger{"stranger", 9};
    const auto claim = session.initiator.on_message_2(*m2, session.scratch_i, {});
    EXPECT_EQ(session.initiator.authenticate(*claim, stranger.credential).error(),
              Error::InvalidArgument);
    EXPECT_TRUE(session.initiator.authenticate(*claim, session.device.credential));
}

TEST(Handshake, GivesUpAfterTooManyWrongMacs) {
    Session session{.ead = {}};
    const auto m2 = session.message_2(*session.message_1());
    const auto m3 = session.message_3(*m2);
    const Party stranger{"stranger", 9};
    const auto claim = session.responder.on_message_3(*m3, session.scratch_r, {});
    for (int i = 0; i < kVerifyFailureCountMax; ++i) {
        EXPECT_FALSE(session.responder.has_failed());
        EXPECT_EQ(session.responder.authenticate(*claim, stranger.credential).error(),
                  Error::Unauthenticated);
    }
    EXPECT_TRUE(session.responder.has_failed());
    EXPECT_EQ(session.responder.authenticate(*claim, session.app.credential).error(),
              Error::WrongState);
}

TEST(Handshake, ForgetsAForgedMessage2) {
    Session session{.ead = {}};
    const auto m1 = session.message_1();
    const auto m2 = session.message_2(*m1);
    // Somebody else answers first, claiming the device's kid.
    const Party mallory{"mallory", 9};
    Responder forger{mallory.identity()};
    ASSERT_TRUE(forger.on_message_1(*m1, {}));
    const auto forged = session.made([&](MutBytes out) {
        return forger.compose_message_2(
            ephemeral_key(10), {.c_r = session.c_r, .form = CredentialForm::Kid}, out);
    });
    EXPECT_EQ(session.take_message_2(*forged).error(), Error::Unauthenticated);
    EXPECT_TRUE(session.take_message_2(*m2));
}

// Every message but the one that `tamper` gets goes through; that one must be refused, and the real
// one after it must still be taken where the state is to survive.
using Tamper = std::function<Message(const Message&)>;

void expect_refused(const Session& setup, const Tamper& tamper) {
    const auto fresh = [&] {
        return Session{.suite = setup.suite, .form = setup.form, .ead = setup.ead};
    };
    {
        // A changed message_1 is noticed by the Responder, or by the Initiator in TH_2.
        Session session = fresh();
        const auto m2 = session.message_2(tamper(*session.message_1()));
        EXPECT_FALSE(m2 && session.take_message_2(*m2));
    }
    Session session = fresh();
    const auto m2 = session.message_2(*session.message_1());
    EXPECT_FALSE(session.take_message_2(tamper(*m2)));
    const auto m3 = session.message_3(*m2);
    ASSERT_TRUE(m3);
    EXPECT_FALSE(session.take_message_3(tamper(*m3)));
    EXPECT_FALSE(session.responder.has_failed());
    const auto m4 = session.message_4(*m3);
    ASSERT_TRUE(m4);
    EXPECT_FALSE(session.take_message_4(tamper(*m4)));
    EXPECT_TRUE(session.take_message_4(*m4));
    session.expect_agreement();
}

std::size_t longest_message(Session session) {
    return session.message_2(*session.message_1())->size();
}

TEST(Handshake, RefusesMessagesCutAnywhere) {
    for (const auto form : {CredentialForm::Kid, CredentialForm::Value}) {
        const std::size_t size_max = longest_message(Session{.form = form, .ead = {}});
        for (std::size_t size = 0; size < size_max; ++size) {
            const auto cut = [&](const Message& message) {
                const std::size_t left = std::min(size, message.size() - 1);
                return Message{message.begin(), message.begin() + static_cast<long>(left)};
            };
            SCOPED_TRACE(size);
            expect_refused(Session{.form = form, .ead = {}}, cut);
        }
    }
}

TEST(Handshake, RefusesEveryFlippedBit) {
    for (const SuiteLabel suite : {2, 3}) {
        const std::size_t size_max = longest_message(Session{.suite = suite, .ead = {}});
        for (std::size_t bit = 0; bit < size_max * 8; ++bit) {
            const auto flip = [&](Message message) {
                message[bit / 8 % message.size()] ^= static_cast<std::uint8_t>(1U << bit % 8);
                return message;
            };
            SCOPED_TRACE(bit);
            expect_refused(Session{.suite = suite, .ead = {}}, flip);
        }
    }
}

TEST(Handshake, RefusesFlippedBitsInCredentialsByValueAndEad) {
    const Session setup{.form = CredentialForm::Value,
                        .ead = {{.label = 5, .value = as_bytes("some value")}}};
    const std::size_t size_max = longest_message(Session{.form = setup.form, .ead = setup.ead});
    for (std::size_t byte = 0; byte < size_max; ++byte) {
        const auto flip = [&](Message message) {
            message[byte % message.size()] ^= static_cast<std::uint8_t>(1U << byte % 8);
            return message;
        };
        SCOPED_TRACE(byte);
        expect_refused(setup, flip);
    }
}

TEST(Handshake, RefusesSurplusBytes) {
    const auto longer = [](Message message) {
        message.push_back(0x41);
        return message;
    };
    expect_refused(Session{.ead = {}}, longer);
}

TEST(Handshake, RefusesMessagesOfAnotherSession) {
    Session one{.ead = {}};
    Session other{.c_i = connection_id(as_bytes("o")), .ead = {}};
    const auto m2 = one.message_2(*one.message_1());
    const auto other_2 = other.message_2(*other.message_1());
    EXPECT_FALSE(one.take_message_2(*other_2));
    const auto m3 = one.message_3(*m2);
    const auto other_3 = other.message_3(*other_2);
    EXPECT_EQ(one.take_message_3(*other_3).error(), Error::Unauthenticated);
    const auto m4 = one.message_4(*m3);
    const auto other_4 = other.message_4(*other_3);
    EXPECT_EQ(one.take_message_4(*other_4).error(), Error::Unauthenticated);
    EXPECT_TRUE(one.take_message_4(*m4));
}

TEST(Handshake, RunsOutOfRoomAtEveryStepWithoutHarm) {
    for (std::size_t room = 0; room < 80; ++room) {
        SCOPED_TRACE(room);
        Session session{.ead = {}};
        const auto with_room = [&](auto step) {
            session.room = room;
            const Result<Message> tried = step();
            session.room = kScratchSize;
            if (tried) return *tried;
            EXPECT_EQ(tried.error(), Error::NoSpace);
            return *step();
        };
        const auto m1 = with_room([&] { return session.message_1(); });
        ASSERT_TRUE(session.responder.on_message_1(m1, {}));
        const auto m2 = with_room([&] {
            return session.made([&](MutBytes out) {
                return session.responder.compose_message_2(
                    ephemeral_key(4), {.c_r = session.c_r}, out);
            });
        });
        const auto little = MutBytes{session.scratch_i}.first(std::min<std::size_t>(room, 9));
        EXPECT_EQ(session.initiator.on_message_2(m2, little, {}).error(), Error::NoSpace);
        ASSERT_TRUE(session.take_message_2(m2));
        const auto m3 = with_room([&] {
            return session.made([&](MutBytes out) {
                return session.initiator.compose_message_3(CredentialForm::Kid, {}, out);
            });
        });
        EXPECT_EQ(session.responder.on_message_3(m3, little, {}).error(), Error::NoSpace);
        ASSERT_TRUE(session.take_message_3(m3));
        const auto m4 = with_room([&] {
            return session.made(
                [&](MutBytes out) { return session.responder.compose_message_4({}, out); });
        });
        ASSERT_TRUE(session.take_message_4(m4));
        session.expect_agreement();
    }
}

// Every call in every state: what is not that state's turn is refused and changes nothing.
void call_initiator(Session& session, int call, const Message& m2, const Message& m4) {
    const std::array<SuiteLabel, 1> suites{2};
    std::array<std::uint8_t, kScratchSize> out{};
    Session other{.ead = {}};
    static_cast<void>(other.message_1());
    const auto claim = other.initiator.on_message_2(m2, out, {});
    switch (call) {
        case 0:
            EXPECT_EQ(session.initiator
                          .compose_message_1(
                              ephemeral_key(8), {.suites = suites, .c_i = {}, .ead_1 = {}}, out)
                          .error(),
                      Error::WrongState);
            break;
        case 1:
            EXPECT_EQ(session.initiator.on_message_2(m2, out, {}).error(), Error::WrongState);
            break;
        case 2:
            EXPECT_EQ(session.initiator.authenticate(*claim, session.device.credential).error(),
                      Error::WrongState);
            break;
        case 3:
            EXPECT_EQ(session.initiator.compose_message_3(CredentialForm::Kid, {}, out).error(),
                      Error::WrongState);
            break;
        default:
            EXPECT_EQ(session.initiator.on_message_4(m4, out, {}).error(), Error::WrongState);
    }
}

TEST(Initiator, RefusesCallsOutOfTurn) {
    Message m2;
    Message m3;
    Message m4;
    {
        Session session{.ead = {}};
        m2 = *session.message_2(*session.message_1());
        m3 = *session.message_3(m2);
        m4 = *session.message_4(m3);
    }
    // The calls whose turn it is after so many steps; 1 and 2 share a step.
    const std::vector<std::vector<int>> turns{{0}, {1}, {1, 2}, {3}, {4}, {}};
    for (std::size_t steps = 0; steps < turns.size(); ++steps) {
        Session session{.ead = {}};
        std::array<std::uint8_t, kScratchSize> claim_memory{};
        std::optional<Claim> claim;
        const auto step = [&](std::size_t number) {
            if (number == 0) {
                static_cast<void>(session.message_1());
            } else if (number == 1) {
                claim = *session.initiator.on_message_2(m2, claim_memory, {});
            } else if (number == 2) {
                EXPECT_TRUE(session.initiator.authenticate(*claim, session.device.credential));
            } else if (number == 3) {
                EXPECT_EQ(*session.made([&](MutBytes out) {
                    return session.initiator.compose_message_3(CredentialForm::Kid, {}, out);
                }),
                          m3);
            } else {
                EXPECT_TRUE(session.take_message_4(m4));
            }
        };
        for (std::size_t number = 0; number < steps; ++number) step(number);
        for (int call = 0; call < 5; ++call) {
            const bool is_turn = std::ranges::count(turns[steps], call) > 0;
            if (!is_turn) call_initiator(session, call, m2, m4);
        }
        std::array<std::uint8_t, 16> key{};
        EXPECT_EQ(session.initiator.th_3() != nullptr, steps == 3);
        EXPECT_EQ(session.initiator.exporter(0, {}, key).has_value(), steps >= 4);
        EXPECT_EQ(session.initiator.export_oscore().has_value(), steps >= 4);
        for (std::size_t number = steps; number < 5; ++number) step(number);
        EXPECT_TRUE(session.initiator.is_done());
    }
}

TEST(Responder, RefusesCallsOutOfTurn) {
    Message m1;
    Message m2;
    Message m3;
    Message m4;
    {
        Session session{.ead = {}};
        m1 = *session.message_1();
        m2 = *session.message_2(m1);
        m3 = *session.message_3(m2);
        m4 = *session.message_4(m3);
    }
    for (std::size_t steps = 0; steps <= 4; ++steps) {
        Session session{.ead = {}};
        auto& responder = session.responder;
        std::array<std::uint8_t, kScratchSize> claim_memory{};
        std::optional<Claim> claim;
        const auto compose_2 = [&](MutBytes out) {
            return responder.compose_message_2(ephemeral_key(4), {.c_r = session.c_r}, out);
        };
        const auto step = [&](std::size_t number) {
            if (number == 0) {
                EXPECT_TRUE(responder.on_message_1(m1, {}));
            } else if (number == 1) {
                EXPECT_EQ(*session.made(compose_2), m2);
            } else if (number == 2) {
                claim = *responder.on_message_3(m3, claim_memory, {});
                EXPECT_TRUE(responder.authenticate(*claim, session.app.credential));
            } else {
                EXPECT_EQ(*session.made(
                              [&](MutBytes out) { return responder.compose_message_4({}, out); }),
                          m4);
            }
        };
        for (std::size_t number = 0; number < steps; ++number) step(number);
        std::array<std::uint8_t, kScratchSize> out{};
        if (steps != 0) {
            EXPECT_EQ(responder.on_message_1(m1, {}).error(), Error::WrongState);
        }
        if (steps != 1) {
            EXPECT_EQ(session.made(compose_2).error(), Error::WrongState);
        }
        if (steps != 2) {
            EXPECT_EQ(responder.on_message_3(m3, out, {}).error(), Error::WrongState);
        }
        if (steps > 2) {
            EXPECT_EQ(responder.authenticate(*claim, session.app.credential).error(),
                      Error::WrongState);
        }
        if (steps != 3) {
            EXPECT_EQ(responder.compose_message_4({}, out).error(), Error::WrongState);
        }
        EXPECT_EQ(responder.th_3() != nullptr, steps == 2 || steps == 3);
        EXPECT_EQ(responder.is_authenticated(), steps >= 3);
        EXPECT_EQ(responder.export_oscore().has_value(), steps >= 3);
        EXPECT_EQ(responder.exporter(0, {}, out).has_value(), steps >= 3);
        for (std::size_t number = steps; number < 4; ++number) step(number);
        EXPECT_TRUE(responder.is_done());
    }
}

// Whether these bytes, or half of them, are anywhere in the object.
template <class Role>
bool holds(const Role& role, Bytes secret) {
    const Bytes memory{static_cast<const std::uint8_t*>(static_cast<const void*>(&role)),
                       sizeof role};
    const Bytes half = secret.subspan(secret.size() / 4, secret.size() / 2);
    return std::search(memory.begin(), memory.end(), half.begin(), half.end()) != memory.end();
}

TEST(Responder, LeavingAStateWipesItsSecrets) {
    const crypto::DhPrivateKey y = private_key(std::uint8_t{4});
    Session session{.ead = {}};
    const auto m2 = session.message_2(*session.message_1());
    EXPECT_TRUE(holds(session.responder, y.expose()));
    EXPECT_TRUE(session.message_4(*session.message_3(*m2)));
    EXPECT_FALSE(holds(session.responder, y.expose()));
}

TEST(Responder, AFailureWipesItsSecrets) {
    const crypto::DhPrivateKey y = private_key(std::uint8_t{4});
    Session session{.ead = {}};
    const auto m3 = session.message_3(*session.message_2(*session.message_1()));
    const Claim claim = *session.responder.on_message_3(*m3, session.scratch_r, kUnderstood);
    EXPECT_TRUE(holds(session.responder, y.expose()));
    const Party stranger{"stranger", 9};
    while (!session.responder.has_failed()) {
        EXPECT_FALSE(session.responder.authenticate(claim, stranger.credential));
    }
    EXPECT_FALSE(holds(session.responder, y.expose()));
}

TEST(Initiator, LeavingAStateWipesItsSecrets) {
    const crypto::DhPrivateKey x = private_key(std::uint8_t{3});
    Session session{.ead = {}};
    const auto m1 = session.message_1();
    EXPECT_TRUE(holds(session.initiator, x.expose()));
    const auto m2 = session.message_2(*m1);
    EXPECT_TRUE(session.take_message_2(*m2));
    EXPECT_FALSE(holds(session.initiator, x.expose()));
}

TEST(Initiator, AFailureWipesItsSecrets) {
    const crypto::DhPrivateKey x = private_key(std::uint8_t{3});
    Session session{.ead = {}};
    const auto m2 = session.message_2(*session.message_1());
    const Claim claim = *session.initiator.on_message_2(*m2, session.scratch_i, kUnderstood);
    EXPECT_TRUE(holds(session.initiator, x.expose()));
    const Party stranger{"stranger", 9};
    while (!session.initiator.has_failed()) {
        EXPECT_FALSE(session.initiator.authenticate(claim, stranger.credential));
    }
    EXPECT_FALSE(holds(session.initiator, x.expose()));
}

TEST(Responder, IsSmallWhileHalfOpen) { EXPECT_LE(sizeof(Responder), 288U); }

}  // namespace
}  // namespace sotto::edhoc
