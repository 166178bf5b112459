// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/system_parts.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

namespace sotto::cloud::server {

namespace {

// How deep parts may need one another.
constexpr int kDepthMax = 4;

std::optional<SystemParts::Part> read_part(const std::filesystem::path& path) {
    std::error_code error;
    if (std::filesystem::file_size(path, error) > particle::kImageSizeMax || error)
        return std::nullopt;
    std::ifstream file{path, std::ios::binary};
    std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>{file}, {}};
    auto header = particle::read_header(bytes);
    if (!header || !*header || (*header)->module.function == particle::ModuleFunction::User)
        return std::nullopt;
    return SystemParts::Part{
        .header = **std::move(header),
        .firmware = std::make_shared<const services::Firmware>(
            services::Firmware{.name = path.filename().string(), .bytes = std::move(bytes)})};
}

}  // namespace

Result<SystemParts> SystemParts::load(const std::filesystem::path& folder, ports::Log& log) {
    std::error_code error;
    std::vector<std::filesystem::path> paths;
    for (std::filesystem::directory_iterator next{folder, error}, end; !error && next != end;
         next.increment(error)) {
        if (next->path().extension() == ".bin") paths.push_back(next->path());
    }
    if (error) return Error::NotFound;
    std::ranges::sort(paths);
    SystemParts parts;
    for (const auto& path : paths) {
        auto part = parts.count() < kSystemPartsMax ? read_part(path) : std::nullopt;
        if (!part) {
            log.warn("system-part-left-out", {{"file", path.filename().string()}});
            continue;
        }
        parts.add(*std::move(part));
    }
    return parts;
}

const SystemParts::Part* SystemParts::find(std::uint16_t platform,
                                           const particle::Module& wanted) const {
    const Part* found = nullptr;
    for (const Part& part : parts_) {
        const particle::Module& module = part.header.module;
        const bool is_one = part.header.platform == platform &&
                            module.function == wanted.function && module.index == wanted.index &&
                            module.version >= wanted.version;
        if (is_one && (found == nullptr || module.version < found->header.module.version))
            found = &part;
    }
    return found;
}

std::variant<const SystemParts::Part*, particle::Module> SystemParts::choose(
    std::uint16_t platform,
    const particle::Description& installed,
    const particle::Module& wanted) const {
    const Part* part = find(platform, wanted);
    if (part == nullptr) return wanted;
    for (int depth = 0; depth < kDepthMax; ++depth) {
        const auto& needs = part->header.needs;
        const auto need = std::ranges::find_if(
            needs, [&](const particle::Module& module) { return !installed.has(module); });
        if (need == needs.end()) return part;
        const Part* const before = find(platform, *need);
        if (before == nullptr) return *need;
        part = before;
    }
    return part;
}

void Healer::on_safe_mode(const model::DeviceId& device,
                          std::uint16_t platform,
                          const particle::Description& description) {
    if (waiting_.size() >= kPatientsMax && !waiting_.contains(device)) return;
    waiting_.insert_or_assign(device,
                              Patient{.platform = platform,
                                      .description = description,
                                      .until = setup_.now() + kPatientTime});
}

void Healer::on_time() {
    const Instant now = setup_.now();
    for (auto next = waiting_.begin(); next != waiting_.end();) {
        const auto patient = next++;
        if (const auto owner = setup_.devices.owner_of(patient->first)) {
            const auto taken = waiting_.extract(patient);
            look_after(taken.key(), *owner, taken.mapped());
        } else if (now >= patient->second.until) {
            waiting_.erase(patient);
        }
    }
}

void Healer::look_after(const model::DeviceId& device,
                        model::AccountId owner,
                        const Patient& patient) {
    const auto tell = [&](const char* event, std::string data) {
        setup_.devices.tell_of(device, owner, {.name = event, .data = std::move(data)});
    };
    constexpr const char* kSafeMode = "spark/status/safe-mode";
    const auto missing = patient.description.missing();
    if (missing.empty())
        return tell(kSafeMode,
                    patient.description.modules.empty()
                        ? "the device does not say what it lacks"
                        : "the device lacks nothing: it was told to start so, or its application "
                          "failed");
    const auto chosen = setup_.parts.choose(patient.platform, patient.description, missing.front());
    if (const auto* absent = std::get_if<particle::Module>(&chosen))
        return tell(kSafeMode,
                    "the device lacks " + to_string(*absent) + ", for platform " +
                        std::to_string(patient.platform) +
                        ", which is not in the folder of system parts of this cloud");
    const SystemParts::Part& part = *std::get<const SystemParts::Part*>(chosen);
    const particle::Module& module = part.header.module;
    if (!may_send(device, module))
        return tell(kSafeMode, "the device lacks what it was sent already: " + to_string(module));
    tell(kSafeMode, "the device lacks " + to_string(missing.front()));
    tell("spark/safe-mode-updater/updating", to_string(module));
    setup_.updates.begin({.device = device,
                          .owner = owner,
                          .firmware = part.firmware,
                          .on_begun = [](const auto& /*told by events*/) {}});
}

// A device that comes back without it is not sent it for ever.
bool Healer::may_send(const model::DeviceId& device, const particle::Module& module) {
    if (sent_.size() >= kPatientsMax && !sent_.contains(device)) sent_.erase(sent_.begin());
    Sent& sent = sent_[device];
    if (sent.module != module) sent = {.module = module};
    return ++sent.tries <= kHealTriesMax;
}

}  // namespace sotto::cloud::server
