// SPDX-License-Identifier: Apache-2.0
// The real sotto-cloud over a folder of its own, whose database is filled before it starts. Throws
// std::runtime_error.
#pragma once

#include <memory>

#include "cloud/store_sqlite/sqlite_store.hpp"
#include "testing/program.hpp"

namespace sotto::bench {

class CloudProcess {
  public:
    CloudProcess();

    // Calls `work` with the store, and returns once all that it asked for is done, and `is_done`
    // says so. Only while the cloud does not run.
    void fill(
        const std::function<void(cloud::store::Store&)>& work,
        const std::function<bool()>& is_done = [] { return true; });
    // With these options beside the usual ones.
    void start(const std::vector<std::string>& options = {});
    void stop();

    std::string http() const { return port("http"); }
    std::string devices() const { return port("devices"); }
    std::string particle() const { return port("particle"); }
    std::string gateway_token() const;
    // SHA-256 of the cloud's credential.
    cloud::model::CredentialHash credential() const;
    // Bytes that are the process's own: RssAnon.
    std::size_t user_bytes() const;
    double cpu_seconds() const;
    // Until what it was last told is done: what is measured next has the machine for itself.
    void wait_until_idle() const;
    // Legacy devices that it says are connected.
    std::size_t legacy_count() const;
    const testing::Folder& folder() const { return folder_; }

    static cloud::model::TokenHash hash(std::string_view token);

  private:
    std::string port(const std::string& name) const;

    const testing::Folder folder_;
    std::unique_ptr<testing::Program> process_;
};

double seconds_now();

}  // namespace sotto::bench
