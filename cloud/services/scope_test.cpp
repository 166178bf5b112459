// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/scope.hpp"

#include <gtest/gtest.h>

namespace sotto::cloud::services {
namespace {

TEST(Scope, NamesFunctionsVariablesAndEvents) {
    const auto scope = parse_scope("f/lamp,v/lamp,e/door.open,f/a-b_c");
    ASSERT_TRUE(scope);
    EXPECT_EQ(scope->functions, (std::vector<std::string>{"lamp", "a-b_c"}));
    EXPECT_EQ(scope->variables, std::vector<std::string>{"lamp"});
    EXPECT_EQ(scope->events, std::vector<std::string>{"door.open"});
}

TEST(Scope, IsNothingElse) {
    const std::string long_name(33, 'a');
    for (const std::string& text : {std::string{},
                                    std::string{","},
                                    std::string{"f/"},
                                    std::string{"f"},
                                    std::string{"lamp"},
                                    std::string{"/f/lamp"},
                                    std::string{"x/lamp"},
                                    std::string{"f/la mp"},
                                    std::string{"f/lamp,"},
                                    std::string{"f/lamp,f/lamp"},
                                    "f/" + long_name,
                                    std::string(600, 'f')})
        EXPECT_FALSE(parse_scope(text)) << text;
    EXPECT_TRUE(parse_scope("f/" + long_name.substr(1)));
}

}  // namespace
}  // namespace sotto::cloud::services
