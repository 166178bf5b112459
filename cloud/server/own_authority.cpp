// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/own_authority.hpp"

#include <algorithm>
#include <filesystem>

#include "cloud/server/limits.hpp"
#include "ports/linux/file.hpp"

namespace sotto::cloud::server {

using ports::Authority;
using ports::Failure;
using ports::Outcome;

namespace {

constexpr const char* kFolder = "/tls";
constexpr const char* kAuthorityKey = "authority.pem";  // and its certificate
constexpr const char* kAuthority = "authority.crt";     // to be given away
constexpr const char* kServer = "server.pem";           // key, certificate, and the authority's
constexpr const char* kName = "Sotto cloud";
constexpr std::int64_t kDay = 86'400;

std::string path_of(const std::string& state, const char* name) {
    return state + kFolder + "/" + name;
}

Outcome<std::string> read_text(const std::string& path) {
    SOTTO_TRY_ASSIGN(const auto content, ports::read_file(path, kCertificateFileMax));
    return std::string{as_text(content)};
}

Outcome<> write(const std::string& state, const char* name, std::string_view text) {
    SOTTO_TRY_ASSIGN(const ports::File folder, ports::open_private_folder(state + kFolder));
    if (ports::replace_file(folder, name, as_bytes(text))) return {};
    return Failure{
        Error::StorageFailed,
        "cannot write " + path_of(state, name) + ": check permissions and space of its disk"};
}

Failure damaged(const std::string& path, const ports::Complaint& complaint) {
    return {Error::Malformed,
            path + ": " + complaint.text +
                ". Restore a backup of the folder; or remove the file, make another authority with "
                "sotto-cloud certificate, and give its fingerprint to all apps and gateways"};
}

Failure not_made(const ports::Complaint& complaint) {
    return {Error::StorageFailed, complaint.text};
}

Outcome<Authority> load_authority(const std::string& state) {
    const std::string path = path_of(state, kAuthorityKey);
    SOTTO_TRY_ASSIGN(const auto content, ports::read_file(path, kCertificateFileMax));
    const ports::SecretText pem{as_text(content)};
    auto authority = Authority::parse(pem.expose());
    if (!authority) return damaged(path, authority.error());
    return *std::move(authority);
}

Outcome<Authority> ensure_authority(const std::string& state) {
    auto known = load_authority(state);
    if (known || known.error().code != Error::NotFound) return known;
    auto made = Authority::create(kName);
    if (!made) return not_made(made.error());
    SOTTO_TRY(write(state, kAuthorityKey, made->pem().expose()));
    return *std::move(made);
}

// Loopback first, each of them once.
std::vector<std::string> with_loopback(const std::vector<std::string>& hosts) {
    std::vector<std::string> all{"localhost", "127.0.0.1", "::1"};
    for (const std::string& host : hosts) {
        if (std::ranges::find(all, host) == all.end()) all.push_back(host);
    }
    return all;
}

// [TLS-21]
bool is_due(const ports::CertificateFacts& server, std::int64_t now) {
    return now < server.not_before || now > server.not_after - kCertificateRenewal.ms / 1'000;
}

}  // namespace

std::string own_certificate_path(const std::string& state) { return path_of(state, kServer); }
std::string own_authority_path(const std::string& state) { return path_of(state, kAuthority); }

bool has_own_authority(const std::string& state) {
    return std::filesystem::exists(path_of(state, kAuthorityKey));
}

Outcome<> issue_own_certificate(const std::string& state,
                                const std::vector<std::string>& hosts,
                                std::int64_t now) {
    for (const std::string& host : hosts) {
        if (!ports::is_host(host))
            return Failure{Error::InvalidArgument,
                           "--host " + host + ": it must be a name or an address, without port"};
    }
    SOTTO_TRY_ASSIGN(const Authority authority, ensure_authority(state));
    const auto server = authority.issue(
        with_loopback(hosts), {.from = now - kDay, .to = now + kCertificateLifetime.ms / 1'000});
    if (!server) return not_made(server.error());
    SOTTO_TRY(write(state, kAuthority, authority.certificate_pem()));
    return write(state, kServer, server->expose());
}

Outcome<bool> renew_own_certificate(const std::string& state,
                                    const std::vector<std::string>& known_hosts,
                                    std::int64_t now) {
    std::vector<std::string> hosts = known_hosts;
    if (const auto known = read_own_certificate(state)) {
        if (!is_due(known->server, now)) return false;
        hosts = known->server.names;
    }
    SOTTO_TRY(issue_own_certificate(state, hosts, now));
    return true;
}

Outcome<OwnCertificate> read_own_certificate(const std::string& state) {
    SOTTO_TRY_ASSIGN(const Authority authority, load_authority(state));
    SOTTO_TRY_ASSIGN(const std::string pem, read_text(own_certificate_path(state)));
    const auto server = ports::read_certificate(pem);
    if (!server) return damaged(own_certificate_path(state), server.error());
    return OwnCertificate{authority.fingerprint(), *server};
}

}  // namespace sotto::cloud::server
