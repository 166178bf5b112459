// SPDX-License-Identifier: Apache-2.0
#include "cloud/migration/collection.hpp"

#include <gtest/gtest.h>

#include "cloud/migration/limits.hpp"

namespace sotto::cloud::migration {
namespace {

std::vector<std::string> ids_in(const Collection& collection) {
    std::vector<std::string> ids;
    for (const auto& document : collection.documents) ids.push_back(text_in(document, "_id"));
    return ids;
}

TEST(Collection, TheLastDocumentOfAnIdCountsAndWhatIsDeletedIsGone) {
    const Collection read = read_collection(R"({"_id":"a","n":1}
{"$$indexCreated":{"fieldName":"n"}}
{"_id":"b"}

{"_id":"a","n":2}
{"_id":"c"}
{"$$deleted":true,"_id":"b"}
{"$$deleted":true,"_id":"never"}
{"$$indexRemoved":"n"}
)")
                                .value();
    EXPECT_EQ(ids_in(read), (std::vector<std::string>{"a", "c"}));
    EXPECT_EQ(read.documents[0]["n"], 2);
    EXPECT_EQ(read.damaged_count, 0);
    EXPECT_FALSE(read.is_cut);
    EXPECT_TRUE(read_collection("")->documents.empty());
}

TEST(Collection, ALineThatWasCutOffIsLeftOut) {
    const std::string whole = "{\"_id\":\"a\"}\n{\"_id\":\"b\",\"name\":\"lamp\"}\n";
    const std::size_t second = whole.find('\n') + 1;
    for (std::size_t size = second + 1; size + 2 < whole.size(); ++size) {
        const Collection read = read_collection(whole.substr(0, size)).value();
        EXPECT_EQ(ids_in(read), std::vector<std::string>{"a"}) << size;
        EXPECT_TRUE(read.is_cut);
    }
    EXPECT_EQ(read_collection(whole.substr(0, whole.size() - 1))->documents.size(), 2U);
}

std::string lines(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "{\"_id\":\"" + std::to_string(i) + "\"}\n";
    return text;
}

TEST(Collection, AFewDamagedLinesAreLeftOutAndManyRefused) {
    const std::string good = lines(kLinesPerDamagedLine);
    for (const char* bad : {"nonsense", "[1]", "3", "{}", "{\"_id\":7}", "{\"_id\":\"\"}"}) {
        const Collection read = read_collection(std::string{bad} + "\n" + good).value();
        EXPECT_EQ(read.documents.size(), kLinesPerDamagedLine) << bad;
        EXPECT_EQ(read.damaged_count, 1U) << bad;
        EXPECT_FALSE(read.is_cut);
    }
    EXPECT_FALSE(read_collection("x\nx\n" + good));
}

TEST(Collection, WhatIsTooDeepOrTooLongIsDamaged) {
    const std::string good = lines(kLinesPerDamagedLine);
    const auto nested = [](std::size_t depth) {
        return "{\"_id\":\"x\",\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}\n";
    };
    EXPECT_EQ(read_collection(nested(kDocumentDepthMax - 1) + good)->damaged_count, 0U);
    EXPECT_EQ(read_collection(nested(kDocumentDepthMax + 1) + good)->damaged_count, 1U);
    EXPECT_EQ(read_collection(nested(200'000) + good)->damaged_count, 1U);
    const std::string head = "{\"_id\":\"x\",\"a\":\"";
    const std::string fitting(kDocumentSizeMax - head.size() - 2, 'a');
    EXPECT_EQ(read_collection(head + fitting + "\"}\n" + good)->damaged_count, 0U);
    EXPECT_EQ(read_collection(head + fitting + "a\"}\n" + good)->damaged_count, 1U);
}

TEST(Collection, ThereAreNotTooManyDocuments) {
    EXPECT_EQ(read_collection(lines(kDocumentsMax))->documents.size(), kDocumentsMax);
    EXPECT_FALSE(read_collection(lines(kDocumentsMax + 1)));
}

TEST(Collection, AFileThatIsTooLargeIsRefused) {
    EXPECT_FALSE(read_collection(std::string(kCollectionSizeMax + 1, '\n')));
    EXPECT_TRUE(read_collection(std::string(1'000'000, '\n')));
}

TEST(Collection, ReadsTextsAndDates) {
    const auto document = nlohmann::json::parse(
        R"({"t":"x","n":5,"d":{"$$date":7},"minus":{"$$date":-7},"big":18446744073709551615,
            "odd":{"$$date":"x"}})");
    EXPECT_EQ(text_in(document, "t"), "x");
    EXPECT_EQ(text_in(document, "n"), "");
    EXPECT_EQ(date_in(document, "n"), 5);
    EXPECT_EQ(date_in(document, "d"), 7);
    for (const char* none : {"minus", "big", "odd", "t", "absent"})
        EXPECT_EQ(date_in(document, none), 0) << none;
}

}  // namespace
}  // namespace sotto::cloud::migration
