// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/system_parts.hpp"

#include <deque>
#include <fstream>

#include <gtest/gtest.h>

#include "testing/particle/legacy_image.hpp"
#include "testing/program.hpp"

namespace sotto::cloud::server {
namespace {

using particle::Module;
using particle::ModuleFunction;
using testing::LegacyModule;

constexpr model::DeviceId kDevice{0xaa};
constexpr model::AccountId kAnn{1};
constexpr std::uint16_t kPhoton = 6;

Module system_part(std::uint8_t index, std::uint16_t version) {
    return {.function = ModuleFunction::System, .index = index, .version = version};
}

LegacyModule part_of(std::uint8_t index, std::uint16_t version, std::uint8_t needs = 0) {
    return {.platform = kPhoton,
            .function = 4,
            .index = index,
            .version = version,
            .needs_index = needs,
            .needs_version = version};
}

void write(const std::filesystem::path& path, const LegacyModule& module) {
    const auto image = testing::make_legacy_image(module, 500);
    std::ofstream{path, std::ios::binary} << as_text(image);
}

class Device final : public services::OpenDevice {
  public:
    const services::DeviceAttributes& attributes() const override { return attributes_; }
    void call(const std::string&,
              const std::string&,
              services::DeviceDone<services::Value>) override {}
    void read(const std::string&, services::DeviceDone<services::Value>) override {}
    void ping(services::DeviceDone<void>) override {}
    void signal(bool, services::DeviceDone<void>) override {}
    void update(services::FirmwarePtr firmware, services::UpdateSteps steps) override {
        names.push_back(firmware->name);
        steps.on_progress(0);
        steps.on_end({});
    }
    void on_event(const services::Event&) override {}
    void on_replaced() override {}

    std::vector<std::string> names;

  private:
    services::DeviceAttributes attributes_;
};

class SystemPartsTest : public ::testing::Test {
  protected:
    SystemPartsTest() {
        write(folder_ / "part1.bin", part_of(1, 12));
        write(folder_ / "part2.bin", part_of(2, 12, 1));
        write(folder_ / "part2-later.bin", part_of(2, 14, 1));
        write(folder_ / "application.bin", {.platform = kPhoton});
        std::ofstream{folder_ / "notes.txt"} << "no part";
        std::ofstream{folder_ / "broken.bin"} << "no part";
        parts_ = *SystemParts::load(folder_ / ".", log_);
        devices_.on_connected(kDevice, device_);
    }
    // That runs these versions of the system, and an application that needs part 2 of version 12.
    static particle::Description running(std::uint16_t part1, std::uint16_t part2) {
        particle::Description description;
        description.modules = {{.module = system_part(1, part1)},
                               {.module = system_part(2, part2)},
                               {.module = {.function = ModuleFunction::User, .index = 1},
                                .needs = {system_part(2, 12)}}};
        return description;
    }
    std::vector<std::string> told() {
        std::vector<std::string> texts;
        while (const auto event = ring_.next({.owner = kAnn}, read_until_)) {
            if (event->what.name.find("safe-mode") != std::string::npos)
                texts.push_back(event->what.name + ": " + *event->what.data);
        }
        return texts;
    }
    void look_after(const particle::Description& description) {
        healer_.on_safe_mode(kDevice, kPhoton, description);
        healer_.on_time();
    }

    testing::Folder folder_;
    ports::Log log_{ports::LogLevel::Error, ports::LogFormat::Text};
    SystemParts parts_;
    Instant now_{1};
    std::optional<model::AccountId> owner_ = kAnn;
    std::uint64_t read_until_ = 0;
    services::EventRing ring_{Instant{1}};
    services::OpenDevices devices_{
        ring_,
        {.load_owner = [this](const auto&,
                              const auto& done) { done(services::OpenDevices::Owner{owner_}); },
         .on_claim_code = {},
         .save_traces = [](const auto&, const auto&) {},
         .now = [this] { return now_; }}};
    services::Updates updates_{devices_,
                               {.now = [this] { return now_; }, .later = [](const auto&) {}}};
    Healer healer_{{.parts = parts_, .devices = devices_, .updates = updates_, .now = [this] {
                        return now_;
                    }}};
    Device device_;
};

TEST_F(SystemPartsTest, AreThoseOfTheFolder) {
    EXPECT_EQ(parts_.count(), 3U);
    EXPECT_EQ(SystemParts::load(folder_ / "nowhere", log_).error(), Error::NotFound);
    for (std::size_t i = 0; i <= kSystemPartsMax; ++i)
        write(folder_ / ("more" + std::to_string(i) + ".bin"), part_of(3, 1));
    EXPECT_EQ(SystemParts::load(folder_ / ".", log_)->count(), kSystemPartsMax);
}

TEST_F(SystemPartsTest, TheOldestThatDoesIsChosenAndWhatItNeedsComesFirst) {
    const auto chosen = [this](const auto& installed, const Module& wanted) {
        const auto part = parts_.choose(kPhoton, installed, wanted);
        const auto* found = std::get_if<const SystemParts::Part*>(&part);
        return found == nullptr ? std::string{} : (*found)->firmware->name;
    };
    EXPECT_EQ(chosen(running(6, 6), system_part(2, 12)), "part1.bin");
    EXPECT_EQ(chosen(running(12, 6), system_part(2, 12)), "part2.bin");
    EXPECT_EQ(chosen(running(14, 6), system_part(2, 13)), "part2-later.bin");
    EXPECT_EQ(chosen(running(6, 6), system_part(2, 15)), "");
    // Its own need is not here.
    EXPECT_EQ(std::get<Module>(parts_.choose(kPhoton, running(6, 6), system_part(2, 13))),
              system_part(1, 14));
    EXPECT_EQ(std::get<Module>(parts_.choose(8, running(6, 6), system_part(2, 12))),
              system_part(2, 12));
}

TEST_F(SystemPartsTest, ADeviceInSafeModeGetsWhatItLacksOneAfterTheOther) {
    look_after(running(6, 6));
    look_after(running(12, 6));
    EXPECT_EQ(device_.names, (std::vector<std::string>{"part1.bin", "part2.bin"}));
    EXPECT_EQ(told(),
              (std::vector<std::string>{
                  "spark/status/safe-mode: the device lacks system part 2, version 12",
                  "spark/safe-mode-updater/updating: system part 1, version 12",
                  "spark/status/safe-mode: the device lacks system part 2, version 12",
                  "spark/safe-mode-updater/updating: system part 2, version 12"}));
}

TEST_F(SystemPartsTest, WhatIsNotThereIsSaid) {
    auto description = running(6, 6);
    description.modules[2].needs = {system_part(2, 15)};
    look_after(description);
    look_after(running(12, 12));
    look_after({});
    EXPECT_TRUE(device_.names.empty());
    const auto texts = told();
    ASSERT_EQ(texts.size(), 3U);
    EXPECT_NE(texts[0].find("lacks system part 2, version 15, for platform 6, which is not in"),
              std::string::npos);
    EXPECT_NE(texts[1].find("lacks nothing"), std::string::npos);
    EXPECT_NE(texts[2].find("does not say"), std::string::npos);
}

TEST_F(SystemPartsTest, ADeviceThatComesBackWithoutItIsNotSentItForEver) {
    for (int i = 0; i < kHealTriesMax + 2; ++i) look_after(running(12, 6));
    EXPECT_EQ(device_.names.size(), static_cast<std::size_t>(kHealTriesMax));
    EXPECT_NE(told().back().find("was sent already"), std::string::npos);
}

TEST_F(SystemPartsTest, TheOwnerIsWaitedForAWhile) {
    devices_.set_owner(kDevice, std::nullopt);
    look_after(running(12, 6));
    EXPECT_TRUE(device_.names.empty());
    devices_.set_owner(kDevice, kAnn);
    healer_.on_time();
    EXPECT_EQ(device_.names.size(), 1U);
    devices_.set_owner(kDevice, std::nullopt);
    look_after(running(6, 6));
    now_ = now_ + kPatientTime;
    healer_.on_time();
    devices_.set_owner(kDevice, kAnn);
    healer_.on_time();
    EXPECT_EQ(device_.names.size(), 1U);
    for (std::uint32_t i = 0; i <= kPatientsMax; ++i)
        healer_.on_safe_mode(
            {0xbb, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)}, kPhoton, {});
    healer_.on_safe_mode(kDevice, kPhoton, running(6, 6));
    healer_.on_time();
    EXPECT_EQ(device_.names.size(), 1U) << "there was no room";
}

}  // namespace
}  // namespace sotto::cloud::server
