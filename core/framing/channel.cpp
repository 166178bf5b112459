// SPDX-License-Identifier: Apache-2.0
#include "core/framing/channel.hpp"

#include <algorithm>
#include <iterator>

#include "core/base/reader.hpp"
#include "core/base/writer.hpp"

namespace sotto::framing::channel {

namespace {

enum class Type : std::uint8_t {
    Send = 1,
    Outcome = 2,
    Deliver = 3,
    Ack = 4,
    State = 5,
    Notice = 6,
    CaughtUp = 7,
};

Result<DeviceId> take_device_id(Reader& reader) {
    SOTTO_TRY_ASSIGN(const Bytes bytes, reader.take(kDeviceIdSize));
    DeviceId id{};
    std::copy(bytes.begin(), bytes.end(), id.begin());
    return id;
}

Result<Bytes> take_message(Reader& reader) {
    const Bytes message = reader.take_rest();
    if (message.empty()) return Error::Truncated;
    if (message.size() > kMessageSizeMax) return Error::TooLarge;
    return message;
}

Result<Record> parse_send(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint32_t reference, reader.u32_be());
    SOTTO_TRY_ASSIGN(const DeviceId device_id, take_device_id(reader));
    SOTTO_TRY_ASSIGN(const std::uint32_t lifetime, reader.u32_be());
    SOTTO_TRY_ASSIGN(const Bytes message, take_message(reader));
    return Send{Reference{reference}, device_id, lifetime, message};
}

Result<Record> parse_outcome(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint32_t reference, reader.u32_be());
    SOTTO_TRY_ASSIGN(const std::uint8_t code, reader.u8());
    SOTTO_TRY(reader.finish());
    if (code > static_cast<std::uint8_t>(OutcomeCode::TooLarge)) return Error::Malformed;
    return Outcome{Reference{reference}, static_cast<OutcomeCode>(code)};
}

Result<Record> parse_deliver(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint64_t sequence, reader.u64_be());
    SOTTO_TRY_ASSIGN(const DeviceId device_id, take_device_id(reader));
    SOTTO_TRY_ASSIGN(const Bytes message, take_message(reader));
    return Deliver{Sequence{sequence}, device_id, message};
}

Result<Record> parse_ack(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint64_t sequence, reader.u64_be());
    SOTTO_TRY(reader.finish());
    if (sequence == 0) return Error::Malformed;
    return Ack{Sequence{sequence}};
}

Result<Record> parse_state(Reader& reader) {
    SOTTO_TRY_ASSIGN(const DeviceId device_id, take_device_id(reader));
    SOTTO_TRY_ASSIGN(const std::uint8_t connected, reader.u8());
    SOTTO_TRY(reader.finish());
    if (connected > 1) return Error::Malformed;
    return State{device_id, connected == 1};
}

bool is_fate(std::uint8_t value) {
    return value == static_cast<std::uint8_t>(Fate::Expired) ||
           value == static_cast<std::uint8_t>(Fate::Dropped);
}

Result<Record> parse_notice(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint64_t sequence, reader.u64_be());
    SOTTO_TRY_ASSIGN(const DeviceId device_id, take_device_id(reader));
    SOTTO_TRY_ASSIGN(const std::uint32_t reference, reader.u32_be());
    SOTTO_TRY_ASSIGN(const std::uint8_t fate, reader.u8());
    SOTTO_TRY(reader.finish());
    if (sequence == 0 || !is_fate(fate)) return Error::Malformed;
    return Notice{Sequence{sequence}, device_id, Reference{reference}, static_cast<Fate>(fate)};
}

Result<Record> parse_caught_up(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint64_t sequence, reader.u64_be());
    SOTTO_TRY(reader.finish());
    return CaughtUp{Sequence{sequence}};
}

// By type, from 1 on.
constexpr Result<Record> (*kParsers[])(Reader&) = {parse_send,
                                                   parse_outcome,
                                                   parse_deliver,
                                                   parse_ack,
                                                   parse_state,
                                                   parse_notice,
                                                   parse_caught_up};

Result<Record> parse_body(std::uint8_t type, Reader& reader) {
    if (type == 0 || type > std::size(kParsers)) return Error::Unsupported;
    return kParsers[type - 1](reader);
}

bool is_from_app(const Record& record) {
    return std::holds_alternative<Send>(record) || std::holds_alternative<Ack>(record);
}

bool may_carry(Bytes message) { return !message.empty() && message.size() <= kMessageSizeMax; }

Writer& begin(Writer& writer, Type type) { return writer.u8(static_cast<std::uint8_t>(type)); }

}  // namespace

Result<Record> parse_record(Bytes bytes, Side sender) {
    Reader reader{bytes};
    SOTTO_TRY_ASSIGN(const std::uint8_t type, reader.u8());
    SOTTO_TRY_ASSIGN(const Record record, parse_body(type, reader));
    if (is_from_app(record) != (sender == Side::App)) return Error::WrongState;
    return record;
}

Result<Bytes> encode_record(MutBytes out, const Record& record) {
    Writer writer{out};
    if (const auto* send = std::get_if<Send>(&record)) {
        if (!may_carry(send->message)) return Error::InvalidArgument;
        begin(writer, Type::Send).u32_be(send->reference.value()).bytes(send->device_id);
        writer.u32_be(send->lifetime_s).bytes(send->message);
    } else if (const auto* outcome = std::get_if<Outcome>(&record)) {
        begin(writer, Type::Outcome).u32_be(outcome->reference.value());
        writer.u8(static_cast<std::uint8_t>(outcome->code));
    } else if (const auto* deliver = std::get_if<Deliver>(&record)) {
        if (!may_carry(deliver->message)) return Error::InvalidArgument;
        begin(writer, Type::Deliver).u64_be(deliver->sequence.value());
        writer.bytes(deliver->device_id).bytes(deliver->message);
    } else if (const auto* ack = std::get_if<Ack>(&record)) {
        if (ack->sequence.value() == 0) return Error::InvalidArgument;
        begin(writer, Type::Ack).u64_be(ack->sequence.value());
    } else if (const auto* state = std::get_if<State>(&record)) {
        begin(writer, Type::State).bytes(state->device_id).u8(state->is_connected ? 1 : 0);
    } else if (const auto* notice = std::get_if<Notice>(&record)) {
        const auto fate = static_cast<std::uint8_t>(notice->fate);
        if (notice->sequence.value() == 0 || !is_fate(fate)) return Error::InvalidArgument;
        begin(writer, Type::Notice).u64_be(notice->sequence.value()).bytes(notice->device_id);
        writer.u32_be(notice->reference.value()).u8(fate);
    } else if (const auto* caught_up = std::get_if<CaughtUp>(&record)) {
        begin(writer, Type::CaughtUp).u64_be(caught_up->sequence.value());
    }
    return writer.finish();
}

}  // namespace sotto::framing::channel
