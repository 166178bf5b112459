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

constexpr std::string_view kSafeMode =
    R"({"f":[],"v":{},"p":6,"m":[)"
    R"({"s":16384,"l":"m","vc":30,"vv":30,"f":"b","n":"0","v":3,"d":[]},)"
    R"({"s":262144,"l":"m","f":"s","n":"1","v":11,"d":[{"f":"b","n":"0","v":3},{"f":"n","n":"0","v":0}]},)"
    R"({"s":262144,"l":"m","f":"s","n":"2","v":6,"d":[{"f":"s","n":"1","v":6}]},)"
    R"({"s":131072,"l":"f","f":"u","n":"9","v":1,"d":[{"f":"s","n":"7","v":1}]},)"
    R"({"s":131072,"l":"m","u":"00ff","f":"u","n":"1","v":4,"d":[{"f":"s","n":"2","v":12},{"f":"s","n":"2","v":12}]}]})";

TEST(Description, SaysWhatItsModulesLack) {
    const auto part = parse_description(as_bytes(kSafeMode));
    ASSERT_TRUE(part);
    const Description& description = part->description;
    EXPECT_EQ(description.modules.size(), 4U);
    const Module wanted{.function = ModuleFunction::System, .index = 2, .version = 12};
    EXPECT_EQ(description.missing(), std::vector<Module>{wanted});
    EXPECT_TRUE(description.has({.function = ModuleFunction::System, .index = 1, .version = 6}));
    EXPECT_FALSE(description.has(wanted));
}

TEST(Description, LeavesOutModulesThatAreNone) {
    std::string many =
        R"({"m":[1,"x",{},{"f":"s"},{"f":"q","n":"1","v":1},{"f":"s","n":"x","v":1},)"
        R"({"f":"s","n":"999","v":1},{"f":"s","n":"1","v":-1},{"f":"s","n":"1","v":70000})";
    EXPECT_TRUE(parse_description(as_bytes(many + "]}"))->description.modules.empty());
    std::string needs;
    for (std::size_t i = 0; i <= kModuleNeedsMax; ++i)
        needs +=
            (i == 0 ? "" : ",") + std::string{R"({"f":"s","n":"1","v":)"} + std::to_string(i) + "}";
    for (std::size_t i = 0; i <= kModuleCountMax; ++i)
        many += R"(,{"f":"u","n":"1","v":1,"d":[)" + needs + "]}";
    const auto part = parse_description(as_bytes(many + "]}"));
    ASSERT_TRUE(part);
    ASSERT_EQ(part->description.modules.size(), kModuleCountMax);
    EXPECT_EQ(part->description.modules[0].needs.size(), kModuleNeedsMax);
}

}  // namespace
}  // namespace sotto::cloud::particle
