// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/message.hpp"

#include <algorithm>

namespace sotto::edhoc {
namespace {

MutBytes within_limit(MutBytes out) { return out.first(std::min(out.size(), kMessageSizeMax)); }

}  // namespace

Result<Message1Head> read_message_1_head(cbor::Reader& in) {
    Message1Head head;
    SOTTO_TRY_ASSIGN(const std::int64_t method, in.integer());
    if (method != kMethod) return Error::Unsupported;
    SOTTO_TRY_ASSIGN(head.suites_i, read_suites(in));
    SOTTO_TRY_ASSIGN(head.g_x, in.bytes());
    SOTTO_TRY_ASSIGN(head.c_i, ConnectionId::read(in));
    return head;
}

Result<Bytes> encode_message_1(const Message1Head& head,
                               std::span<const EadItem> ead_1,
                               MutBytes out) {
    cbor::Writer writer{within_limit(out)};
    writer.integer(kMethod);
    write_suites(writer, {head.suites_i.data(), head.suites_i.size()});
    writer.bytes(head.g_x);
    head.c_i.write(writer);
    write_ead(writer, ead_1);
    return writer.finish();
}

Result<Bytes> unwrap(Bytes message) {
    if (message.size() > kMessageSizeMax) return Error::TooLarge;
    cbor::Reader in{message};
    SOTTO_TRY_ASSIGN(const Bytes content, in.bytes());
    SOTTO_TRY(in.finish());
    return content;
}

Bytes wrap(MutBytes out, std::size_t content_size) {
    std::array<std::uint8_t, 9> buffer{};
    const Bytes head = *cbor::Writer{buffer}.head(cbor::Kind::Bytes, content_size).finish();
    SOTTO_ASSERT(head.size() <= kHeadRoom && kHeadRoom + content_size <= out.size());
    std::copy_n(
        out.begin() + kHeadRoom, content_size, std::copy(head.begin(), head.end(), out.begin()));
    return out.first(head.size() + content_size);
}

Result<Draft> draft_plaintext(const ConnectionId* c_r,
                              const cose::IdCred& id_cred,
                              std::size_t mac_size,
                              std::span<const EadItem> ead,
                              MutBytes out) {
    static constexpr std::array<std::uint8_t, kMacSizeMax> kNoMac{};
    const MutBytes room = within_limit(out);
    cbor::Writer writer{room};
    if (c_r != nullptr) c_r->write(writer);
    id_cred.write_compact(writer);
    writer.bytes(Bytes{kNoMac}.first(mac_size));
    const std::size_t mac_end = writer.size();
    write_ead(writer, ead);
    SOTTO_TRY(writer.finish());
    const MutBytes plaintext = room.first(writer.size());
    return Draft{.plaintext = plaintext,
                 .mac = plaintext.subspan(mac_end - mac_size, mac_size),
                 .ead = plaintext.subspan(mac_end)};
}

Result<Bytes> seal_and_wrap(const MessageKeys& keys, std::size_t plaintext_size, MutBytes out) {
    const std::size_t content_size = plaintext_size + mac_size(keys.suite);
    if (kHeadRoom + content_size > within_limit(out).size()) return Error::NoSpace;
    const MutBytes content = out.subspan(kHeadRoom, content_size);
    SOTTO_TRY(seal(keys, content.first(plaintext_size), content));
    return wrap(out, content_size);
}

Result<MutBytes> unwrap_and_open(const MessageKeys& keys, Bytes message, MutBytes scratch) {
    SOTTO_TRY_ASSIGN(const Bytes sealed, unwrap(message));
    const std::size_t tag = mac_size(keys.suite);
    if (sealed.size() < tag) return Error::Truncated;
    const std::size_t size = sealed.size() - tag;
    if (size > scratch.size()) return Error::NoSpace;
    SOTTO_TRY(open(keys, sealed, scratch.first(size)));
    return scratch.first(size);
}

}  // namespace sotto::edhoc
