// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/fleet.hpp"

#include <gtest/gtest.h>

namespace sotto::cloud::services {
namespace {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

constexpr AccountId kAnn{1};
constexpr AccountId kBob{2};
constexpr ProductId kLamps{1'000};
constexpr DeviceId kLamp{0xaa};

class FleetTest : public ::testing::Test {
  protected:
    FleetTest() {
        fleet.put(ProductRecord{.id = kLamps, .account = kAnn, .slug = "lamps"});
        fleet.put(ProductRecord{.id = ProductId{2'000}, .account = kBob, .slug = "lamps"});
    }
    std::optional<FirmwareVersion> target(const ProductDevice& device) {
        fleet.put(device);
        const auto found = target_of(*fleet.find(kLamps), device);
        return found ? std::optional{found->version} : std::nullopt;
    }
    void release(FirmwareVersion version, bool is_default, std::vector<std::string> groups) {
        fleet.put(ReleaseRecord{.id = ReleaseId{++last_},
                                .product = kLamps,
                                .version = version,
                                .is_default = is_default,
                                .groups = std::move(groups)});
    }

    Fleet fleet;

  private:
    std::int64_t last_ = 0;
};

TEST_F(FleetTest, FindsProductsOfAnAccountByIdAndSlug) {
    EXPECT_EQ(fleet.find(kAnn, "1000")->record.id, kLamps);
    EXPECT_EQ(fleet.find(kAnn, "lamps")->record.id, kLamps);
    EXPECT_EQ(fleet.find(kBob, "lamps")->record.id, ProductId{2'000});
    EXPECT_EQ(fleet.find(kBob, "1000"), nullptr);
    for (const char* text : {"", "1000x", "-1", "66536", "lamp"})
        EXPECT_EQ(fleet.find(kAnn, text), nullptr) << text;
    EXPECT_EQ(fleet.list(kAnn).size(), 1U);
    EXPECT_EQ(fleet.free_id(), ProductId{1'001});
    fleet.erase(kLamps);
    EXPECT_EQ(fleet.free_id(), kLamps);
    fleet.erase_of(kBob);
    EXPECT_TRUE(fleet.all().empty());
}

TEST_F(FleetTest, ADeviceIsOfTheProductInWhoseListItIs) {
    ProductDevice device{.product = kLamps, .device = kLamp, .membership = Membership::Quarantined};
    fleet.put(device);
    EXPECT_EQ(fleet.product_of(kAnn, kLamp), nullptr);
    device.membership = Membership::Member;
    fleet.put(device);
    ASSERT_NE(fleet.product_of(kAnn, kLamp), nullptr);
    EXPECT_EQ(fleet.product_of(kBob, kLamp), nullptr);
    fleet.put(ProductDevice{.product = ProductId{2'000}, .device = kLamp});
    EXPECT_EQ(fleet.product_of(kBob, kLamp)->record.id, ProductId{2'000});
    EXPECT_EQ(fleet.product_of(kAnn, kLamp)->record.id, kLamps);
    fleet.erase_device(kLamps, kLamp);
    EXPECT_EQ(fleet.product_of(kAnn, kLamp), nullptr);
    fleet.erase(ProductId{2'000});
    EXPECT_EQ(fleet.product_of(kBob, kLamp), nullptr);
}

TEST_F(FleetTest, ADesiredVersionCountsMoreThanAGroupsAndThatMoreThanTheDefault) {
    ProductDevice device{.product = kLamps, .device = kLamp};
    EXPECT_EQ(target(device), std::nullopt);
    release(2, false, {"early"});
    EXPECT_EQ(target(device), std::nullopt);
    release(1, true, {});
    EXPECT_EQ(target(device), 1);
    device.groups = {"late", "early"};
    EXPECT_EQ(target(device), 2);
    release(3, false, {"late", "others"});
    EXPECT_EQ(target(device), 3) << "the last one for any of its groups";
    release(4, true, {});
    EXPECT_EQ(target(device), 3);
    device.is_development = true;
    EXPECT_EQ(target(device), std::nullopt);
    device.desired_version = 1;
    EXPECT_EQ(target(device), 1);
    device.membership = Membership::Quarantined;
    EXPECT_EQ(target(device), std::nullopt);
}

TEST_F(FleetTest, AGroupThatIsNoMoreHasNoReleases) {
    ProductDevice device{.product = kLamps, .device = kLamp, .groups = {"early"}};
    fleet.put(GroupRecord{.product = kLamps, .name = "early"});
    release(1, true, {});
    release(2, false, {"early"});
    EXPECT_EQ(target(device), 2);
    fleet.rename_group(kLamps, "early", "first");
    fleet.put(GroupRecord{.product = kLamps, .name = "first"});
    EXPECT_EQ(fleet.find(kLamps)->devices.at(kLamp).groups, std::vector<std::string>{"first"});
    EXPECT_EQ(target_of(*fleet.find(kLamps), fleet.find(kLamps)->devices.at(kLamp))->version, 2);
    fleet.rename_group(kLamps, "first", "");
    EXPECT_TRUE(fleet.find(kLamps)->groups.empty());
    EXPECT_EQ(target_of(*fleet.find(kLamps), fleet.find(kLamps)->devices.at(kLamp))->version, 1);
}

}  // namespace
}  // namespace sotto::cloud::services
