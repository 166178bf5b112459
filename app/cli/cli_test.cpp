// SPDX-License-Identifier: Apache-2.0
// The command line without its network: parsing, printing, exit codes and their document.
#include <fstream>
#include <iterator>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "app/cli/link_format.hpp"
#include "app/cli/login.hpp"
#include "app/cli/oscore_file.hpp"
#include "app/cli/printer.hpp"
#include "app/cli/settings.hpp"
#include "core/base/hex.hpp"
#include "testing/seeded_entropy.hpp"
#include "testing/vectors.hpp"

namespace sotto::app {
namespace {

CommandLine parse(const std::vector<std::string>& arguments) {
    auto parsed = parse_command_line(arguments);
    if (const auto* leave = std::get_if<Leave>(&parsed)) throw std::runtime_error{leave->error};
    return std::get<CommandLine>(parsed);
}

TEST(CommandLine, EachCommandTakesItsArguments) {
    const auto pair = std::get<PairCommand>(parse({"pair", "SOTTO:1A", "--name", "lamp"}).command);
    EXPECT_EQ(pair.code, "SOTTO:1A");
    EXPECT_EQ(pair.name, "lamp");
    EXPECT_TRUE(std::holds_alternative<DevicesCommand>(parse({"devices"}).command));
    const auto call = std::get<CallCommand>(parse({"call", "lamp", "set", "--", "-5"}).command);
    EXPECT_EQ(call.device, "lamp");
    EXPECT_EQ(call.function, "set");
    EXPECT_EQ(call.argument, "-5");
    EXPECT_EQ(std::get<CallCommand>(parse({"call", "lamp", "set"}).command).argument, "");
    const auto get = std::get<GetCommand>(parse({"get", "lamp", "level"}).command);
    EXPECT_EQ(get.variable, "level");
    const auto watch = std::get<WatchCommand>(parse({"watch", "lamp", "--count", "3"}).command);
    EXPECT_EQ(watch.event, "");
    EXPECT_EQ(watch.count, 3U);
    EXPECT_FALSE(std::get<WatchCommand>(parse({"watch", "lamp", "on"}).command).count);
    const auto login =
        std::get<LoginCommand>(parse({"login", "http://localhost", "--token-file", "t"}).command);
    EXPECT_EQ(login.token_file, "t");
    EXPECT_EQ(login.pin, "");
    const auto move = std::get<MoveCommand>(
        parse({"move", "lamp", "--to", "https://cloud", "--pin", "AA:BB"}).command);
    EXPECT_EQ(move.login.pin, "AA:BB");
    const auto coap = std::get<CoapCommand>(
        parse({"coap", "observe", "coap://h/v", "--oscore", "c.toml", "--count", "2"}).command);
    EXPECT_EQ(coap.method, CoapMethod::Observe);
    EXPECT_EQ(coap.oscore_file, "c.toml");
    EXPECT_EQ(coap.count, 2U);
}

TEST(CommandLine, SettingsGoBeforeAndBehindTheCommand) {
    const auto behind =
        parse({"get", "lamp", "on", "--local", "--json", "--state", "s", "--timeout", "3"});
    EXPECT_TRUE(behind.settings.is_local);
    EXPECT_TRUE(behind.settings.is_json);
    EXPECT_EQ(behind.settings.state, "s");
    EXPECT_EQ(behind.settings.patience, seconds(3));
    const auto before = parse({"--air", "a", "coap", "get", "coap://h/v", "--insecure"});
    EXPECT_EQ(before.settings.air, "a");
    EXPECT_TRUE(before.settings.allow_clear);
    EXPECT_EQ(before.settings.patience, seconds(20));
}

TEST(CommandLine, WhatMakesNoSenseLeavesWithUsage) {
    const std::vector<std::vector<std::string>> cases = {
        {},
        {"frobnicate"},
        {"pair"},
        {"call", "lamp"},
        {"get", "lamp", "a", "b"},
        {"watch", "lamp", "--count", "0"},
        {"watch", "lamp", "--count", "x"},
        {"get", "lamp", "on", "--timeout", "0"},
        {"coap"},
        {"coap", "put", "coap://h/v"},
        {"coap", "get", "coap://h/v", "--identity", "k.pem"},
        {"coap", "get", "coap://h/v", "--count", "1"},
        {"coap", "get", "coap://h/v", "--new-context"},
        {"export"},
        {"import", "a", "b"},
        {"export", "file", "--passphrase", "words"},
        {"login", "http://localhost", "--token", "t"}};
    for (const auto& arguments : cases) {
        const auto parsed = parse_command_line(arguments);
        const auto* leave = std::get_if<Leave>(&parsed);
        ASSERT_NE(leave, nullptr) << ::testing::PrintToString(arguments);
        EXPECT_EQ(leave->code, 1) << ::testing::PrintToString(arguments);
        EXPECT_FALSE(leave->error.empty());
        EXPECT_TRUE(leave->output.empty());
    }
}

TEST(CommandLine, HelpIsNoFailureAndHasTheExitCodes) {
    for (const auto& arguments :
         std::vector<std::vector<std::string>>{{"--help"}, {"call", "--help"}, {"--version"}}) {
        const auto parsed = parse_command_line(arguments);
        const auto* leave = std::get_if<Leave>(&parsed);
        ASSERT_NE(leave, nullptr);
        EXPECT_EQ(leave->code, 0);
        EXPECT_FALSE(leave->output.empty());
    }
    const auto help = std::get<Leave>(parse_command_line({"--help"})).output;
    for (const ExitRow& row : exit_table())
        EXPECT_NE(help.find(row.meaning), std::string::npos) << row.name;
}

TEST(ExitCodes, AreThoseOfTheDocument) {
    std::ifstream file{std::string{SOTTO_SOURCE_DIR} + "/docs/cli.md"};
    const std::string document{std::istreambuf_iterator<char>{file}, {}};
    std::string table = "| code | name | meaning |\n|---|---|---|\n";
    int code = 0;
    for (const ExitRow& row : exit_table()) {
        EXPECT_EQ(static_cast<int>(row.code), code++);
        table += "| " + std::to_string(static_cast<int>(row.code)) + " | " + std::string{row.name} +
                 " | " + std::string{row.meaning} + " |\n";
    }
    EXPECT_NE(document.find(table + "\n"), std::string::npos) << table;
}

TEST(ExitCodes, EveryTroubleHasOneOfItsOwn) {
    std::vector<ExitCode> seen{ExitCode::Done};
    for (int i = 0; i <= static_cast<int>(Trouble::OutcomeUnknown); ++i) {
        const ExitCode code = exit_code_of(static_cast<Trouble>(i));
        if (static_cast<Trouble>(i) == Trouble::Away) {  // for programs: nobody was reached
            EXPECT_EQ(code, ExitCode::Unreachable);
            continue;
        }
        EXPECT_EQ(std::count(seen.begin(), seen.end(), code), 0) << i;
        seen.push_back(code);
    }
    EXPECT_EQ(seen.size(), exit_table().size());
}

struct Printed {
    std::ostringstream out;
    std::ostringstream err;
};

TEST(Printer, TellsPeopleWhatFailedAndWhatToDo) {
    Printed printed;
    Printer printer{{printed.out, printed.err}, false, false};
    EXPECT_EQ(printer.failure({Trouble::Refused, "it did not", "Ask it nicely."}),
              ExitCode::Refused);
    EXPECT_EQ(printed.err.str(), "sotto: it did not.\n       Ask it nicely.\n");
    printer.result("on", {{"value", "on"}});
    EXPECT_EQ(printed.out.str(), "on\n");
}

TEST(Printer, TellsScriptsInJson) {
    Printed printed;
    Printer printer{{printed.out, printed.err}, true, false};
    printer.result("on", {{"value", "o\"\xff"}});
    printer.note("for people");
    printer.failure({Trouble::OutcomeUnknown, "what", "next"});
    EXPECT_EQ(nlohmann::json::parse(printed.out.str())["value"], "o\"\xef\xbf\xbd");
    const auto failure = nlohmann::json::parse(printed.err.str());
    EXPECT_EQ(failure["error"], "outcome-unknown");
    EXPECT_EQ(failure["code"], 4);
    EXPECT_EQ(failure["next"], "next");
}

TEST(Printer, NoDeviceSteersTheTerminal) {
    const std::string evil =
        "a\x1b[2J\x07\xc2\x9b"
        "b\x7f\r\tz\n\xc3\xa4";
    Printed terminal;
    Printer{{terminal.out, terminal.err}, false, true}.result(evil, {});
    EXPECT_EQ(terminal.out.str(),
              "a\\x1b[2J\\x07\\xc2\x9b"
              "b\\x7f\\x0d\tz\n\xc3\xa4\n");
    Printed file;
    Printer{{file.out, file.err}, false, false}.result(evil, {});
    EXPECT_EQ(file.out.str(), evil + "\n");
}

TEST(Token, IsTheFirstLineOfPrintableCharacters) {
    EXPECT_EQ(*parse_token("abc"), "abc");
    EXPECT_EQ(*parse_token("abc \r\nsecond"), "abc");
    for (const std::string& text : {std::string{},
                                    std::string{"\nabc"},
                                    std::string{"a b"},
                                    std::string{"a\tb"},
                                    std::string(257, 'a'),
                                    std::string{"a\xc3\xa4"}})
        EXPECT_EQ(parse_token(text).error().trouble, Trouble::Usage) << text;
}

TEST(Login, APinMustBeOneAndNeedsTls) {
    Settings settings;
    std::ostringstream out;
    Printer printer{{out, out}, false, false};
    testing::SeededEntropy entropy{1};
    const Job job{settings, printer, entropy};
    const auto wrong = sign_in({"https://127.0.0.1:1", "/dev/null", "AA:BB"}, job);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().trouble, Trouble::Usage);
    EXPECT_NE(wrong.error().next.find("64 hex digits"), std::string::npos);
    const auto clear = sign_in({"http://127.0.0.1:1", "/dev/null", std::string(64, 'a')}, job);
    ASSERT_FALSE(clear);
    EXPECT_NE(clear.error().next.find("https://"), std::string::npos);
}

TEST(Cloud, IsBelievedOnlyInItsForm) {
    const auto vector = testing::load_vectors("keys/p256.txt").front();
    const std::string ccs =
        "a2026163"
        "08a101a401022001215820" +
        vector.text("x") + "225820" + vector.text("y");
    Account account;
    ASSERT_TRUE(parse_cloud(
        R"({"version":1,"credential":")" + ccs + R"(","address":"h:1","more":2})", account));
    EXPECT_EQ(account.address, "h:1");
    EXPECT_EQ(to_hex<std::string>(account.credential), ccs);
    const std::vector<std::string> strange = {
        "",
        "[]",
        "{}",
        R"({"version":2,"credential":")" + ccs + R"(","address":"h:1"})",
        R"({"version":1,"credential":1,"address":"h:1"})",
        R"({"version":1,"credential":"00","address":"h:1"})",
        R"({"version":1,"credential":")" + ccs + R"("})",
        R"({"version":1,"credential":")" + ccs + R"(","address":")" + std::string(65, 'a') +
            R"("})"};
    for (const std::string& body : strange) {
        const auto parsed = parse_cloud(body, account);
        ASSERT_FALSE(parsed) << body;
        EXPECT_EQ(parsed.error().trouble, Trouble::Unreachable);
    }
}

TEST(Offers, AreTheFunctionsVariablesAndEventsAmongTheLinks) {
    const auto offers = parse_offers(
        "</f/lamp>;rt=\"sotto.f\",</v/lamp>;ct=\"0 60\",</n>,</e/>,</e/on>;obs,nonsense,</v/cut");
    ASSERT_EQ(offers.size(), 3U);
    EXPECT_EQ(offers[0].kind + offers[0].name, "functionlamp");
    EXPECT_EQ(offers[1].kind + offers[1].name, "variablelamp");
    EXPECT_EQ(offers[2].kind + offers[2].name, "eventon");
    EXPECT_TRUE(parse_offers("").empty());
    EXPECT_TRUE(parse_offers("<<<>>>").empty());
}

constexpr const char* kContext = R"(
# RFC 8613, C.1.1
master_secret = "0102030405060708090a0b0c0d0e0f10"
master_salt = "9e7ca92223786340"
sender_id = ""
recipient_id = "01"
)";

TEST(OscoreFile, GivesTheContextOfTheRfc) {
    const auto file = parse_oscore_file(kContext);
    ASSERT_TRUE(file) << file.error().what;
    // source: RFC 8613, C.1.1
    EXPECT_EQ(to_hex<std::string>(file->context.sender_key.expose()),
              "f0910ed7295e6ad4b54fc793154302ff");
    EXPECT_EQ(to_hex<std::string>(file->context.recipient_key.expose()),
              "ffb14e093c94c9cac9471648b4f98710");
    EXPECT_FALSE(file->id_context);
    const auto again = parse_oscore_file(std::string{"id_context = \"00\"\n"} + kContext);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->id_context, (std::vector<std::uint8_t>{0}));
    EXPECT_NE(again->name, file->name);
}

TEST(OscoreFile, SaysWhatIsWrong) {
    const std::pair<std::string, std::string> cases[] = {
        {"no toml", "TOML"},
        {"", "missing"},
        {"sender_id = \"01\"\nrecipient_id = \"02\"", "missing"},
        {"master_secret = \"01\"\nsender_id = \"01\"\nrecipient_id = \"01\"", "equal"},
        {"master_secret = \"01\"\nsender_id = \"01020304050607ff\"\nrecipient_id = \"01\"",
         "too long"},
        {"master_secret = 5", "master_secret"},
        {"master_secret = \"0\"", "master_secret"},
        {std::string{"hkdf = \"x\"\n"} + kContext, "hkdf"},
    };
    for (const auto& [text, word] : cases) {
        const auto file = parse_oscore_file(text);
        ASSERT_FALSE(file) << text;
        EXPECT_EQ(file.error().trouble, Trouble::Usage);
        EXPECT_NE(file.error().what.find(word), std::string::npos) << file.error().what;
    }
}

}  // namespace
}  // namespace sotto::app
