// SPDX-License-Identifier: Apache-2.0
#include "cloud/store/memory_store.hpp"

#include <deque>

#include "testing/hook_contract.hpp"
#include "testing/key_contract.hpp"
#include "testing/otp_contract.hpp"
#include "testing/people_contract.hpp"
#include "testing/product_contract.hpp"
#include "testing/tag_contract.hpp"

namespace sotto::cloud::store {
namespace {

class MemoryFixture {
  public:
    static constexpr bool kRemembers = false;

    Store& store() { return store_; }
    void settle() {
        while (!posted_.empty()) {
            const auto function = std::move(posted_.front());
            posted_.pop_front();
            function();
        }
    }
    void reopen() {}

  private:
    std::deque<std::function<void()>> posted_;
    MemoryStore store_{[this](auto function) { posted_.push_back(std::move(function)); }};
};

}  // namespace
}  // namespace sotto::cloud::store

namespace sotto::testing {
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreContract, cloud::store::MemoryFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, AccountContract, cloud::store::MemoryFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, KeyContract, cloud::store::MemoryFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, HookContract, cloud::store::MemoryFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, OtpContract, cloud::store::MemoryFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, ProductContract, cloud::store::MemoryFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, PeopleContract, cloud::store::MemoryFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, TagContract, cloud::store::MemoryFixture);
}  // namespace sotto::testing
