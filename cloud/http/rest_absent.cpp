// SPDX-License-Identifier: Apache-2.0
// What clients of Particle devices ask for and this cloud does not have (docs/api/rest.md).
#include "cloud/http/rest.hpp"

namespace sotto::cloud::http {

const Rest::Absent Rest::kAbsent[] = {
    {"/v1/binaries/*x",
     "Sources are not compiled here: compile them elsewhere, and flash the binary"},
    {"/v1/build_targets", "Sources are not compiled here: there are no targets to build for"},
    {"/v1/device-os/*x",
     "This cloud has no versions of Device OS to hand out; its operator may give it system parts "
     "for devices in safe mode (particle-parts)"},
    {"/v1/devices/:device/backup_files", "This cloud keeps no files of a factory"},
    {"/v1/devices/:device/unprotect", "This cloud has no device protection"},
    {"/v1/products/:product/devices/:device/unprotect", "This cloud has no device protection"},
    {"/v1/products/:product/devices/:device/target_profile", "This cloud has no SIM cards"},
    {"/v1/products/:product/devices/:device/docs/*x", "This cloud keeps no documents of devices"},
    {"/v1/products/:product/registration_code",
     "This cloud registers no devices by a code; put them into the list by their ids"},
    {"/v1/products/:product/customers/*x",
     "This cloud has no customers: each user has his devices"},
    {"/v1/products/:product/config/*x", "This cloud keeps no configurations of trackers"},
    {"/v1/products/:product/locations/*x", "This cloud keeps no locations of trackers"},
    {"/v1/products/:product/metrics/*x",
     "This cloud has its metrics for its operator: sotto-cloud status, and the setting metrics"},
    {"/v1/products/:product/sims/*x", "This cloud has no SIM cards"},
    {"/v1/sims/*x", "This cloud has no SIM cards"},
    {"/v1/ledgers/*x", "This cloud has no ledgers"},
    {"/v1/logic/*x", "This cloud runs no functions of its users: let a webhook call one of yours"},
    {"/v1/libraries/*x", "This cloud has no libraries"},
    {"/v1/secrets/*x", "This cloud has no secrets for its users; webhooks keep their own"},
    {"/v1/serial_numbers/:number", "This cloud knows no serial numbers: use the id of the device"},
    {"/v1/user/password-reset",
     "This cloud sends no mail: its operator sets a new password (sotto-cloud account password)"},
    {"/v1/user/identify", "This cloud tracks nobody"},
};

std::span<const Rest::Absent> Rest::absent() { return kAbsent; }

}  // namespace sotto::cloud::http
