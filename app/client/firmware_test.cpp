// SPDX-License-Identifier: Apache-2.0
#include "app/client/firmware.hpp"

#include <gtest/gtest.h>

#include "core/cbor/writer.hpp"

namespace sotto::app {
namespace {

using ByteVector = std::vector<std::uint8_t>;

ByteVector full_answer() {
    ByteVector buffer(128);
    cbor::Writer writer{buffer};
    writer.map(7).uint(1).text("board").uint(2).uint(3).uint(3).uint(1).uint(4).uint(2);
    writer.uint(5).uint(4).uint(6).uint(70'104).uint(7).uint(512);
    const Bytes written = *writer.finish();
    return {written.begin(), written.end()};
}

TEST(Firmware, IsReadFromWhatADeviceSays) {
    const auto firmware = parse_firmware(full_answer());
    ASSERT_TRUE(firmware.has_value());
    EXPECT_EQ(firmware->hardware, "board");
    EXPECT_EQ(firmware->version, 3U);
    EXPECT_EQ(firmware->slot, 1U);
    EXPECT_EQ(firmware->outcome, TrialOutcome::Boots);
    EXPECT_EQ(firmware->next_version, 4U);
    EXPECT_EQ(firmware->size, 70'104U);
    EXPECT_EQ(firmware->taken, 512U);
}

TEST(Firmware, IsNotReadFromLess) {
    const ByteVector answer = full_answer();
    for (std::size_t size = 0; size < answer.size(); ++size)
        EXPECT_FALSE(parse_firmware(Bytes{answer}.first(size)).has_value()) << size;
}

TEST(Firmware, FieldsOfALaterVersionAreSkipped) {
    ByteVector buffer(64);
    cbor::Writer writer{buffer};
    writer.map(3).uint(1).text("board").uint(2).uint(3).uint(8).array(1).uint(1);
    EXPECT_TRUE(parse_firmware(*writer.finish()).has_value());
}

TEST(Firmware, WhatCannotBeIsRefused) {
    ByteVector buffer(64);
    for (const auto& [size, taken] : {std::pair{4U, 8U}, std::pair{0U, 1U}}) {
        cbor::Writer writer{buffer};
        writer.map(4).uint(1).text("b").uint(2).uint(1).uint(6).uint(size).uint(7).uint(taken);
        EXPECT_FALSE(parse_firmware(*writer.finish()).has_value());
    }
    cbor::Writer writer{buffer};
    writer.map(1).uint(1).text("b");
    EXPECT_FALSE(parse_firmware(*writer.finish()).has_value()) << "no version";
}

}  // namespace
}  // namespace sotto::app
