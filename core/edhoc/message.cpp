// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/message.hpp"

#include <algorithm>
#include <cstring>

namespace sotto::edhoc {
namespace {

MutBytes within_limit(MutBytes out) { return out.first(std::min(out.size(), kMessageSizeMax)); }

}  // namespace

Result<Bytes> encode_message_1(const Message1Fields& fields, MutBytes out) {
    cbor::Writer writer{within_limit(out)};
    writer.integer(kMethod);
    write_suites(writer, fields.suites_i);
    writer.bytes(fields.g_x);
    fields.c_i.write(writer);
    write_ead(writer, fields.ead_1);
    return writer.finish();
}

Status unwrap(Bytes message, Bytes& content) {
    if (message.size() > kMessageSizeMax) return Error::TooLarge;
    cbor::Reader in{message};
    content = in.bytes();
    return in.finish();
}

Bytes wrap(MutBytes out, std::size_t content_size) {
    SOTTO_ASSERT(kHeadRoom + content_size <= out.size() && content_size <= 0xffff);
    const std::size_t head_size = content_size < 24 ? 1 : content_size <= 0xff ? 2 : 3;
    std::memmove(out.data() + head_size, out.data() + kHeadRoom, content_size);
    cbor::Writer{out}.head(cbor::Kind::Bytes, content_size);
    return out.first(head_size + content_size);
}

Status draft_plaintext(const DraftInput& input, std::size_t mac_size, MutBytes out, Draft& draft) {
    static constexpr std::array<std::uint8_t, kMacSizeMax> kNoMac{};
    const MutBytes room = out.first(std::min(out.size(), kMessageSizeMax - kPlaintext2At));
    cbor::Writer writer{room};
    if (input.c_r != nullptr) input.c_r->write(writer);
    input.id_cred.write_compact(writer);
    writer.bytes(Bytes{kNoMac}.first(mac_size));
    const std::size_t mac_end = writer.size();
    write_ead(writer, input.ead);
    SOTTO_TRY(writer.finish());
    draft.plaintext = room.first(writer.size());
    draft.mac = draft.plaintext.subspan(mac_end - mac_size, mac_size);
    draft.ead = draft.plaintext.subspan(mac_end);
    return {};
}

Result<Bytes> seal_and_wrap(const MessageKeys& keys, std::size_t plaintext_size, MutBytes out) {
    const std::size_t content_size = plaintext_size + mac_size(keys.suite);
    if (kHeadRoom + content_size > within_limit(out).size()) {
        wipe(out.subspan(kHeadRoom, plaintext_size));
        return Error::NoSpace;
    }
    const MutBytes content = out.subspan(kHeadRoom, content_size);
    SOTTO_TRY(seal(keys, content.first(plaintext_size), content));
    return wrap(out, content_size);
}

Status unwrap_and_open(const MessageKeys& keys, Bytes message, MutBytes& scratch) {
    Bytes sealed;
    SOTTO_TRY(unwrap(message, sealed));
    const std::size_t tag = mac_size(keys.suite);
    if (sealed.size() < tag) return Error::Truncated;
    const std::size_t size = sealed.size() - tag;
    if (size > scratch.size()) return Error::NoSpace;
    scratch = scratch.first(size);
    return open(keys, sealed, scratch);
}

}  // namespace sotto::edhoc
