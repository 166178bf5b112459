// SPDX-License-Identifier: Apache-2.0
#include "testing/particle/legacy_device.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/assert.hpp"

namespace sotto::testing {

namespace {

constexpr std::size_t kSocketBuffer = 1'024;
constexpr std::size_t kWifiBuffer = 8'192;  // of TCP on boards with Wi-Fi
constexpr std::size_t kProtocolBuffer = 800;
constexpr std::size_t kNameMax = 12;
constexpr std::size_t kArgumentMax = 63;
using Message = std::vector<std::uint8_t>;

void append(Message& message, std::string_view text) {
    message.insert(message.end(), text.begin(), text.end());
}

// A size of 13 or more goes on in the next byte.
void append_option(Message& message, unsigned delta, std::string_view value) {
    const std::size_t size = value.size();
    message.push_back(static_cast<std::uint8_t>(delta << 4U | std::min<std::size_t>(size, 13)));
    if (size >= 13) message.push_back(static_cast<std::uint8_t>(size - 13));
    append(message, value);
}

std::uint8_t byte_at(const Message& message, std::size_t place) {
    return place < message.size() ? message[place] : std::uint8_t{0};
}

// Of IEEE 802.3, bit by bit, as the smallest boot programs have it.
std::uint32_t crc32_of(Bytes bytes) {
    std::uint32_t crc = ~0U;
    for (const std::uint8_t byte : bytes) {
        crc ^= byte;
        for (int i = 0; i < 8; ++i) crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
    }
    return ~crc;
}

std::uint32_t u32_at(const Message& message, std::size_t place) {
    return static_cast<std::uint32_t>(byte_at(message, place)) << 24U |
           static_cast<std::uint32_t>(byte_at(message, place + 1)) << 16U |
           static_cast<std::uint32_t>(byte_at(message, place + 2)) << 8U |
           byte_at(message, place + 3);
}

std::string text_at(const Message& message, std::size_t place, std::size_t size) {
    if (place + size > message.size()) return {};
    return {message.begin() + static_cast<std::ptrdiff_t>(place),
            message.begin() + static_cast<std::ptrdiff_t>(place + size)};
}

}  // namespace

LegacyDevice::LegacyDevice(Setup setup) : setup_(std::move(setup)) {}

void LegacyDevice::hang_up(const std::string& why) {
    if (trouble_.empty()) trouble_ = why;
}

void LegacyDevice::receive(Bytes piece) {
    const bool is_small = setup_.firmware == Firmware::Bluz;
    const std::size_t room = (is_small ? kSocketBuffer : kWifiBuffer) - buffer_.size();
    if (piece.size() > room) hang_up("its receive buffer overflowed");
    const Bytes kept = piece.first(std::min(room, piece.size()));
    buffer_.insert(buffer_.end(), kept.begin(), kept.end());
}

bool LegacyDevice::step() {
    if (!trouble_.empty() || is_deaf) return false;
    return stage_ == Stage::Nonce || stage_ == Stage::Answer ? step_handshake() : step_frame();
}

std::vector<std::uint8_t> LegacyDevice::take_output() { return std::exchange(output_, {}); }

bool LegacyDevice::step_handshake() {
    const std::size_t wanted = stage_ == Stage::Nonce ? 40 : 384;
    if (buffer_.size() < wanted) return false;
    const Message part(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(wanted));
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(wanted));
    if (stage_ == Stage::Nonce) {
        Message plain = part;
        plain.insert(plain.end(), setup_.id.begin(), setup_.id.end());
        const auto key = setup_.key.public_der();
        SOTTO_ASSERT(key.size() == 162);
        plain.insert(plain.end(), key.begin(), key.end());
        send_raw(setup_.key.seal_to_server(setup_.server_key, plain));
        stage_ = Stage::Answer;
        return true;
    }
    const auto credentials = setup_.key.open(setup_.server_key, part);
    if (!credentials) {
        hang_up("the answer is not the server's");
        return false;
    }
    std::copy_n(credentials->begin(), 16, aes_.begin());
    std::copy_n(credentials->begin() + 16, 16, iv_in_.begin());
    iv_out_ = iv_in_;
    const std::uint8_t* salt = credentials->data() + 32;
    const bool is_big_endian = setup_.firmware == Firmware::Bluz;
    id_ =
        static_cast<std::uint16_t>(is_big_endian ? salt[0] << 8 | salt[1] : salt[0] | salt[1] << 8);
    token_ = salt[2];
    send_hello();
    stage_ = Stage::Hello;
    return true;
}

bool LegacyDevice::step_frame() {
    if (buffer_.empty()) return false;
    // Two bytes are read, and one that comes alone is lost.
    if (buffer_.size() == 1) {
        hang_up("half a size");
        return false;
    }
    const std::size_t size = static_cast<std::size_t>(buffer_[0]) << 8U | buffer_[1];
    if (size > kProtocolBuffer || size == 0 || size % 16 != 0) {
        hang_up("a frame of " + std::to_string(size));
        return false;
    }
    if (buffer_.size() < 2 + size) return false;
    const Message sealed(buffer_.begin() + 2,
                         buffer_.begin() + static_cast<std::ptrdiff_t>(2 + size));
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(2 + size));
    Message plain = legacy_cbc(false, aes_, iv_in_, sealed);
    std::copy_n(sealed.begin(), 16, iv_in_.begin());
    const std::size_t padding = plain.back();
    if (padding == 0 || padding > 16) {
        hang_up("bad padding");
        return false;
    }
    plain.resize(plain.size() - padding);
    if (plain.size() < 4) {
        hang_up("a message of less than four bytes");
        return false;
    }
    on_message(std::move(plain));
    return true;
}

void LegacyDevice::send_plain(Bytes message) {
    Message padded(message.begin(), message.end());
    const std::size_t padding = 16 - message.size() % 16;
    padded.insert(padded.end(), padding, static_cast<std::uint8_t>(padding));
    const Message sealed = legacy_cbc(true, aes_, iv_out_, padded);
    std::copy_n(sealed.begin(), 16, iv_out_.begin());
    output_.push_back(static_cast<std::uint8_t>(sealed.size() >> 8U));
    output_.push_back(static_cast<std::uint8_t>(sealed.size()));
    output_.insert(output_.end(), sealed.begin(), sealed.end());
}

Message LegacyDevice::head(std::uint8_t first, std::uint8_t code) {
    ++id_;
    return {first, code, static_cast<std::uint8_t>(id_ >> 8U), static_cast<std::uint8_t>(id_)};
}

void LegacyDevice::send_hello() {
    Message hello = head(0x50, 0x02);
    const auto u16 = [&hello](unsigned value) {
        hello.push_back(static_cast<std::uint8_t>(value >> 8U));
        hello.push_back(static_cast<std::uint8_t>(value));
    };
    hello.insert(hello.end(), {0xb1, 'h', 0xff});
    u16(setup_.product);
    u16(setup_.product_version);
    const unsigned pushes = setup_.pushes_description ? 0x20 : 0;
    const unsigned updated = setup_.is_updated ? 1 : 0;
    u16(setup_.firmware == Firmware::System6 ? 0x06 | pushes | updated : updated);
    u16(setup_.platform);
    if (setup_.firmware == Firmware::System6) {
        u16(12);
        hello.insert(hello.end(), setup_.id.begin(), setup_.id.end());
        u16(6'200);
        u16(1'152);
        u16(0);
        u16(512);
        u16(512);
    }
    send_plain(hello);
}

// The type of a message is a matter of its code and of the character of its path, at its place.
void LegacyDevice::on_message(Message message) {
    const char path = static_cast<char>(byte_at(message, 5U + (message[0] & 15U)));
    const std::uint8_t type = message[0] & 0x30;
    if (stage_ == Stage::Hello) {
        if (message[1] != 0x02 || path != 'h') return hang_up("no Hello first");
        stage_ = Stage::Connected;
        return on_connected();
    }
    switch (message[1]) {
        case 0x00:
            if (type == 0x20) ++ack_count_;
            if (type == 0x00) {
                const Message ack{0x60, 0, message[2], message[3]};
                send_plain(ack);
            }
            return;
        case 0x01:
            return on_get(path, message);
        case 0x02:
            return on_post(path, message);
        case 0x03:
            return on_put(path, message);
        case 0x45:
            if (message.size() < 10) return hang_up("no time at bytes 6 to 9");
            time_ = static_cast<std::uint32_t>(message[6]) << 24U | message[7] << 16U |
                    message[8] << 8U | message[9];
            return;
        default:
            if (setup_.firmware == Firmware::Bluz)
                return hang_up("code " + std::to_string(message[1]));
    }
}

void LegacyDevice::on_get(char path, const Message& message) {
    if (!has_one_byte_token(message)) return;
    if (path == 'd') return describe(message);
    if (path == 'v') return read(message);
    hang_up("GET of an unknown path");
}

void LegacyDevice::on_post(char path, const Message& message) {
    if (path == 'e' || path == 'E') return hear(message);
    if (path == 'h') return;
    if (path == 'f' && has_one_byte_token(message)) return call(message);
    if (path == 'u' && has_one_byte_token(message)) return begin_update(message);
    if (path == 'c' && has_one_byte_token(message)) return take_chunk(message);
    hang_up("POST to an unknown path");
}

void LegacyDevice::on_put(char path, const Message& message) {
    if (path == 'u' && has_one_byte_token(message)) return end_update(message);
    if (path != 's') return hang_up("PUT to an unknown path");
    if (!has_one_byte_token(message)) return;
    signal_ = byte_at(message, 8) != 0;
    // 0.6.4 takes an id of its own.
    const bool takes_own = setup_.firmware == Firmware::System06;
    if (takes_own) ++id_;
    const auto high = takes_own ? static_cast<std::uint8_t>(id_ >> 8U) : message[2];
    const auto low = takes_own ? static_cast<std::uint8_t>(id_) : message[3];
    send_plain(Message{0x61, 0x44, high, low, message[4]});
}

bool LegacyDevice::has_one_byte_token(const Message& message) {
    if ((message[0] & 15U) == 1) return true;
    hang_up("a token of " + std::to_string(message[0] & 15U));
    return false;
}

// What a bluz does as soon as it is connected, in this order.
void LegacyDevice::on_connected() {
    if (setup_.firmware == Firmware::System6 && setup_.pushes_description) push_description();
    publish({.name = "spark/hardware/max_binary", .data = "118784"});
    publish({.name = "spark/hardware/ota_chunk_size", .data = "512"});
    publish({.name = "spark/device/session/timeout", .data = "0"});
    if (setup_.is_in_safe_mode) publish({.name = "spark/device/safemode"});
    subscribe("spark", true);
    ask_time();
}

std::string LegacyDevice::members_json(bool with_system) const {
    std::string functions_json;
    std::string variables_json;
    if (!setup_.is_in_safe_mode) {
        for (const auto& [name, run] : functions)
            functions_json += (functions_json.empty() ? "\"" : ",\"") + name + "\"";
        for (const auto& [name, variable] : variables)
            variables_json += (variables_json.empty() ? "\"" : ",\"") + name +
                              "\":" + std::to_string(variable.type);
    }
    return "{\"f\":[" + functions_json + "],\"v\":{" + variables_json + "}" +
           (with_system ? ",\"p\":" + std::to_string(setup_.platform) + ",\"m\":" + setup_.modules
                        : "") +
           "}";
}

// bluz answers twice, the second time under an id that is garbage; 6.2.0 wants to be asked for a
// part.
void LegacyDevice::describe(const Message& message) {
    if (setup_.firmware == Firmware::System6 && byte_at(message, 7) != 0x41)
        return send_plain(Message{0x61, 0x80, message[2], message[3], message[4]});
    if (setup_.firmware == Firmware::System6) {
        send_plain(Message{0x60, 0x00, message[2], message[3]});
        Message separate = head(0x41, 0x45);
        separate.insert(separate.end(), {message[4], 0xff});
        append(separate, members_json(false));
        return send_plain(separate);
    }
    Message answer{0x61, 0x45, message[2], message[3], message[4], 0xff};
    append(answer, members_json(true));
    send_plain(answer);
    if (setup_.firmware != Firmware::Bluz) return;
    Message second{0x61, 0x45, 0xde, 0xad, message[4], 0xff};
    append(second, members_json(false));
    send_plain(second);
}

// First the system's part, in another format, then its own in blocks of 512.
void LegacyDevice::push_description() {
    Message system = head(0x41, 0x02);
    system.insert(system.end(), {++token_, 0xb1, 'd', 0x41, 0x01, 0xff, 0x0a, 0x02, 0x08, 0x01});
    send_plain(system);
    const std::string json = members_json(false);
    for (std::size_t number = 0; number * 512 < json.size(); ++number) {
        const bool has_more = (number + 1) * 512 < json.size();
        Message block = head(0x41, 0x02);
        block.insert(block.end(), {++token_, 0xb1, 'd', 0x41, 0x02});
        if (json.size() > 512) {
            block.push_back(0xc1);  // Block1, 12 after Uri-Query
            block.push_back(static_cast<std::uint8_t>(number << 4U | (has_more ? 8U : 0U) | 5U));
        }
        block.push_back(0xff);
        append(block, json.substr(number * 512, 512));
        send_plain(block);
    }
}

// The name follows its one byte of option at 7: longer ones cannot be told.
std::string LegacyDevice::name_at_7(const Message& message) {
    const std::uint8_t option = byte_at(message, 7);
    const std::size_t max = setup_.firmware == Firmware::Bluz ? kNameMax : 64;
    std::size_t size = option & 15U;
    std::size_t place = 8;
    if (size == 13 && max > kNameMax) size = 13U + byte_at(message, place++);
    if (option >> 4 != 0 || size > max || place + size > message.size()) {
        hang_up("no name at byte 7");
        return {};
    }
    return text_at(message, place, size);
}

void LegacyDevice::call(const Message& message) {
    if (update_) return hang_up("crash: a call in the middle of an update");
    const std::string name = name_at_7(message);
    if (!trouble_.empty()) return;
    std::size_t place = 8 + name.size() + (name.size() > kNameMax ? 1 : 0);
    const std::uint8_t option = byte_at(message, place++);
    if (option >> 4 != 4) return hang_up("no query: padding is taken for the argument");
    std::size_t size = option & 15U;
    if (size == 13) {
        size = 13U + byte_at(message, place++);
    } else if (size == 14) {
        size = 269U + (byte_at(message, place) << 8U | byte_at(message, place + 1));
        place += 2;
    }
    const bool is_too_long = setup_.firmware == Firmware::Bluz && size > kArgumentMax;
    if (is_too_long) {
        send_plain(Message{0x60, 0x80, message[2], message[3]});
    } else {
        argument_ = text_at(message, place, size);
        send_plain(Message{0x60, 0x00, message[2], message[3]});
    }
    const auto function = functions.find(name);
    const Result result{message[4], function == functions.end() ? 0 : function->second(argument_)};
    if (delays_results) {
        delayed_.push_back(result);
    } else {
        send_result(result);
    }
}

void LegacyDevice::send_result(const Result& result) {
    Message answer = head(0x51, 0x44);
    const auto value = static_cast<std::uint32_t>(result.value);
    answer.insert(answer.end(),
                  {result.token,
                   0xff,
                   static_cast<std::uint8_t>(value >> 24U),
                   static_cast<std::uint8_t>(value >> 16U),
                   static_cast<std::uint8_t>(value >> 8U),
                   static_cast<std::uint8_t>(value)});
    send_plain(answer);
}

void LegacyDevice::finish_calls() {
    while (!delayed_.empty()) {
        send_result(delayed_.back());
        delayed_.pop_back();
    }
}

void LegacyDevice::read(const Message& message) {
    const std::string name = name_at_7(message);
    if (!trouble_.empty()) return;
    const auto variable = variables.find(name);
    if (variable == variables.end()) return hang_up("crash: a variable that is not there");
    Message answer{0x61, 0x45, message[2], message[3], message[4], 0xff};
    append(answer, variable->second.bytes);
    send_plain(answer);
}

// A bluz finds the name at byte 6; Max-Age may follow it, and then nothing but the data.
void LegacyDevice::hear(const Message& message) {
    const std::size_t token_size = message[0] & 15U;
    if (token_size != 0 && setup_.firmware == Firmware::Bluz)
        return hang_up("an event with a token");
    LegacyEvent event{.is_public = message[5 + token_size] == 'e'};
    std::size_t place = 6 + token_size;
    bool is_first = true;
    while (place < message.size() && message[place] >> 4 == 0) {
        std::size_t size = message[place++] & 15U;
        if (size == 13) size = 13U + byte_at(message, place++);
        event.name += (is_first ? "" : "/") + text_at(message, place, size);
        is_first = false;
        place += size;
    }
    if (byte_at(message, place) == 0x33) {
        event.ttl_s = static_cast<std::uint32_t>(byte_at(message, place + 1)) << 16U |
                      byte_at(message, place + 2) << 8U | byte_at(message, place + 3);
        place += 4;
    }
    if (place < message.size() && message[place] != 0xff) return hang_up("an option in an event");
    if (place < message.size())
        event.data = text_at(message, place + 1, message.size() - place - 1);
    events_.push_back(std::move(event));
}

void LegacyDevice::publish(const LegacyEvent& event) {
    if (update_) return;
    Message message = head(0x50, 0x02);
    append_option(message, 11, event.is_public ? "e" : "E");
    append_option(message, 0, event.name);  // with its slashes inside
    if (event.ttl_s != 60)
        message.insert(message.end(),
                       {0x33,
                        static_cast<std::uint8_t>(event.ttl_s >> 16U),
                        static_cast<std::uint8_t>(event.ttl_s >> 8U),
                        static_cast<std::uint8_t>(event.ttl_s)});
    if (!event.data.empty()) {
        message.push_back(0xff);
        append(message, event.data);
    }
    send_plain(message);
}

void LegacyDevice::subscribe(const std::string& prefix,
                             bool is_own_only,
                             const std::string& digits) {
    Message message = head(0x40, 0x01);
    append_option(message, 11, "e");
    append_option(message, 0, prefix);
    if (is_own_only) append_option(message, 4, "u");
    if (!digits.empty()) {
        message.push_back(0xff);
        append(message, digits);
    }
    send_plain(message);
}

void LegacyDevice::ask_time() {
    if (update_) return;
    Message message = head(0x41, 0x01);
    message.insert(message.end(), {++token_, 0xb1, 't'});
    send_plain(message);
}

// The twelve bytes count only if they are at their place, behind a token of one byte.
void LegacyDevice::begin_update(const Message& message) {
    if (message.size() < 20 || message[7] != 0xff) return hang_up("an update of size 0");
    if (refuses_updates) return send_plain(Message{0x60, 0x80, message[2], message[3]});
    const bool may_be_fast = setup_.firmware != Firmware::Bluz && is_fast;
    UpdateState update{
        .chunk_size = static_cast<std::size_t>(message[9]) << 8U | message[10],
        .size = u32_at(message, 11),
        .is_fast = may_be_fast && (message[8] & 1U) != 0,
    };
    if (update.chunk_size == 0 || update.size == 0) return hang_up("an update of nothing");
    const std::size_t count = (update.size + update.chunk_size - 1) / update.chunk_size;
    update.has.resize(count);
    if (update.is_fast) update.bytes.resize(count * update.chunk_size);
    update_ = std::move(update);
    send_plain(Message{0x60, 0x00, message[2], message[3]});
    Message ready = head(0x51, 0x44);
    const std::uint8_t fast = update_->is_fast ? 1 : 0;
    ready.insert(ready.end(), {message[4], 0xff, fast});
    send_plain(ready);
}

// The index follows the checksum where they come fast.
void LegacyDevice::take_chunk(const Message& message) {
    if (!update_) return hang_up("a chunk without an update");
    ++chunk_count_;
    const bool has_index = update_->is_fast;
    const std::size_t mark = has_index ? 15 : 12;
    const bool is_at_its_place = byte_at(message, 7) == 0x44 &&
                                 (!has_index || byte_at(message, 12) == 0x02) &&
                                 byte_at(message, mark) == 0xff;
    if (!is_at_its_place) return hang_up("a chunk whose parts are not at their places");
    const Message data(message.begin() + static_cast<std::ptrdiff_t>(mark + 1), message.end());
    if (data.size() != update_->chunk_size) return hang_up("a chunk of another size");
    bool is_good = u32_at(message, 8) == crc32_of(data);
    if (spoils > 0) {
        --spoils;
        is_good = false;
    }
    send_plain(Message{0x60, 0x00, message[2], message[3]});
    if (!has_index) {
        // A whole chunk behind this one, which is not answered yet.
        if (buffer_.size() > update_->chunk_size) return hang_up("two chunks at once");
        if (is_good) update_->bytes.insert(update_->bytes.end(), data.begin(), data.end());
        Message answer = head(0x51, is_good ? 0x44 : 0x80);
        answer.push_back(message[4]);
        return send_plain(answer);
    }
    const std::size_t index = static_cast<std::size_t>(message[13]) << 8U | message[14];
    if (index >= update_->has.size()) return hang_up("a chunk behind the end");
    const auto lost = std::find(misses.begin(), misses.end(), index);
    if (lost != misses.end()) {
        misses.erase(lost);
        is_good = false;
    }
    if (!is_good) return;
    std::copy(data.begin(),
              data.end(),
              update_->bytes.begin() + static_cast<std::ptrdiff_t>(index * data.size()));
    update_->has[index] = true;
    const bool is_whole =
        std::find(update_->has.begin(), update_->has.end(), false) == update_->has.end();
    if (!update_->is_asking || !is_whole) return;
    Message done = head(0x50, 0x03);
    done.insert(done.end(), {0xb1, 'u'});
    send_plain(done);
    install();
}

void LegacyDevice::end_update(const Message& message) {
    if (!update_) return hang_up("the end of no update");
    const bool is_whole =
        update_->is_fast
            ? std::find(update_->has.begin(), update_->has.end(), false) == update_->has.end()
            : update_->bytes.size() >= update_->size;
    const std::uint8_t code = is_whole ? 0x44 : 0x80;
    send_plain(Message{0x61, code, message[2], message[3], message[4]});
    if (is_whole) return install();
    if (!update_->is_fast) return hang_up("the end before the last chunk");
    update_->is_asking = true;
    ask_for_missed();
}

void LegacyDevice::ask_for_missed() {
    Message list = head(0x40, 0x01);
    list.insert(list.end(), {0xb1, 'c', 0xff});
    std::size_t count = 0;
    for (std::size_t i = 0; i < update_->has.size() && count < 50; ++i) {
        if (update_->has[i]) continue;
        ++count;
        list.insert(list.end(), {static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)});
    }
    update_->asked_ms = update_->ms;
    send_plain(list);
}

void LegacyDevice::install() {
    installed_ = std::move(update_->bytes);
    update_.reset();
    hang_up("restart");
}

void LegacyDevice::pass(std::uint32_t ms) {
    constexpr std::uint32_t kLongest = 600'000;
    constexpr std::uint32_t kAskAgain = 3'000;
    if (!update_) return;
    update_->ms += ms;
    if (update_->ms > kLongest) return hang_up("an update of more than ten minutes");
    if (update_->is_asking && update_->ms - update_->asked_ms >= kAskAgain) ask_for_missed();
}

void LegacyDevice::ping() { send_plain(head(0x40, 0x00)); }

}  // namespace sotto::testing
