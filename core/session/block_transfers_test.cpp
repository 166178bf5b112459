// SPDX-License-Identifier: Apache-2.0
// Bodies in blocks, as the device sees them: docs/protocol/session.md, SES-80 to SES-85.
#include <gtest/gtest.h>

#include "core/session/app_test.hpp"

namespace sotto::session {
namespace {

using coap::Block;
using coap::Code;

std::string text_of(std::size_t size) {
    std::string text(size, ' ');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 5 + i / 97) % 26);
    return text;
}

class TransferTest : public ::testing::Test {
  protected:
    TransferTest() {
        EXPECT_TRUE(
            Authority::commission(storage_, keystore::PairingSecret{Bytes{secret_}.first<16>()}));
        boot();
        EXPECT_TRUE(app_.pair(*device_, device_party_, secret_));
        EXPECT_TRUE(other_.pair(*device_, device_party_, secret_));
        echo_ = app_.command(*device_, "on").echo;
    }
    void boot() { device_ = std::make_unique<Device>(storage_, entropy_, device_party_); }

    App::Spec block(const std::string& text, std::uint32_t number, std::uint8_t exponent) {
        const std::size_t size = std::size_t{16} << exponent;
        const std::size_t offset = number * size;
        return {.code = Code::Post,
                .path = {"f", "note"},
                .payload = std::string_view{text}.substr(offset, size),
                .block1 = Block{.number = number,
                                .has_more = text.size() > offset + size,
                                .size_exponent = exponent},
                .tag = "A"};
    }
    App::Reply send(App& app, App::Spec spec) {
        App::Reply reply = app.ask(*device_, spec);
        if (reply.code == Code::Unauthorized && !reply.echo.empty()) {
            spec.echo = reply.echo;
            reply = app.ask(*device_, spec);
        }
        return reply;
    }
    // All of it, one block after the other.
    App::Reply send_all(App& app, const std::string& text, std::uint8_t exponent) {
        for (std::uint32_t number = 0;; ++number) {
            const App::Spec spec = block(text, number, exponent);
            const App::Reply reply = send(app, spec);
            if (!spec.block1->has_more || reply.code != Code::Continue) return reply;
            EXPECT_EQ(reply.block1, spec.block1);
        }
    }
    // What comes behind the first block of a result.
    std::string fetch_rest(App& app, const App::Reply& first, std::string_view tag = "A") {
        std::string text = first.payload;
        App::Reply reply = first;
        while (reply.block2 && reply.block2->has_more) {
            Block next = *reply.block2;
            ++next.number;
            next.has_more = false;
            reply = app.ask(
                *device_, {.code = Code::Post, .path = {"f", "note"}, .block2 = next, .tag = tag});
            EXPECT_EQ(reply.code, Code::Changed);
            EXPECT_EQ(reply.etag, first.etag);
            if (reply.code != Code::Changed) return {};
            text += reply.payload;
        }
        return text;
    }
    std::string get_all(App& app, std::vector<std::string_view> path, std::uint8_t exponent) {
        std::string text;
        std::string etag;
        for (std::uint32_t number = 0;; ++number) {
            const App::Reply reply =
                app.ask(*device_, {.path = path, .block2 = Block{number, false, exponent}});
            EXPECT_EQ(reply.code, Code::Content);
            if (number == 0) etag = reply.etag;
            EXPECT_EQ(reply.etag, etag);
            text += reply.payload;
            if (!reply.block2 || !reply.block2->has_more) return text;
        }
    }
    int note_count() const { return device_->lamp.note_count; }

    SeededEntropy entropy_{17};
    MemoryStorage storage_;
    const std::array<std::uint8_t, 16> secret_{9, 8, 7};
    const Party device_party_ = Party::make("lamp-1", entropy_);
    const Party owner_party_ = Party::make("phone-1", entropy_);
    std::unique_ptr<Device> device_;
    App app_{owner_party_, entropy_};
    App other_{owner_party_, entropy_};
    Message echo_;
};

TEST_F(TransferTest, ArgumentsOfEverySizeArriveWholeAndRunOnce) {
    int expected = 0;
    for (const std::uint8_t exponent : {std::uint8_t{2}, std::uint8_t{6}}) {
        const std::size_t size = std::size_t{16} << exponent;
        for (const std::size_t count : {size + 1, 2 * size - 1, 2 * size, 2 * size + 1}) {
            device_->lamp.answer = "done";
            const App::Reply reply = send_all(app_, text_of(count), exponent);
            EXPECT_EQ(reply.code, Code::Changed);
            EXPECT_EQ(reply.payload, "done");
            EXPECT_EQ(device_->lamp.note, text_of(count));
            EXPECT_EQ(note_count(), ++expected);
        }
    }
}

TEST_F(TransferTest, TheLargestArgumentGoesBothWays) {
    const std::string text = text_of(kBodySizeMax);
    const App::Reply reply = send_all(app_, text, 6);
    EXPECT_EQ(reply.code, Code::Changed);
    EXPECT_EQ(reply.size2, text.size());
    EXPECT_EQ(fetch_rest(app_, reply), text);  // the answer is the note itself, from its own room
    EXPECT_EQ(get_all(app_, {"v", "note"}, 6), text);
    EXPECT_EQ(note_count(), 1);
}

TEST_F(TransferTest, OneBlockThatIsAllIsAnOrdinaryCall) {
    const std::string text = "short";
    const App::Spec spec = block(text, 0, 6);
    const App::Reply reply = send(app_, spec);
    EXPECT_EQ(reply.code, Code::Changed);
    EXPECT_EQ(reply.payload, "short");
    EXPECT_EQ(reply.block1, spec.block1);
    EXPECT_FALSE(reply.block2);
}

TEST_F(TransferTest, NothingRunsBeforeTheLastBlock) {
    const std::string text = text_of(100);
    EXPECT_EQ(send(app_, block(text, 0, 1)).code, Code::Continue);
    EXPECT_EQ(send(app_, block(text, 1, 1)).code, Code::Continue);
    EXPECT_EQ(send(app_, block(text, 2, 1)).code, Code::Continue);
    EXPECT_EQ(note_count(), 0);
    // The last one wants an Echo value as any command, and the blocks before it stay.
    const App::Reply challenge = app_.ask(*device_, block(text, 3, 1));
    EXPECT_EQ(challenge.code, Code::Unauthorized);
    EXPECT_EQ(note_count(), 0);
    App::Spec last = block(text, 3, 1);
    last.echo = challenge.echo;
    EXPECT_EQ(app_.ask(*device_, last).code, Code::Changed);
    EXPECT_EQ(device_->lamp.note, text);
}

TEST_F(TransferTest, TheSameBytesGetTheSameAnswerAndAddNothing) {
    const std::string text = text_of(100);
    const Message first = app_.protect(block(text, 0, 2));
    const Message answer = device_->receive(first);
    EXPECT_EQ(device_->receive(first, {.label = 9}), answer);
    App::Spec last = block(text, 1, 2);
    last.echo = echo_;
    const Message command = app_.protect(last);
    const Message done = device_->receive(command);
    EXPECT_EQ(device_->receive(command), done);
    EXPECT_EQ(app_.unprotect(done).code, Code::Changed);
    EXPECT_EQ(note_count(), 1);
    EXPECT_EQ(device_->lamp.note, text);
}

TEST_F(TransferTest, ABlockThatIsAskedAgainUnderANewNumberCountsOnce) {
    const std::string text = text_of(100);
    EXPECT_EQ(send(app_, block(text, 0, 1)).code, Code::Continue);
    EXPECT_EQ(send(app_, block(text, 1, 1)).code, Code::Continue);
    EXPECT_EQ(send(app_, block(text, 1, 1)).code, Code::Continue);
    EXPECT_EQ(send(app_, block(text, 2, 1)).code, Code::Continue);
    EXPECT_EQ(send(app_, block(text, 3, 1)).code, Code::Changed);
    EXPECT_EQ(device_->lamp.note, text);
}

TEST_F(TransferTest, AMissingBlockEndsItWithoutRunning) {
    const std::string text = text_of(100);
    EXPECT_EQ(send(app_, block(text, 0, 1)).code, Code::Continue);
    EXPECT_EQ(send(app_, block(text, 2, 1)).code, Code::RequestEntityIncomplete);
    EXPECT_EQ(send(app_, block(text, 3, 1)).code, Code::RequestEntityIncomplete);
    EXPECT_EQ(note_count(), 0);
    EXPECT_EQ(send_all(app_, text, 1).code, Code::Changed);
}

TEST_F(TransferTest, BlocksOfDifferentArgumentsAreNeverMixed) {
    const std::string text = text_of(100);
    EXPECT_EQ(send(app_, block(text, 0, 2)).code, Code::Continue);
    App::Spec of_another = block(text, 1, 2);
    of_another.tag = "B";
    EXPECT_EQ(send(app_, of_another).code, Code::RequestEntityIncomplete);
    EXPECT_EQ(send(app_, block(text, 0, 2)).code, Code::Continue);
    App::Spec of_another_format = block(text, 1, 2);
    of_another_format.format = 60;
    EXPECT_EQ(send(app_, of_another_format).code, Code::RequestEntityIncomplete);
    App::Spec of_another_function = block(text, 1, 2);
    of_another_function.path = {"f", "list"};
    EXPECT_EQ(send(app_, of_another_function).code, Code::RequestEntityIncomplete);
    EXPECT_EQ(note_count(), 0);
}

TEST_F(TransferTest, ABlockThatWasHeldBackIsLate) {
    const std::string text = text_of(100);
    const Message held = app_.protect(block(text, 0, 2));
    const auto binding = app_.binding;
    EXPECT_EQ(send(app_, block(text, 0, 2)).code, Code::Continue);
    const Message answer = device_->receive(held);
    const auto current = std::exchange(app_.binding, binding);
    EXPECT_EQ(app_.unprotect(answer).code, Code::Conflict);
    app_.binding = current;
    EXPECT_EQ(send(app_, block(text, 1, 2)).code, Code::Changed);
    EXPECT_EQ(device_->lamp.note, text);
}

TEST_F(TransferTest, ABlockFromBeforeTheLastCommandIsLate) {
    const std::string text = text_of(100);
    const Message held = app_.protect(block(text, 0, 2));
    const auto binding = app_.binding;
    EXPECT_EQ(app_.command(*device_, "off").code, Code::Changed);
    const Message answer = device_->receive(held);
    app_.binding = binding;
    EXPECT_EQ(app_.unprotect(answer).code, Code::Conflict);
}

TEST_F(TransferTest, ABootInTheMiddleForgetsItAndNothingRan) {
    const std::string text = text_of(100);
    EXPECT_EQ(send(app_, block(text, 0, 1)).code, Code::Continue);
    EXPECT_EQ(send(app_, block(text, 1, 1)).code, Code::Continue);
    boot();
    EXPECT_EQ(send(app_, block(text, 2, 1)).code, Code::RequestEntityIncomplete);
    EXPECT_EQ(send_all(app_, text, 1).code, Code::Changed);
    EXPECT_EQ(device_->lamp.note, text);
    EXPECT_EQ(note_count(), 1);
}

TEST_F(TransferTest, WhatDoesNotGoOnIsForgotten) {
    const std::string text = text_of(100);
    EXPECT_EQ(send(app_, block(text, 0, 1)).code, Code::Continue);
    device_->now = device_->now + kTransferLifetime;
    EXPECT_EQ(send(app_, block(text, 1, 1)).code, Code::RequestEntityIncomplete);
}

TEST_F(TransferTest, ASecondSessionHasToWaitForTheRoom) {
    const std::string text = text_of(100);
    EXPECT_EQ(send(app_, block(text, 0, 2)).code, Code::Continue);
    const std::string other = text_of(90);
    const App::Reply refused = send(other_, block(other, 0, 2));
    EXPECT_EQ(refused.code, Code::ServiceUnavailable);
    EXPECT_EQ(refused.max_age, kTransferBusyMaxAge);
    // Nor does a short argument of the same function, or of one that shares the room, get in.
    App::Spec spec{.code = Code::Post, .path = {"f", "list"}, .payload = "x"};
    EXPECT_EQ(send(other_, spec).code, Code::ServiceUnavailable);
    EXPECT_EQ(note_count(), 0);
    EXPECT_EQ(other_.command(*device_, "off").code, Code::Changed);
    EXPECT_EQ(send(app_, block(text, 1, 2)).code, Code::Changed);
    EXPECT_EQ(device_->lamp.note, text);
}

TEST_F(TransferTest, SoManyTransfersAtATimeAndTheNextWaits) {
    const std::string text = text_of(100);
    App third{owner_party_, entropy_};
    ASSERT_TRUE(third.pair(*device_, device_party_, secret_));
    App::Spec page = block(text, 0, 2);
    page.path = {"f", "page"};
    App::Spec book = block(text, 0, 2);
    book.path = {"f", "book"};
    EXPECT_EQ(send(app_, block(text, 0, 2)).code, Code::Continue);
    EXPECT_EQ(send(other_, page).code, Code::Continue);
    static_assert(kTransfers == 2);
    const App::Reply refused = send(third, book);
    EXPECT_EQ(refused.code, Code::ServiceUnavailable);
    EXPECT_EQ(refused.max_age, kTransferBusyMaxAge);
    EXPECT_EQ(send(app_, block(text, 1, 2)).code, Code::Changed);
    EXPECT_EQ(send(third, book).code, Code::Continue);
    page = block(text, 1, 2);
    page.path = {"f", "page"};
    EXPECT_EQ(send(other_, page).code, Code::Changed);
}

TEST_F(TransferTest, AResultIsHeldUntilItWasFetched) {
    device_->lamp.answer = text_of(3'000);
    const App::Reply first =
        send(app_, {.code = Code::Post, .path = {"f", "note"}, .payload = "x", .tag = "A"});
    EXPECT_EQ(first.code, Code::Changed);
    EXPECT_EQ(first.block2, (Block{0, true, 6}));
    EXPECT_EQ(first.size2, 3'000U);
    App::Spec second{.code = Code::Post, .path = {"f", "note"}, .payload = "y"};
    EXPECT_EQ(send(other_, second).code, Code::ServiceUnavailable);
    EXPECT_EQ(fetch_rest(app_, first), text_of(3'000));
    EXPECT_EQ(fetch_rest(app_, first), text_of(3'000));  // answers may be lost
    EXPECT_EQ(send(other_, second).code, Code::Changed);
    App::Spec gone{.code = Code::Post, .path = {"f", "note"}, .block2 = Block{1, false, 6}};
    EXPECT_EQ(app_.ask(*device_, gone).code, Code::RequestEntityIncomplete);
    EXPECT_EQ(note_count(), 2);
}

TEST_F(TransferTest, AskingForMoreOfAResultRunsNothing) {
    App::Spec spec{
        .code = Code::Post, .path = {"f", "note"}, .echo = echo_, .block2 = Block{1, false, 6}};
    EXPECT_EQ(app_.ask(*device_, spec).code, Code::RequestEntityIncomplete);
    spec.path = {"f", "lamp"};
    EXPECT_EQ(app_.ask(*device_, spec).code, Code::RequestEntityIncomplete);
    EXPECT_EQ(send_all(app_, text_of(3'000), 6).code, Code::Changed);
    spec.path = {"f", "list"};
    EXPECT_EQ(app_.ask(*device_, spec).code, Code::RequestEntityIncomplete);
    spec.path = {"f", "note"};
    spec.block2->number = 3;
    EXPECT_EQ(app_.ask(*device_, spec).code, Code::BadRequest);  // beyond its end
    spec.block2->number = 2;
    spec.tag = "B";
    EXPECT_EQ(app_.ask(*device_, spec).code, Code::RequestEntityIncomplete);
    spec.tag = {};
    EXPECT_EQ(app_.ask(*device_, spec).payload, text_of(3'000).substr(2'048));
    EXPECT_EQ(note_count(), 1);
}

TEST_F(TransferTest, ALongResultIsOfTheSizeThatTheClientWants) {
    // As RFC 7959 Figure 12: the last block of the argument says how large those of the result are.
    const std::string text = text_of(300);
    EXPECT_EQ(send(app_, block(text, 0, 4)).code, Code::Continue);
    App::Spec last = block(text, 1, 4);
    last.block2 = Block{0, false, 2};
    const App::Reply first = send(app_, last);
    EXPECT_EQ(first.code, Code::Changed);
    EXPECT_EQ(first.block1, (Block{1, false, 4}));
    EXPECT_EQ(first.block2, (Block{0, true, 2}));
    EXPECT_EQ(fetch_rest(app_, first), text);
}

TEST_F(TransferTest, WhatIsTooLargeIsRefusedWithTheSizeThatIsNot) {
    device_->lamp.room.resize(100);
    const std::string text = text_of(2'100);
    App::Spec first = block(text, 0, 1);
    first.size1 = 101;
    App::Reply reply = send(app_, first);
    EXPECT_EQ(reply.code, Code::RequestEntityTooLarge);
    EXPECT_EQ(reply.size1, 1'024U);  // in one message
    EXPECT_FALSE(reply.block1);
    device_->lamp.room.resize(2'000);
    first.size1 = 2'001;
    reply = send(app_, first);
    EXPECT_EQ(reply.code, Code::RequestEntityTooLarge);
    EXPECT_EQ(reply.size1, 2'000U);
    // Without Size1 it is seen when there is no room for more.
    EXPECT_EQ(send(app_, block(text, 0, 6)).code, Code::Continue);
    EXPECT_EQ(send(app_, block(text, 1, 6)).code, Code::RequestEntityTooLarge);
    EXPECT_EQ(send(app_, block(text, 2, 6)).code, Code::RequestEntityIncomplete);
    EXPECT_EQ(note_count(), 0);
    // A function without room takes one message.
    App::Spec other = block(text, 0, 6);
    other.path = {"f", "lamp"};
    reply = send(app_, other);
    EXPECT_EQ(reply.code, Code::RequestEntityTooLarge);
    EXPECT_EQ(reply.size1, 1'024U);
}

TEST_F(TransferTest, AResultThatDoesNotFitItsRoomIsAnErrorThatIsKept) {
    device_->lamp.room.resize(100);
    device_->lamp.answer = text_of(101);
    const App::Spec spec{.code = Code::Post, .path = {"f", "note"}, .payload = "x", .echo = echo_};
    const Message command = app_.protect(spec);
    const Message answer = device_->receive(command);
    EXPECT_EQ(app_.unprotect(answer).code, Code::InternalServerError);
    EXPECT_EQ(device_->receive(command), answer);
    EXPECT_EQ(note_count(), 1);
}

TEST_F(TransferTest, AFunctionThatRefusesFreesItsRoom) {
    App::Spec spec{.code = Code::Post, .path = {"f", "note"}, .payload = "refuse"};
    EXPECT_EQ(send(app_, spec).code, Code::BadRequest);
    const std::string text = text_of(100);
    EXPECT_EQ(send(other_, block(text, 0, 2)).code, Code::Continue);
}

TEST_F(TransferTest, ASessionThatEndsTakesItsTransferAlong) {
    const std::string text = text_of(100);
    EXPECT_EQ(send(other_, block(text, 0, 2)).code, Code::Continue);
    App latest{owner_party_, entropy_};
    for (std::size_t i = 0; i < kOwnerSessions; ++i) {  // they take the places of all others
        ASSERT_TRUE(latest.pair(*device_, device_party_, secret_));
        EXPECT_EQ(latest.command(*device_, "on").code, Code::Changed);
    }
    EXPECT_EQ(send_all(latest, text_of(90), 2).code, Code::Changed);
}

TEST_F(TransferTest, MalformedBlocksAreRefused) {
    const std::string text = text_of(100);
    App::Spec spec = block(text, 0, 2);
    spec.payload = "not sixty-four bytes";
    EXPECT_EQ(send(app_, spec).code, Code::BadRequest);
    spec = {.path = {"last"}, .block2 = Block{1, false, 6}};
    EXPECT_EQ(send(app_, spec).code, Code::BadOption);
    spec = {.code = Code::Put, .path = {"n"}, .block1 = Block{0, true, 6}};
    EXPECT_EQ(send(app_, spec).code, Code::BadOption);
}

TEST_F(TransferTest, AVariableInBlocksIsNeverMixed) {
    device_->lamp.note = text_of(2'500);
    const App::Reply first = app_.ask(*device_, {.path = {"v", "note"}});
    EXPECT_EQ(first.block2, (Block{0, true, 6}));
    EXPECT_EQ(first.size2, 2'500U);
    ASSERT_EQ(first.etag.size(), 8U);
    App::Reply next = app_.ask(*device_, {.path = {"v", "note"}, .block2 = Block{1, false, 6}});
    EXPECT_EQ(next.etag, first.etag);
    device_->lamp.note = text_of(2'499) + "!";
    next = app_.ask(*device_, {.path = {"v", "note"}, .block2 = Block{2, false, 6}});
    EXPECT_EQ(next.code, Code::Content);
    EXPECT_NE(next.etag, first.etag);
    EXPECT_EQ(app_.ask(*device_, {.path = {"v", "note"}, .block2 = Block{3, false, 6}}).code,
              Code::BadRequest);
    EXPECT_EQ(app_.ask(*device_, {.path = {"v", "note"}, .block2 = Block{0xfffff, false, 6}}).code,
              Code::BadRequest);
}

TEST_F(TransferTest, VariablesOfEverySizeAndBlock) {
    for (std::uint8_t exponent = 0; exponent <= 6; ++exponent) {
        const std::size_t size = std::size_t{16} << exponent;
        for (const std::size_t count : {std::size_t{0}, size - 1, size, size + 1, 2 * size}) {
            device_->lamp.note = text_of(count);
            EXPECT_EQ(get_all(app_, {"v", "note"}, exponent), text_of(count));
        }
    }
}

TEST_F(TransferTest, WhatFitsOneMessageHasNoBlocks) {
    device_->lamp.note = text_of(1'024);
    App::Reply reply = app_.ask(*device_, {.path = {"v", "note"}});
    EXPECT_EQ(reply.payload.size(), 1'024U);
    EXPECT_FALSE(reply.block2);
    EXPECT_TRUE(reply.etag.empty());
    // Early negotiation, RFC 7959 Figure 3.
    reply = app_.ask(*device_, {.path = {"v", "note"}, .block2 = Block{0, false, 2}});
    EXPECT_EQ(reply.block2, (Block{0, true, 2}));
    EXPECT_EQ(reply.payload, text_of(1'024).substr(0, 64));
}

TEST_F(TransferTest, TheDescriptionComesInBlocksToo) {
    device_->lamp.links = text_of(5'000);
    EXPECT_EQ(get_all(app_, {".well-known", "core"}, 6), text_of(5'000));
    EXPECT_EQ(get_all(app_, {".well-known", "core"}, 3), text_of(5'000));
}

}  // namespace
}  // namespace sotto::session
