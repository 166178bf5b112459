// SPDX-License-Identifier: Apache-2.0
// What a device says that has none of the parts, and what one may add: core/session/part.hpp.
#include <gtest/gtest.h>

#include "core/session/app_test.hpp"

namespace sotto::session {
namespace {

using coap::Code;

class BareDeviceTest : public ::testing::Test {
  protected:
    BareDeviceTest() {
        EXPECT_TRUE(
            Authority::commission(storage_, keystore::PairingSecret{Bytes{secret_}.first<16>()}));
        device_.emplace(storage_, entropy_, device_party_, Instant{1'000'000}, false);
        EXPECT_TRUE(app_.pair(*device_, device_party_, secret_));
        echo_ = app_.command(*device_, "on").echo;
    }
    Code code_of(App::Spec spec) {
        spec.echo = echo_;
        return app_.ask(*device_, spec).code;
    }

    SeededEntropy entropy_{7};
    MemoryStorage storage_;
    const std::array<std::uint8_t, 16> secret_{9, 8, 7, 6, 5, 4, 3, 2, 1};
    const Party device_party_ = Party::make("lamp-1", entropy_);
    const Party owner_party_ = Party::make("phone-1", entropy_);
    std::optional<Device> device_;
    App app_{owner_party_, entropy_};
    Message echo_;
};

TEST_F(BareDeviceTest, RunsFunctionsAndShowsVariables) {
    EXPECT_EQ(app_.command(*device_, "off").payload, "off");
    EXPECT_EQ(device_->lamp.calls, 2);
    EXPECT_EQ(app_.ask(*device_, {.path = {"v", "lamp"}}).payload, "off");
    EXPECT_EQ(code_of({.path = {"e", "lamp"}, .observe = 0}), Code::Content);
}

TEST_F(BareDeviceTest, HasNoResourceOfAPart) {
    for (const std::string_view path : {"n", "t", "last"}) {
        EXPECT_EQ(code_of({.path = {path}}), Code::NotFound) << path;
    }
    EXPECT_EQ(code_of({.path = {".well-known", "core"}}), Code::NotFound);
    EXPECT_EQ(code_of({.code = Code::Put, .path = {"m", "owner"}}), Code::NotFound);
    EXPECT_EQ(code_of({.code = Code::Post, .path = {"a"}}), Code::NotFound);
}

TEST_F(BareDeviceTest, DoesNotUnderstandDeferredCommands) {
    EXPECT_EQ(code_of({.code = Code::Post, .path = {"f", "lamp"}, .not_after = 1'800'000'000}),
              Code::BadOption);
    EXPECT_EQ(device_->lamp.calls, 1);
}

TEST_F(BareDeviceTest, DoesNotUnderstandBlocks) {
    const coap::Block first{.number = 0, .has_more = true, .size_exponent = 0};
    EXPECT_EQ(code_of({.code = Code::Post,
                       .path = {"f", "note"},
                       .payload = "sixteen bytes of",
                       .block1 = first}),
              Code::BadOption);
    EXPECT_EQ(code_of({.path = {"v", "note"}, .block2 = coap::Block{}}), Code::BadOption);
    EXPECT_EQ(device_->lamp.note_count, 0);
}

TEST_F(BareDeviceTest, TakesNoArgumentOverOneMessage) {
    const std::string text(kPayloadSizeMax + 1, 'a');
    EXPECT_EQ(code_of({.code = Code::Post, .path = {"f", "note"}, .payload = text}),
              Code::RequestEntityTooLarge);
    EXPECT_EQ(device_->lamp.note_count, 0);
}

TEST_F(BareDeviceTest, FailsWhereAnAnswerIsOverOneMessage) {
    device_->lamp.answer = std::string(kPayloadSizeMax + 1, 'a');
    device_->lamp.note = device_->lamp.answer;
    EXPECT_EQ(code_of({.path = {"v", "note"}}), coap::to_coap_code(Error::NoSpace));
    EXPECT_EQ(code_of({.code = Code::Post, .path = {"f", "note"}}),
              coap::to_coap_code(Error::NoSpace));
    EXPECT_EQ(device_->lamp.note_count, 1);  // it has run
}

}  // namespace
}  // namespace sotto::session
