// SPDX-License-Identifier: Apache-2.0
// fails with: (convert|initialization|no viable|no matching|no known)
#include <cstdint>

#include "core/base/strong.hpp"

using Link = sotto::Strong<std::uint32_t, struct LinkTag>;
using Label = sotto::Strong<std::uint32_t, struct LabelTag>;

bool route(Link link, Label label);

bool route_both(Link link, Label label) {
#ifdef MUST_COMPILE
    return route(link, label);
#else
    return route(label, link);
#endif
}
