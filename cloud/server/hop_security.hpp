// SPDX-License-Identifier: Apache-2.0
// Which ports of the cloud speak TLS, and with what (docs/protocol/tls.md). Allocates; blocks on
// the disk while certificates are read.
#pragma once

#include <functional>
#include <optional>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "cloud/server/certificates.hpp"
#include "cloud/server/settings.hpp"

namespace sotto::cloud::server {

// Whether the port at this place is in TLS: by --tls or --certificate always, else beyond loopback,
// unless --insecure lets it be in the clear there.
bool speaks_tls(const Settings& settings, const std::string& place);

// What the ports need, if any of them is in TLS. Error::InvalidArgument for settings that make no
// sense together, Error::NotFound without a certificate; others as Certificates::open().
ports::Outcome<std::optional<Certificates>> open_certificates(const std::string& state,
                                                              const Settings& settings,
                                                              std::int64_t now);

// Looks at the certificate from time to time, and on SIGHUP.
class CertificateWatch {
  public:
    using Tell = std::function<void(const Certificates::News&)>;

    // `certificates` must live as long as this.
    CertificateWatch(boost::asio::io_context& loop, Certificates& certificates, Tell tell);
    void start();

  private:
    void wait_for_signal();
    void wait();
    void look(bool is_asked_for);

    Certificates& certificates_;
    Tell tell_;
    boost::asio::steady_timer timer_;
    boost::asio::signal_set hangups_;
};

}  // namespace sotto::cloud::server
