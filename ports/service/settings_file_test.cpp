// SPDX-License-Identifier: Apache-2.0
#include "ports/service/settings_file.hpp"

#include <gtest/gtest.h>

#include "ports/service/options.hpp"

namespace sotto::ports {
namespace {

struct Values {
    std::string place = "here:1";
    std::string colour = "red";
    bool open = false;
    std::uint32_t size = 20;
    std::vector<std::string> friends{};
};

std::vector<Setting> table(Values& values) {
    return {{"place", "HOST:PORT", "where it is", &values.place},
            {.name = "colour",
             .type = "NAME",
             .help = "what it looks like",
             .place = &values.colour,
             .choices = {"red", "blue"}},
            {"open", "", "whether anybody may come", &values.open},
            {.name = "size",
             .type = "BYTES",
             .help = "how large",
             .place = &values.size,
             .least = 20,
             .most = 512},
            {"best-friends", "NAME", "who may come", &values.friends}};
}

std::string complaint(const std::string& toml) {
    Values values;
    const auto read = read_settings(toml, "f.toml", table(values));
    return read ? "" : read.error().text;
}

TEST(SettingsFile, EveryKeyIsOptional) {
    Values values;
    ASSERT_TRUE(read_settings("# nothing\n", "f.toml", table(values)));
    EXPECT_EQ(values.place, "here:1");
    ASSERT_TRUE(
        read_settings("place = 'there:2'\nopen = true\nsize = 512\nbest-friends = [\"a\", \"b\"]\n",
                      "f.toml",
                      table(values)));
    EXPECT_EQ(values.place, "there:2");
    EXPECT_EQ(values.colour, "red");
    EXPECT_TRUE(values.open);
    EXPECT_EQ(values.size, 512U);
    EXPECT_EQ(values.friends, (std::vector<std::string>{"a", "b"}));
}

TEST(SettingsFile, NamesKeyAndLineOfWhatIsWrong) {
    EXPECT_EQ(complaint("\n\nnonsense = 1\n"),
              "f.toml:3: there is no setting nonsense; docs/settings.md has all there are");
    EXPECT_EQ(complaint("best_friends = []"),
              "f.toml:1: there is no setting best_friends; do you mean best-friends?");
    EXPECT_EQ(complaint("open = true\nplace = 7"), "f.toml:2: place: it must be a text in quotes");
    EXPECT_EQ(complaint("colour = 'green'"), "f.toml:1: colour: it must be one of: red, blue");
    EXPECT_EQ(complaint("open = 'yes'"), "f.toml:1: open: it must be true or false");
    EXPECT_EQ(complaint("size = 19"), "f.toml:1: size: it must be a number from 20 to 512");
    EXPECT_EQ(complaint("size = 20.5"), "f.toml:1: size: it must be a number from 20 to 512");
    EXPECT_EQ(complaint("best-friends = 'a'"),
              "f.toml:1: best-friends: it must be a list, in brackets");
    EXPECT_EQ(complaint("best-friends = [1]"),
              "f.toml:1: best-friends: it must be a list of texts in quotes");
    EXPECT_NE(complaint("[place]\nx = 1").find("f.toml:1: place: "), std::string::npos);
    EXPECT_NE(complaint("open = true\nplace = ").find("f.toml:2: this is no TOML: "),
              std::string::npos);
    EXPECT_NE(complaint("open = true\nopen = true").find("f.toml:2: "), std::string::npos);
}

TEST(SettingsFile, AFileThatCannotBeReadIsNamed) {
    Values values;
    for (const char* path : {"/nowhere/f.toml", "/"}) {
        const auto read = read_settings_file(path, table(values));
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().text.find(path), 0U);
    }
}

TEST(SettingsFile, TheCommandLineBeatsTheFile) {
    Values values;
    std::vector<Setting> settings = table(values);
    CLI::App app;
    SettingOptions options{app, settings};
    app.parse("--place line:3 --open=false --best-friends x --best-friends y");
    options.mark_given();
    ASSERT_TRUE(read_settings(
        "place = 'file:1'\nopen = true\nsize = 100\nbest-friends = []\n", "f.toml", settings));
    EXPECT_EQ(values.place, "line:3");
    EXPECT_FALSE(values.open);
    EXPECT_EQ(values.size, 100U);
    EXPECT_EQ(values.friends, (std::vector<std::string>{"x", "y"}));
}

TEST(SettingsFile, WhatIsPrintedIsReadAgain) {
    Values values{.place = "\"a\\b\":\t1", .size = 77, .friends = {"x", "y'z"}};
    Values untouched;
    const std::string text = print_settings(table(values), table(untouched));
    EXPECT_NE(text.find("\n# BYTES: How large.\nsize = 77\n"), std::string::npos) << text;
    EXPECT_NE(text.find("\n# Whether anybody may come.\n#open = false\n"), std::string::npos);
    Values again;
    ASSERT_TRUE(read_settings(text, "f.toml", table(again))) << text;
    EXPECT_EQ(again.place, values.place);
    EXPECT_EQ(again.size, 77U);
    EXPECT_EQ(again.friends, values.friends);
}

}  // namespace
}  // namespace sotto::ports
