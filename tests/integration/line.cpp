// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/line.hpp"

#include <filesystem>
#include <sstream>

namespace sotto::integration {
namespace {

namespace fs = std::filesystem;
using testing::Program;
using testing::read_text;

const std::string kPrograms = SOTTO_BINARY_DIR "/bin/";

}  // namespace

std::string value_of(const std::string& file, const std::string& name) {
    std::istringstream lines{read_text(file)};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(name + "=")) return line.substr(name.size() + 1);
    }
    return {};
}

std::string fingerprint_of_cloud(const std::string& state) {
    const testing::Run run =
        testing::run(kPrograms + "sotto-cloud", {"certificate", "--state", state});
    const std::size_t begin = run.output.find(":\n  ");
    if (run.code != 0 || begin == std::string::npos)
        throw std::runtime_error("no fingerprint: " + run.output);
    return run.output.substr(begin + 4, run.output.find('\n', begin + 4) - begin - 4);
}

Line::Line(Arguments device_options, Hops hops)
    : device_options_(std::move(device_options)), hops_(hops) {
    fs::create_directory(folder_ / "air");  // where the device is
    fs::create_directory(folder_ / "far");  // where the gateway looks: behind the tap
    uplink_tap_ = Tap::on_tcp();
    http_tap_ = Tap::on_tcp();
    start_device();
    const testing::Run made =
        testing::run(kPrograms + "sotto-cloud",
                     {"init", "--state", folder_ / "cloud", "--address", uplink_tap_->address()});
    if (made.code != 0) throw std::runtime_error("sotto-cloud init: " + made.output);
    start_cloud();
    air_tap_ = Tap::on_unix(folder_ / "far/tap.sock");
    air_tap_->lead_to_unix(device_socket());
    start_gateway();
}

void Line::start_device() {
    fs::remove(folder_ / "code");
    Arguments arguments{
        "--state", folder_ / "device", "--air", folder_ / "air", "--code-file", folder_ / "code"};
    arguments.insert(arguments.end(), device_options_.begin(), device_options_.end());
    device_ =
        std::make_unique<Program>(kPrograms + "sotto-device", arguments, folder_ / "device.log");
    if (!testing::eventually([this] { return !device_socket().empty(); }))
        throw std::runtime_error("no device: " + logs());
}

std::string Line::device_socket() const {
    for (const auto& entry : fs::directory_iterator(folder_ / "air")) {
        if (entry.path().extension() == ".sock") return entry.path();
    }
    return {};
}

void Line::start_cloud() {
    fs::remove(folder_ / "ports");
    const std::string place = hops_ == Hops::Tls ? "0.0.0.0:0" : "127.0.0.1:0";
    cloud_ = std::make_unique<Program>(kPrograms + "sotto-cloud",
                                       Arguments{"run",
                                                 "--state",
                                                 folder_ / "cloud",
                                                 "--http",
                                                 place,
                                                 "--devices",
                                                 place,
                                                 "--ports-file",
                                                 folder_ / "ports"},
                                       folder_ / "cloud.log");
    if (!testing::eventually([this] { return fs::exists(folder_ / "ports"); }))
        throw std::runtime_error("no cloud: " + logs());
    uplink_tap_->lead_to_tcp(value_of(folder_ / "ports", "devices"));
    http_tap_->lead_to_tcp(value_of(folder_ / "ports", "http"));
}

void Line::start_gateway() {
    Arguments arguments{"--air",
                        folder_ / "far",
                        "--cloud",
                        uplink_tap_->address(),
                        "--token-file",
                        folder_ / "cloud/gateway.token"};
    if (hops_ == Hops::Tls)
        arguments.insert(
            arguments.end(),
            {"--pin", uplink_tap_->address() + "=" + fingerprint_of_cloud(folder_ / "cloud")});
    arguments.insert(arguments.end(), gateway_options_.begin(), gateway_options_.end());
    gateway_ =
        std::make_unique<Program>(kPrograms + "sotto-gateway", arguments, folder_ / "gateway.log");
}

void Line::serve_too(const std::string& cloud,
                     const std::string& token_file,
                     const Arguments& more) {
    Arguments options{"--cloud", cloud, "--token", cloud + "=" + token_file};
    options.insert(options.end(), more.begin(), more.end());
    restart_gateway(options);
}

void Line::restart_gateway(const Arguments& options) {
    gateway_options_ = options;
    kill_gateway();
    start_gateway();
}

testing::Run Line::app(const Arguments& arguments) const {
    Arguments all{"--state", folder_ / "app", "--air", folder_ / "air"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return testing::run(kPrograms + "sotto", all);
}

std::unique_ptr<Program> Line::start_app(const Arguments& arguments, const std::string& log) const {
    Arguments all{"--state", folder_ / "app", "--air", folder_ / "air"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return std::make_unique<Program>(kPrograms + "sotto", all, log);
}

Arguments Line::login() const {
    const bool is_tls = hops_ == Hops::Tls;
    Arguments arguments{"login",
                        (is_tls ? "https://" : "http://") + http_tap_->address(),
                        "--token-file",
                        folder_ / "cloud/owner.token"};
    if (is_tls)
        arguments.insert(arguments.end(), {"--pin", fingerprint_of_cloud(folder_ / "cloud")});
    return arguments;
}

bool Line::pair() {
    const std::string code = read_text(folder_ / "code");
    const bool is_paired =
        app(login()).code == 0 && app({"pair", code, "--name", "lamp"}).code == 0;
    return is_paired && testing::eventually([this] { return app({"get", "lamp"}).code == 0; });
}

std::size_t Line::call_count(const std::string& argument) const {
    std::istringstream lines{read_text(folder_ / "device.log")};
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.find("call ") == std::string::npos) continue;
        if (line.find(argument) != std::string::npos) ++count;
    }
    return count;
}

std::string Line::logs() const {
    return read_text(folder_ / "device.log") + read_text(folder_ / "cloud.log") +
           read_text(folder_ / "gateway.log");
}

}  // namespace sotto::integration
