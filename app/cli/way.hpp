// SPDX-License-Identifier: Apache-2.0
// The way to a device: over the air with --local, through the cloud without. Allocates; blocks
// until it stands.
#pragma once

#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "app/cli/home.hpp"
#include "app/cli/job.hpp"
#include "app/cli/nearby.hpp"
#include "app/client/transport.hpp"
#include "app/transport/cloud_transport.hpp"

namespace sotto::app {

// The login of `sotto login`. Trouble::SignIn if there is none.
Outcome<CloudLogin> login_of(const Account& account);

class Way {
  public:
    // Troubles as the transports'; Trouble::SignIn without --local and without a login.
    static Outcome<std::unique_ptr<Way>> open(const Job& job,
                                              const Home& home,
                                              DeviceStorage& storage,
                                              const framing::DeviceId& device_id);

    // Through the cloud of this account.
    static Outcome<std::unique_ptr<Way>> through_cloud(const Job& job,
                                                       const Account& account,
                                                       DeviceStorage& storage,
                                                       const framing::DeviceId& device_id);

    Transport& transport() { return *transport_; }

  private:
    Way() = default;

    boost::asio::io_context loop_{1};
    std::optional<Nearby> nearby_;
    std::unique_ptr<Transport> transport_;
};

}  // namespace sotto::app
