// SPDX-License-Identifier: Apache-2.0
#include "device/particle/session.hpp"

#include <algorithm>

#include "core/base/assert.hpp"
#include "core/base/writer.hpp"

namespace sotto::device::particle {

namespace {

using coap::Code;
using coap::Header;
using coap::MessageWriter;
using coap::Type;

// Of its Hello: it is a bluz board to those who ask for its kind, and no product.
constexpr std::uint16_t kPlatform = 103;
constexpr std::uint16_t kVersion = 0xffff;
constexpr std::size_t kHelloSize = 8;

// The types of variables in a description, by what a Value holds.
constexpr char kTypes[] = {'2', '1', '4'};
static_assert(std::variant_size_v<Value> == sizeof kTypes);

constexpr std::size_t kHeadSizeMax = coap::kHeaderSize + coap::kTokenSizeMax + 1;
constexpr std::size_t kDescriptionSizeMax = 32 + kFunctionCountMax * (kMemberNameSizeMax + 3) +
                                            kVariableCountMax * (kMemberNameSizeMax + 5);
static_assert(kHeadSizeMax + kDescriptionSizeMax <= kMessageSizeMax);
static_assert(kHeadSizeMax + kTextSizeMax <= kMessageSizeMax);
static_assert(kHeadSizeMax + 8 + kEventNameSizeMax + kEventDataSizeMax <= kMessageSizeMax);
// The largest reply, and what a call sends beside events.
static_assert(kSizeSize + kMessageSizeMax + kBlockSize <= kReplyRoom);
constexpr std::size_t kShortFramesRoom = 3 * (kSizeSize + 2 * kBlockSize);
static_assert(kSizeSize + kFrameSizeMax <= kInputSizeMax && kAnswerSize <= kInputSizeMax);

char topic_of(const coap::Message& message) {
    const auto path = message.options.find_text(coap::kUriPath, 0);
    return path && path->size() == 1 ? (*path)[0] : '\0';
}

std::string_view name_in(const coap::Message& request) {
    return request.options.find_text(coap::kUriPath, 1).value_or("");
}

std::optional<std::size_t> find(std::span<const std::string_view> names, std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
}

// As much of a text as goes into one message, in whole characters.
std::string_view cut(std::string_view text) {
    if (text.size() <= kTextSizeMax) return text;
    std::size_t size = kTextSizeMax;
    while (size > 0 && (static_cast<std::uint8_t>(text[size]) & 0xc0) == 0x80) --size;
    return text.substr(0, size);
}

void write_description(const Members& members, Writer& out) {
    out.text("{\"f\":[");
    const char* comma = "";
    for (const std::string_view name : members.functions()) {
        out.text(comma).text("\"").text(name).text("\"");
        comma = ",";
    }
    out.text("],\"v\":{");
    comma = "";
    for (std::size_t i = 0; i < members.variables().size(); ++i) {
        const char type = kTypes[members.read(i).index()];
        out.text(comma).text("\"").text(members.variables()[i]).text("\":").text({&type, 1});
        comma = ",";
    }
    out.text("},\"p\":103,\"m\":[]}");
}

}  // namespace

std::string_view to_string(Ending ending) {
    switch (ending) {
        case Ending::None:
            return "it goes on";
        case Ending::NoHandshake:
            return "the server said nothing in time";
        case Ending::NotTheServer:
            return "the answer is not of the server whose key is known";
        case Ending::NoHello:
            return "the server did not greet";
        case Ending::Unreadable:
            return "what came cannot be read";
        case Ending::Overflow:
            return "more came than can be kept";
        case Ending::Silence:
            return "the server answers no more";
        case Ending::NoRandomness:
            return "the system gives no random numbers";
    }
    return "";
}

Session::Session(const Setup& setup)
    : setup_(setup),
      deadline_(setup.now + kHandshakeTime),
      heard_at_(setup.now),
      event_rate_({.burst = kEventBurst, .refill = kEventRefill}, setup.now) {
    SOTTO_ASSERT(setup.members.functions().size() <= kFunctionCountMax);
    SOTTO_ASSERT(setup.members.variables().size() <= kVariableCountMax);
}

void Session::end(Ending why) {
    if (ending_ == Ending::None) ending_ = why;
    channel_.reset();
}

void Session::receive(Bytes bytes, Instant now) {
    // As much at a time as there is room for: what is whole leaves at once, if it can.
    while (ending_ == Ending::None && !bytes.empty()) {
        const std::size_t size = std::min(bytes.size(), kInputSizeMax - in_.size());
        if (size == 0) return end(Ending::Overflow);
        in_.insert(in_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        bytes = bytes.subspan(size);
        advance(now);
    }
}

void Session::take_output(std::size_t size, Instant now) {
    SOTTO_ASSERT(size <= out_.size());
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(size));
    advance(now);
}

void Session::on_time(Instant now) {
    if (ending_ != Ending::None) return;
    if (stage_ != Stage::Connected) {
        if (now >= deadline_) end(stage_ == Stage::Hello ? Ending::NoHello : Ending::NoHandshake);
        return;
    }
    if (pinged_at_ && now - *pinged_at_ >= kPingTime) return end(Ending::Silence);
    if (pinged_at_ || now - heard_at_ < kIdleTime) return;
    pinged_at_ = now;
    // A link that takes nothing needs none to be found dead.
    if (out_.size() <= kOutputSizeMax - kReplyRoom) send_ping();
}

// Not from within a call of a function: its message comes first.
void Session::advance(Instant now) {
    if (is_advancing_) return;
    is_advancing_ = true;
    while (ending_ == Ending::None && step(now)) continue;
    is_advancing_ = false;
}

// False if it needs more bytes, or more room.
bool Session::step(Instant now) {
    if (stage_ == Stage::Hello || stage_ == Stage::Connected) return take_frame(now);
    const std::size_t size = stage_ == Stage::Nonce ? kNonceSize : kAnswerSize;
    if (in_.size() < size) return false;
    if (stage_ == Stage::Nonce) {
        take_nonce();
    } else {
        take_answer(now);
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(size));
    return true;
}

void Session::take_nonce() {
    out_.resize(kServerModulusSize);
    const Status done = introduce(setup_.crypto,
                                  Bytes{in_}.first<kNonceSize>(),
                                  setup_.id,
                                  MutBytes{out_}.first<kServerModulusSize>());
    if (!done) {
        out_.clear();
        return end(Ending::NoRandomness);
    }
    stage_ = Stage::Answer;
}

void Session::take_answer(Instant now) {
    const auto credentials = open_answer(setup_.crypto, Bytes{in_}.first<kAnswerSize>());
    if (!credentials) return end(Ending::NotTheServer);
    channel_.emplace(*credentials);
    const Bytes salt = credentials->expose().subspan(AesKey::kSize + kBlockSize);
    id_ = static_cast<std::uint16_t>(salt[0] << 8U | salt[1]);
    stage_ = Stage::Hello;
    deadline_ = now + kHelloTime;
    send_hello();
}

bool Session::take_frame(Instant now) {
    const auto size = Channel::size_of_next(in_);
    if (!size) {
        end(Ending::Unreadable);
        return false;
    }
    if (*size == 0 || in_.size() < kSizeSize + *size) return false;
    if (out_.size() > kOutputSizeMax - kReplyRoom) return false;
    SOTTO_ASSERT(channel_.has_value());
    Scratch<kFrameSizeMax> scratch;
    const auto message = channel_->open(
        setup_.crypto, Bytes{in_}.subspan(kSizeSize, *size), scratch.bytes().first(*size));
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(kSizeSize + *size));
    if (!message) {
        end(Ending::Unreadable);
        return false;
    }
    heard_at_ = now;
    pinged_at_.reset();
    on_message(*message);
    return true;
}

// What is no message, or none that is known, is dropped, as by firmware since 0.6.
void Session::on_message(Bytes bytes) {
    coap::Message message;
    const bool is_message = coap::parse_message(bytes, message).has_value();
    if (stage_ == Stage::Hello) {
        if (!is_message || message.header.code != Code::Post || topic_of(message) != 'h')
            return end(Ending::NoHello);
        stage_ = Stage::Connected;
        return;
    }
    if (!is_message) return;
    const Header& header = message.header;
    if (header.code == Code::Empty && header.type == Type::Confirmable)
        return acknowledge(header.id);
    if (coap::is_request(header.code)) on_request(message);
}

void Session::on_request(const coap::Message& request) {
    const char topic = topic_of(request);
    if (request.header.code == Code::Get) return on_get(topic, request);
    if (request.header.code == Code::Post) return on_post(topic, request);
    if (request.header.code == Code::Put) return on_put(topic, request);
}

void Session::on_get(char topic, const coap::Message& request) {
    if (topic == 'd') return describe(request);
    if (topic == 'v') return read(request);
}

// Its program is not the server's to change: updates and their chunks are refused.
void Session::on_post(char topic, const coap::Message& request) {
    if (topic == 'f') return call(request);
    if (topic == 'u' || topic == 's' || topic == 'c')
        return acknowledge(request.header.id, Code::BadRequest);
}

void Session::on_put(char topic, const coap::Message& request) {
    if (topic == 'u') return answer(request, Code::BadRequest);
    if (topic != 's') return;
    const auto query = request.options.find_text(coap::kUriQuery, 0);
    setup_.members.on_signal(query && query->size() == 1 && (*query)[0] != '\0');
    answer(request, Code::Changed);
}

void Session::describe(const coap::Message& request) {
    std::array<std::uint8_t, kDescriptionSizeMax> json{};
    Writer out{json};
    write_description(setup_.members, out);
    const auto written = out.finish();
    SOTTO_ASSERT(written.has_value());
    answer(request, Code::Content, *written);
}

void Session::read(const coap::Message& request) {
    const auto place = find(setup_.members.variables(), name_in(request));
    if (!place) return answer(request, Code::NotFound);
    const Value value = setup_.members.read(*place);
    if (const auto* text = std::get_if<std::string_view>(&value))
        return answer(request, Code::Content, as_bytes(cut(*text)));
    std::array<std::uint8_t, 4> bytes{};
    Writer out{bytes};
    if (const auto* truth = std::get_if<bool>(&value)) {
        out.u8(*truth ? 1 : 0);
    } else {
        out.u32_be(static_cast<std::uint32_t>(std::get<std::int32_t>(value)));
    }
    answer(request, Code::Content, out.written());
}

// Taken first, and done then: the result is a message of its own.
void Session::call(const coap::Message& request) {
    const auto place = find(setup_.members.functions(), name_in(request));
    if (!place) return answer(request, Code::NotFound);
    const std::string_view argument =
        request.options.find_text(coap::kUriQuery, 0).value_or(std::string_view{});
    if (argument.size() > kArgumentSizeMax) return acknowledge(request.header.id, Code::BadRequest);
    acknowledge(request.header.id);
    const std::int32_t number = number_of(setup_.members.call(*place, argument));
    std::array<std::uint8_t, 4> bytes{};
    Writer{bytes}.u32_be(static_cast<std::uint32_t>(number));
    send({.type = Type::NonConfirmable,
          .code = Code::Changed,
          .id = ++id_,
          .token = request.header.token},
         bytes);
}

void Session::answer(const coap::Message& request, Code code, Bytes payload) {
    send({.type = Type::Acknowledgement,
          .code = code,
          .id = request.header.id,
          .token = request.header.token},
         payload);
}

void Session::acknowledge(std::uint16_t id, Code code) {
    send({.type = Type::Acknowledgement, .code = code, .id = id}, {});
}

void Session::send_hello() {
    std::array<std::uint8_t, kHelloSize> payload{};
    Writer{payload}.u16_be(kPlatform).u16_be(kVersion).u16_be(0).u16_be(kPlatform);
    send({.type = Type::NonConfirmable, .code = Code::Post, .id = ++id_}, payload, "h");
}

void Session::send_ping() { send({.type = Type::Confirmable, .id = ++id_}, {}); }

Status Session::publish(std::string_view name, std::string_view data, Instant now) {
    if (!is_connected()) return Error::WrongState;
    if (name.empty()) return Error::InvalidArgument;
    if (name.size() > kEventNameSizeMax || data.size() > kEventDataSizeMax) return Error::TooLarge;
    const std::size_t frame = kSizeSize + kHeadSizeMax + 8 + name.size() + data.size() + kBlockSize;
    if (out_.size() + frame + kShortFramesRoom > kOutputSizeMax) return Error::Busy;
    if (!event_rate_.take(now)) return Error::RateLimited;
    Scratch<kMessageSizeMax> scratch;
    MessageWriter out{scratch.bytes(),
                      {.type = Type::NonConfirmable, .code = Code::Post, .id = ++id_}};
    out.options().add_text(coap::kUriPath, "E").add_text(coap::kUriPath, name);
    out.payload(as_bytes(data));
    seal(out.finish());
    return {};
}

void Session::send(const Header& header, Bytes payload, std::string_view topic) {
    Scratch<kMessageSizeMax> scratch;
    MessageWriter out{scratch.bytes(), header};
    if (!topic.empty()) out.options().add_text(coap::kUriPath, topic);
    out.payload(payload);
    seal(out.finish());
}

void Session::seal(const Result<Bytes>& message) {
    SOTTO_ASSERT(message.has_value() && channel_.has_value());
    channel_->seal(setup_.crypto, *message, out_);
    SOTTO_ASSERT(out_.size() <= kOutputSizeMax);
}

}  // namespace sotto::device::particle
