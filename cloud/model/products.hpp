// SPDX-License-Identifier: Apache-2.0
// Products: what a user calls a fleet of open devices that run the same firmware. Records own their
// bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cloud/model/accounts.hpp"

namespace sotto::cloud::model {

// As the firmware of its devices says it (PRODUCT_ID).
using ProductId = Strong<std::uint16_t, struct ProductIdTag>;
// Of a firmware of a product, as it says it (PRODUCT_VERSION).
using FirmwareVersion = std::uint16_t;
using ReleaseId = Strong<std::int64_t, struct ReleaseIdTag>;

struct ProductRecord {
    ProductId id{};
    AccountId account{};
    std::string slug{};  // unique within its account
    std::string name{};
    std::string description{};
    std::uint16_t platform = 0;
    Instant created_at{};
    friend bool operator==(const ProductRecord&, const ProductRecord&) = default;
};

struct GroupRecord {
    ProductId product{};
    std::string name{};
    std::string description{};
    std::string color{};
    Instant created_at{};
    friend bool operator==(const GroupRecord&, const GroupRecord&) = default;
};

// What a device is to a product.
enum class Membership : std::uint8_t {
    Member = 0,
    Quarantined = 1,  // says that it is of this product, and nobody has said so
    Denied = 2,       // and its user has said that it is not
};

// What a device has made of the updates of its product that failed.
struct UpdateTrouble {
    FirmwareVersion version = 0;
    std::uint16_t failures = 0;  // one after the other
    Instant retry_at{};
    std::string why{};  // of the last one
    friend bool operator==(const UpdateTrouble&, const UpdateTrouble&) = default;
};

struct ProductDevice {
    ProductId product{};
    DeviceId device{};
    Membership membership = Membership::Member;
    bool is_development = false;
    std::optional<FirmwareVersion> desired_version{};
    std::vector<std::string> groups{};
    Instant added_at{};
    UpdateTrouble trouble{};
    friend bool operator==(const ProductDevice&, const ProductDevice&) = default;
};

struct ProductDeviceChanges {
    std::optional<Membership> membership{};
    std::optional<bool> is_development{};
    std::optional<std::optional<FirmwareVersion>> desired_version{};
    std::optional<std::vector<std::string>> groups{};
    std::optional<UpdateTrouble> trouble{};
};

// A firmware of a product, without its image.
struct FirmwareRecord {
    ProductId product{};
    FirmwareVersion version = 0;
    std::string title{};
    std::string description{};
    std::string file_name{};
    std::size_t size = 0;
    Instant uploaded_at{};
    friend bool operator==(const FirmwareRecord&, const FirmwareRecord&) = default;
};

enum class ReleaseState : std::uint8_t {
    Running = 0,
    Stopped = 1,  // too many of the last updates failed
};

// A version that devices are to have: all of the product, or those of some groups. The one that
// came last counts.
struct ReleaseRecord {
    ReleaseId id{};  // rises
    ProductId product{};
    FirmwareVersion version = 0;
    bool is_default = false;
    std::vector<std::string> groups{};
    bool is_immediate = false;  // for connected devices too, and not when they come the next time
    Instant released_at{};
    ReleaseState state = ReleaseState::Running;
    std::size_t succeeded = 0;
    std::size_t failed = 0;
    std::string recent{};  // the last outcomes, the newest last: '+' or '-'
    std::string why{};     // it was stopped
    friend bool operator==(const ReleaseRecord&, const ReleaseRecord&) = default;
};

// A program that logs in with a secret of its own.
struct ClientRecord {
    std::string id{};
    AccountId account{};
    ProductId product{};  // 0: of none
    std::string name{};
    std::string type{};
    std::string redirect_uri{};
    std::string scope{};
    TokenHash secret{};  // SHA-256
    Instant created_at{};
    friend bool operator==(const ClientRecord&, const ClientRecord&) = default;
};

}  // namespace sotto::cloud::model
