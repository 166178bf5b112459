// SPDX-License-Identifier: Apache-2.0
// `sotto devices`: who is known here, and with --local who else is in reach.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "app/cli/home.hpp"
#include "app/cli/job.hpp"
#include "app/cli/nearby.hpp"
#include "app/transport/air_transport.hpp"
#include "core/base/hex.hpp"

namespace sotto::app {
namespace {

constexpr Duration kScan = seconds(5);
constexpr std::size_t kNameColumn = 20;

struct Row {
    DeviceEntry device;
    bool is_known = false;
    bool is_near = false;
    bool has_owner = false;  // as it says
};

std::string state_of(const Row& row) {
    if (row.device.is_damaged) return "its records are damaged";
    if (!row.is_known) return row.has_owner ? "has an owner" : "to be paired";
    if (row.device.is_guest) return "you are a guest";
    return row.device.is_paired ? "paired" : "pairing was not finished";
}

void print(const Row& row, Printer& printer) {
    const std::string id = to_hex<std::string>(row.device.id);
    std::string name = row.device.name.empty() ? "-" : row.device.name;
    name.resize(std::max(kNameColumn, name.size()), ' ');
    printer.result(name + "  " + id + "  " + state_of(row) + (row.is_near ? ", near" : ""),
                   {{"id", id},
                    {"name", row.device.name},
                    {"paired", row.device.is_paired},
                    {"guest", row.device.is_guest},
                    {"known", row.is_known},
                    {"near", row.is_near}});
}

// Devices of other people, who let us in to none of theirs, are not asked who they are.
Recognition recognition_of(const std::vector<DeviceEntry>& devices, const Home& home) {
    std::vector<session::TagKey> keys;
    for (const DeviceEntry& device : devices) {
        if (device.is_damaged) continue;
        auto key = home.tag_key_of(device.id);
        if (key && *key) keys.push_back(**std::move(key));
    }
    return {std::move(keys), {}};
}

void add_sightings(std::vector<Row>& rows, Recognition recognition, const Settings& settings) {
    boost::asio::io_context loop{1};
    Nearby nearby{loop, settings, std::move(recognition)};
    for (const air::Sighting& sighting : look_around({loop, nearby.central()}, kScan)) {
        const auto known = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
            return row.device.id == sighting.device_id;
        });
        if (known != rows.end()) {
            known->is_near = true;
            continue;
        }
        DeviceEntry device;
        device.id = sighting.device_id;
        device.name = sighting.name;
        rows.push_back({.device = device, .is_near = true, .has_owner = sighting.has_owner});
    }
}

}  // namespace

Outcome<> run(const DevicesCommand& /*command*/, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const std::vector<DeviceEntry> devices, home.devices());
    std::vector<Row> rows;
    for (const DeviceEntry& device : devices) rows.push_back({.device = device, .is_known = true});
    if (job.settings.is_local) add_sightings(rows, recognition_of(devices, home), job.settings);
    for (const Row& row : rows) print(row, job.printer);
    if (rows.empty()) job.printer.note("No device yet. Add one with: sotto pair CODE");
    return {};
}

}  // namespace sotto::app
