// SPDX-License-Identifier: Apache-2.0
// The cipher suites that we speak (RFC 9528 §3.6, §10.2). No allocation.
#pragma once

#include <optional>

#include "core/base/fixed_vector.hpp"
#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/crypto/aead.hpp"
#include "core/edhoc/limits.hpp"

namespace sotto::edhoc {

enum class Suite : std::uint8_t {
    Two = 2,    // AES-CCM-16-64-128, SHA-256, 8, P-256; application AES-CCM-16-64-128, SHA-256
    Three = 3,  // AES-CCM-16-128-128, SHA-256, 16, P-256; application the same
};

// "EDHOC MAC length in bytes" and the tag of the EDHOC AEAD are equal in both.
constexpr crypto::TagSize tag_size(Suite suite) {
    return suite == Suite::Two ? crypto::TagSize::Short : crypto::TagSize::Long;
}
constexpr std::size_t mac_size(Suite suite) { return crypto::size_of(tag_size(suite)); }

// A number of the "EDHOC Cipher Suites" registry, spoken by us or not.
using SuiteLabel = std::int32_t;
using SuiteList = FixedVector<SuiteLabel, kSuiteCountMax>;

// The suite with this number, if we speak it.
std::optional<Suite> find_suite(SuiteLabel label);

// suites = [ 2* int ] / int. Precondition: !suites.empty().
void write_suites(cbor::Writer& out, std::span<const SuiteLabel> suites);
// Fails with Error::TooLarge over kSuiteCountMax.
SuiteList read_suites(cbor::Reader& in);

// Reads SUITES_I: the suite that is selected for this session, or nothing if we don't speak it or
// speak one that the Initiator prefers to it (RFC 9528 §5.2.3). Fails with Error::Malformed,
// TooLarge.
std::optional<Suite> select_suite(cbor::Reader& in);

// RFC 9528 §6.3.1: the SUITES_I with which to try again after an error with SUITES_R: our first
// preference that the Responder and we both speak, behind all that we prefer to it.
// Error::Unsupported if there is none.
Result<SuiteList> retry_suites(std::span<const SuiteLabel> preferences,
                               std::span<const SuiteLabel> suites_r);

}  // namespace sotto::edhoc
