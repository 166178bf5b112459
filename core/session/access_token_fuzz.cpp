// SPDX-License-Identifier: Apache-2.0
// Access tokens of anybody's making, and such as the owner could make: what is opened is issued
// again as the same bytes.
#include "core/cbor/writer.hpp"
#include "core/session/access_token.hpp"

namespace {

using namespace sotto;
using namespace sotto::session;

// Knows every name of one letter.
class Names final : public Resources {
  public:
    bool find(ResourceKind, std::string_view name, Traits& traits) const override {
        if (name.size() != 1) return false;
        traits = {.index = static_cast<std::uint8_t>(name[0])};
        return true;
    }
    Status call(std::uint8_t, const Content&, Format, Excerpt&) override { return {}; }
    Status read(std::uint8_t, Format, Excerpt&) override { return {}; }
    Status describe(Excerpt&) const override { return {}; }
};

void check(Bytes token, const keystore::TokenKey& key) {
    Grant grant;
    if (!open_token(token, key, grant) || token.size() > keystore::kTokenSizeMax) return;
    std::array<std::uint8_t, keystore::kTokenSizeMax> buffer{};
    const auto again = issue_token(grant, key, buffer);
    SOTTO_ASSERT(again && equal(*again, token));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 256) return 0;
    const Bytes bytes{data, size};
    const keystore::TokenKey key{std::array<std::uint8_t, 32>{1}};
    check(bytes, key);

    std::array<std::uint8_t, 400> buffer{};  // the claims of an owner who makes what he likes
    cbor::Writer writer{buffer};
    const std::array<std::uint8_t, 3> header{0xa1, 0x01, 0x05};
    writer.tag(17).array(4).bytes(header).map(0).bytes(bytes);
    check(writer.bytes(mac0_tag(key.expose(), bytes)).written(), key);

    const Names names;
    Permissions permissions;
    if (parse_scope(bytes, names, permissions)) {
        SOTTO_ASSERT(!permissions.has(ResourceKind::Function, 200));
    }
    return 0;
}
