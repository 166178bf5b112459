// SPDX-License-Identifier: Apache-2.0
// A strict reader of Prometheus' text format 0.0.4, for tests.
// https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <map>
#include <string>

namespace sotto::testing {

struct Exposition {
    std::map<std::string, double> samples;  // by name and labels, as written
    std::string complaint;                  // the first thing that is wrong; empty if nothing is
};

Exposition parse_exposition(const std::string& text);

}  // namespace sotto::testing
