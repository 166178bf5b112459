// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/machine.hpp"

#include <algorithm>

namespace sotto::edhoc {

bool is_declared(std::span<const Edge> edges, const Edge& edge) {
    return std::ranges::find(edges, edge) != edges.end();
}

}  // namespace sotto::edhoc
