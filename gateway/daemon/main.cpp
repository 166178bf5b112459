// SPDX-License-Identifier: Apache-2.0
// sotto-gateway: the wiring.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <boost/asio/signal_set.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "air/virtual/virtual_central.hpp"
#include "core/base/assert.hpp"
#include "gateway/daemon/settings.hpp"

// This program has no port: nothing else of the core's needs reaches it.
void sotto::panic(const char* file, int line) {
    std::fprintf(stderr, "sotto-gateway: broken invariant at %s:%d\n", file, line);
    std::abort();
}

namespace sotto::gateway {
namespace {

class SpdLog final : public Log {
  public:
    SpdLog() : logger_(spdlog::stderr_logger_st("sotto-gateway")) {
        logger_->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    }
    void info(const std::string& line) override { logger_->info("{}", line); }
    void warn(const std::string& line) override { logger_->warn("{}", line); }
    void error(const std::string& line) { logger_->error("{}", line); }

  private:
    std::shared_ptr<spdlog::logger> logger_;
};

int run(const Settings& settings, SpdLog& log) {
    const auto fail = [&](const std::string& text) {
        log.error(text);
        return EXIT_FAILURE;
    };
    if (const std::string wrong = check_air_folder(settings.air_folder); !wrong.empty())
        return fail(wrong);
    auto uplinks = load_uplinks(settings);
    if (const auto* complaint = std::get_if<Complaint>(&uplinks)) return fail(complaint->text);
    Capture capture;
    if (!settings.capture_file.empty() && !capture.open(settings.capture_file))
        return fail("--capture " + settings.capture_file + ": it cannot be written");

    boost::asio::io_context loop{1};
    air::VirtualCentral central{loop, settings.air_folder, settings.value_size_max};
    Gateway gateway{loop, central, std::get<std::vector<Uplink>>(uplinks), capture, log};
    boost::asio::signal_set signals{loop, SIGTERM, SIGINT};
    signals.async_wait([&](boost::system::error_code, int) { loop.stop(); });
    gateway.start();
    log.info("ready on the air of " + settings.air_folder);
    loop.run();
    log.info("stopped");
    return EXIT_SUCCESS;
}

}  // namespace
}  // namespace sotto::gateway

int main(int argc, char** argv) {
    try {
        const auto read = sotto::gateway::read_command_line(argc, argv);
        if (const int* code = std::get_if<int>(&read)) return *code;
        sotto::gateway::SpdLog log;
        return sotto::gateway::run(std::get<sotto::gateway::Settings>(read), log);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sotto-gateway: %s\n", error.what());
        return EXIT_FAILURE;
    }
}
