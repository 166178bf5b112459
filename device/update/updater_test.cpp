// SPDX-License-Identifier: Apache-2.0
// /u through the sealed channel, over flash that may lose its power.
#include "device/update/updater.hpp"

#include <gtest/gtest.h>

#include "core/cbor/writer.hpp"
#include "core/session/talker_test.hpp"
#include "device/update/window_test.hpp"
#include "ports/openssl/ecdsa.hpp"

namespace sotto::update {
namespace {

using coap::Code;
using session::Party;
using ByteVector = std::vector<std::uint8_t>;

constexpr std::string_view kHardware = "lamp-board";
constexpr std::size_t kPiece = 256;

class UpdaterTest : public ::testing::Test {
  protected:
    void SetUp() override { begin(); }
    void begin(std::uint32_t seed = 1) {
        device_.reset();
        chip_.emplace(seed);
        ASSERT_TRUE(session::Authority::commission(
            *chip_->storage, keystore::PairingSecret{Bytes{secret_}.first<16>()}));
        ASSERT_TRUE(store_publisher(*chip_->storage, crypto::dh_public(publisher_party_.key)));
        boot();
        owner_.emplace(owner_party_, entropy_);
        ASSERT_TRUE(owner_->pair(*device_, secret_));
    }
    // Power goes and comes; the boot program decides.
    void boot() {
        const Instant now = device_ ? device_->now : Instant{1'000'000};
        device_.reset();
        ASSERT_TRUE(chip_->boot());
        running_ = boot::start(chip_->journal);
        updater_.emplace(Updater::Setup{.storage = *chip_->storage,
                                        .target = chip_->slot,
                                        .journal = chip_->journal,
                                        .running = running_,
                                        .version = running_ == boot::Slot::A ? 1U : 2U,
                                        .hardware = kHardware});
        updater_->start(now);
        device_ = std::make_unique<session::Device>(
            *chip_->storage, entropy_, device_party_, now, true, &*updater_);
        ASSERT_TRUE(device_->started);
    }
    struct Said {
        Code code = Code::Empty;
        std::string text;
    };
    Said ask(Code method, Bytes payload = {}) { return ask(*owner_, method, payload); }
    Said ask(session::Talker& talker, Code method, Bytes payload = {}) {
        session::Request request{.code = method, .resource = "u"};
        if (method == Code::Put)
            request.content = session::Content{.format = session::Format::Cbor, .payload = payload};
        const auto event = talker.run(*device_, session::kNearby, request);
        const auto* answer = event ? std::get_if<session::Answer>(&*event) : nullptr;
        if (answer == nullptr) return {};
        return {answer->code, std::string{as_text(answer->payload)}};
    }
    // The manifest of an image for slot B.
    ByteVector sign(const Manifest& manifest, const Party& publisher) {
        ByteVector payload(kManifestSizeMax);
        const auto encoded = encode_manifest(manifest, payload);
        const auto signature = ports::sign(publisher.key, hash_to_sign(*encoded));
        ByteVector out(kManifestSizeMax);
        const auto made = encode_signed(*encoded, signature, out);
        return {made->begin(), made->end()};
    }
    Manifest manifest_of(const ByteVector& image, std::uint32_t version = 2) {
        const Image announced{.size = static_cast<std::uint32_t>(image.size()),
                              .hash = crypto::sha256(image)};
        return {.hardware = kHardware, .version = version, .images = {announced, announced}};
    }
    Said put_piece(const ByteVector& image, std::size_t offset) {
        ByteVector buffer(kPiece + 16);
        cbor::Writer writer{buffer};
        writer.array(2).uint(offset).bytes(
            Bytes{image}.subspan(offset, std::min(kPiece, image.size() - offset)));
        return ask(Code::Put, *writer.finish());
    }
    // All an app does, from wherever the device is. Whether it was installed.
    bool update(const ByteVector& image) {
        if (ask(Code::Put, sign(manifest_of(image), publisher_party_)).code != Code::Changed)
            return false;
        for (std::size_t at = updater_taken() / kPiece * kPiece; at < image.size(); at += kPiece) {
            if (put_piece(image, at).code != Code::Changed) return false;
        }
        return ask(Code::Post).code == Code::Changed;
    }
    std::size_t updater_taken() {
        const Said said = ask(Code::Get);
        cbor::Reader in{as_bytes(said.text)};
        std::size_t taken = 0;
        for (std::size_t i = in.map(); i > 0; --i) {
            const auto key = in.uint();
            const Bytes value = in.skip();
            if (key == 7) taken = cbor::Reader{value}.uint();
        }
        return taken;
    }
    void expect_refused(const Said& said, Code code, std::string_view why) {
        EXPECT_EQ(said.code, code) << said.text;
        EXPECT_NE(said.text.find(why), std::string::npos) << said.text;
        EXPECT_EQ(updater_taken(), 0U);
    }

    session::SeededEntropy entropy_{21};
    const std::array<std::uint8_t, 16> secret_{1, 2, 3};
    const Party device_party_ = Party::make("lamp 1", entropy_);
    const Party owner_party_ = Party::make("app-1", entropy_);
    const Party publisher_party_ = Party::make("publisher", entropy_);
    const Party stranger_party_ = Party::make("stranger", entropy_);
    const ByteVector image_ = make_image(2, 1'000);
    std::optional<Chip> chip_;
    std::optional<Updater> updater_;
    std::unique_ptr<session::Device> device_;
    std::optional<session::Talker> owner_;
    boot::Slot running_ = boot::Slot::A;
};

TEST_F(UpdaterTest, SaysWhatRuns) {
    const Said said = ask(Code::Get);
    EXPECT_EQ(said.code, Code::Content);
    ByteVector expected(64);
    cbor::Writer writer{expected};
    writer.map(4).uint(1).text(kHardware).uint(2).uint(1).uint(3).uint(0).uint(4).uint(0);
    EXPECT_EQ(said.text, as_text(*writer.finish()));
    EXPECT_EQ(ask(Code::Delete).code, Code::MethodNotAllowed);
}

TEST_F(UpdaterTest, TheNewImageRunsAndStaysWhenItsOwnerCameThrough) {
    ASSERT_TRUE(update(image_));
    EXPECT_FALSE(updater_->wants_restart());  // not before its answer is on the way
    updater_->poll(*device_->server, device_->now + kRestartDelay);
    EXPECT_TRUE(updater_->wants_restart());
    boot();
    EXPECT_EQ(running_, boot::Slot::B);
    EXPECT_TRUE(updater_->is_on_trial());
    EXPECT_EQ(ask(Code::Get).code, Code::Content);  // the same session
    EXPECT_FALSE(updater_->is_on_trial());
    for (int i = 0; i < 5; ++i) {
        boot();
        EXPECT_EQ(running_, boot::Slot::B);
    }
}

TEST_F(UpdaterTest, AnImageThatNobodyReachesGoesBackAfterItsTime) {
    ASSERT_TRUE(update(image_));
    boot();
    const Instant later = device_->now + kTrialLifetime;
    updater_->poll(*device_->server, later + milliseconds(-1'000));
    EXPECT_FALSE(updater_->wants_restart());
    updater_->poll(*device_->server, later);
    EXPECT_TRUE(updater_->wants_restart());
    boot();
    EXPECT_EQ(running_, boot::Slot::A);
    EXPECT_EQ(chip_->journal.state().outcome, boot::Outcome::Time);
    // And the same can be tried again: it is all here but for its last word.
    ASSERT_TRUE(update(image_));
    boot();
    EXPECT_EQ(running_, boot::Slot::B);
}

TEST_F(UpdaterTest, AnImageThatIsNeverReachedInItsBootsGoesBack) {
    ASSERT_TRUE(update(image_));
    for (int i = 0; i < boot::kTrialBoots; ++i) {
        boot();
        EXPECT_EQ(running_, boot::Slot::B);
    }
    boot();
    EXPECT_EQ(running_, boot::Slot::A);
    EXPECT_EQ(ask(Code::Get).code, Code::Content);
}

TEST_F(UpdaterTest, WhatIsNotForItIsRefusedWithAReason) {
    const Manifest right = manifest_of(image_);
    Manifest wrong = right;
    wrong.hardware = "another-board";
    expect_refused(ask(Code::Put, sign(wrong, publisher_party_)), Code::Conflict, "hardware");
    for (const std::uint32_t version : {1U}) {
        wrong = right;
        wrong.version = version;
        expect_refused(ask(Code::Put, sign(wrong, publisher_party_)), Code::Conflict, "version");
    }
    expect_refused(ask(Code::Put, sign(right, stranger_party_)), Code::Forbidden, "signed");
    expect_refused(ask(Code::Put, as_bytes("hello")), Code::BadRequest, "manifest");
    wrong = right;
    wrong.images[1].size = Chip::kSlotPages * Chip::kPage + 4;
    expect_refused(
        ask(Code::Put, sign(wrong, publisher_party_)), Code::RequestEntityTooLarge, "fit");
    expect_refused(put_piece(image_, 0), Code::Conflict, "begun");
    expect_refused(ask(Code::Post), Code::Conflict, "begun");
}

TEST_F(UpdaterTest, WithoutPublisherNothingIsTaken) {
    ASSERT_TRUE(chip_->storage->erase(kPublisherRecord));
    expect_refused(
        ask(Code::Put, sign(manifest_of(image_), publisher_party_)), Code::Forbidden, "publisher");
}

TEST_F(UpdaterTest, PiecesThatDoNotFitAreRefusedAndHarmNothing) {
    ASSERT_EQ(ask(Code::Put, sign(manifest_of(image_), publisher_party_)).code, Code::Changed);
    EXPECT_EQ(put_piece(image_, 512).code, Code::RequestEntityIncomplete);
    EXPECT_EQ(put_piece(image_, 2).code, Code::BadRequest);
    EXPECT_EQ(ask(Code::Post).code, Code::RequestEntityIncomplete);
    EXPECT_EQ(put_piece(image_, 0).code, Code::Changed);
    EXPECT_EQ(put_piece(image_, 0).code, Code::Changed);
    EXPECT_EQ(updater_taken(), kPiece);
    EXPECT_TRUE(update(image_));
}

TEST_F(UpdaterTest, AnotherImageThanTheSignedOneIsNotInstalled) {
    ByteVector other = image_;
    other[700] ^= 1;
    ASSERT_EQ(ask(Code::Put, sign(manifest_of(image_), publisher_party_)).code, Code::Changed);
    for (std::size_t at = 0; at < other.size(); at += kPiece)
        ASSERT_EQ(put_piece(other, at).code, Code::Changed);
    expect_refused(ask(Code::Post), Code::BadRequest, "signed");
    boot();
    EXPECT_EQ(running_, boot::Slot::A);
    EXPECT_TRUE(update(image_));
}

// Power goes at every so many operations of a whole update. What runs afterwards is the old image
// or the new one, the owner's session goes on, and the update can be finished.
TEST_F(UpdaterTest, APowerCutAnywhereLeavesTheOldOrTheNewImage) {
    bool was_cut = true;
    std::size_t step = 0;
    for (; was_cut; ++step) {
        begin(static_cast<std::uint32_t>(step));
        chip_->flash.cut_power_at(step);
        const bool is_done = update(image_);
        was_cut = chip_->flash.is_cut();
        boot();
        const bool is_new = running_ == boot::Slot::B;
        ASSERT_TRUE(is_new || !is_done) << step;
        ASSERT_TRUE(!is_new || equal(chip_->slot.bytes().first(image_.size()), image_)) << step;
        ASSERT_EQ(ask(Code::Get).code, Code::Content) << step;
        if (!is_new) {
            ASSERT_TRUE(update(image_)) << step;
            boot();
            ASSERT_EQ(ask(Code::Get).code, Code::Content) << step;
        }
        boot();
        ASSERT_EQ(running_, boot::Slot::B) << step;
    }
    EXPECT_GT(step, 250U);
}

}  // namespace
}  // namespace sotto::update
