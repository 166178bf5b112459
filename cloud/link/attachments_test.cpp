// SPDX-License-Identifier: Apache-2.0
#include "cloud/link/attachments.hpp"

#include <set>

#include <gtest/gtest.h>

#include "core/session/device_test.hpp"

namespace sotto::cloud::link {
namespace {

using session::Device;
using session::Message;
using session::Party;
using testing::MemoryStorage;
using testing::SeededEntropy;

constexpr LinkNumber kLink{7};
constexpr LinkNumber kOtherLink{8};
constexpr std::array<std::uint8_t, 16> kClaim{1, 2, 3};

// A device whose owner chose the cloud of this credential.
void assign(MemoryStorage& storage, const Party& owner, const cose::Credential& cloud) {
    keystore::DeviceRoot root;
    root.epoch = 1;
    root.generation = 1;
    root.owner_state = keystore::OwnerState::Owned;
    root.owner = keystore::CredentialBytes{owner.credential.bytes()};
    ASSERT_TRUE(keystore::store_root(storage, root));
    keystore::CloudRecord record;
    record.epoch = 1;
    record.version = 1;
    record.address = FixedBytes<keystore::kAddressSizeMax>{as_bytes("cloud:1")};
    record.credential_hash = cloud.hash();
    record.claim = kClaim;
    ASSERT_TRUE(keystore::store_cloud(storage, record));
}

class AttachmentsTest : public ::testing::Test {
  protected:
    AttachmentsTest() {
        assign(storage_, owner_, cloud_.credential);
        boot_device();
        boot_cloud();
    }
    void boot_device() { device_ = std::make_unique<Device>(storage_, entropy_, party_); }
    void boot_cloud() {
        attachments_ = std::make_unique<Attachments>(
            Attachments::Setup{.identity = cloud_.identity(), .entropy = entropy_});
    }
    model::DeviceId id() const {
        model::DeviceId id{};
        std::copy_n(party_.credential.hash().begin(), id.size(), id.begin());
        return id;
    }
    void start(LinkNumber link, std::optional<model::CredentialHash> credential = {}) {
        attachments_->start(link, id(), credential, now_);
        run();
    }
    // Does what the cloud's server would do, until there is nothing left.
    void run() {
        while (auto action = attachments_->next_action()) {
            if (const auto* load = std::get_if<Load>(&*action)) {
                attachments_->on_loaded(load->device, record_, now_);
            } else if (auto* save = std::get_if<Save>(&*action)) {
                unsaved_ = save->record;
                if (saves_) on_saved(true);
            } else if (const auto* send = std::get_if<Send>(&*action)) {
                sent_.push_back(send->message);
                if (!answers_) continue;
                const Message answer = device_->receive(send->message, {.label = 1});
                if (!answer.empty()) attachments_->on_message(send->link, id(), answer, now_);
            } else if (const auto* proved = std::get_if<Proved>(&*action)) {
                proved_ = *proved;
            } else {
                not_proved_.insert(std::get<NotProved>(*action).link);
            }
        }
    }
    void on_saved(bool is_done) {
        if (is_done) record_ = unsaved_;
        attachments_->on_saved(id(), is_done, now_);
    }
    void pass(Duration duration) {
        for (const Instant end = now_ + duration; now_ < end; now_ = now_ + seconds(1)) {
            attachments_->on_time(now_);
            run();
        }
    }

    SeededEntropy entropy_{3};
    MemoryStorage storage_;
    const Party party_ = Party::make("lamp-1", entropy_);
    const Party owner_ = Party::make("phone", entropy_);
    const Party cloud_ = Party::make("cloud", entropy_);
    const Party other_ = Party::make("other", entropy_);
    std::unique_ptr<Device> device_;
    std::unique_ptr<Attachments> attachments_;
    std::optional<std::vector<std::uint8_t>> record_;
    std::vector<std::uint8_t> unsaved_;
    bool saves_ = true;
    bool answers_ = true;
    std::vector<Message> sent_;
    std::optional<Proved> proved_;
    std::set<LinkNumber> not_proved_;
    Instant now_{5'000'000};
};

TEST_F(AttachmentsTest, ADeviceProvesItsKeyAndShowsItsClaim) {
    start(kLink);
    ASSERT_TRUE(proved_);
    EXPECT_EQ(proved_->link, kLink);
    EXPECT_EQ(proved_->credential, party_.credential.hash());
    EXPECT_EQ(proved_->claim.bytes, kClaim);
    EXPECT_TRUE(record_);
}

TEST_F(AttachmentsTest, ASessionIsResumedWithoutAHandshakeAfterARestartOfBoth) {
    start(kLink);
    ASSERT_TRUE(proved_);
    for (int i = 0; i < 3; ++i) {
        boot_device();
        boot_cloud();
        proved_.reset();
        sent_.clear();
        start(kLink, party_.credential.hash());
        EXPECT_TRUE(proved_);
        for (const Message& message : sent_)
            EXPECT_TRUE(coap::parse_message(message)->options.find(coap::kOscore));
    }
}

TEST_F(AttachmentsTest, NothingIsSentBeforeItsNumbersAreSaved) {
    start(kLink);
    ASSERT_TRUE(proved_);
    boot_cloud();
    saves_ = false;
    sent_.clear();
    proved_.reset();
    start(kLink);
    EXPECT_TRUE(sent_.empty());
    on_saved(true);
    run();
    EXPECT_FALSE(sent_.empty());
    EXPECT_TRUE(proved_);
}

TEST_F(AttachmentsTest, AFailedSaveSendsNothingAndIsTriedAgain) {
    start(kLink);
    boot_cloud();
    saves_ = false;
    sent_.clear();
    proved_.reset();
    start(kLink);
    on_saved(false);
    run();
    EXPECT_TRUE(sent_.empty());
    saves_ = true;
    pass(seconds(5));
    EXPECT_TRUE(proved_);
}

TEST_F(AttachmentsTest, ACloudThatTheOwnerDidNotChooseGetsNoProof) {
    assign(storage_, owner_, other_.credential);
    boot_device();
    start(kLink);
    EXPECT_FALSE(proved_);
    EXPECT_TRUE(not_proved_.contains(kLink));
}

TEST_F(AttachmentsTest, TheHolderOfAnotherKeyIsNotTheDevice) {
    model::CredentialHash registered = party_.credential.hash();
    registered[20] ^= 1;  // the same id, another credential
    start(kLink, registered);
    EXPECT_FALSE(proved_);
    EXPECT_TRUE(not_proved_.contains(kLink));
}

TEST_F(AttachmentsTest, ARecordOfAnotherKeyIsNotUsed) {
    start(kLink);
    boot_cloud();
    model::CredentialHash registered = party_.credential.hash();
    registered[20] ^= 1;
    proved_.reset();
    sent_.clear();
    start(kLink, registered);
    EXPECT_FALSE(proved_);
    ASSERT_FALSE(sent_.empty());
    EXPECT_FALSE(coap::parse_message(sent_[0])->options.find(coap::kOscore));
}

TEST_F(AttachmentsTest, ASilentDeviceIsAskedAgainAsLongAsItsLinkLives) {
    answers_ = false;
    start(kLink);
    pass(minutes(10));
    EXPECT_TRUE(not_proved_.empty());
    answers_ = true;
    pass(minutes(2));
    EXPECT_TRUE(proved_);
}

TEST_F(AttachmentsTest, TheLatestLinkOfADeviceCounts) {
    answers_ = false;
    start(kLink);
    answers_ = true;
    start(kOtherLink);
    EXPECT_TRUE(not_proved_.contains(kLink));
    ASSERT_TRUE(proved_);
    EXPECT_EQ(proved_->link, kOtherLink);
    attachments_->on_link_gone(kLink);
    proved_.reset();
    start(kOtherLink);
    EXPECT_TRUE(proved_) << "an ATTACH may come again";
}

TEST_F(AttachmentsTest, MessagesOfNobodyAreOfNoConsequence) {
    const Message junk(20, 0x40);
    attachments_->on_message(kLink, id(), junk, now_);
    attachments_->on_link_gone(kLink);
    attachments_->on_saved(id(), true, now_);
    attachments_->on_loaded(id(), std::nullopt, now_);
    EXPECT_FALSE(attachments_->next_action());
    answers_ = false;
    start(kLink);
    for (int i = 0; i < 50; ++i) attachments_->on_message(kLink, id(), junk, now_);
    answers_ = true;
    pass(seconds(40));
    EXPECT_TRUE(proved_);
}

TEST(LinkContextTest, KeepsWhatItIsGivenAndRefusesWhatItDidNotWrite) {
    LinkContext context;
    const std::array<std::uint8_t, 5> bytes{1, 2, 3, 4, 5};
    ASSERT_TRUE(context.store(hal::RecordId{0x100}, bytes));
    context.set_credential({9});
    EXPECT_TRUE(context.take_changed());
    const std::vector<std::uint8_t> record = context.encode();
    auto back = LinkContext::parse(record);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->encode(), record);
    EXPECT_FALSE(back->take_changed());
    for (std::size_t size = 0; size < record.size(); ++size) {
        const auto cut = LinkContext::parse(Bytes{record}.first(size));
        EXPECT_TRUE(!cut || size == 1 + 32) << size;
    }
}

}  // namespace
}  // namespace sotto::cloud::link
