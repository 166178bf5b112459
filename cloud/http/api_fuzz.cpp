// SPDX-License-Identifier: Apache-2.0
// A request of any kind: method (1 byte), size of the target (1 byte), target, and an Authorization
// header or, with the right one, a body from the rest. It is answered once, and a channel opens for
// nobody without the token.
#include <deque>
#include <functional>

#include "cloud/http/api.hpp"
#include "cloud/store/memory_store.hpp"
#include "core/base/assert.hpp"
#include "core/base/reader.hpp"

namespace {

using namespace sotto;               // NOLINT(google-build-using-namespace)
using namespace sotto::cloud;        // NOLINT(google-build-using-namespace)
using namespace sotto::cloud::http;  // NOLINT(google-build-using-namespace)

constexpr std::string_view kToken = "t";

model::TokenHash hash(std::string_view text) {
    model::TokenHash hash;
    std::copy_n(text.begin(), std::min(text.size(), hash.bytes.size()), hash.bytes.begin());
    return hash;
}

class World {
  public:
    World() {
        store_.create_account("ann", {}, [](const auto&) {});
        store_.add_token({.hash = hash(kToken),
                          .kind = model::TokenKind::Account,
                          .account = model::AccountId{1},
                          .name = "t"},
                         {},
                         [](const auto&) {});
        settle();
    }
    std::optional<Answer> ask(const Request& request) {
        std::optional<Answer> answer;
        api_.handle(request, [&answer](Answer given) {
            SOTTO_ASSERT(!answer);
            answer = std::move(given);
        });
        settle();
        return answer;
    }

  private:
    void settle() {
        while (!posted_.empty()) {
            const auto function = std::move(posted_.front());
            posted_.pop_front();
            function();
        }
    }

    std::deque<std::function<void()>> posted_;
    store::MemoryStore store_{[this](auto function) { posted_.push_back(std::move(function)); }};
    Api api_{store_,
             {.credential = "c0ffee",
              .address = "127.0.0.1:1",
              .hash_token = hash,
              .draw_claim = [] { return model::ClaimCode{}; },
              .is_connected = [](const auto&) { return false; },
              .now = [] { return Instant{}; }}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Reader in{Bytes{data, size}};
    const auto kind = in.u8();
    const auto target_size = in.u8();
    if (!kind || !target_size) return 0;
    const Bytes target = in.take(std::min<std::size_t>(*target_size, in.size())).value();
    const std::string rest{as_text(in.take(in.size()).value())};
    const bool has_body = (*kind & 0x80) != 0;
    const Request request{.method = static_cast<Method>((*kind & 7) % 6),
                          .target = std::string{as_text(target)},
                          .authorization = has_body ? "Bearer " + std::string{kToken} : rest,
                          .is_upgrade = (*kind & 8) != 0,
                          .body = has_body ? rest : std::string{}};
    World world;
    const auto answer = world.ask(request);
    SOTTO_ASSERT(answer.has_value());
    if (std::holds_alternative<OpenChannel>(*answer))
        SOTTO_ASSERT(token_of(request.authorization) == kToken);
    return 0;
}
