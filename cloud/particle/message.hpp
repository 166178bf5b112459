// SPDX-License-Identifier: Apache-2.0
// Messages of the legacy Particle protocol: CoAP (RFC 7252 §3) as devices write it, and as the
// oldest of them read it, which is at fixed offsets. No allocation but in what is encoded; a parsed
// message points into the caller's bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/particle/limits.hpp"
#include "core/base/bytes.hpp"
#include "core/base/fixed_vector.hpp"
#include "core/base/result.hpp"

namespace sotto::cloud::particle {

enum class Type : std::uint8_t { Confirmable, NonConfirmable, Acknowledgement, Reset };

// Those that are used here; a device may send any other.
enum class Code : std::uint8_t {
    Empty = 0x00,
    Get = 0x01,
    Post = 0x02,
    Put = 0x03,
    Changed = 0x44,
    Content = 0x45,
    BadRequest = 0x80,
};

inline constexpr std::size_t kTokenSizeMax = 8;

// Lenient where devices are: a payload marker may have nothing behind it.
struct Message {
    Type type = Type::Confirmable;
    Code code = Code::Empty;
    std::uint16_t id = 0;
    Bytes token{};
    FixedVector<Bytes, kOptionCountMax> path{};
    FixedVector<Bytes, kOptionCountMax> query{};
    std::optional<std::uint32_t> max_age{};
    std::optional<std::uint32_t> block1{};  // RFC 7959 §2.2, as a number
    Bytes payload{};

    bool is_request() const { return code != Code::Empty && static_cast<unsigned>(code) < 0x20; }
    bool is_response() const { return static_cast<unsigned>(code) >= 0x40; }
    // RFC 7252 §5.2: 2.xx
    bool is_success() const { return static_cast<unsigned>(code) >> 5 == 2; }
    // The one character of the first segment, which says what a request is about; 0 if it is none.
    char topic() const { return !path.empty() && path[0].size() == 1 ? as_text(path[0])[0] : '\0'; }
    // The other segments, with slashes between them.
    std::string name() const;
};

// Error::Truncated, ::Malformed, or ::TooLarge for more than kOptionCountMax options.
Result<Message> parse_message(Bytes bytes);

using Encoded = std::vector<std::uint8_t>;

// What the server sends. The token of a request is one byte, and the path its first option: the
// oldest devices look for them there.
Encoded encode_hello(std::uint16_t id);
Encoded encode_ping(std::uint16_t id);
std::array<std::uint8_t, 4> encode_ack(std::uint16_t id);
// Some devices want to be asked for a part: that of the application.
Encoded encode_describe(std::uint16_t id, std::uint8_t token, bool is_for_part = false);
// There is a query even if the argument is empty: without one the device takes padding for its
// size.
Encoded encode_call(std::uint16_t id,
                    std::uint8_t token,
                    std::string_view name,
                    std::string_view argument);
Encoded encode_read(std::uint16_t id, std::uint8_t token, std::string_view name);
Encoded encode_signal(std::uint16_t id, std::uint8_t token, bool is_on);
// An update; see update.hpp.
struct UpdateBegin {
    bool is_fast = false;  // if the device can, too
    std::uint16_t chunk_size = 0;
    std::uint32_t size = 0;
};
Encoded encode_update_begin(std::uint16_t id, std::uint8_t token, const UpdateBegin& begin);
// Where the chunks are sent fast each has its index.
struct Chunk {
    std::uint32_t crc = 0;
    std::optional<std::uint16_t> index{};
    Bytes data{};
};
Encoded encode_chunk(std::uint16_t id, std::uint8_t token, const Chunk& chunk);
Encoded encode_update_done(std::uint16_t id, std::uint8_t token);
// The answer to a request for the time.
Encoded encode_time(std::uint16_t id, Bytes token, std::uint32_t unix_seconds);

struct EventToDevice {
    std::string_view name{};
    std::string_view data{};
    std::uint32_t ttl_s = 60;
    bool is_public = false;
};
Encoded encode_event(std::uint16_t id, const EventToDevice& event);

}  // namespace sotto::cloud::particle
