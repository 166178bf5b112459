// SPDX-License-Identifier: Apache-2.0
// Device, gateway, cloud and app as real processes, with a tap on every wire between them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "testing/program.hpp"
#include "tests/integration/tap.hpp"

namespace sotto::integration {

using Arguments = std::vector<std::string>;

// The value of `name=value` in a file of such lines.
std::string value_of(const std::string& file, const std::string& name);

// How the hops to the cloud are protected.
enum class Hops {
    Clear,  // on loopback
    Tls,    // by the cloud's own authority, whose ports are not on loopback alone
};

// The SHA-256 of a cloud's authority, as sotto-cloud prints it.
std::string fingerprint_of_cloud(const std::string& state);

class Line {
  public:
    // `device_options` are added to the command line of sotto-device.
    explicit Line(Arguments device_options = {}, Hops hops = Hops::Clear);

    void start_device();
    void start_cloud();
    void start_gateway();
    // The gateway, started anew, serves another cloud beside.
    void serve_too(const std::string& cloud,
                   const std::string& token_file,
                   const Arguments& more = {});
    // The gateway, started anew, with these options beside.
    void restart_gateway(const Arguments& options);
    // Ends a process at once, as kill -9 does.
    void kill_device() { device_.reset(); }
    void kill_cloud() { cloud_.reset(); }
    void signal_cloud(int number) const { cloud_->signal(number); }
    void kill_gateway() { gateway_.reset(); }

    // Runs `sotto` with these arguments.
    testing::Run app(const Arguments& arguments) const;
    std::unique_ptr<testing::Program> start_app(const Arguments& arguments,
                                                const std::string& log) const;
    // Signs in, pairs as `lamp` through the cloud, and waits until the device is attached.
    bool pair();

    // The command of pair() that signs in, at the cloud through its tap.
    Arguments login() const;

    // How often the device has logged the call of a function with this argument, or any.
    std::size_t call_count(const std::string& argument = "") const;

    const testing::Folder& folder() const { return folder_; }
    std::string device_socket() const;
    Tap& air_tap() { return *air_tap_; }        // client: the gateway; server: the device
    Tap& uplink_tap() { return *uplink_tap_; }  // client: the gateway; server: the cloud
    Tap& http_tap() { return *http_tap_; }      // client: the app; server: the cloud
    std::string logs() const;

  private:
    Arguments device_options_;
    Hops hops_;
    Arguments gateway_options_;
    const testing::Folder folder_;
    std::unique_ptr<Tap> air_tap_;
    std::unique_ptr<Tap> uplink_tap_;
    std::unique_ptr<Tap> http_tap_;
    std::unique_ptr<testing::Program> device_;
    std::unique_ptr<testing::Program> cloud_;
    std::unique_ptr<testing::Program> gateway_;
};

}  // namespace sotto::integration
