// SPDX-License-Identifier: Apache-2.0
// One bluz device on the air, its stream to the server of legacy devices and its local custom data
// (docs/protocol/bluz.md). Reads nothing of what the stream carries. Sans-I/O; allocates, within
// limits.hpp; owns what it queues.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "air/bluz/packets.hpp"
#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/framing/frame.hpp"
#include "gateway/bluz/limits.hpp"
#include "gateway/bluz/stream_cutter.hpp"
#include "gateway/relay/backoff.hpp"

namespace sotto::gateway::bluz {

using air::bluz::Assembler;
using air::bluz::Packetizer;
using framing::DeviceId;
using relay::Jitter;

// Why a device is let go. There is no other way to tell it that something is wrong.
enum class Close : std::uint8_t {
    NotIntroduced,  // neither an id nor the wish for a stream in time
    NotAdmitted,    // its id is not among those that are served
    Misbehaved,     // what it sent cannot be the service
    ServerStalled,  // the server takes nothing of what it sends
    StreamEnded,    // the server has ended its stream; it must begin anew
    Restarted,      // it wants another stream while bytes of the old one are on their way to it
};

// To be done, in this order.
struct SendValue {  // on_values_sent() is to follow
    std::array<std::uint8_t, kValueSizeMax> bytes{};
    std::size_t size = 0;
    Bytes value() const { return Bytes{bytes}.first(size); }
};
struct OpenStream {};   // on_stream_up() or on_stream_down() is to follow
struct CloseStream {};  // on_stream_down() may follow
struct WriteStream {    // on_stream_written() is to follow
    std::vector<std::uint8_t> bytes;
};
struct LocalData {  // to the apps on this machine
    std::vector<std::uint8_t> bytes;
};
// Nothing follows any more. No time: as long as after any failure.
struct CloseLink {
    Close why;
    std::optional<Duration> stay_away;
};
// To be told.
struct Introduced {
    DeviceId id;
};
struct LocalRefused {};  // custom data came and is not allowed; once

using Output = std::variant<SendValue,
                            OpenStream,
                            CloseStream,
                            WriteStream,
                            LocalData,
                            CloseLink,
                            Introduced,
                            LocalRefused>;

class Device {
  public:
    struct Policy {
        bool has_server = false;           // streams are opened
        bool is_local_allowed = false;     // custom data passes
        std::vector<DeviceId> admitted{};  // empty: all
    };

    // It has just been subscribed to.
    Device(Policy policy, Instant now);

    // What is to be done next; nothing when all has been told.
    std::optional<Output> next_output();

    // Its id; it says so itself, and nothing proves it.
    const std::optional<DeviceId>& id() const { return id_; }
    bool has_stream() const { return stream_ == Stream::Open; }

    // From the air: any bytes.
    void on_value(Bytes value, Instant now);
    void on_values_sent(std::size_t count, Instant now);

    // From the server. At most so many bytes may be read now.
    std::size_t stream_room() const;
    void on_stream_up(Instant now);
    void on_stream_bytes(Bytes bytes, Instant now);
    void on_stream_written();
    void on_stream_down(Instant now, Jitter jitter);

    // From an app on this machine. Error::Refused if it is not allowed, Error::InvalidArgument
    // without bytes, Error::TooLarge over kLocalSizeMax, Error::Busy if too much waits.
    Status send_local(Bytes data, Instant now);

    void on_time(Instant now);

  private:
    enum class Stream : std::uint8_t { None, Waiting, Opening, Open };

    void on_frame(Bytes frame, Instant now);
    void on_socket_frame(std::uint8_t command, Bytes payload, Instant now);
    void on_custom(Bytes data);
    void on_nonsense();
    void introduce(Bytes id, Instant now);
    void wish_stream(Instant now);
    void end_stream();
    void open_when_due(Instant now);
    void pass_on(Bytes payload);
    void write_stream();
    void pump_air(Instant now);
    bool begin_frame(Instant now);
    bool begin_piece(Instant now);
    void ask_id(Instant now);
    void close(Close why, std::optional<Duration> stay_away = {});

    Policy policy_;
    Instant since_;
    bool is_closed_ = false;
    std::deque<Output> outputs_;

    std::optional<DeviceId> id_;
    std::uint32_t id_asked_ = 0;
    Instant ask_id_at_;
    bool must_ask_id_ = false;

    bool has_wished_stream_ = false;
    Stream stream_ = Stream::None;
    Instant open_at_;
    std::optional<Instant> give_up_opening_at_;
    relay::Backoff backoff_{kOpenBackoffMin, kOpenBackoffMax};

    // Up: from the device.
    Assembler assembler_;
    std::uint32_t nonsense_ = 0;
    std::vector<std::uint8_t> to_server_;
    std::size_t writing_ = 0;  // bytes given to the server and not yet taken
    bool is_refusal_told_ = false;

    // Down: to the device.
    Packetizer packetizer_;
    bool is_piece_under_way_ = false;
    std::size_t in_air_ = 0;
    std::deque<std::vector<std::uint8_t>> local_;
    bool is_stream_next_ = false;  // local data and the stream take turns
    std::vector<std::uint8_t> from_server_;
    StreamCutter cutter_;
    std::size_t unread_ = 0;  // bytes of the stream that the device may not have read yet
    Instant latest_value_;
};

}  // namespace sotto::gateway::bluz
