// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/products.hpp"

#include <array>
#include <utility>

#include "cloud/particle/image.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::server {

namespace {

// Below this one; 0 where the system gives no random numbers.
std::uint32_t draw_number(hal::Entropy& entropy, std::uint32_t below) {
    std::array<std::uint8_t, 4> bytes{};
    if (!entropy.fill(bytes)) return 0;
    std::uint32_t number = 0;
    for (const std::uint8_t byte : bytes) number = number << 8U | byte;
    return number % below;
}

}  // namespace

Products::Products(Setup setup)
    : setup_(std::move(setup)),
      admission_(
          setup_.store,
          fleet_,
          {.now = setup_.now,
           .on_claimed = [this](model::AccountId account,
                                const model::DeviceId& device) { note_claim(account, device); }}),
      rollouts_(setup_.store,
                fleet_,
                setup_.devices,
                setup_.updates,
                {.now = setup_.now,
                 .draw = [this](std::uint32_t below) { return draw_number(setup_.entropy, below); },
                 .spread = setup_.spread,
                 .on_stopped = [this](const auto& release) { note_stop(release); }}) {}

void Products::note_claim(model::AccountId account, const model::DeviceId& device) {
    setup_.store.add_audit({.at = setup_.now(),
                            .account = account,
                            .address = {},
                            .action = "device-claim",
                            .subject = to_hex<std::string>(device),
                            .outcome = "done"},
                           [](const auto& /*ignored*/) {});
}

void Products::note_stop(const model::ReleaseRecord& release) {
    setup_.log.warn(
        "release-stopped",
        {{"product", release.product.value()}, {"version", release.version}, {"why", release.why}});
}

template <class Record>
void Products::load_then(void (store::ProductStore::*list)(store::Done<std::vector<Record>>),
                         std::function<void(Status)> done,
                         std::function<void()> next) {
    (setup_.store.*list)([this, done = std::move(done), next = std::move(next)](
                             const Result<std::vector<Record>>& records) {
        if (!records) return done(records.error());
        for (const Record& record : *records) fleet_.put(record);
        next();
    });
}

// What belongs to a product comes after it.
void Products::load(std::function<void(Status)> done) {
    using Store = store::ProductStore;
    load_then(&Store::list_products, done, [this, done] {
        load_then(&Store::list_groups, done, [this, done] {
            load_then(&Store::list_product_devices, done, [this, done] {
                load_then(&Store::list_firmware, done, [this, done] {
                    load_then(&Store::list_releases, done, [done] { done({}); });
                });
            });
        });
    });
}

void Products::load_owner(const model::DeviceId& device,
                          std::function<void(Result<services::OpenDevices::Owner>)> done) {
    const services::DeviceAttributes* const attributes = setup_.devices.attributes_of(device);
    admission_.load_owner(
        device, attributes == nullptr ? 0 : attributes->product_id, std::move(done));
}

std::uint16_t Products::product_of(model::AccountId owner, const model::DeviceId& device) const {
    const services::Product* const product = fleet_.product_of(owner, device);
    return product == nullptr ? 0 : product->record.id.value();
}

Result<http::FirmwareFacts, std::string> read_firmware(Bytes image) {
    const auto header = particle::read_header(image);
    if (!header && header.error() == Error::Malformed)
        return std::string{"the firmware is damaged: its checksum is not that of its content"};
    if (!header && header.error() == Error::TooLarge)
        return std::string{"a firmware has at most 2 MiB"};
    if (!header) return std::string{"the file is empty"};
    if (!*header && as_text(image).starts_with("PK"))
        return std::string{"this is a bundle (.zip); send the binary of the application alone"};
    // Older ones of the Core, whose platform is 0, have no header.
    if (!*header) return http::FirmwareFacts{.platform = 0};
    http::FirmwareFacts facts{.platform = (*header)->platform};
    if (const auto mark = particle::read_product(image)) {
        facts.product = mark->product;
        facts.version = mark->version;
    }
    return facts;
}

}  // namespace sotto::cloud::server
