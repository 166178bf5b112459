// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/certificates.hpp"

#include <ctime>
#include <sys/stat.h>

#include "cloud/server/limits.hpp"
#include "cloud/server/own_authority.hpp"
#include "ports/linux/file.hpp"

namespace sotto::cloud::server {

using ports::Failure;
using ports::Outcome;

namespace {

// What changes when a file is written or another one takes its place, through links too.
std::string stamp_of(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return "-";
    return std::to_string(status.st_ino) + "." + std::to_string(status.st_size) + "." +
           std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
}

std::string date_of(std::int64_t time) {
    const std::time_t seconds = time;
    std::tm parts{};
    char text[sizeof("9999-12-31")] = "?";
    if (::gmtime_r(&seconds, &parts) != nullptr)
        std::strftime(text, sizeof(text), "%Y-%m-%d", &parts);
    return text;
}

Failure unfit(const std::string& path, const ports::Complaint& complaint) {
    return {Error::Malformed, path + ": " + complaint.text};
}

}  // namespace

std::string Certificates::certificate_path() const {
    return is_own() ? own_certificate_path(source_.state) : source_.certificate_file;
}

std::string Certificates::key_path() const {
    return is_own() ? own_certificate_path(source_.state) : source_.key_file;
}

Outcome<Certificates> Certificates::open(CertificateSource source, std::int64_t now) {
    Certificates certificates{std::move(source)};
    if (certificates.is_own()) {
        const auto renewed = renew_own_certificate(certificates.source_.state, {}, now);
        if (!renewed) return renewed.error();
    }
    SOTTO_TRY(certificates.load(now));
    return certificates;
}

Outcome<> Certificates::load(std::int64_t now) {
    stamp_ = stamp_of(certificate_path()) + stamp_of(key_path());
    SOTTO_TRY_ASSIGN(const auto certificate,
                     ports::read_file(certificate_path(), kCertificateFileMax));
    SOTTO_TRY_ASSIGN(const auto key_content, ports::read_file(key_path(), kCertificateFileMax));
    const auto facts = ports::read_certificate(as_text(certificate));
    if (!facts) return unfit(certificate_path(), facts.error());
    auto context = ports::make_server_context(as_text(certificate), as_text(key_content));
    if (!context) return unfit(certificate_path() + ", " + key_path(), context.error());
    const bool is_worse = context_ && facts_.is_valid_at(now) && !facts->is_valid_at(now);
    if (is_worse) return unfit(certificate_path(), {"it is not valid now"});
    context_ = *std::move(context);
    facts_ = *facts;
    return {};
}

std::string Certificates::describe() const {
    std::string names;
    for (const std::string& name : facts_.names) names += (names.empty() ? "" : ", ") + name;
    return "the certificate for " + (names.empty() ? "no name" : names) + " is valid until " +
           date_of(facts_.not_after);
}

std::optional<Certificates::News> Certificates::renew(std::int64_t now) {
    if (!is_own()) return std::nullopt;
    const auto renewed = renew_own_certificate(source_.state, facts_.names, now);
    if (renewed) return std::nullopt;
    if (std::exchange(has_told_, true)) return std::nullopt;
    return News{false, "the certificate cannot be renewed: " + renewed.error().detail};
}

std::optional<Certificates::News> Certificates::look_again(std::int64_t now, bool is_asked_for) {
    if (auto trouble = renew(now)) return trouble;
    const std::string stamp = stamp_of(certificate_path()) + stamp_of(key_path());
    if (stamp == stamp_ && !is_asked_for) return std::nullopt;
    const ports::CertificateFacts before = facts_;
    const auto loaded = load(now);
    if (!loaded)
        return News{
            false,
            "the new certificate cannot be used, the old one stays: " + loaded.error().detail};
    has_told_ = false;
    return News{
        facts_.is_valid_at(now),
        (before.fingerprint == facts_.fingerprint ? "read again: " : "replaced: ") + describe()};
}

Stream stream_of(Socket socket, const Certificates* certificates, ports::TlsVersion least) {
    if (certificates == nullptr) return Stream{std::move(socket)};
    return Stream{std::move(socket), certificates->context(), least};
}

}  // namespace sotto::cloud::server
