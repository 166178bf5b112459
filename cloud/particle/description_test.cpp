// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/description.hpp"

#include <gtest/gtest.h>

namespace sotto::cloud::particle {
namespace {

DescriptionPart parse(std::string_view json) {
    const auto part = parse_description(as_bytes(json));
    EXPECT_TRUE(part) << json;
    return part ? *part : DescriptionPart{};
}

TEST(ParticleDescription, ListsFunctionsAndVariablesWithTheirTypes) {
    const auto part =
        parse(R"({"f":["brew","led"],"v":{"temp":2,"name":4,"volt":9,"on":1,"nothing":5},"p":103,)"
              R"("m":[{"s":1,"l":"m","vc":30,"vv":30,"f":"s","n":"1","v":8,"d":[{"f":"b"}]}]})");
    EXPECT_TRUE(part.has_members);
    EXPECT_EQ(part.description.functions, (std::vector<std::string>{"brew", "led"}));
    ASSERT_EQ(part.description.variables.size(), 5U);
    EXPECT_EQ(part.description.find_variable("temp")->type, VariableType::Int);
    EXPECT_EQ(part.description.find_variable("name")->type, VariableType::String);
    EXPECT_EQ(part.description.find_variable("volt")->type, VariableType::Double);
    EXPECT_EQ(part.description.find_variable("on")->type, VariableType::Bool);
    EXPECT_EQ(part.description.find_variable("other"), nullptr);
    EXPECT_TRUE(part.description.has_function("led"));
    EXPECT_FALSE(part.description.has_function("le"));
}

TEST(ParticleDescription, OfTheSystemAloneHasNoMembers) {
    EXPECT_FALSE(parse(R"({"p":6,"m":[]})").has_members);
    EXPECT_FALSE(parse("{}").has_members);
    EXPECT_TRUE(parse(R"({"f":[]})").has_members);
}

TEST(ParticleDescription, MembersOfAnotherKindAreLeftOut) {
    const auto part =
        parse(R"({"f":["a",1,null,["b"],{},""],"v":{"x":"2","y":-1,"z":999,"":2,"t":2}})");
    EXPECT_EQ(part.description.functions, std::vector<std::string>{"a"});
    EXPECT_EQ(part.description.variables, (std::vector<Variable>{{"t", VariableType::Int}}));
    EXPECT_FALSE(parse(R"({"f":{"a":1},"v":["b"]})").has_members);
}

TEST(ParticleDescription, WhatIsNoObjectIsMalformed) {
    for (const std::string_view bad :
         {"", "[", "[]", "{", "12", "null", R"({"f":["a"})", "\xff\xfe"})
        EXPECT_EQ(parse_description(as_bytes(bad)).error(), Error::Malformed) << bad;
    EXPECT_EQ(parse_description(as_bytes(std::string(kDescriptionSizeMax, '['))).error(),
              Error::Malformed);
}

TEST(ParticleDescription, KeepsToItsLimits) {
    EXPECT_EQ(parse_description(as_bytes(std::string(kDescriptionSizeMax + 1, ' '))).error(),
              Error::TooLarge);
    std::string functions;
    std::string variables;
    for (std::size_t i = 0; i < 100; ++i) {
        functions += (i > 0 ? ",\"f" : "\"f") + std::to_string(i) + "\"";
        variables += (i > 0 ? ",\"v" : "\"v") + std::to_string(i) + "\":2";
    }
    const auto part = parse("{\"f\":[" + functions + "],\"v\":{" + variables + "}}");
    EXPECT_EQ(part.description.functions.size(), kFunctionCountMax);
    EXPECT_EQ(part.description.variables.size(), kVariableCountMax);
    const auto names = parse("{\"f\":[\"" + std::string(kMemberNameSizeMax, 'a') + "\",\"" +
                             std::string(kMemberNameSizeMax + 1, 'b') + "\"]}");
    EXPECT_EQ(names.description.functions.size(), 1U);
}

}  // namespace
}  // namespace sotto::cloud::particle
