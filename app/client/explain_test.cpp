// SPDX-License-Identifier: Apache-2.0
#include "app/client/explain.hpp"

#include <gtest/gtest.h>

namespace sotto::app {
namespace {

TEST(Explain, EveryCodeBecomesWhatFailedAndWhatToDo) {
    for (int code = 0; code < 256; ++code) {
        const Failure failure = explain(static_cast<coap::Code>(code), {"function", "lamp"});
        EXPECT_EQ(failure.trouble, Trouble::Refused);
        EXPECT_EQ(failure.what.find("function \"lamp\" "), 0U);
        EXPECT_FALSE(failure.next.empty());
    }
    EXPECT_NE(explain(static_cast<coap::Code>(0x86), {"x", ""}).what.find("x has no text"),
              std::string::npos);
    EXPECT_NE(explain(static_cast<coap::Code>(0xa4), {"x", ""}).what.find("5.04"),
              std::string::npos);
}

TEST(Explain, EveryVerdictHasItsWords) {
    using session::PairingVerdict;
    EXPECT_EQ(explain(PairingVerdict::NotPermitted).trouble, Trouble::NotTheDevice);
    for (const auto verdict :
         {PairingVerdict::OtherOwner, PairingVerdict::PressButton, PairingVerdict::TryAgain}) {
        EXPECT_EQ(explain(verdict).trouble, Trouble::Refused);
        EXPECT_FALSE(explain(verdict).next.empty());
    }
}

}  // namespace
}  // namespace sotto::app
