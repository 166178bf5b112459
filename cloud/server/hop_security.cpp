// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/hop_security.hpp"

#include <csignal>

#include "cloud/server/limits.hpp"
#include "cloud/server/listen.hpp"
#include "cloud/server/own_authority.hpp"
#include "ports/linux/system_clock.hpp"

namespace sotto::cloud::server {

using boost::system::error_code;
using ports::Failure;
using ports::Outcome;

// [TLS-1]
bool speaks_tls(const Settings& settings, const std::string& place) {
    if (settings.tls || !settings.certificate_file.empty()) return true;
    return !settings.insecure && is_beyond_loopback(place);
}

Outcome<std::optional<Certificates>> open_certificates(const std::string& state,
                                                       const Settings& settings,
                                                       std::int64_t now) {
    if (settings.certificate_file.empty() != settings.key_file.empty())
        return Failure{Error::InvalidArgument,
                       "--certificate and --key go together: name the certificate's file and the "
                       "file of its private key"};
    if (!speaks_tls(settings, settings.http) && !speaks_tls(settings, settings.devices))
        return std::optional<Certificates>{};
    if (settings.certificate_file.empty() && !has_own_authority(state))
        return Failure{
            Error::NotFound,
            "beyond this machine tokens must be encrypted, and this cloud has no "
            "certificate yet. Make one: sotto-cloud certificate --state " +
                state +
                ". Or name files with --certificate and --key, or use --insecure if that "
                "network is yours alone"};
    SOTTO_TRY_ASSIGN(Certificates opened,
                     Certificates::open({.state = state,
                                         .certificate_file = settings.certificate_file,
                                         .key_file = settings.key_file},
                                        now));
    return std::optional<Certificates>{std::move(opened)};
}

CertificateWatch::CertificateWatch(boost::asio::io_context& loop,
                                   Certificates& certificates,
                                   Tell tell)
    : certificates_(certificates), tell_(std::move(tell)), timer_(loop), hangups_(loop, SIGHUP) {}

void CertificateWatch::start() {
    wait_for_signal();
    wait();
}

void CertificateWatch::wait_for_signal() {
    hangups_.async_wait([this](error_code error, int /*signal*/) {
        if (error) return;
        look(true);
        wait_for_signal();
    });
}

void CertificateWatch::wait() {
    timer_.expires_after(kCertificateLookPeriod);
    timer_.async_wait([this](error_code error) {
        if (error) return;
        look(false);
        wait();
    });
}

void CertificateWatch::look(bool is_asked_for) {
    const auto news = certificates_.look_again(ports::SystemClock::unix_seconds(), is_asked_for);
    if (news) tell_(*news);
}

}  // namespace sotto::cloud::server
