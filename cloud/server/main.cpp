// SPDX-License-Identifier: Apache-2.0
// sotto-cloud: what was asked for, and the words for its user.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <sys/stat.h>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "cloud/server/own_authority.hpp"
#include "cloud/server/run.hpp"
#include "ports/linux/system_clock.hpp"
#include "ports/linux/system_entropy.hpp"

namespace sotto::cloud::server {
namespace {

class SpdLog final : public Log {
  public:
    SpdLog() : logger_(spdlog::stderr_logger_st("sotto-cloud")) {
        logger_->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    }
    void info(const std::string& line) override { logger_->info("{}", line); }
    void warn(const std::string& line) override { logger_->warn("{}", line); }

  private:
    std::shared_ptr<spdlog::logger> logger_;
};

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
        << "Its fingerprint, for sotto login --pin and sotto-gateway --pin once it speaks TLS:\n  "
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
    SpdLog log;
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
