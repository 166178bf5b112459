// SPDX-License-Identifier: Apache-2.0
#include "app/client/outbox.hpp"

#include <gtest/gtest.h>

#include "testing/memory_storage.hpp"

namespace sotto::app {
namespace {

OutboxEntry entry_of(const std::string& argument) {
    return {.slot = 2,
            .deferred = {.piv = oscore::Piv{70}, .tag = {1, 2, 3, 4}, .token = {5, 6, 7}},
            .sealed_at = 1'800'000'000,
            .not_after = 1'800'000'600,
            .function = "lamp",
            .argument = argument,
            .result = {},
            .message = {9, 9, 9}};
}

TEST(Outbox, KeepsWhatItIsGiven) {
    testing::MemoryStorage storage;
    OutboxEntry entry = entry_of("on");
    ASSERT_TRUE(add_outbox_entry(storage, entry));
    EXPECT_EQ(entry.number, 1U);
    entry.stage = Stage::Done;
    entry.code = coap::Code::Changed;
    entry.result = "it is on";
    entry.message.clear();
    ASSERT_TRUE(store_outbox_entry(storage, entry));
    const auto loaded = load_outbox(storage);
    ASSERT_TRUE(loaded);
    ASSERT_EQ(loaded->size(), 1U);
    const OutboxEntry& first = loaded->front();
    EXPECT_EQ(first.stage, Stage::Done);
    EXPECT_EQ(first.slot, 2);
    EXPECT_EQ(first.deferred.piv, entry.deferred.piv);
    EXPECT_EQ(first.deferred.tag, entry.deferred.tag);
    EXPECT_EQ(first.deferred.token, entry.deferred.token);
    EXPECT_EQ(first.not_after, entry.not_after);
    EXPECT_EQ(first.code, coap::Code::Changed);
    EXPECT_EQ(first.result, "it is on");
    EXPECT_TRUE(first.message.empty());
}

TEST(Outbox, ForgetsTheOldestThatHasEndedAndNoneThatHasNot) {
    testing::MemoryStorage storage;
    for (std::size_t i = 0; i < kOutboxMax; ++i) {
        OutboxEntry entry = entry_of(std::to_string(i));
        ASSERT_TRUE(add_outbox_entry(storage, entry));
        EXPECT_EQ(entry.number, i + 1);
    }
    OutboxEntry further = entry_of("further");
    EXPECT_EQ(add_outbox_entry(storage, further).error(), Error::Busy);
    OutboxEntry oldest = load_outbox(storage)->front();
    oldest.stage = Stage::Expired;
    ASSERT_TRUE(store_outbox_entry(storage, oldest));
    ASSERT_TRUE(add_outbox_entry(storage, further));
    EXPECT_EQ(further.number, kOutboxMax + 1);
    EXPECT_EQ(load_outbox(storage)->front().number, 2U);
    EXPECT_EQ(load_outbox(storage)->back().argument, "further");
}

TEST(Outbox, ADamagedRecordIsNoEntry) {
    testing::MemoryStorage storage;
    OutboxEntry entry = entry_of("on");
    ASSERT_TRUE(add_outbox_entry(storage, entry));
    const auto [id, bytes] = *storage.records().begin();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        ASSERT_TRUE(storage.store(id, Bytes{bytes}.first(size)));
        EXPECT_EQ(load_outbox(storage).error(), Error::Malformed) << size;
    }
}

}  // namespace
}  // namespace sotto::app
