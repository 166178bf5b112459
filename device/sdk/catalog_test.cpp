// SPDX-License-Identifier: Apache-2.0
#include "device/sdk/catalog.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sotto::device {
namespace {

TEST(Catalog, TakesSoManyEntriesWithNamesOfSoManyLetters) {
    auto callable = [](std::string_view) { return 1; };
    const int number = 3;
    Catalog catalog;
    const std::string longest(kNameSizeMax, 'x');
    EXPECT_TRUE(catalog.function(longest, callable));
    EXPECT_EQ(catalog.function(longest, callable).error(), Error::AlreadyExists);
    EXPECT_EQ(catalog.function(longest + "x", callable).error(), Error::InvalidArgument);
    EXPECT_EQ(catalog.function("", callable).error(), Error::InvalidArgument);
    EXPECT_EQ(catalog.function("a/b", callable).error(), Error::InvalidArgument);

    std::vector<std::string> names;
    for (std::size_t i = 0; i < 20; ++i) names.push_back("n" + std::to_string(i));
    for (std::size_t i = 1; i < kFunctionCountMax; ++i)
        EXPECT_TRUE(catalog.function(names[i], callable));
    EXPECT_EQ(catalog.function("more", callable).error(), Error::NoSpace);
    for (std::size_t i = 0; i < kVariableCountMax; ++i)
        EXPECT_TRUE(catalog.variable(names[i], number));
    EXPECT_EQ(catalog.variable("more", number).error(), Error::NoSpace);
    for (std::size_t i = 0; i < kEventCountMax; ++i) EXPECT_TRUE(catalog.event(names[i]));
    EXPECT_EQ(catalog.event("more").error(), Error::NoSpace);
}

}  // namespace
}  // namespace sotto::device
