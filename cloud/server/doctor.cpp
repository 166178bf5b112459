// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/doctor.hpp"

#include <array>
#include <filesystem>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cloud/server/admin_port.hpp"
#include "cloud/server/hop_security.hpp"
#include "cloud/server/keys.hpp"
#include "cloud/server/limits.hpp"
#include "cloud/server/listen.hpp"
#include "cloud/server/own_authority.hpp"
#include "cloud/server/particle_keys.hpp"
#include "cloud/server/state.hpp"
#include "cloud/server/status.hpp"
#include "cloud/services/limits.hpp"
#include "cloud/store_sqlite/schema.hpp"
#include "ports/linux/system_clock.hpp"

namespace sotto::cloud::server {

namespace fs = std::filesystem;
using nlohmann::json;
using store_sqlite::Database;

namespace {

constexpr std::uint64_t kSpaceLittle = 256 << 20;              // bytes; then it is doubtful
constexpr std::uint64_t kSpaceTooLittle = 16 << 20;            // then it is bad
constexpr std::int64_t kThisVersionWasMade_s = 1'735'689'600;  // 2025-01-01
constexpr std::int64_t kClockStep_s = 120;
constexpr std::int64_t kCertificateSoon_s = 7 * 86'400;

using Findings = std::vector<Finding>;

Finding good(const char* about, const std::string& what) { return {Verdict::Good, about, what}; }

// What anybody but the user may do with it.
Finding examine_access(const char* about, const std::string& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0)
        return {Verdict::Bad,
                about,
                "there is no " + path,
                "Make a cloud with sotto-cloud init, or name its folder with --state"};
    if (status.st_uid != ::geteuid())
        return {Verdict::Bad,
                about,
                path + " belongs to another user",
                "Be that user, or give the folder to this one: chown -R"};
    if ((status.st_mode & 077) != 0)
        return {Verdict::Bad,
                about,
                path + " can be read or written by others",
                "Take that from them: chmod -R go= " + path};
    return good(about, path + " is its user's alone");
}

Findings examine_folder(const std::string& state) {
    Findings findings{examine_access("folder", state)};
    if (findings[0].verdict == Verdict::Bad) return findings;
    for (const char* name : {kDatabaseName, kKeysName, "keys/journal"}) {
        Finding finding = examine_access("folder", state + "/" + name);
        if (finding.verdict != Verdict::Good) findings.push_back(std::move(finding));
    }
    return findings;
}

Finding examine_keys(const std::string& state) {
    const auto identity = read_identity(state);
    if (!identity)
        return {
            Verdict::Bad, "keys", identity.error().detail, "Restore a backup: sotto-cloud restore"};
    if (!match(*identity))
        return {Verdict::Bad,
                "keys",
                "the private key is not that of the credential",
                "Restore a backup: sotto-cloud restore"};
    return good("keys", "key and credential are whole and belong together");
}

// The key by which legacy devices know the cloud. Where there is none, one is made when it is
// needed.
Findings examine_particle(const DoctorCommand& command) {
    const auto key = read_particle_key(command.state);
    if (!key && key.error().code == Error::NotFound) return {};
    if (!key)
        return {{Verdict::Bad,
                 "legacy",
                 key.error().detail,
                 "Put back a copy of it, or restore a backup: sotto-cloud restore"}};
    Findings findings{good("legacy", "the key by which legacy devices know this cloud is whole")};
    if (command.settings.particle_enrol)
        findings.push_back({Verdict::Doubtful,
                            "legacy",
                            "a device of which no key is known is taken with the one that it shows",
                            "Remove the setting particle-enrol once all devices are there"});
    return findings;
}

Finding damaged(const std::string& what) {
    return {Verdict::Bad,
            "database",
            what,
            "Stop the cloud, keep a copy of the folder, and restore a backup: sotto-cloud restore"};
}

Finding examine_version(std::int64_t version) {
    const auto known = static_cast<std::int64_t>(store_sqlite::migrations().size());
    const std::string is = "its schema is version " + std::to_string(version);
    if (version > known)
        return {Verdict::Bad,
                "database",
                is + ", and this program knows " + std::to_string(known),
                "Install the newer version of sotto-cloud again"};
    if (version < known)
        return {Verdict::Doubtful,
                "database",
                is + " of " + std::to_string(known),
                "Start the cloud: it brings the database forward, after a copy"};
    return good("database", is + ", as it should be");
}

Findings examine_database(const std::string& state) {
    const std::string path = state + "/" + kDatabaseName;
    const auto database = Database::open(path, Database::Mode::OpenToRead, seconds(5));
    if (!database) return {damaged(database.error().detail)};
    const auto checked = store_sqlite::check(**database, path);
    if (!checked) return {damaged(checked.error().detail)};
    const auto verdict = (*database)->text_of("PRAGMA integrity_check(1)");
    if (!verdict) return {damaged(path + ": " + (*database)->last_message())};
    if (*verdict != "ok") return {damaged(path + " is damaged: " + *verdict)};
    if ((*database)->text_of("PRAGMA foreign_key_check"))
        return {damaged(path + " has rows that refer to nothing")};
    Findings findings{good("database", "every page and index of it is whole")};
    const auto version = store_sqlite::version_of(**database, path);
    if (version) findings.push_back(examine_version(*version));
    return findings;
}

std::string megabytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MB"; }

Finding examine_space(const std::string& state) {
    struct statvfs disk{};
    if (::statvfs(state.c_str(), &disk) != 0)
        return {Verdict::Doubtful, "disk", "its free space is unknown", "Look at it with df"};
    const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    const std::string is = megabytes(free) + " are free";
    if (free < kSpaceTooLittle)
        return {Verdict::Bad, "disk", is, "Make room: without it nothing can be stored"};
    if (free < kSpaceLittle || free < 2 * size_of_database(state))
        return {Verdict::Doubtful,
                "disk",
                is,
                "Make room: mailboxes grow, and an upgrade needs a copy of the database"};
    return good("disk", is);
}

Finding examine_place(const char* option, const std::string& text, bool allow_clear) {
    boost::asio::io_context loop{1};
    const auto acceptor = listen(loop, {std::string{"--"} + option, text, allow_clear});
    if (acceptor) return good("ports", text + " is free for " + option);
    return {Verdict::Bad,
            "ports",
            acceptor.error().detail,
            "Change the setting " + std::string{option}};
}

bool may_be_remote(const Settings& settings, const std::string& place) {
    return settings.insecure || speaks_tls(settings, place);
}

Findings examine_ports(const DoctorCommand& command) {
    const auto answer = ask_running_cloud(command.state, "/status");
    if (answer) {
        const json status = json::parse(*answer, nullptr, false);
        if (!status.is_object())
            return {{Verdict::Bad, "ports", "the cloud answers nonsense", "Restart it"}};
        return {good("ports",
                     "process " + status["process"].dump() + " of this cloud serves " +
                         status["http"].get<std::string>() + " and " +
                         status["devices"].get<std::string>())};
    }
    if (answer.error().code != Error::NotFound)
        return {{Verdict::Bad, "ports", answer.error().detail, "Look at its log"}};
    const Settings& settings = command.settings;
    Findings findings{
        good("ports", "this cloud does not run"),
        examine_place("http", settings.http, may_be_remote(settings, settings.http)),
        examine_place("devices", settings.devices, may_be_remote(settings, settings.devices))};
    if (!settings.particle.empty())
        findings.push_back(examine_place("particle", settings.particle, true));
    if (!settings.metrics.empty())
        findings.push_back(examine_place("metrics", settings.metrics, true));
    return findings;
}

Finding judge(const ports::CertificateFacts& facts, const std::string& which) {
    const std::int64_t now = ports::SystemClock::unix_seconds();
    if (!facts.is_valid_at(now))
        return {Verdict::Bad,
                "TLS",
                which + " is not valid now",
                "Have another one issued, or set the clock right"};
    if (facts.not_after - now < kCertificateSoon_s)
        return {Verdict::Doubtful, "TLS", which + " expires soon", "Have another one issued"};
    return good("TLS", which + " is valid");
}

// Of a certificate that is in use: nothing is said where none is.
Findings examine_certificate(const DoctorCommand& command) {
    const Settings& settings = command.settings;
    const bool is_own = settings.certificate_file.empty() && settings.key_file.empty();
    if (is_own && has_own_authority(command.state)) {
        const auto own = read_own_certificate(command.state);
        if (own) return {judge(own->server, "the certificate of the own authority")};
        return {{Verdict::Bad, "TLS", own.error().detail, "Make another: sotto-cloud certificate"}};
    }
    // From files nothing is made anew.
    const auto opened =
        open_certificates(command.state, settings, ports::SystemClock::unix_seconds());
    if (!opened)
        return {{Verdict::Bad,
                 "TLS",
                 opened.error().detail,
                 "Put good files where the settings certificate and key say"}};
    if (!opened->has_value()) return {};
    return {judge((**opened).facts(), settings.certificate_file)};
}

// The newest instant that the database knows to be over.
std::int64_t newest_in(const std::string& state) {
    const auto database =
        Database::open(state + "/" + kDatabaseName, Database::Mode::OpenToRead, seconds(5));
    if (!database) return 0;
    const auto newest = (*database)->text_of(
        "SELECT max((SELECT coalesce(max(created_ms), 0) FROM tokens),"
        "(SELECT coalesce(max(registered_ms), 0) FROM devices),"
        "(SELECT coalesce(max(stored_ms), 0) FROM letters)) / 1000");
    return newest ? std::stoll(*newest) : 0;
}

Finding examine_clock(const std::string& state) {
    const std::int64_t now = ports::SystemClock::unix_seconds();
    const char* const next =
        "Set the clock of this machine, best by NTP: letters and claims expire by it";
    if (now < kThisVersionWasMade_s)
        return {Verdict::Bad, "clock", "it says a time before this version was made", next};
    if (now + kClockStep_s < newest_in(state))
        return {Verdict::Bad,
                "clock",
                "it says a time before something in the database happened",
                next};
    return good("clock", "it may be right");
}

Finding examine_sockets() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    constexpr std::uint64_t kEnough =
        services::kGatewaysMax + services::kAppsMax + kConnectionsMax + 64;
    const std::string is = std::to_string(limit.rlim_max) + " sockets and files are allowed";
    if (limit.rlim_max >= kEnough) return good("sockets", is);
    return {Verdict::Doubtful,
            "sockets",
            is + ", fewer than the " + std::to_string(kEnough) + " of the limits",
            "Raise the limit (ulimit -Hn, or LimitNOFILE= in the unit), unless there will be few"};
}

void append(Findings& findings, Findings more) {
    for (Finding& finding : more) findings.push_back(std::move(finding));
}

const char* word_of(Verdict verdict) {
    constexpr std::array<const char*, 3> kWords{"good", "doubtful", "bad"};
    return kWords.at(static_cast<std::size_t>(verdict));
}

std::string as_json(const Findings& findings, bool is_healthy) {
    json list = json::array();
    for (const Finding& finding : findings) {
        list.push_back({{"verdict", word_of(finding.verdict)},
                        {"about", finding.about},
                        {"what", finding.what},
                        {"next", finding.next.empty() ? json{} : json(finding.next)}});
    }
    return json{{"healthy", is_healthy}, {"findings", list}}.dump() + "\n";
}

std::string as_text(const Findings& findings, bool is_healthy) {
    std::string text;
    for (const Finding& finding : findings) {
        std::string head = std::string{word_of(finding.verdict)} + "  ";
        head.resize(10, ' ');
        text += head + finding.about + ": " + finding.what + "\n";
        if (!finding.next.empty()) text += "          " + finding.next + "\n";
    }
    return text + (is_healthy ? "Nothing is bad.\n" : "Something is bad.\n");
}

}  // namespace

std::vector<Finding> examine(const DoctorCommand& command) {
    Findings findings = examine_folder(command.state);
    if (!fs::exists(command.state)) return findings;
    findings.push_back(examine_keys(command.state));
    append(findings, examine_database(command.state));
    findings.push_back(examine_space(command.state));
    append(findings, examine_particle(command));
    append(findings, examine_ports(command));
    append(findings, examine_certificate(command));
    findings.push_back(examine_clock(command.state));
    findings.push_back(examine_sockets());
    return findings;
}

Diagnosis diagnose(const DoctorCommand& command) {
    const Findings findings = examine(command);
    const bool is_healthy = std::ranges::none_of(
        findings, [](const Finding& finding) { return finding.verdict == Verdict::Bad; });
    return {command.json ? as_json(findings, is_healthy) : as_text(findings, is_healthy),
            is_healthy};
}

}  // namespace sotto::cloud::server
