// SPDX-License-Identifier: Apache-2.0
// sotto-cloud: what was asked for, and the words for its user.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <sys/stat.h>

#include "cloud/server/accounts.hpp"
#include "cloud/server/backup.hpp"
#include "cloud/server/doctor.hpp"
#include "cloud/server/import_command.hpp"
#include "cloud/server/key_commands.hpp"
#include "cloud/server/own_authority.hpp"
#include "cloud/server/run.hpp"
#include "cloud/server/status.hpp"
#include "ports/linux/system_clock.hpp"
#include "ports/linux/system_entropy.hpp"

namespace sotto::cloud::server {
namespace {

int fail(const Failure& failure) {
    std::cerr << "sotto-cloud: " << failure.detail << std::endl;
    return EXIT_FAILURE;
}

std::string fingerprint_of(const std::string& state) {
    const auto certificate = read_own_certificate(state);
    return certificate ? to_string(certificate->authority) : certificate.error().detail;
}

int perform(const InitCommand& command) {
    ports::SystemEntropy entropy;
    const auto made = init(command, entropy);
    if (!made) return fail(made.error());
    std::cout
        << "A cloud is made in " << command.state
        << ". It has one account, \"owner\", and one gateway.\n"
        << "  token for apps:        " << command.state << "/owner.token\n"
        << "  token for the gateway: " << command.state << "/gateway.token\n"
        << "Move these two files to whom they belong; the cloud does not need them, and cannot "
           "show them again.\n"
        << "The fingerprint by which apps and gateways know this cloud (--pin) when it speaks "
           "TLS:\n  "
        << fingerprint_of(command.state) << "\n"
        << "Start it: sotto-cloud run --state " << command.state << std::endl;
    return EXIT_SUCCESS;
}

int perform(const CertificateCommand& command) {
    const auto shown = show_certificate(command, ports::SystemClock::unix_seconds());
    if (!shown) return fail(shown.error());
    std::cout << *shown << std::flush;
    return EXIT_SUCCESS;
}

int perform(const RunCommand& command) {
    ports::SystemEntropy entropy;
    Log log{ports::parse_log_level(command.settings.log_level),
            ports::parse_log_format(command.settings.log_format)};
    const auto ran = run(command, entropy, log);
    return ran ? EXIT_SUCCESS : fail(ran.error());
}

int perform(const AddCommand& command) {
    ports::SystemEntropy entropy;
    const auto token = add(command, entropy);
    if (!token) return fail(token.error());
    std::cerr << "The token of " << command.name << ", which cannot be shown again:" << std::endl;
    std::cout << *token << std::endl;
    return EXIT_SUCCESS;
}

int perform(const KeysCommand& command) {
    const auto text = perform_keys(command);
    if (!text) return fail(text.error());
    std::cout << *text << std::flush;
    return EXIT_SUCCESS;
}

int perform(const PasswordCommand& command) {
    ports::SystemEntropy entropy;
    const auto set = set_password(command, entropy);
    if (!set) return fail(set.error());
    std::cout << command.name << " can log in now." << std::endl;
    return EXIT_SUCCESS;
}

int perform(const AccountCommand& command) {
    const auto text = manage_account(command);
    if (!text) return fail(text.error());
    std::cout << *text << std::flush;
    return EXIT_SUCCESS;
}

int perform(const AuditCommand& command) {
    const auto text = read_audit(command);
    if (!text) return fail(text.error());
    std::cout << *text << std::flush;
    return EXIT_SUCCESS;
}

int perform(const ImportCommand& command) {
    ports::SystemEntropy entropy;
    const auto text = import_server(command, entropy);
    if (!text) return fail(text.error());
    std::cout << *text << std::flush;
    return EXIT_SUCCESS;
}

int perform(const StatusCommand& command) {
    const auto text = status(command);
    if (!text) return fail(text.error());
    std::cout << *text << std::flush;
    return EXIT_SUCCESS;
}

int perform(const BackupCommand& command) {
    ports::SystemEntropy entropy;
    const auto done = backup(command, entropy);
    if (!done) return fail(done.error());
    std::cout << "The cloud of " << command.state << " is backed up in " << command.file << ".\n"
              << (command.passphrase_file.empty()
                      ? "It holds the cloud's key, readable: keep it as you keep the folder."
                      : "It is sealed: without the passphrase nobody can open it.")
              << std::endl;
    return EXIT_SUCCESS;
}

int perform(const RestoreCommand& command) {
    const auto done = restore(command);
    if (!done) return fail(done.error());
    std::cout << "The cloud is restored in " << command.state
              << ". Its devices make new sessions by themselves.\n"
              << "Do not run the old one again beside it. Start it: sotto-cloud run --state "
              << command.state << std::endl;
    return EXIT_SUCCESS;
}

int perform(const DoctorCommand& command) {
    const Diagnosis diagnosis = diagnose(command);
    std::cout << diagnosis.text << std::flush;
    return diagnosis.is_healthy ? EXIT_SUCCESS : EXIT_FAILURE;
}

int perform(const PrintSettingsCommand& command) {
    std::cout << print(command.settings) << std::flush;
    return EXIT_SUCCESS;
}

int perform(int code) { return code; }

}  // namespace
}  // namespace sotto::cloud::server

int main(int argc, char** argv) {
    try {
        ::umask(077);
        std::signal(SIGPIPE, SIG_IGN);
        const auto command = sotto::cloud::server::read_command_line(argc, argv);
        return std::visit([](const auto& what) { return sotto::cloud::server::perform(what); },
                          command);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sotto-cloud: %s\n", error.what());
        return EXIT_FAILURE;
    }
}
