// SPDX-License-Identifier: Apache-2.0
#include "core/framing/uplink.hpp"

#include <algorithm>
#include <utility>

#include "core/base/reader.hpp"
#include "core/base/writer.hpp"
#include "core/framing/text.hpp"

namespace sotto::framing::uplink {

namespace {

enum class Type : std::uint8_t {
    Hello = 0x01,
    Welcome = 0x02,
    Refused = 0x03,
    TagsWanted = 0x04,
    Tags = 0x05,
    LinkUp = 0x10,
    LinkDown = 0x11,
    Release = 0x12,
    Message = 0x20,
    Credit = 0x21,
    Ping = 0x30,
    Pong = 0x31,
};

constexpr std::uint8_t kIsFirst = 1;  // flags of TAGS

Result<LinkId> take_link(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint32_t link, reader.u32_be());
    return LinkId{link};
}

// A number at the end of a record, which must not be 0.
Result<std::uint16_t> take_last_positive(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint16_t number, reader.u16_be());
    if (number == 0) return Error::Malformed;
    SOTTO_TRY(reader.finish());
    return number;
}

Result<Record> parse_hello(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint8_t version, reader.u8());
    if (version != kVersion) return Error::Unsupported;
    const std::string_view token = as_text(reader.take_rest());
    if (token.empty()) return Error::Truncated;
    if (token.size() > kTokenSizeMax) return Error::TooLarge;
    if (!is_visible_ascii(token)) return Error::Malformed;
    return Hello{.token = token};
}

Result<Record> parse_welcome(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint16_t credit, reader.u16_be());
    if (credit == 0 || credit > kUplinkCreditMax) return Error::Malformed;  // [UPL-22]
    SOTTO_TRY_ASSIGN(const std::uint16_t interval, take_last_positive(reader));
    return Welcome{.credit = credit, .ping_interval_s = interval};
}

Result<Record> parse_refused(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint8_t reason, reader.u8());
    SOTTO_TRY(reader.finish());
    if (reason < static_cast<std::uint8_t>(Reason::BadToken)) return Error::Malformed;
    if (reason > static_cast<std::uint8_t>(Reason::Full)) return Error::Malformed;
    return Refused{.reason = static_cast<Reason>(reason)};
}

Result<Record> parse_tags_wanted(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint8_t version, reader.u8());
    if (version != kTagsVersion) return Error::Unsupported;
    SOTTO_TRY(reader.finish());
    return TagsWanted{};
}

Result<Record> parse_tags(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint8_t flags, reader.u8());
    if ((flags & ~kIsFirst) != 0) return Error::Malformed;
    SOTTO_TRY_ASSIGN(const std::uint32_t seconds, reader.u32_be());
    SOTTO_TRY_ASSIGN(const TagPeriod period, reader.u32_be());
    const Bytes tags = reader.take_rest();
    if (tags.size() % kDeviceTagSize != 0) return Error::Truncated;
    if (tags.size() > kTagsPerRecordMax * kDeviceTagSize) return Error::TooLarge;
    return Tags{.is_first = (flags & kIsFirst) != 0,
                .unix_seconds = seconds,
                .period = period,
                .tags = tags};
}

Result<Record> parse_link_up(Reader& reader) {
    SOTTO_TRY_ASSIGN(const LinkId link, take_link(reader));
    SOTTO_TRY_ASSIGN(const Attach attach, parse_attach(reader));
    return LinkUp{.link = link, .attach = attach};
}

Result<Record> parse_link_down(Reader& reader) {
    SOTTO_TRY_ASSIGN(const LinkId link, take_link(reader));
    SOTTO_TRY(reader.finish());
    return LinkDown{.link = link};
}

Result<Record> parse_release(Reader& reader) {
    SOTTO_TRY_ASSIGN(const LinkId link, take_link(reader));
    SOTTO_TRY_ASSIGN(const std::uint16_t seconds, reader.u16_be());
    SOTTO_TRY(reader.finish());
    return Release{.link = link, .seconds = seconds};
}

Result<Record> parse_message(Reader& reader) {
    SOTTO_TRY_ASSIGN(const LinkId link, take_link(reader));
    SOTTO_TRY_ASSIGN(const std::uint16_t label, reader.u16_be());
    if (Label{label} == kLabelNearby) return Error::Malformed;  // [UPL-30]
    const Bytes message = reader.take_rest();
    if (message.empty()) return Error::Truncated;
    if (message.size() > kMessageSizeMax) return Error::TooLarge;
    return Message{.link = link, .label = Label{label}, .message = message};
}

Result<Record> parse_credit(Reader& reader) {
    SOTTO_TRY_ASSIGN(const LinkId link, take_link(reader));
    SOTTO_TRY_ASSIGN(const std::uint16_t count, take_last_positive(reader));
    return Credit{.link = link, .count = count};
}

template <class PingOrPong>
Result<Record> parse_ping(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint32_t value, reader.u32_be());
    SOTTO_TRY(reader.finish());
    return PingOrPong{.value = value};
}

Result<Record> parse_body(Type type, Reader& reader) {
    switch (type) {
        case Type::Hello:
            return parse_hello(reader);
        case Type::Welcome:
            return parse_welcome(reader);
        case Type::Refused:
            return parse_refused(reader);
        case Type::TagsWanted:
            return parse_tags_wanted(reader);
        case Type::Tags:
            return parse_tags(reader);
        case Type::LinkUp:
            return parse_link_up(reader);
        case Type::LinkDown:
            return parse_link_down(reader);
        case Type::Release:
            return parse_release(reader);
        case Type::Message:
            return parse_message(reader);
        case Type::Credit:
            return parse_credit(reader);
        case Type::Ping:
            return parse_ping<Ping>(reader);
        case Type::Pong:
            return parse_ping<Pong>(reader);
    }
    return Error::Unsupported;
}

template <class... Types>
bool holds_any(const Record& record) {
    return (std::holds_alternative<Types>(record) || ...);
}

bool may_send(Side sender, const Record& record) {
    if (holds_any<Message, Credit, Ping, Pong>(record)) return true;
    const bool from_gateway = holds_any<Hello, TagsWanted, LinkUp, LinkDown>(record);
    return from_gateway == (sender == Side::Gateway);
}

// One overload writes each body; its errors are the caller's mistakes.
Status write(Writer& writer, const Hello& hello) {
    if (hello.token.empty() || hello.token.size() > kTokenSizeMax) return Error::InvalidArgument;
    if (!is_visible_ascii(hello.token)) return Error::InvalidArgument;
    writer.u8(kVersion).text(hello.token);
    return {};
}

Status write(Writer& writer, const Welcome& welcome) {
    if (welcome.credit == 0 || welcome.credit > kUplinkCreditMax) return Error::InvalidArgument;
    if (welcome.ping_interval_s == 0) return Error::InvalidArgument;
    writer.u16_be(welcome.credit).u16_be(welcome.ping_interval_s);
    return {};
}

Status write(Writer& writer, const Refused& refused) {
    writer.u8(static_cast<std::uint8_t>(refused.reason));
    return {};
}

Status write(Writer& writer, const TagsWanted& /*wanted*/) {
    writer.u8(kTagsVersion);
    return {};
}

Status write(Writer& writer, const Tags& tags) {
    if (tags.tags.size() % kDeviceTagSize != 0) return Error::InvalidArgument;
    if (tags.tags.size() > kTagsPerRecordMax * kDeviceTagSize) return Error::InvalidArgument;
    writer.u8(tags.is_first ? kIsFirst : 0).u32_be(tags.unix_seconds).u32_be(tags.period);
    writer.bytes(tags.tags);
    return {};
}

Status write(Writer& writer, const LinkUp& up) {
    writer.u32_be(up.link.value());
    return write_attach(writer, up.attach);
}

Status write(Writer& writer, const LinkDown& down) {
    writer.u32_be(down.link.value());
    return {};
}

Status write(Writer& writer, const Release& release) {
    writer.u32_be(release.link.value()).u16_be(release.seconds);
    return {};
}

Status write(Writer& writer, const Message& message) {
    if (message.label == kLabelNearby) return Error::InvalidArgument;
    if (message.message.empty() || message.message.size() > kMessageSizeMax)
        return Error::InvalidArgument;
    writer.u32_be(message.link.value()).u16_be(message.label.value()).bytes(message.message);
    return {};
}

Status write(Writer& writer, const Credit& credit) {
    if (credit.count == 0) return Error::InvalidArgument;
    writer.u32_be(credit.link.value()).u16_be(credit.count);
    return {};
}

Status write(Writer& writer, const Ping& ping) {
    writer.u32_be(ping.value);
    return {};
}

Status write(Writer& writer, const Pong& pong) {
    writer.u32_be(pong.value);
    return {};
}

template <class Alternative>
bool write_if(Writer& writer, const Record& record, Type type, Status& status) {
    const auto* item = std::get_if<Alternative>(&record);
    if (item == nullptr) return false;
    writer.u8(static_cast<std::uint8_t>(type));
    status = write(writer, *item);
    return true;
}

Status write_record(Writer& writer, const Record& record) {
    Status status;
    write_if<Hello>(writer, record, Type::Hello, status) ||
        write_if<Welcome>(writer, record, Type::Welcome, status) ||
        write_if<Refused>(writer, record, Type::Refused, status) ||
        write_if<TagsWanted>(writer, record, Type::TagsWanted, status) ||
        write_if<Tags>(writer, record, Type::Tags, status) ||
        write_if<LinkUp>(writer, record, Type::LinkUp, status) ||
        write_if<LinkDown>(writer, record, Type::LinkDown, status) ||
        write_if<Release>(writer, record, Type::Release, status) ||
        write_if<Message>(writer, record, Type::Message, status) ||
        write_if<Credit>(writer, record, Type::Credit, status) ||
        write_if<Ping>(writer, record, Type::Ping, status) ||
        write_if<Pong>(writer, record, Type::Pong, status);
    return status;
}

}  // namespace

Result<Record> parse_record(Bytes bytes, Side sender) {
    Reader reader{bytes};
    SOTTO_TRY_ASSIGN(const std::uint8_t type, reader.u8());
    SOTTO_TRY_ASSIGN(const Record record, parse_body(static_cast<Type>(type), reader));
    if (!may_send(sender, record)) return Error::WrongState;
    return record;
}

Result<Bytes> encode_record(MutBytes out, const Record& record) {
    if (out.size() < kUplinkSizeSize) return Error::NoSpace;
    Writer body{out.subspan(kUplinkSizeSize)};
    SOTTO_TRY(write_record(body, record));
    SOTTO_TRY_ASSIGN(const Bytes written, body.finish());
    SOTTO_ASSERT(written.size() <= kUplinkRecordSizeMax);
    Writer{out}.u16_be(static_cast<std::uint16_t>(written.size()));
    return Bytes{out.first(kUplinkSizeSize + written.size())};
}

Result<std::optional<Bytes>> Splitter::next(Bytes& input) {
    if (failed_) return Error::Malformed;
    while (!input.empty()) {
        const std::size_t size = std::min(input.size(), wanted_ - size_);
        std::copy_n(input.begin(), size, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += size;
        input = input.subspan(size);
        if (size_ < wanted_) break;
        if (wanted_ > kUplinkSizeSize) {
            size_ = 0;
            const std::size_t end = std::exchange(wanted_, kUplinkSizeSize);
            return std::optional{Bytes{bytes_}.subspan(kUplinkSizeSize, end - kUplinkSizeSize)};
        }
        const std::size_t record_size = *Reader{bytes_}.u16_be();
        if (record_size == 0 || record_size > kUplinkRecordSizeMax) {
            failed_ = true;
            return Error::Malformed;
        }
        wanted_ = kUplinkSizeSize + record_size;
    }
    return std::optional<Bytes>{};
}

}  // namespace sotto::framing::uplink
