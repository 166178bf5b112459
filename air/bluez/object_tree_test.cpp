// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/object_tree.hpp"

#include <gtest/gtest.h>

#include "air/bluez/limits.hpp"

namespace sotto::air::bluez {
namespace {

using Texts = std::vector<std::string>;

const Path kHci0 = "/org/bluez/hci0";
const Path kLamp = kHci0 + "/dev_00_AA_01_00_00_00";

Properties lamp() {
    return {{"Adapter", kHci0},
            {"Address", std::string{"00:AA:01:00:00:00"}},
            {"Name", std::string{"lamp"}},
            {"UUIDs", Texts{"00001800-0000-1000-8000-00805f9b34fb", kSottoUuids.service}},
            {"Connected", false}};
}

void add_characteristic(ObjectTree& tree, const Path& path, const char* uuid) {
    tree.on_added(path, {{kCharacteristic, {{"UUID", std::string{uuid}}}}});
}

TEST(ObjectTree, ShowsDevicesWithAServiceOfOurs) {
    ObjectTree tree;
    tree.on_added(kLamp, {{kDevice, lamp()}, {"org.freedesktop.DBus.Properties", {}}});
    tree.on_added(kHci0 + "/dev_1", {{kDevice, {{"UUIDs", Texts{"1234"}}}}});
    tree.on_added(kHci0 + "/dev_2", {{kDevice, {}}});
    tree.on_added(kHci0 + "/dev_3", {{kDevice, {{"UUIDs", Texts{kBluzUuids.service}}}}});
    ASSERT_EQ(tree.devices().size(), 2U);
    const DeviceView view = *tree.device(kLamp);
    EXPECT_EQ(view.adapter, kHci0);
    EXPECT_EQ(view.address, "00:AA:01:00:00:00");
    EXPECT_EQ(view.name, "lamp");
    EXPECT_EQ(view.service, framing::Service::Sotto);
    EXPECT_FALSE(view.is_connected || view.is_resolved || view.is_paired || view.rssi);
    EXPECT_EQ(tree.devices()[1].service, framing::Service::Bluz);
}

TEST(ObjectTree, FollowsWhatChanges) {
    ObjectTree tree;
    tree.on_added(kLamp, {{kDevice, lamp()}});
    tree.on_changed(kLamp, kDevice, {{"RSSI", std::int64_t{-60}}, {"Connected", true}}, {});
    EXPECT_EQ(tree.device(kLamp)->rssi, -60);
    EXPECT_TRUE(tree.device(kLamp)->is_connected);
    EXPECT_TRUE(tree.is_connected(kLamp));
    EXPECT_FALSE(tree.is_connected(kHci0));
    tree.on_changed(kLamp, kDevice, {}, {"RSSI"});
    EXPECT_FALSE(tree.device(kLamp)->rssi);
    tree.on_changed(kLamp, kDevice, {{"UUIDs", Texts{}}}, {});
    EXPECT_FALSE(tree.device(kLamp));
    tree.on_changed(kLamp, kDevice, {{"UUIDs", Texts{kSottoUuids.service}}}, {});
    tree.on_changed(kLamp, kDevice, {{"Connected", false}, {"ServicesResolved", true}}, {});
    EXPECT_TRUE(tree.device(kLamp)->is_connected) << "it could not be resolved else";
    // What is not there does not come so.
    tree.on_changed(kHci0, kAdapter, {{"Powered", true}}, {});
    tree.on_changed(kLamp, kAdapter, {{"Powered", true}}, {});
    EXPECT_TRUE(tree.adapters().empty());
}

TEST(ObjectTree, TellsAnotherObjectOfTheSamePath) {
    ObjectTree tree;
    tree.on_added(kHci0, {{kAdapter, {{"Powered", true}}}});
    const std::uint64_t before = tree.adapters().at(0).serial;
    EXPECT_TRUE(tree.adapters()[0].is_powered);
    tree.on_added(kHci0, {{kGattManager, {}}});
    EXPECT_EQ(tree.adapters()[0].serial, before) << "one more interface";
    tree.on_removed(kHci0, {kAdapter, kGattManager});
    EXPECT_FALSE(tree.contains(kHci0));
    tree.on_added(kHci0, {{kAdapter, {}}});
    EXPECT_NE(tree.adapters()[0].serial, before);
    EXPECT_FALSE(tree.adapters()[0].is_powered);
    tree.clear();
    EXPECT_TRUE(tree.adapters().empty());
}

TEST(ObjectTree, FindsCharacteristicsOfOneDevice) {
    ObjectTree tree;
    tree.on_added(kLamp, {{kDevice, lamp()}});
    add_characteristic(tree, kLamp + "/service0001/char0002", kSottoUuids.from_device);
    add_characteristic(tree, kLamp + "1/service0001/char0003", kSottoUuids.to_device);
    EXPECT_FALSE(tree.characteristics(kLamp, framing::Service::Sotto)) << "of another device";
    add_characteristic(tree, kLamp + "/service0001/char0003", kSottoUuids.to_device);
    const auto found = tree.characteristics(kLamp, framing::Service::Sotto);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->from_device, kLamp + "/service0001/char0002");
    EXPECT_EQ(found->to_device, kLamp + "/service0001/char0003");
    EXPECT_FALSE(tree.characteristics(kLamp, framing::Service::Bluz));
}

TEST(ObjectTree, ShowsNoNameThatCannotBeShown) {
    for (const std::string name :
         {"\x1b[31mred", "\xff", "a name that is longer than it may be!"}) {
        ObjectTree tree;
        Properties properties = lamp();
        properties["Name"] = name;
        tree.on_added(kLamp, {{kDevice, properties}});
        EXPECT_EQ(tree.device(kLamp)->name, "");
    }
}

TEST(ObjectTree, PrefersTheSottoServiceAndItsNameWhicheverAdvertisementWasHeardFirst) {
    ObjectTree tree;
    Properties properties = lamp();
    properties["Name"] = std::string{kBluzName};
    properties["UUIDs"] = Texts{kBluzUuids.service};
    tree.on_added(kLamp, {{kDevice, properties}});
    EXPECT_EQ(tree.device(kLamp)->service, framing::Service::Bluz);
    EXPECT_EQ(tree.device(kLamp)->name, kBluzName);
    tree.on_changed(
        kLamp, kDevice, {{"UUIDs", Texts{kBluzUuids.service, kSottoUuids.service}}}, {});
    EXPECT_EQ(tree.device(kLamp)->service, framing::Service::Sotto);
    EXPECT_EQ(tree.device(kLamp)->name, "") << "not said yet";
    tree.on_changed(kLamp, kDevice, {{"Name", std::string{"lamp"}}}, {});
    tree.on_changed(kLamp, kDevice, {{"Name", std::string{kBluzName}}}, {});
    EXPECT_EQ(tree.device(kLamp)->name, "lamp");
}

TEST(ObjectTree, TakesPropertiesOfOtherTypesForNone) {
    ObjectTree tree;
    Properties properties = lamp();
    properties["Connected"] = std::string{"yes"};
    properties["RSSI"] = true;
    properties["Name"] = std::int64_t{1};
    tree.on_added(kLamp, {{kDevice, properties}});
    const DeviceView view = *tree.device(kLamp);
    EXPECT_FALSE(view.is_connected || view.rssi);
    EXPECT_EQ(view.name, "");
}

TEST(ObjectTree, HoldsNoMoreThanItMay) {
    ObjectTree tree;
    for (std::size_t i = 0; i < kObjectsMax + 10; ++i)
        tree.on_added(kHci0 + "/dev_" + std::to_string(i), {{kDevice, lamp()}});
    EXPECT_EQ(tree.devices().size(), kObjectsMax);
    tree.on_removed(kHci0 + "/dev_0", {kDevice});
    tree.on_added(kLamp, {{kDevice, lamp()}});
    EXPECT_TRUE(tree.contains(kLamp));
}

}  // namespace
}  // namespace sotto::air::bluez
