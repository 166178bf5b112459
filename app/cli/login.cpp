// SPDX-License-Identifier: Apache-2.0
#include "app/cli/login.hpp"

#include <cstdlib>
#include <iostream>
#include <optional>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "app/cli/hidden_typing.hpp"
#include "app/cli/home.hpp"
#include "app/cli/job.hpp"
#include "app/transport/cloud_transport.hpp"
#include "core/base/hex.hpp"
#include "core/cose/credential.hpp"
#include "ports/linux/file.hpp"

namespace sotto::app {
namespace {

constexpr std::size_t kTokenSizeMax = 256;
constexpr std::size_t kTokenFileSizeMax = 4'096;
constexpr const char* kCloudTarget = "/sotto/v1/cloud";

Failure strange_cloud() {
    return {Trouble::Unreachable,
            "what answers there is no Sotto cloud that this program understands",
            "Check the address, and that program and cloud are of the same version"};
}

std::string ask_for_token() {
    std::string line;
    if (::isatty(STDIN_FILENO) == 0) {
        std::getline(std::cin, line);
        return line;
    }
    std::cerr << "Token: " << std::flush;
    const HiddenTyping hidden;
    std::getline(std::cin, line);
    std::cerr << std::endl;
    return line;
}

// Never from the command line, which other users of the machine can read.
Outcome<std::string> read_token(const LoginCommand& command) {
    if (!command.token_file.empty()) {
        const auto content = ports::read_file(command.token_file, kTokenFileSizeMax);
        if (!content)
            return Failure{
                Trouble::Usage, content.error().detail, "Check the path of --token-file"};
        return parse_token(as_text(*content));
    }
    const char* variable = std::getenv("SOTTO_TOKEN");  // NOLINT(concurrency-mt-unsafe)
    if (variable != nullptr) return parse_token(variable);
    return parse_token(ask_for_token());
}

Outcome<std::optional<ports::Fingerprint>> parse_pin(const LoginCommand& command,
                                                     const CloudUrl& url) {
    if (command.pin.empty()) return std::optional<ports::Fingerprint>{};
    const auto pin = ports::parse_fingerprint(command.pin);
    if (!pin)
        return Failure{Trouble::Usage,
                       "what was given with --pin is no fingerprint",
                       "Give the 64 hex digits that sotto-cloud certificate prints"};
    if (!url.is_tls)
        return Failure{
            Trouble::Usage,
            "a pin says who is at the other end of TLS, and " + url.to_string() + " has none",
            "Use its https:// address"};
    return std::optional<ports::Fingerprint>{*pin};
}

}  // namespace

Outcome<std::string> parse_token(std::string_view text) {
    std::string_view line = text.substr(0, text.find('\n'));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    bool is_good = !line.empty() && line.size() <= kTokenSizeMax;
    for (const char c : line) is_good &= c > ' ' && c <= '~';
    if (is_good) return std::string{line};
    return Failure{Trouble::Usage,
                   line.empty() ? "no token was given" : "this cannot be a token",
                   "Give the token that sotto-cloud printed or wrote to a file, through "
                   "--token-file, SOTTO_TOKEN or standard input"};
}

Outcome<> parse_cloud(std::string_view body, Account& account) {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    if (!json.is_object()) return strange_cloud();
    const auto version = json.find("version");
    const auto credential = json.find("credential");
    const auto address = json.find("address");
    if (version == json.end() || *version != 1) return strange_cloud();
    if (credential == json.end() || !credential->is_string()) return strange_cloud();
    if (address == json.end() || !address->is_string()) return strange_cloud();
    const auto bytes = from_hex<std::vector<std::uint8_t>>(credential->get<std::string>());
    if (!bytes || !cose::Credential::parse(*bytes)) return strange_cloud();
    const auto text = address->get<std::string>();
    if (text.size() > keystore::kAddressSizeMax) return strange_cloud();
    account.credential = *bytes;
    account.address = text;
    return {};
}

Outcome<Account> sign_in(const LoginCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const CloudUrl url, parse_cloud_url(command.url));
    SOTTO_TRY_ASSIGN(const auto pin, parse_pin(command, url));
    SOTTO_TRY_ASSIGN(const std::string token, read_token(command));
    const CloudLogin login{url, token, job.settings.allow_clear, pin};
    SOTTO_TRY_ASSIGN(const HttpReply reply,
                     http_request(login, HttpMethod::Get, kCloudTarget, job.settings.patience));
    if (reply.status != 200) return strange_cloud();
    Account account{url.to_string(), token, job.settings.allow_clear, {}, {}};
    if (pin) account.pin = pin->bytes;
    SOTTO_TRY(parse_cloud(reply.body, account));
    return account;
}

Outcome<> run(const LoginCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const Account account, sign_in(command, job));
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY(home.store_account(account));
    job.printer.result("signed in at " + account.url, {{"cloud", account.url}});
    return {};
}

}  // namespace sotto::app
